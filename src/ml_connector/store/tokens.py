"""The token shelf: one access token for all processes of a connection.

Rule: one fetches while the others wait and then take what it got; a token lies sealed.
Must not know: how a token is fetched.
"""

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
from sqlalchemy import select

from ml_connector.store import schema
from ml_connector.store.db import Database, upsert
from ml_connector.store.scope import Clock
from ml_connector.store.vault import Vault

WAIT_S = 60.0
EARLY_S = 30.0
NAME = "ifs"


class TokenShelf:
    """The token of one connection for IFS. Units: expiry is seconds since 1970."""

    def __init__(
        self, db: Database, vault: Vault, connection_id: int, clock: Clock = lambda: datetime.now(UTC)
    ) -> None:
        self._db = db
        self._vault = vault
        self._place = (str(connection_id), "tokens", NAME)
        self._row = {"connection_id": connection_id, "name": NAME}
        self._clock = clock

    def get(self) -> tuple[str, float] | None:
        """The token on the shelf and when it expires; None when there is none."""
        table = schema.tokens
        query = select(table.c.sealed).filter_by(**self._row)
        with self._db.read() as connection:
            sealed = connection.execute(query).scalar_one_or_none()
        if sealed is None:
            return None
        return msgspec.json.decode(self._vault.unseal(sealed, *self._place), type=tuple[str, float])

    def renew(
        self, stale: str | None, fetch: Callable[[], tuple[str, float]], early_s: float = EARLY_S
    ) -> tuple[str, float]:
        """A token other than `stale`, good for `early_s` at least: the one that another got meanwhile, or a new one.

        Raises: BusyError when another has been fetching for too long; what `fetch` raises.
        """
        with self._db.lock("token " + " ".join(self._place), WAIT_S):
            kept = self.get()
            if kept and kept[0] != stale and kept[1] - early_s > self._clock().timestamp():
                return kept
            token = fetch()
            self._put(token)
            return token

    def _put(self, token: tuple[str, float]) -> None:
        sealed = self._vault.seal(msgspec.json.encode(token), *self._place)
        with self._db.write() as connection:
            upsert(connection, schema.tokens, [self._row | {"sealed": sealed}])
