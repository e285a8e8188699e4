"""Findings: the latest of a kind, sealed to its connection; gone with it."""

from datetime import UTC, datetime

import pytest

from ml_connector.errors import VaultError
from ml_connector.store.connections import Connections
from ml_connector.store.db import Database
from ml_connector.store.findings import Findings
from ml_connector.store.vault import Vault

from .test_flow_store import raw_bytes

AT = datetime(2026, 9, 1, 7, 30, tzinfo=UTC)


@pytest.fixture
def findings(db: Database, vault: Vault, connection_id: int) -> Findings:
    return Findings(db, vault, connection_id, lambda: AT)


def test_the_latest_of_a_kind_is_kept_sealed(findings: Findings, url: str, db: Database) -> None:
    assert findings.get("check") is None
    findings.keep("check", "kari", b"Kanarienvogel 1")
    findings.keep("check", "ola", b"Kanarienvogel 2")
    findings.keep("fit", "kari", b"another")
    found = findings.get("check")
    assert found
    assert (found.at, found.person, found.content) == (AT, "ola", b"Kanarienvogel 2")
    assert b"Kanarienvogel" not in raw_bytes(url, db)


def test_what_was_moved_does_not_open(findings: Findings, db: Database, vault: Vault) -> None:
    findings.keep("check", "kari", b"content")
    other = Findings(db, vault, Connections(db, vault).save("other", {}, {}).id)
    assert other.get("check") is None
    with db.write() as connection:
        connection.exec_driver_sql("UPDATE findings SET kind = 'fit'")
    with pytest.raises(VaultError):
        findings.get("fit")


def test_it_goes_with_its_connection(findings: Findings, db: Database, vault: Vault) -> None:
    findings.keep("check", "kari", b"content")
    Connections(db, vault).remove("demo", "root")
    assert findings.get("check") is None
