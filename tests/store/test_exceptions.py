"""Exceptions by cause and stage with what is at stake, notes at them, and those that are over; on both databases."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert

from ml_connector.records import money
from ml_connector.records.money import Money
from ml_connector.store import schema
from ml_connector.store.connections import Connections
from ml_connector.store.db import Database
from ml_connector.store.exceptions import Exceptions, Group, Stage, at, note
from ml_connector.store.journal import Journal, JournalEntry
from ml_connector.store.noting import BATCH, Noting, Which
from ml_connector.store.scope import Scope
from ml_connector.store.vault import Vault
from ml_connector.sync.outcome import Held

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
ALL = Which(flow="payments", cause="closed")
AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**20), max_value=10**20)
STAKES = st.lists(
    st.tuples(st.sampled_from(("closed", "not_confirmed")), st.sampled_from(("EUR", "JPY")), AMOUNTS), max_size=30
)


class Desk:
    """The exceptions of one connection at an instant that a test moves."""

    def __init__(self, db: Database, vault: Vault, connection_id: int) -> None:
        self.now = NOW
        self.db, self.vault, self.connection_id = db, vault, connection_id
        self.kept = Exceptions(db, connection_id)
        self.noting = Noting(db, vault, connection_id, lambda: self.now)
        self.journal = Journal(db, vault, connection_id)

    def hold(self, key: str, cause: str = "closed", run_id: str = "run", **more: Any) -> None:
        self.see(key, Held(cause, f"{key} waits.", "Do it.", **more), run_id)

    def see(self, key: str, held: Held | None, run_id: str = "run") -> None:
        scope = Scope(self.vault, self.connection_id, "payments", object, object, lambda: self.now)
        with self.db.write() as connection:
            self.journal.append(connection, note(connection, scope, run_id, [(key, held)]))

    def keys(self, stage: Stage) -> list[str]:
        return [one.key for one in self.kept.open(100, where=at(stage, self.now))]

    def which(self, *keys: str) -> Which:
        return Which(tuple(one.id for one in self.kept.open(100) if one.key in keys))

    def groups(self) -> dict[tuple[str, Stage], Group]:
        return {(one.cause, one.stage): one for one in self.kept.groups(self.now)}

    def told(self, key: str) -> list[JournalEntry]:
        return [one for one in self.journal.timeline("payments", key) if one.kind == "noted"]


@pytest.fixture
def desk(db: Database, vault: Vault, connection_id: int) -> Desk:
    return Desk(db, vault, connection_id)


def row(connection_id: int, number: int, cause: str, currency: str | None, amount: Decimal | None) -> dict[str, Any]:
    told = {"connection_id": connection_id, "flow": "payments", "key": str(number), "cause": cause, "sentence": "s"}
    told |= {"remedy": "r", "owner": "AP clerk", "stake_currency": currency, "opened_at": schema.stamp(NOW)}
    told |= {"stake_amount": None if amount is None else money.plain(amount), "last_at": schema.stamp(NOW)}
    return told | {"resolved_at": None, "times": 1}


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(STAKES)
def test_sums_are_exact(both: list[Database], held: list[tuple[str, str, Decimal]]) -> None:
    expected: dict[str, dict[str, Decimal]] = {}
    for cause, currency, amount in held:
        sums = expected.setdefault(cause, {})
        sums[currency] = money.total((sums.get(currency, Decimal(0)), amount))
    for db in both:
        with db.write() as connection:
            connection.execute(delete(schema.exceptions))
            rows = [row(7, number, *one) for number, one in enumerate(held)]
            connection.execute(insert(schema.exceptions), [*rows, row(7, -1, "closed", None, None)])
            connection.execute(insert(schema.exceptions), [row(8, 1, "closed", "EUR", Decimal(1))])
        groups = {one.cause: one for one in Exceptions(db, 7).groups(NOW)}
        assert {cause: one.stakes for cause, one in groups.items() if one.stakes} == expected
        counts = Counter([cause for cause, *_ in held] + ["closed"])
        assert {cause: one.count for cause, one in groups.items()} == counts


def test_each_stands_at_one_stage(desk: Desk) -> None:
    desk.hold("1")
    desk.hold("2", stake=Money(Decimal("10.5"), "EUR"))
    desk.hold("3", "not_confirmed")
    assert desk.noting.snooze(desk.which("2"), NOW + timedelta(days=1), "kari") == 1
    assert [desk.keys(stage) for stage in Stage] == [["1"], ["2"], ["3"]]
    found = desk.groups()
    assert set(found) == {("closed", Stage.OPEN), ("closed", Stage.SNOOZED), ("not_confirmed", Stage.RETRYING)}
    assert found["closed", Stage.SNOOZED].stakes == {"EUR": Decimal("10.5")}
    desk.now += timedelta(days=1, seconds=1)
    assert desk.keys(Stage.OPEN) == ["1", "2"], "its time has come"


def test_another_cause_wakes_it_and_leaves_it_to_who_had_it(desk: Desk) -> None:
    desk.hold("1")
    desk.noting.assign(ALL, "ola", "kari")
    desk.noting.snooze(ALL, NOW + timedelta(days=1), "kari")
    desk.hold("1")
    assert desk.keys(Stage.SNOOZED) == ["1"], "the same again is no news"
    desk.hold("1", "missing")
    one = desk.kept.one("payments", "1")
    assert one
    assert (one.held.cause, one.assignee, one.snoozed_until) == ("missing", "ola", None)
    desk.see("1", None)
    assert desk.kept.one("payments", "1") is None
    desk.hold("1")
    again = desk.kept.one("payments", "1")
    assert again
    assert again.assignee == "", "the one before was over"


def test_notes_are_told_once_each_and_sealed(desk: Desk) -> None:
    desk.hold("1")
    desk.hold("2")
    assert desk.noting.assign(ALL, "ola", "kari") == 2
    assert desk.noting.assign(ALL, "ola", "kari") == 0
    assert desk.noting.comment(desk.which("1"), "Ask Nils.", "kari") == 1
    assert desk.noting.comment(desk.which("1"), "Ask Nils.", "kari") == 0, "a second press"
    assert desk.noting.comment(desk.which("1"), "Asked.", "ola") == 1
    assert desk.noting.snooze(desk.which("1"), NOW + timedelta(days=3), "ola") == 1
    assert desk.noting.snooze(desk.which("1"), None, "ola") == 1
    assert desk.noting.snooze(desk.which("1"), None, "ola") == 0
    told = [(one.facts["event"], one.facts["person"]) for one in desk.told("1")]
    assert told == [
        ("assigned", "kari"),
        ("commented", "kari"),
        ("commented", "ola"),
        ("snoozed", "ola"),
        ("woken", "ola"),
    ]
    assert desk.told("1")[1].body == {"comment": "Ask Nils."}
    assert all("Nils" not in str(one.facts) for one in desk.told("1"))
    said = desk.noting.comments([("payments", "1"), ("payments", "2")])
    assert [(one.person, one.text) for one in said.values()] == [("ola", "Asked.")]
    assert desk.groups()["closed", Stage.OPEN].assignees == {"ola": 2}
    assert desk.journal.verify().sound


def test_only_what_is_open_and_ones_own_is_noted(desk: Desk, db: Database, vault: Vault) -> None:
    desk.hold("1")
    desk.hold("2")
    named = desk.which("1", "2")
    desk.see("2", None)
    other = Connections(db, vault).save("other", {}, {}).id
    assert Noting(db, vault, other).assign(named, "ola", "kari") == 0
    assert Noting(db, vault, other).assign(ALL, "ola", "kari") == 0
    assert desk.noting.assign(named, "ola", "kari") == 1
    assert desk.noting.assign(Which(), "nils", "kari") == 0, "no choice is no record"


def test_more_than_a_batch(desk: Desk) -> None:
    with desk.db.write() as connection:
        rows = [row(desk.connection_id, number, "closed", None, None) for number in range(BATCH + 5)]
        connection.execute(insert(schema.exceptions), rows)
    assert desk.noting.snooze(ALL, NOW + timedelta(days=1), "kari") == BATCH + 5
    assert (
        desk.noting.comment(Which(flow="payments", cause="closed", stage=Stage.SNOOZED), "Later.", "kari") == BATCH + 5
    )
    assert desk.groups()["closed", Stage.SNOOZED].count == BATCH + 5


def test_what_is_over_tells_which_run_found_so(desk: Desk) -> None:
    for number in range(5):
        desk.hold(str(number), stake=Money(Decimal(number + 1), "EUR"))
        desk.now += timedelta(hours=1)
    for number in range(5):
        desk.see(str(number), None, f"run{number // 2}")
        desk.now += timedelta(minutes=number % 2)
    found = desk.kept.resolved(10)
    assert [one.was.key for one in found] == ["4", "3", "2", "1", "0"]
    assert [one.run_id for one in found] == ["run2", "run1", "run1", "run0", "run0"]
    assert found[-1].at - found[-1].was.opened_at == timedelta(hours=5)
    first = desk.kept.resolved(2)
    assert first + desk.kept.resolved(10, (first[-1].at, first[-1].was.id)) == found


def test_what_tables_lack(desk: Desk) -> None:
    for key, lacks in (("1", "30"), ("2", "60"), ("3", "30"), ("4", "")):
        desk.hold(key, lacks=lacks)
    assert desk.kept.lacking("payments", "closed") == [("30", 2), ("60", 1)]
    desk.hold("2", lacks="x" * 5000)
    assert desk.kept.lacking("payments", "closed")[-1] == ("x" * 100, 1), "an index takes no more"
