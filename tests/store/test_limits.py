"""Reservations: the rate holds, whoever asks."""

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Float, literal

from ml_connector.store.db import Database
from ml_connector.store.limits import Reservations
from ml_connector.systems.limits import Limiter

from .processes import together


class Clock:
    """The database's time, which goes on while somebody waits for a slot, and by what a test says."""

    def __init__(self, reservations: Reservations) -> None:
        self.now = 1e9
        self._reservations = reservations
        self._names = itertools.count()

    def limiter(self, limit: int, window_s: float) -> Limiter:
        """One of a name that nobody had."""
        return Limiter(self._reservations, f"api {next(self._names)}", limit, window_s, self._sleep)

    def told(self, _: Connection) -> Any:
        """What a statement is told of it."""
        return literal(self.now, Float)

    def _sleep(self, seconds: float) -> None:
        self.now += seconds


def stopped(db: Database, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Takes the time of a database in hand."""
    clock = Clock(Reservations(db))
    monkeypatch.setattr("ml_connector.store.limits.epoch", clock.told)
    return clock


@pytest.fixture
def clock(db: Database, monkeypatch: pytest.MonkeyPatch) -> Clock:
    return stopped(db, monkeypatch)


@pytest.fixture
def reservations(db: Database, clock: Clock) -> Reservations:
    return Reservations(db)


def test_slots_are_an_interval_apart(reservations: Reservations) -> None:
    assert [reservations.reserve("api", 10, 0) for _ in range(4)] == [0, 10, 20, 30]


def test_a_burst_may_be_made_up_for_once(reservations: Reservations) -> None:
    assert [reservations.reserve("api", 10, 20) for _ in range(5)] == [0, 0, 0, 10, 20]


def test_names_do_not_share_slots(reservations: Reservations) -> None:
    assert [reservations.reserve(name, 10, 0) for name in ("a", "b")] == [0, 0]


@pytest.mark.parametrize("known", [True, False])
def test_deferring_holds_everybody_back(reservations: Reservations, known: bool) -> None:
    if known:
        reservations.reserve("api", 10, 20)
    reservations.defer("api", 100)
    reservations.defer("api", 50)
    assert [reservations.reserve("api", 10, 20) for _ in range(5)] == [100, 100, 100, 110, 120]


def test_processes_share_the_rate(url: str) -> None:
    """100 a second, and six at once at most: in no stretch of time that slots are within for certain are there more."""
    slots = [tuple(map(float, one.split())) for said in together("reserve", url, 25, count=3) for one in said]
    assert len(slots) == 75
    for (begins, _), (_, ends) in itertools.product(slots, repeat=2):
        within = sum(begins <= first and last <= ends for first, last in slots)
        assert within <= max(0.0, ends - begins) / 0.01 + 6 + 1e-3


def test_a_clock_that_went_back_makes_nobody_wait_for_it(reservations: Reservations, clock: Clock) -> None:
    reservations.defer("api", 100)
    assert reservations.reserve("api", 10, 0) == 100
    clock.now -= 7200
    assert reservations.reserve("api", 10, 0) == 0


@pytest.fixture
def in_a_file(migrated_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    shutil.copy(migrated_file, tmp_path / "store.db")
    database = Database.open(f"sqlite:///{tmp_path / 'store.db'}")
    yield stopped(database, monkeypatch)
    database.close()


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    st.integers(1, 30),
    st.sampled_from([1.0, 60.0]),
    st.lists(st.floats(0, 30), min_size=1, max_size=80),
    st.lists(st.integers(0, 79), max_size=3),
)
def test_no_window_holds_more_than_the_limit(
    in_a_file: Clock, limit: int, window_s: float, pauses: list[float], defers: list[int]
) -> None:
    clock, limiter = in_a_file, in_a_file.limiter(limit, window_s)
    went: list[float] = []
    for number, pause in enumerate(pauses):
        clock.now += pause * window_s / 300
        if number in defers:
            limiter.defer(window_s / 3)
        limiter.wait()
        went.append(clock.now)
    assert most_in(window_s, went) <= limit


@pytest.mark.parametrize("limit", [1, 2, 3, 20, 50])
def test_no_window_holds_more_when_asked_without_end_after_a_pause(in_a_file: Clock, limit: int) -> None:
    clock, limiter = in_a_file, in_a_file.limiter(limit, 60.0)
    limiter.wait()
    clock.now += 600
    went: list[float] = []
    for _ in range(3 * limit):
        limiter.wait()
        went.append(clock.now)
    assert most_in(60.0, went) <= limit


def most_in(window_s: float, went: list[float]) -> int:
    return max(sum(at <= later < at + window_s for later in went) for at in went)
