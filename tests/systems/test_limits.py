"""The limiter: its pace is near the limit and within it; who holds back one holds back all of the same name.

That the limit holds in every window is tested where the slots are kept: `tests/store/test_limits.py`.
"""

import pytest
from reaching import Unhurried

from ml_connector.systems.limits import BURST, Limiter, pace


@pytest.mark.parametrize("limit", [20, 60, 450, 1000, 100_000])
def test_the_pace_is_near_the_limit(limit: int) -> None:
    interval_s, burst_s = pace(limit, 60.0)
    assert 0.95 * limit - 1 <= 60 / interval_s <= limit
    assert burst_s / interval_s == pytest.approx(limit * BURST, rel=0.02, abs=1)


def test_what_is_to_wait_sleeps_until_its_slot_and_a_pause_of_nothing_is_none() -> None:
    slept: list[float] = []
    reservations = Unhurried([0.0, 1.5])
    limiter = Limiter(reservations, "x", sleep=slept.append)
    limiter.wait()
    limiter.wait()
    limiter.defer(0)
    limiter.defer(7)
    assert (slept, reservations.pauses) == ([1.5], [7])
