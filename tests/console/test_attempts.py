"""Those who try tokens are slowed down, by address, for a while, and not those whose token is good."""

import pytest

from ml_connector.console import attempts
from ml_connector.console.attempts import WINDOW_S, WRONG_MAX, Attempts


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def slow(clock: Clock) -> Attempts:
    made = Attempts(clock)
    for _ in range(WRONG_MAX):
        assert made.wait_s("there", "wrong") == 0.0
        made.failed("there")
        clock.now += 1
    return made


def test_after_so_many_an_address_waits_until_its_minute_is_over(slow: Attempts, clock: Clock) -> None:
    assert slow.wait_s("there", "wrong") == WINDOW_S - WRONG_MAX
    assert slow.wait_s("elsewhere", "wrong") == 0.0
    clock.now += WINDOW_S - WRONG_MAX
    assert slow.wait_s("there", "wrong") == 0.0
    slow.failed("there")
    assert slow.wait_s("there", "wrong") == 0.0


def test_a_token_that_was_good_does_not_wait(slow: Attempts) -> None:
    slow.succeeded("good")
    assert slow.wait_s("there", "good") == 0.0
    assert slow.wait_s("there", "wrong") > 0.0


def test_only_so_much_is_remembered(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    monkeypatch.setattr(attempts, "REMEMBERED_MAX", 3)
    made = Attempts(clock)
    for number in range(10):
        for _ in range(WRONG_MAX):
            made.failed(str(number))
        made.succeeded(f"good {number}")
    assert [number for number in range(10) if made.wait_s(str(number), "wrong")] == [7, 8, 9]
    assert [number for number in range(10) if not made.wait_s("9", f"good {number}")] == [7, 8, 9]
