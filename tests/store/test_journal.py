"""The journal's chain: any tampering is found."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, insert, select, update

from ml_connector.store import schema
from ml_connector.store.chain import BROKEN_MAX, LOST
from ml_connector.store.connections import Connections
from ml_connector.store.db import Database
from ml_connector.store.journal import Journal, Kind, Line
from ml_connector.store.vault import Vault

from .conftest import KEY
from .processes import together

TABLE = schema.journal
COLUMNS = [column.name for column in TABLE.columns]


def fill(db: Database, journal: Journal, count: int) -> None:
    with db.write() as connection:
        bodies: list[Any] = [{"n": number} if number % 2 else None for number in range(count)]
        lines = [Line(Kind.INTENDED, {"change": n}, f"S{n}", "suppliers", "run", body) for n, body in enumerate(bodies)]
        journal.append(connection, lines)


def tamper(db: Database, do: Callable[[Connection], object]) -> None:
    with db.write() as connection:
        do(connection)


def test_a_sound_chain_is_sound(db: Database, journal: Journal) -> None:
    fill(db, journal, 2_500)
    verdict = journal.verify()
    assert (verdict.entries, verdict.broken) == (2_501, ())


def test_an_earlier_state_is_found_by_what_was_kept_elsewhere(db: Database, vault: Vault, journal: Journal) -> None:
    fill(db, journal, 3)
    chains = schema.chains.c
    with db.read() as connection:
        before = connection.execute(select(chains.head, chains.sealed).where(chains.seq == 4)).one()
    early = journal.verify().head
    fill(db, journal, 2)
    late = journal.verify().head
    assert all(journal.verify(kept).sound for kept in ("", early, late))
    tamper(db, lambda c: c.execute(delete(TABLE).where(TABLE.c.seq > 4)))  # all of it, as it was
    values = {"seq": 4, "head": before.head, "sealed": before.sealed}
    tamper(db, lambda c: c.execute(update(schema.chains).where(chains.seq == 6).values(values)))
    assert all(journal.verify(kept).sound for kept in ("", early))
    assert journal.verify(late).broken == ((4, LOST),)
    assert Journal(db, vault, 99).verify(late).broken == ((0, LOST),)


def test_an_empty_chain_is_sound(db: Database, vault: Vault) -> None:
    assert Journal(db, vault, 99).verify().sound


def test_a_timeline_is_of_one_key_with_bodies_opened(db: Database, journal: Journal) -> None:
    fill(db, journal, 4)
    fill(db, journal, 4)
    first, second = journal.timeline("suppliers", "S1")
    assert (first.body, first.facts, first.seq, second.seq) == ({"n": 1}, {"change": 1}, 3, 7)
    assert journal.timeline("orders", "S1") == []
    assert len(journal.timeline(None, "S1")) == 2


@pytest.mark.parametrize("gone", [1, 3, 5])
def test_a_removed_entry_is_found(db: Database, journal: Journal, gone: int) -> None:
    fill(db, journal, 4)
    tamper(db, lambda c: c.execute(delete(TABLE).where(TABLE.c.seq == gone)))
    assert (gone, "is missing") in journal.verify().broken


def test_a_removed_entry_closed_up_is_found(db: Database, journal: Journal) -> None:
    fill(db, journal, 4)

    def close_up(connection: Connection) -> None:
        connection.execute(delete(TABLE).where(TABLE.c.seq == 3))
        for seq in (4, 5):
            connection.execute(update(TABLE).where(TABLE.c.seq == seq).values(seq=seq - 1))

    tamper(db, close_up)
    assert not journal.verify().sound


def test_a_cut_off_tail_is_found_even_with_the_head_set_back(db: Database, journal: Journal) -> None:
    fill(db, journal, 4)

    def cut(connection: Connection) -> None:
        connection.execute(delete(TABLE).where(TABLE.c.seq == 5))
        head = connection.execute(select(TABLE.c.hash).where(TABLE.c.seq == 4)).scalar_one()
        connection.execute(update(schema.chains).values(seq=4, head=head))

    tamper(db, cut)
    assert journal.verify().broken == ((4, "the chain's head was altered"),)


def test_a_chain_without_its_head_is_found(db: Database, journal: Journal) -> None:
    tamper(db, lambda c: c.execute(delete(schema.chains)))
    assert not journal.verify().sound


def test_a_journal_that_is_gone_as_a_whole_is_found(db: Database, journal: Journal) -> None:
    fill(db, journal, 4)

    def wipe(connection: Connection) -> None:
        connection.execute(delete(TABLE))
        connection.execute(delete(schema.chains))

    tamper(db, wipe)
    assert journal.verify().broken == ((0, "the chain's head is missing"),)


def test_swapped_entries_are_found(db: Database, journal: Journal) -> None:
    fill(db, journal, 4)

    def swap(connection: Connection) -> None:
        for old, new in ((2, 99), (3, 2), (99, 3)):
            connection.execute(update(TABLE).where(TABLE.c.seq == old).values(seq=new))

    tamper(db, swap)
    assert {seq for seq, _ in journal.verify().broken} >= {2, 3}


def test_an_entry_added_behind_the_head_is_found(db: Database, journal: Journal) -> None:
    fill(db, journal, 1)
    values = [TABLE.c.seq + 1 if name == "seq" else TABLE.c[name] for name in COLUMNS]
    another = insert(TABLE).from_select(COLUMNS, select(*values).where(TABLE.c.seq == 2))
    tamper(db, lambda c: c.execute(another))
    assert (3, "was added behind the chain's head") in journal.verify().broken


def test_what_is_told_is_bounded(db: Database, journal: Journal) -> None:
    fill(db, journal, 300)
    tamper(db, lambda c: c.execute(update(TABLE).values(kind="x")))
    assert 0 < len(journal.verify().broken) <= BROKEN_MAX + 1


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Database, Journal]]:
    db = Database.open(f"sqlite:///{tmp_path_factory.mktemp('journal')}/store.db")
    vault = Vault.open(db, KEY, None)
    journal = Journal(db, vault, Connections(db, vault).save("demo", {}, {}).id)
    fill(db, journal, 6)
    yield db, journal
    db.close()


@settings(max_examples=150, deadline=None)
@given(seq=st.integers(1, 7), name=st.sampled_from(COLUMNS), data=st.data())
def test_any_altered_byte_is_found(filled: tuple[Database, Journal], seq: int, name: str, data: st.DataObject) -> None:
    db, journal = filled
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


def altered(value: Any, data: st.DataObject) -> Any:
    """Another value of the column: one bit of one byte flipped, a byte lost, or text that is no text."""
    if value is None:
        return data.draw(st.binary(max_size=3))
    if isinstance(value, int):
        return value + data.draw(st.sampled_from([-100, 100, 1 << 33]))
    raw = bytearray(value.encode() if isinstance(value, str) else value)
    if not raw or data.draw(st.booleans()):
        return bytes(raw) + b"\xff"
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    return bytes(raw)


def set_raw(connection: Connection, name: str, seq: Any, value: Any, *, any_connection: bool = False) -> None:
    where = "" if any_connection else " AND connection_id = 1"
    as_text = isinstance(value, bytes) and name in ("at", "run_id", "flow", "key", "kind", "facts")
    new = "CAST(? AS TEXT)" if as_text else "?"
    connection.exec_driver_sql(f"UPDATE journal SET {name} = {new} WHERE seq = ?{where}", (value, seq))  # noqa: S608 fixed names


def test_processes_append_to_one_chain(url: str, journal: Journal, connection_id: int) -> None:
    assert together("append", url, connection_id, 20, count=3) == [["done"]] * 3
    verdict = journal.verify()
    assert (verdict.entries, verdict.broken) == (1 + 3 * 20 * 3, ())
