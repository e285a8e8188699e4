"""The secrets of a connection: those that count, and those that wait with a version of its settings.

Rule: one that waits is sealed to its version, and nothing signs in with it; it counts once its version is in force, and
goes with a version that is ended.
Must not know: what a secret is for, who has to agree.
"""

from collections.abc import Mapping

from sqlalchemy import Connection, delete, select

from ml_connector.store import schema
from ml_connector.store.db import upsert
from ml_connector.store.vault import Vault

WAITING = "waiting/"
_TABLE = schema.secrets


def keep(connection: Connection, vault: Vault, owner: int, given: Mapping[str, str], now: str) -> None:
    """Have secrets count from now on; an empty one is removed."""
    gone = [field for field, secret in given.items() if not secret]
    connection.execute(delete(_TABLE).where(_TABLE.c.connection_id == owner, _TABLE.c.field.in_(gone)))
    _put(connection, vault, owner, {field: secret for field, secret in given.items() if secret}, now)
    # A token that was got with the old secrets must not outlive them.
    connection.execute(delete(schema.tokens).where(schema.tokens.c.connection_id == owner))


def lay_by(connection: Connection, vault: Vault, owner: int, number: int, given: Mapping[str, str], now: str) -> None:
    """Have secrets wait with a version."""
    _put(connection, vault, owner, {_place(number, field): secret for field, secret in given.items()}, now)


def laid_by(connection: Connection, owner: int, number: int) -> tuple[str, ...]:
    """Which secrets wait with a version."""
    mine = _TABLE.c.connection_id == owner, _TABLE.c.field.startswith(_place(number, ""), autoescape=True)
    fields = connection.execute(select(_TABLE.c.field).where(*mine).order_by(_TABLE.c.field)).scalars()
    return tuple(field.removeprefix(_place(number, "")) for field in fields)


def take(connection: Connection, vault: Vault, owner: int, number: int, now: str) -> tuple[str, ...]:
    """Have those count that waited with a version; which they are."""
    fields = laid_by(connection, owner, number)
    if fields:
        given = {field: read(connection, vault, owner, _place(number, field)) or "" for field in fields}
        keep(connection, vault, owner, given, now)
        drop(connection, owner, number)
    return fields


def drop(connection: Connection, owner: int, number: int) -> None:
    """Forget those that waited with a version."""
    places = [_place(number, field) for field in laid_by(connection, owner, number)]
    connection.execute(delete(_TABLE).where(_TABLE.c.connection_id == owner, _TABLE.c.field.in_(places)))


def read(connection: Connection, vault: Vault, owner: int, field: str) -> str | None:
    """A secret that counts, in the clear; None: it was not given. Raises: VaultError."""
    query = select(_TABLE.c.sealed).where(_TABLE.c.connection_id == owner, _TABLE.c.field == field)
    sealed = connection.execute(query).scalar_one_or_none()
    return None if sealed is None else vault.unseal(sealed, str(owner), "secrets", field).decode()


def since(connection: Connection, owner: int) -> dict[str, str]:
    """Which secrets count, and when each was last given."""
    query = select(_TABLE.c.field, _TABLE.c.changed_at).where(_TABLE.c.connection_id == owner)
    rows = connection.execute(query.where(~_TABLE.c.field.startswith(WAITING)))
    return {row.field: row.changed_at for row in rows}


def _place(number: int, field: str) -> str:
    return f"{WAITING}{number}/{field}"


def _put(connection: Connection, vault: Vault, owner: int, placed: Mapping[str, str], now: str) -> None:
    rows = ({"field": at, "sealed": vault.seal(one.encode(), str(owner), "secrets", at)} for at, one in placed.items())
    upsert(connection, _TABLE, [{"connection_id": owner, "changed_at": now, **row} for row in rows])
