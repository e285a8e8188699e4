"""Exceptions: records that need a person.

Rule: of one key at most one is open; another cause closes it and opens the next, so that history stays true. Noting the
same again only tells that it was seen again.
Must not know: what the causes mean.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, insert, or_, select, tuple_, update

from ml_connector.records.money import Money, plain
from ml_connector.store import schema, stakes
from ml_connector.store.db import Database, among
from ml_connector.store.journal import Kind, Line
from ml_connector.store.prepared import Prepared, as_list, listed, mine
from ml_connector.store.schema import exceptions
from ml_connector.store.scope import Scope, clean
from ml_connector.sync.causes import RETRIED
from ml_connector.sync.outcome import Held, Owner

LACKS_MAX = 100
LACKING_MAX = 50  # missing values that are listed
Place = tuple[datetime, int]  # where one stands in a list: when, and its number


class Stage(StrEnum):
    """Where an open exception stands."""

    OPEN = "open"  # somebody has to do something
    SNOOZED = "snoozed"  # somebody said: not before then
    RETRYING = "retrying"  # the runs that follow look at it again by themselves


class OpenException(msgspec.Struct, frozen=True):
    """An open exception; `times` is how often it was noted. `assignee`: who sees to it; "": nobody yet."""

    id: int
    flow: str
    key: str
    held: Held
    opened_at: datetime
    last_at: datetime
    times: int
    assignee: str = ""
    snoozed_until: datetime | None = None


class Resolved(msgspec.Struct, frozen=True):
    """An exception whose cause is gone; `run_id`: the run that found so, where that is known."""

    was: OpenException
    at: datetime
    run_id: str


class CauseCount(msgspec.Struct, frozen=True):
    """Open exceptions of a flow with one cause."""

    flow: str
    cause: str
    count: int
    oldest_at: datetime


class Group(msgspec.Struct, frozen=True):
    """Open exceptions of a flow with one cause at one stage; `assignees`: how many each has, "" nobody. `example`: the
    number of one.
    """

    flow: str
    cause: str
    stage: Stage
    count: int
    oldest_at: datetime
    stakes: dict[str, Decimal]
    assignees: dict[str, int]
    example: int


class Exceptions:
    """The exceptions of one connection."""

    def __init__(self, db: Database, connection_id: int) -> None:
        self._db = db
        self._mine = exceptions.c.connection_id == connection_id
        self._open = self._mine & schema.IS_UNRESOLVED

    def open(
        self,
        limit: int,
        offset: int = 0,
        *,
        flow: str = "",
        cause: str = "",
        after: Place | None = None,
        where: ColumnElement[bool] | None = None,
    ) -> list[OpenException]:
        """Open exceptions, oldest first; `after`: those that follow one opened then, with this id."""
        query = select(exceptions).where(self._open).order_by(exceptions.c.opened_at, exceptions.c.id)
        query = query.where(exceptions.c.flow == flow) if flow else query
        query = query.where(exceptions.c.cause == cause) if cause else query
        query = query if where is None else query.where(where)
        place = tuple_(exceptions.c.opened_at, exceptions.c.id)
        query = query.where(place > (schema.stamp(after[0]), after[1])) if after else query
        with self._db.read() as connection:
            return [_opened(row) for row in connection.execute(query.limit(limit).offset(offset))]

    def one(self, flow: str, key: str) -> OpenException | None:
        """The open exception of a record."""
        query = select(exceptions).where(self._open, exceptions.c.flow == flow, exceptions.c.key == key)
        with self._db.read() as connection:
            row = connection.execute(query).one_or_none()
        return _opened(row) if row else None

    def some(self, numbers: Sequence[int]) -> dict[int, OpenException]:
        """Exceptions by their numbers, whatever became of them."""
        with self._db.read() as connection:
            query = select(exceptions).where(self._mine, among(connection, exceptions.c.id, numbers))
            return {row.id: _opened(row) for row in connection.execute(query)}

    def resolved(self, limit: int, after: Place | None = None) -> list[Resolved]:
        """Exceptions whose cause is gone, the latest first."""
        time, number = exceptions.c.resolved_at, exceptions.c.id
        query = select(exceptions).where(self._mine, schema.IS_RESOLVED).order_by(time.desc(), number.desc())
        query = query.where(tuple_(time, number) < (schema.stamp(after[0]), after[1])) if after else query
        with self._db.read() as connection:
            rows = connection.execute(query.limit(limit)).all()
        return [Resolved(_opened(row), schema.instant(row.resolved_at), row.resolved_run) for row in rows]

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

    def groups(self, now: datetime, flow: str = "", cause: str = "") -> list[Group]:
        """What is open, by flow, cause and stage, the oldest first; all, or of one flow and cause."""
        table = exceptions.c
        counted = (func.count(), func.min(table.opened_at), func.min(table.id))
        columns = (table.flow, table.cause, table.assignee, table.snoozed_until)
        where = self._open if not cause else and_(self._open, table.flow == flow, table.cause == cause)
        with self._db.read() as connection:
            found = stakes.summed(connection, columns, counted, where)
        return sorted(_folded(found, schema.stamp(now)), key=lambda one: one.oldest_at)

    def lacking(self, flow: str, cause: str) -> list[tuple[str, int]]:
        """What tables lack for exceptions of this cause, and for how many; what most lack first."""
        table, number = exceptions.c, func.count()
        query = select(table.lacks, number).where(self._open, table.flow == flow, table.cause == cause)
        query = query.where(table.lacks != "").group_by(table.lacks).order_by(number.desc(), table.lacks)
        with self._db.read() as connection:
            return [(row[0], row[1]) for row in connection.execute(query.limit(LACKING_MAX))]


def at(stage: Stage, now: datetime) -> ColumnElement[bool]:
    """The condition that an open exception stands there."""
    until, cause = exceptions.c.snoozed_until, exceptions.c.cause
    if stage is Stage.SNOOZED:
        return until > schema.stamp(now)
    awake = or_(until.is_(None), until <= schema.stamp(now))
    return and_(awake, cause.in_(RETRIED) if stage is Stage.RETRYING else cause.not_in(RETRIED))


def stage_of(cause: str, snoozed: bool) -> Stage:
    """Where an open exception of this cause stands."""
    return Stage.SNOOZED if snoozed else Stage.RETRYING if cause in RETRIED else Stage.OPEN


def _folded(found: Iterable[stakes.Summed], now: str) -> list[Group]:
    """Groups that differ by assignee and time of waking only, as one."""
    groups: dict[tuple[str, str, bool], Group] = {}
    for (flow, cause, assignee, until), counted, sums in found:
        number, oldest_at = sum(part[0] for part in counted), schema.instant(min(part[1] for part in counted))
        example, place = min(part[2] for part in counted), (flow, cause, bool(until and until > now))
        one = groups.get(place) or Group(flow, cause, stage_of(cause, place[2]), 0, oldest_at, {}, {}, example)
        groups[place] = msgspec.structs.replace(
            one,
            count=one.count + number,
            oldest_at=min(one.oldest_at, oldest_at),
            stakes=stakes.added(one.stakes, sums),
            assignees=one.assignees | {assignee: one.assignees.get(assignee, 0) + number},
            example=min(one.example, example),
        )
    return list(groups.values())


def waiting(connection: Connection, scope: Scope, causes: Sequence[str] | None = None) -> set[str]:
    """Keys with an open exception, of these causes or any."""
    query = select(exceptions.c.key).where(scope.mine(exceptions), exceptions.c.resolved_at.is_(None))
    if causes is not None:
        query = query.where(exceptions.c.cause.in_(causes))
    return set(connection.execute(query).scalars())


def note(
    connection: Connection,
    scope: Scope,
    run_id: str,
    noted: Iterable[tuple[str, Held | None]],
    said: Mapping[str, Any] = MappingProxyType({}),
) -> list[Line]:
    """Open, refresh or resolve exceptions; what the journal should tell of it. `said`: of records, by their source.

    Who sees to a record still does when its cause becomes another one, and is woken by that.
    """
    latest = dict(noted)
    known = _known(connection, scope, list(latest))
    held = {key: one for key, one in latest.items() if one is not None}
    over = [known[key] for key in known if key not in held or held[key].cause != known[key].cause]
    again = [(known[key], one) for key, one in held.items() if key in known and known[key].cause == one.cause]
    new = [(key, one) for key, one in held.items() if key not in known or known[key].cause != one.cause]
    _resolve(connection, scope, run_id, [row.id for row in over])
    _refresh(connection, scope, again)
    _open(connection, scope, new, {row.key: row.assignee for row in over})
    reworded = [(row.key, one) for row, one in again if row.sentence != clean(one.sentence)]
    released = [Line(Kind.RELEASED, {"cause": row.cause}, row.key, scope.flow, run_id) for row in over]
    return [*released, *(_line(scope, run_id, key, one, said.get(key)) for key, one in (*new, *reworded))]


def _line(scope: Scope, run_id: str, key: str, held: Held, source: Any) -> Line:
    facts = {"cause": held.cause, "owner": str(held.owner)}
    body = {"sentence": held.sentence, "remedy": held.remedy} | ({} if source is None else {"source": source})
    return Line(Kind.HELD, facts, key, scope.flow, run_id, body)


def _known(connection: Connection, scope: Scope, keys: Sequence[str]) -> dict[str, Any]:
    rows = _UNRESOLVED.on(connection, listed=as_list(connection, keys), **scope.owned())
    return {row.key: row for row in rows}


_NOTED = [exceptions.c[name] for name in ("id", "key", "cause", "sentence", "assignee")]
_UNRESOLVED = Prepared(
    lambda dialect: select(*_NOTED).where(mine(exceptions), schema.IS_UNRESOLVED, listed(dialect, exceptions.c.key))
)


def _resolve(connection: Connection, scope: Scope, run_id: str, ids: Sequence[int]) -> None:
    if ids:
        statement = update(exceptions).where(among(connection, exceptions.c.id, ids))
        connection.execute(statement.values(resolved_at=scope.now(), resolved_run=run_id))


def _refresh(connection: Connection, scope: Scope, again: Sequence[tuple[Any, Held]]) -> None:
    if not again:
        return
    statement = update(exceptions).where(exceptions.c.id == bindparam("exception_id"))
    rows = [{"exception_id": row.id, "last_at": scope.now(), **_told(held)} for row, held in again]
    connection.execute(statement.values(times=exceptions.c.times + 1), rows)


def _open(connection: Connection, scope: Scope, new: Sequence[tuple[str, Held]], assignees: dict[str, str]) -> None:
    if not new:
        return
    now = scope.now()
    owned = scope.owned() | {"opened_at": now, "last_at": now, "resolved_at": None, "times": 1}
    rows = [
        owned | {"key": key, "cause": held.cause, "assignee": assignees.get(key, ""), **_told(held)}
        for key, held in new
    ]
    connection.execute(insert(exceptions), rows)


def _told(held: Held) -> dict[str, Any]:
    return {
        "sentence": clean(held.sentence),
        "remedy": clean(held.remedy),
        "owner": str(held.owner),
        "stake_amount": plain(held.stake.amount) if held.stake else None,
        "stake_currency": held.stake.currency if held.stake else None,
        "lacks": clean(held.lacks)[:LACKS_MAX],
    }


def _opened(row: Any) -> OpenException:
    stake = Money(Decimal(row.stake_amount), row.stake_currency) if row.stake_amount is not None else None
    held = Held(row.cause, row.sentence, row.remedy, Owner(row.owner), stake, lacks=row.lacks)
    opened_at, last_at = schema.instant(row.opened_at), schema.instant(row.last_at)
    until = schema.instant(row.snoozed_until) if row.snoozed_until else None
    return OpenException(row.id, row.flow, row.key, held, opened_at, last_at, row.times, row.assignee, until)
