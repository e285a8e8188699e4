"""What evidence takes from a store, on both databases."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from evidence_story import PERIOD, fill
from sqlalchemy import select, update

from ml_connector import wiring
from ml_connector.errors import VaultError
from ml_connector.evidence import checking
from ml_connector.settings import Installation
from ml_connector.store import extracts
from ml_connector.store.db import Database
from ml_connector.store.extracts import Window
from ml_connector.store.journal import Journal, Kind, Line
from ml_connector.store.journal_pages import JournalPages
from ml_connector.store.schema_people import signing_keys
from ml_connector.store.signing import SigningKeys
from ml_connector.store.vault import Vault
from ml_connector.wiring import gathering

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)


def test_evidence_is_made_of_either_database(url: str, tmp_path: Path) -> None:
    opened = wiring.open_store(Installation(store=url, key_file=tmp_path / "store.key"))
    try:
        fill(opened, count=5, entries=3)
        gathering.gather(opened, "demo", PERIOD, tmp_path / "pack", "ann")
    finally:
        opened.close()
    verdict = checking.check(tmp_path / "pack")
    assert (verdict.findings, verdict.documents) == ((), 6)


def test_a_stretch_of_the_journal_is_what_lies_between(db: Database, vault: Vault, connection_id: int) -> None:
    hour = timedelta(hours=1)
    for number in range(5):
        journal = Journal(db, vault, connection_id, lambda at=NOW + number * hour: at)
        with db.write() as connection:
            journal.append(connection, [Line(Kind.RUN, {"n": number})])
    pages = JournalPages(db, vault, connection_id)
    before = extracts.end_of(db, connection_id)[0] - 5
    assert pages.stretch(NOW + hour, NOW + 3 * hour) == (before + 2, before + 3)
    first, last = pages.stretch(NOW + 9 * hour, NOW + 10 * hour)
    assert (first, last) == (before + 6, before + 5)
    assert [row.seq for row in extracts.entries(db, connection_id, before + 2, before + 3)] == [before + 2, before + 3]


def test_pages_of_an_extract_are_all_of_it(
    db: Database, vault: Vault, connection_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extracts, "PAGE", 2)
    with db.write() as connection:
        Journal(db, vault, connection_id).append(connection, [Line(Kind.RUN, {"n": one}) for one in range(5)])
    last, head = extracts.end_of(db, connection_id)
    found = list(extracts.entries(db, connection_id, 1, last))
    assert [row.seq for row in found] == list(range(1, last + 1))
    assert found[-1].hash == head == extracts.hash_at(db, connection_id, last)
    assert list(extracts.exceptions_within(db, connection_id, Window(NOW, NOW))) == []


def test_signing_keys_stay_and_are_sealed_to_their_place(db: Database, vault: Vault) -> None:
    keys = SigningKeys(db, vault)
    first = keys.newest(lambda: (b"private 1", b"public 1"), "ann")
    assert keys.newest(lambda: (b"", b""), "ann") == first
    second = keys.renew(lambda: (b"private", b"public"), "ann")
    assert keys.listed() == [second, first]
    assert keys.private(second) == b"private"
    with db.write() as connection:  # another key's private half put in its place
        table = signing_keys.c
        sealed = connection.execute(select(table.sealed).where(table.id == first.number)).scalar_one()
        connection.execute(update(signing_keys).where(table.id == second.number).values(sealed=sealed))
    with pytest.raises(VaultError):
        keys.private(second)
