"""Retention: what is old goes, what the chain needs stays, and nobody else can take a body away unseen."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from ml_connector.errors import BusyError
from ml_connector.store import retention, schema
from ml_connector.store.connections import Connections
from ml_connector.store.db import Database
from ml_connector.store.flow_store import FlowStore
from ml_connector.store.journal import Journal, Kind, Line
from ml_connector.store.retention import Cleaned, Terms, clean
from ml_connector.store.vault import Vault
from ml_connector.sync.change import Event
from ml_connector.sync.outcome import Held
from ml_connector.sync.ports import Noted, Settlement

from .conftest import KEY
from .samples import entry, intended, settled
from .test_journal import COLUMNS, altered, set_raw, tamper

TABLE = schema.journal
NOW = datetime(2026, 3, 4, tzinfo=UTC)
OLD = NOW - timedelta(days=8 * 366)
TERMS = Terms()


def now() -> datetime:
    return NOW


def write(db: Database, vault: Vault, connection_id: int, at: datetime, count: int) -> None:
    """Entries of one moment, every second one with a body."""
    bodies: list[Any] = [{"n": number} if number % 2 else None for number in range(count)]
    lines = [Line(Kind.INTENDED, {"change": n}, f"S{n}", "suppliers", "run", body) for n, body in enumerate(bodies)]
    with db.write() as connection:
        Journal(db, vault, connection_id, lambda: at).append(connection, lines)


def bodies(db: Database) -> int:
    with db.read() as connection:
        return connection.execute(select(func.count(TABLE.c.body))).scalar_one()


def prunings(db: Database) -> int:
    query = select(func.count()).select_from(TABLE).where(TABLE.c.kind == "pruned")
    with db.read() as connection:
        return connection.execute(query).scalar_one()


def test_old_bodies_go_and_the_chain_stays_sound(db: Database, vault: Vault, connection_id: int) -> None:
    write(db, vault, connection_id, OLD, 50)
    write(db, vault, connection_id, NOW, 10)
    journal = Journal(db, vault, connection_id, now)
    assert clean(db, vault, TERMS, now, batch=7).bodies == 25
    assert bodies(db) == 5
    assert journal.verify().broken == ()
    first, second = journal.timeline("suppliers", "S1")
    assert (first.body, first.facts, second.body) == (None, {"change": 1}, {"n": 1})
    assert sum(entry.facts["count"] for entry in journal.timeline(None, "bodies")) == 25
    before = prunings(db)
    assert clean(db, vault, TERMS, now) == Cleaned()
    assert prunings(db) == before


def test_every_day_a_little(db: Database, vault: Vault, connection_id: int) -> None:
    for day in range(6):
        write(db, vault, connection_id, OLD + timedelta(days=day), 4)
    terms = Terms(journal_years=8)
    for day in range(1, 5):
        assert clean(db, vault, terms, lambda day=day: NOW + timedelta(days=day)).bodies == 2
        assert Journal(db, vault, connection_id).verify().sound
    assert (bodies(db), prunings(db)) == (4, 4)
    assert clean(db, vault, TERMS, now).bodies == 4


def test_a_body_taken_by_anybody_else_is_found(db: Database, vault: Vault, connection_id: int) -> None:
    write(db, vault, connection_id, OLD, 10)
    write(db, vault, connection_id, NOW, 10)
    journal = Journal(db, vault, connection_id)
    clean(db, vault, TERMS, now)
    with db.read() as connection:
        left = connection.execute(select(TABLE.c.seq).where(TABLE.c.body.is_not(None)).order_by(TABLE.c.seq)).scalars()
        young = left.all()
    tamper(db, lambda c: c.execute(update(TABLE).where(TABLE.c.seq == young[0]).values(body=None)))
    assert journal.verify().broken == ((young[0], "has lost its body"),)
    tamper(db, lambda c: c.execute(update(TABLE).values(body=None)))
    assert [seq for seq, _ in journal.verify().broken] == young


def test_all_bodies_taken_without_a_word_is_found(db: Database, vault: Vault, connection_id: int) -> None:
    write(db, vault, connection_id, OLD, 2_500)
    tamper(db, lambda c: c.execute(update(TABLE).values(body=None)))
    assert len(Journal(db, vault, connection_id).verify().broken) >= 100


def test_a_pruning_that_nobody_made_is_found(db: Database, vault: Vault, connection_id: int) -> None:
    write(db, vault, connection_id, NOW, 10)

    def forge(connection: Any) -> None:
        facts = '{"before":"9","count":9,"upto":99}'
        connection.execute(update(TABLE).where(TABLE.c.seq == 5).values(key="bodies", kind="pruned", facts=facts))
        connection.execute(update(TABLE).values(body=None))

    tamper(db, forge)
    assert (5, "was altered") in Journal(db, vault, connection_id).verify().broken


@pytest.fixture(scope="module")
def pruned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Database, Journal]]:
    db = Database.open(f"sqlite:///{tmp_path_factory.mktemp('journal')}/store.db")
    vault = Vault.open(db, KEY, None)
    connection_id = Connections(db, vault, lambda: OLD).save("demo", {}, {}).id
    write(db, vault, connection_id, OLD, 4)
    write(db, vault, connection_id, NOW, 3)
    clean(db, vault, TERMS, now)
    yield db, Journal(db, vault, connection_id)
    db.close()


@settings(max_examples=60, deadline=None)
@given(seq=st.integers(1, 9), name=st.sampled_from(COLUMNS), data=st.data())
def test_any_altered_byte_is_found(pruned: tuple[Database, Journal], seq: int, name: str, data: st.DataObject) -> None:
    db, journal = pruned
    column = TABLE.c[name]
    with db.read() as connection:
        before = connection.execute(select(column).where(TABLE.c.seq == seq)).scalar_one()
    after = altered(before, data)
    tamper(db, lambda c: set_raw(c, name, seq, after))
    try:
        assert not journal.verify().sound, f"{name} of {seq}: {before!r} to {after!r}"
    finally:
        tamper(db, lambda c: set_raw(c, name, after if name == "seq" else seq, before, any_connection=True))
    assert journal.verify().sound


def test_pruning_while_it_is_verified(db: Database, vault: Vault, connection_id: int) -> None:
    write(db, vault, connection_id, OLD, 3_000)
    verdicts: list[Any] = []
    journal = Journal(db, vault, connection_id)

    def verify() -> None:
        while len(verdicts) < 3:
            verdicts.append(journal.verify())

    thread = threading.Thread(target=verify)
    thread.start()
    clean(db, vault, TERMS, now, batch=100)
    thread.join()
    assert [verdict.broken for verdict in (*verdicts, journal.verify())] == [()] * 4
    assert bodies(db) == 0


def at_that_time(store: FlowStore, monkeypatch: pytest.MonkeyPatch, at: datetime) -> None:
    """Let the store believe that it is another day."""
    import msgspec

    monkeypatch.setattr(store, "_scope", msgspec.structs.replace(store._scope, clock=lambda: at))  # pyright: ignore[reportPrivateUsage]


def test_what_has_ended_goes_and_what_is_open_stays(
    db: Database, vault: Vault, store: FlowStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_that_time(store, monkeypatch, OLD)
    run_id = settled(store, [entry("A"), entry("B")])
    store.note(run_id, [Noted("H", held=Held("x", "s", "r")), Noted("I", held=Held("x", "s", "r"))])
    store.note(run_id, [Noted("H")])
    _, (handed, _) = intended(store, [entry("C"), entry("D")], run_id)
    store.settle(run_id, [Settlement(handed, Event.HAND, held=Held("handed_over", "s", "r"))])
    store.finish(run_id, "done", {})
    at_that_time(store, monkeypatch, NOW - timedelta(days=100))
    settled(store, [entry("E")])
    done = clean(db, vault, TERMS, now, batch=1)
    assert (done.runs, done.changes, done.exceptions) == (1, 3, 1)
    assert store.handed(["C"]).keys() == {"C"}
    assert store.links("suppliers", ["A", "B", "E"]).keys() == {"A", "B", "E"}
    assert store.held_for(("x",)) == {"I"}
    store.begin("run")
    assert [change.key for change in store.open_changes(10)] == ["D"]


def test_one_cleans_at_a_time(db: Database, vault: Vault) -> None:
    with db.lock("cleaning", 0.0), pytest.raises(BusyError):
        clean(db, vault, TERMS, now)
    assert retention.YEAR_DAYS * 7 >= 7 * 365 + 2
