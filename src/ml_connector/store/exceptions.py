"""Exceptions: records that need a person.

Rule: of one key at most one is open; another cause closes it and opens the next, so that history stays true. Noting the
same again only tells that it was seen again.
Must not know: what the causes mean.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, func, insert, select, tuple_, update

from ml_connector.records.money import Money, plain
from ml_connector.store import schema
from ml_connector.store.db import Database, among
from ml_connector.store.journal import Kind, Line
from ml_connector.store.schema import exceptions
from ml_connector.store.scope import Scope, clean
from ml_connector.sync.outcome import Held, Owner


class OpenException(msgspec.Struct, frozen=True):
    """An open exception; `times` is how often it was noted."""

    id: int
    flow: str
    key: str
    held: Held
    opened_at: datetime
    last_at: datetime
    times: int


class CauseCount(msgspec.Struct, frozen=True):
    """Open exceptions of a flow with one cause."""

    flow: str
    cause: str
    count: int
    oldest_at: datetime


class Exceptions:
    """The open exceptions of one connection."""

    def __init__(self, db: Database, connection_id: int) -> None:
        self._db = db
        self._open = (exceptions.c.connection_id == connection_id) & exceptions.c.resolved_at.is_(None)

    def open(
        self,
        limit: int,
        offset: int = 0,
        *,
        flow: str = "",
        cause: str = "",
        after: tuple[datetime, int] | None = None,
    ) -> list[OpenException]:
        """Open exceptions, oldest first; `after`: those that follow one opened then, with this id."""
        query = select(exceptions).where(self._open).order_by(exceptions.c.opened_at, exceptions.c.id)
        query = query.where(exceptions.c.flow == flow) if flow else query
        query = query.where(exceptions.c.cause == cause) if cause else query
        place = tuple_(exceptions.c.opened_at, exceptions.c.id)
        query = query.where(place > (schema.stamp(after[0]), after[1])) if after else query
        with self._db.read() as connection:
            return [_opened(row) for row in connection.execute(query.limit(limit).offset(offset))]

    def chosen(self, flow: str = "", cause: str = "", since: datetime | None = None) -> list[tuple[str, str]]:
        """Flow and key of those open: all, or of a flow, of a cause, or opened since an instant."""
        query = select(exceptions.c.flow, exceptions.c.key).where(self._open)
        query = query.where(exceptions.c.flow == flow) if flow else query
        query = query.where(exceptions.c.cause == cause) if cause else query
        query = query.where(exceptions.c.opened_at >= schema.stamp(since)) if since else query
        with self._db.read() as connection:
            return [(row.flow, row.key) for row in connection.execute(query.order_by(exceptions.c.id))]

    def counts(self) -> list[CauseCount]:
        """How many are open by flow and cause, and since when."""
        table = exceptions.c
        query = select(table.flow, table.cause, func.count().label("number"), func.min(table.opened_at).label("oldest"))
        query = query.where(self._open).group_by(table.flow, table.cause).order_by(table.flow, table.cause)
        with self._db.read() as connection:
            rows = connection.execute(query).all()
        return [CauseCount(row.flow, row.cause, row.number, schema.instant(row.oldest)) for row in rows]


def waiting(connection: Connection, scope: Scope, causes: Sequence[str] | None = None) -> set[str]:
    """Keys with an open exception, of these causes or any."""
    query = select(exceptions.c.key).where(scope.mine(exceptions), exceptions.c.resolved_at.is_(None))
    if causes is not None:
        query = query.where(exceptions.c.cause.in_(causes))
    return set(connection.execute(query).scalars())


def note(connection: Connection, scope: Scope, run_id: str, noted: Iterable[tuple[str, Held | None]]) -> list[Line]:
    """Open, refresh or resolve exceptions; what the journal should tell of it."""
    latest = dict(noted)
    known = _known(connection, scope, list(latest))
    held = {key: one for key, one in latest.items() if one is not None}
    over = [known[key] for key in known if key not in held or held[key].cause != known[key].cause]
    again = [(known[key], one) for key, one in held.items() if key in known and known[key].cause == one.cause]
    new = [(key, one) for key, one in held.items() if key not in known or known[key].cause != one.cause]
    _resolve(connection, scope, [row.id for row in over])
    _refresh(connection, scope, again)
    _open(connection, scope, new)
    reworded = [(row.key, one) for row, one in again if row.sentence != clean(one.sentence)]
    released = [Line(Kind.RELEASED, {"cause": row.cause}, row.key, scope.flow, run_id) for row in over]
    return [*released, *(_line(scope, run_id, key, one) for key, one in (*new, *reworded))]


def _line(scope: Scope, run_id: str, key: str, held: Held) -> Line:
    facts = {"cause": held.cause, "owner": str(held.owner)}
    return Line(Kind.HELD, facts, key, scope.flow, run_id, {"sentence": held.sentence, "remedy": held.remedy})


def _known(connection: Connection, scope: Scope, keys: Sequence[str]) -> dict[str, Any]:
    table = exceptions.c
    query = select(table.id, table.key, table.cause, table.sentence).where(
        scope.mine(exceptions), table.resolved_at.is_(None), among(connection, table.key, keys)
    )
    return {row.key: row for row in connection.execute(query)}


def _resolve(connection: Connection, scope: Scope, ids: Sequence[int]) -> None:
    if ids:
        statement = update(exceptions).where(among(connection, exceptions.c.id, ids))
        connection.execute(statement.values(resolved_at=scope.now()))


def _refresh(connection: Connection, scope: Scope, again: Sequence[tuple[Any, Held]]) -> None:
    if not again:
        return
    statement = update(exceptions).where(exceptions.c.id == bindparam("exception_id"))
    rows = [{"exception_id": row.id, "last_at": scope.now(), **_told(held)} for row, held in again]
    connection.execute(statement.values(times=exceptions.c.times + 1), rows)


def _open(connection: Connection, scope: Scope, new: Sequence[tuple[str, Held]]) -> None:
    if not new:
        return
    now = scope.now()
    owned = scope.owned() | {"opened_at": now, "last_at": now, "resolved_at": None, "times": 1}
    rows = [owned | {"key": key, "cause": held.cause, **_told(held)} for key, held in new]
    connection.execute(insert(exceptions), rows)


def _told(held: Held) -> dict[str, Any]:
    return {
        "sentence": clean(held.sentence),
        "remedy": clean(held.remedy),
        "owner": str(held.owner),
        "stake_amount": plain(held.stake.amount) if held.stake else None,
        "stake_currency": held.stake.currency if held.stake else None,
    }


def _opened(row: Any) -> OpenException:
    stake = Money(Decimal(row.stake_amount), row.stake_currency) if row.stake_amount is not None else None
    held = Held(row.cause, row.sentence, row.remedy, Owner(row.owner), stake)
    opened_at, last_at = schema.instant(row.opened_at), schema.instant(row.last_at)
    return OpenException(row.id, row.flow, row.key, held, opened_at, last_at, row.times)
