"""Connections, their secrets, and how they go."""

import msgspec
import pytest
from sqlalchemy import insert, select

from ml_connector.errors import SettingsError, VaultError
from ml_connector.records.supplier import Supplier, Vendor
from ml_connector.store import schema
from ml_connector.store.connections import Connections
from ml_connector.store.db import Database
from ml_connector.store.flow_store import FlowStore
from ml_connector.store.hooks import Hooks
from ml_connector.store.journal import Journal
from ml_connector.store.schema_people import tie_outs
from ml_connector.store.vault import Vault

from .samples import entry, intended, settled
from .test_flow_store import raw_bytes


@pytest.fixture
def connections(db: Database, vault: Vault) -> Connections:
    return Connections(db, vault)


def test_a_connection_comes_back_as_saved(connections: Connections) -> None:
    saved = connections.save("acme", {"url": "https://x"}, {"client_secret": "s3"})
    assert connections.get("acme") == msgspec.structs.replace(saved, made=None)
    assert (saved.settings, connections.secret("acme", "client_secret")) == ({"url": "https://x"}, "s3")


def test_replacing_keeps_the_id_and_the_secrets_that_are_not_given(connections: Connections) -> None:
    first = connections.save("acme", {"a": 1}, {"one": "1", "two": "2", "three": "3"})
    second = connections.save("acme", {"b": 2}, {"two": "22", "three": ""})
    assert (second.id, connections.get("acme").settings) == (first.id, {"b": 2})
    assert [connections.secret("acme", field) for field in ("one", "two")] == ["1", "22"]
    with pytest.raises(SettingsError, match="no secret three"):
        connections.secret("acme", "three")


def test_an_unknown_name_tells_the_nearest(connections: Connections) -> None:
    with pytest.raises(SettingsError, match="there are none yet"):
        connections.get("acme")
    connections.save("acme", {}, {})
    connections.save("zulu", {}, {})
    with pytest.raises(SettingsError, match=r"no connection called 'acne'; there are: acme, zulu; nearest: acme"):
        connections.secret("acne", "x")


@pytest.mark.parametrize("name", ["", "a b", "a/b", "x" * 65])
def test_a_name_is_checked(connections: Connections, name: str) -> None:
    with pytest.raises(SettingsError, match="can't name a connection"):
        connections.save(name, {}, {})


def test_secrets_are_nowhere_readable_and_bound_to_their_place(
    connections: Connections, db: Database, url: str
) -> None:
    acme = connections.save("acme", {}, {"password": "Kanarienvogel"})
    other = connections.save("other", {}, {"password": "x"})
    assert b"Kanarienvogel" not in raw_bytes(url, db)
    with db.write() as connection:
        table = schema.secrets
        sealed = connection.execute(select(table.c.sealed).where(table.c.connection_id == acme.id)).scalar_one()
        connection.execute(table.update().where(table.c.connection_id == other.id).values(sealed=sealed))
    with pytest.raises(VaultError):
        connections.secret("other", "password")


def test_saving_is_journalled_by_names_only(connections: Connections, db: Database, vault: Vault) -> None:
    acme = connections.save("acme", {"url": "u"}, {"password": "Kanarienvogel"})
    journal = Journal(db, vault, acme.id)
    (one,) = journal.timeline(None, "")
    assert (one.kind, one.facts["secrets"], "Kanarienvogel" in repr(one)) == ("connection", ["password"], False)
    assert journal.verify().sound


def test_a_connection_goes_only_without_links(connections: Connections, db: Database, vault: Vault) -> None:
    acme = connections.save("acme", {}, {"password": "x"})
    store = FlowStore(db, vault, acme.id, "suppliers", Supplier, Vendor)
    intended(store, [entry("S1")])
    with pytest.raises(SettingsError, match="linked records"):
        connections.remove("acme", "root")
    other = connections.save("other", {}, {"password": "x"})
    settled(FlowStore(db, vault, other.id, "suppliers", Supplier, Vendor), [entry("S1")])
    with pytest.raises(SettingsError, match="linked records"):
        connections.remove("other", "root")


def test_a_removed_name_may_be_used_anew(connections: Connections, db: Database, vault: Vault) -> None:
    old = connections.save("acme", {}, {"password": "x"})
    connections.remove("acme", "root")
    assert connections.names() == []
    new = connections.save("acme", {}, {})
    assert new.id != old.id
    with pytest.raises(SettingsError):
        connections.secret("acme", "password")
    assert Journal(db, vault, old.id).verify().entries == 2
    (told,) = Journal(db, vault, schema.INSTALLATION).timeline("", "acme")
    assert told.facts == {"event": "connection_removed", "person": "root", "about": "acme", "number": old.id}


def test_what_was_signed_off_keeps_its_connection(connections: Connections, db: Database) -> None:
    acme, now = connections.save("acme", {}, {}), "2026-03-01T00:00:00.000000Z"
    row = {"connection_id": acme.id, "period": "2026-02", "made_at": now, "made_by": "kari", "ties": 1}
    with db.write() as connection:
        connection.execute(insert(tie_outs).values(row | {"digest": "d", "sealed": b""}))
        connection.execute(insert(tie_outs).values(row | {"digest": "e", "sealed": b"", "signed_at": now}))
    with pytest.raises(SettingsError, match="signed off"):
        connections.remove("acme", "root")
    assert connections.names() == ["acme"]


def test_no_hook_and_no_secret_of_it_stays_behind(connections: Connections, db: Database, vault: Vault) -> None:
    acme = connections.save("acme", {}, {})
    Hooks(db, vault).set(acme.id, "airbase", "{}", "kari", "one")
    connections.remove("acme", "root")
    assert Hooks(db, vault).of(acme.id) == []


def test_new_secrets_end_the_old_token(connections: Connections, db: Database) -> None:
    acme = connections.save("acme", {}, {"password": "x"})
    with db.write() as connection:
        connection.execute(insert(schema.tokens).values(connection_id=acme.id, name="ifs", sealed=b""))
    connections.save("acme", {"changed": True}, {})
    connections.save("acme", {}, {"password": "y"})
    with db.read() as connection:
        assert connection.execute(select(schema.tokens)).all() == []
