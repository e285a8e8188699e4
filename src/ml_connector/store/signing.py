"""The keys that sign evidence: the public halves in the open, the private ones sealed.

Rule: the newest key signs; none ever goes, as what it signed is checked with it for years.
Must not know: how anything is signed.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select, update

from ml_connector.errors import StoreError
from ml_connector.store import schema
from ml_connector.store.db import Database
from ml_connector.store.journal import Journal, Kind, Line
from ml_connector.store.schema_people import signing_keys
from ml_connector.store.scope import Clock
from ml_connector.store.vault import Vault

WAIT_S = 30.0
Pair = Callable[[], tuple[bytes, bytes]]  # makes a private key and its public half


class SigningKey(msgspec.Struct, frozen=True):
    """A key, by its public half."""

    number: int
    made_at: datetime
    public: bytes


class SigningKeys:
    """The keys of an installation."""

    def __init__(self, db: Database, vault: Vault, clock: Clock = lambda: datetime.now(UTC)) -> None:
        self._db, self._vault, self._clock = db, vault, clock
        self._journal = Journal(db, vault, schema.INSTALLATION, clock)

    def listed(self) -> list[SigningKey]:
        """All there ever were, the newest first."""
        columns = signing_keys.c.id, signing_keys.c.made_at, signing_keys.c.public
        with self._db.read() as connection:
            rows = connection.execute(select(*columns).order_by(signing_keys.c.id.desc())).all()
        return [SigningKey(row.id, schema.instant(row.made_at), row.public) for row in rows]

    def newest(self, make: Pair, person: str) -> SigningKey:
        """The key that signs; at its first use it is made. Raises: BusyError, StoreError."""
        with self._db.lock("signing key", WAIT_S):
            there = self.listed()
            return there[0] if there else self._add(make, person)

    def renew(self, make: Pair, person: str) -> SigningKey:
        """Sign with a new key from now on. Raises: BusyError, StoreError."""
        with self._db.lock("signing key", WAIT_S):
            return self._add(make, person)

    def private(self, key: SigningKey) -> bytes:
        """The private half of a key. Raises: StoreError."""
        query = select(signing_keys.c.sealed).where(signing_keys.c.id == key.number)
        with self._db.read() as connection:
            sealed = connection.execute(query).scalar_one_or_none()
        if sealed is None:
            raise StoreError(f"signing key {key.number} is gone from the store; restore the latest backup beside it")
        return self._vault.unseal(sealed, *_place(key.number, key.public))

    def _add(self, make: Pair, person: str) -> SigningKey:
        private, public = make()
        with self._db.write() as connection:
            number = self._inserted(connection, private, public)
            facts: dict[str, Any] = {"event": "signing_key", "key": number, "public": public.hex(), "person": person}
            self._journal.append(connection, [Line(Kind.EVIDENCE, facts)])
        return self.listed()[0]

    def _inserted(self, connection: Connection, private: bytes, public: bytes) -> int:
        row = {"made_at": schema.stamp(self._clock()), "public": public, "sealed": b""}
        made = connection.execute(insert(signing_keys).values(row).returning(signing_keys.c.id))
        number: int = made.scalar_one()
        sealed = self._vault.seal(private, *_place(number, public))
        connection.execute(update(signing_keys).where(signing_keys.c.id == number).values(sealed=sealed))
        return number


def _place(number: int, public: bytes) -> tuple[str, str, str, str]:
    return str(schema.INSTALLATION), "signing_keys", str(number), public.hex()
