"""The limiter: the limit holds in every window, at any arrival of requests."""

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_connector.systems.limits import InMemoryReservations, Limiter, pace

CALM = settings(deadline=None)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@CALM
@given(
    st.integers(1, 60),
    st.sampled_from([1.0, 10.0, 60.0]),
    st.lists(st.floats(0, 30), min_size=1, max_size=200),
    st.lists(st.integers(0, 199), max_size=3),
)
def test_no_window_holds_more_than_the_limit(
    limit: int, window_s: float, pauses: list[float], defers: list[int]
) -> None:
    clock = Clock()
    limiter = Limiter(InMemoryReservations(clock), "x", limit, window_s, clock.sleep)
    went: list[float] = []
    for number, pause in enumerate(pauses):
        clock.now += pause * window_s / 300
        if number in defers:
            limiter.defer(window_s / 3)
        limiter.wait()
        went.append(clock.now)
    for start, at in enumerate(went):
        assert sum(1 for later in went[start:] if later < at + window_s) <= limit


@pytest.mark.parametrize("limit", [1, 2, 3, 10, 20, 60, 450, 1000])
@pytest.mark.parametrize("idle_s", [0, 7, 600])
def test_no_window_holds_more_when_asked_without_end(limit: int, idle_s: int) -> None:
    clock = Clock()
    limiter = Limiter(InMemoryReservations(clock), "x", limit, 60.0, clock.sleep)
    limiter.wait()
    clock.now += idle_s
    went: list[float] = []
    for _ in range(4 * limit):
        limiter.wait()
        went.append(clock.now)
    for start, at in enumerate(went[: 2 * limit]):
        assert sum(1 for later in went[start : start + 2 * limit] if later < at + 60) <= limit


def test_the_pace_is_near_the_limit() -> None:
    clock = Clock()
    limiter = Limiter(InMemoryReservations(clock), "x", 1000, 60.0, clock.sleep)
    went = 0
    while clock.now < 100 + 600:
        limiter.wait()
        went += 1
    assert 9600 <= went <= 10_000


def test_a_burst_goes_at_once() -> None:
    clock = Clock()
    limiter = Limiter(InMemoryReservations(clock), "x", 1000, 60.0, clock.sleep)
    for _ in range(20):
        limiter.wait()
    assert clock.slept == []


def test_defer_holds_everybody_and_leaves_no_burst() -> None:
    clock = Clock()
    reservations = InMemoryReservations(clock)
    one = Limiter(reservations, "x", 1000, 60.0, clock.sleep)
    other = Limiter(reservations, "x", 1000, 60.0, clock.sleep)
    one.wait()
    one.defer(30)
    other.wait()
    assert clock.now == 130
    other.wait()
    assert clock.now > 130


def test_defer_never_shortens() -> None:
    clock = Clock()
    limiter = Limiter(InMemoryReservations(clock), "x", sleep=clock.sleep)
    limiter.defer(30)
    limiter.defer(5)
    limiter.wait()
    assert clock.now == 130


def test_names_are_apart() -> None:
    clock = Clock()
    reservations = InMemoryReservations(clock)
    Limiter(reservations, "x", sleep=clock.sleep).defer(30)
    Limiter(reservations, "y", sleep=clock.sleep).wait()
    assert clock.now == 100


def test_threads_never_share_a_slot() -> None:
    clock = Clock()
    reservations = InMemoryReservations(clock)
    interval_s, _ = pace(1000, 60.0)
    waits: list[float] = []
    threads = [
        threading.Thread(target=lambda: waits.extend(reservations.reserve("x", interval_s, 0.0) for _ in range(100)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({round(wait / interval_s) for wait in waits}) == 800
