"""Reservations: the rate holds, whoever asks."""

import itertools
import time

import pytest

from ml_connector.store.db import Database
from ml_connector.store.limits import Reservations

from .processes import together


@pytest.fixture
def reservations(db: Database) -> Reservations:
    return Reservations(db)


def test_slots_are_an_interval_apart(reservations: Reservations) -> None:
    waits = [reservations.reserve("api", 10, 0) for _ in range(4)]
    assert waits == pytest.approx([0, 10, 20, 30], abs=2)


def test_a_burst_may_be_made_up_for_once(reservations: Reservations) -> None:
    waits = [reservations.reserve("api", 10, 20) for _ in range(5)]
    assert waits == pytest.approx([0, 0, 0, 10, 20], abs=2)


def test_names_do_not_share_slots(reservations: Reservations) -> None:
    assert [reservations.reserve(name, 10, 0) for name in ("a", "b")] == [0, 0]


@pytest.mark.parametrize("known", [True, False])
def test_deferring_holds_everybody_back(reservations: Reservations, known: bool) -> None:
    if known:
        reservations.reserve("api", 10, 20)
    reservations.defer("api", 100)
    reservations.defer("api", 50)
    waits = [reservations.reserve("api", 10, 20) for _ in range(5)]
    assert waits == pytest.approx([100, 100, 100, 110, 120], abs=2)


def test_processes_share_the_rate(url: str) -> None:
    said = together("reserve", url, 25, count=3)
    calls = sorted(float(at) for worker in said for at in worker)
    assert len(calls) == 75
    # 100 a second, and five at once at most: in no stretch of time more than that.
    allowed = [(calls[end] - calls[start]) / 0.01 + 7 for start, end in itertools.combinations(range(75), 2)]
    counts = [end - start + 1 for start, end in itertools.combinations(range(75), 2)]
    assert sum(count > most for count, most in zip(counts, allowed, strict=True)) <= len(counts) * 0.02
    assert calls[-1] - calls[0] >= 0.69 - 0.05


def test_a_clock_that_went_back_makes_nobody_wait_for_it(
    reservations: Reservations, monkeypatch: pytest.MonkeyPatch, db: Database
) -> None:
    if db.file is None:
        return  # PostgreSQL has the server's clock
    reservations.defer("api", 100)
    real = time.time
    monkeypatch.setattr("ml_connector.store.db.time.time", lambda: real() - 7200)
    assert reservations.reserve("api", 10, 0) == pytest.approx(0, abs=2)
