"""Edits: which values of which record a person changed, why, who else agreed, and how it ended.

Rule: of one record at most one edit is in force and at most one waits for a second person; none ever goes, each step is
journalled. Values and reasons are sealed.
Must not know: which fields may be edited, who may approve.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select, update

from ml_connector.errors import SettingsError
from ml_connector.store import schema
from ml_connector.store.db import Database, among
from ml_connector.store.journal import Journal, Kind, Line
from ml_connector.store.schema_work import edits
from ml_connector.store.scope import Clock, Scope, clean
from ml_connector.store.vault import Vault
from ml_connector.sync.edits import Edit, Values

WAIT_S = 5.0
LISTED_MAX = 10_000


class Event(StrEnum):
    """What happens to an edit, as the journal tells it."""

    EDITED = "edited"  # in force
    PROPOSED = "proposed"  # waits for a second person
    APPROVED = "approved"
    UNDONE = "undone"
    REPLACED = "replaced"
    LAPSED = "lapsed"  # the source says something else by now


class Body(msgspec.Struct, frozen=True):
    """What of an edit is sealed."""

    fields: dict[str, Values]
    reason: str


class KeptEdit(msgspec.Struct, frozen=True):
    """An edit as recorded; in force from `approved_at` to `ended_at`. `approved_by` "": nobody else had to agree."""

    id: int
    flow: str
    key: str
    basis: str
    fields: dict[str, Values]
    reason: str
    person: str
    at: datetime
    approved_by: str
    approved_at: datetime | None
    ended_at: datetime | None
    ended_why: str

    @property
    def waits(self) -> bool:
        """Whether a second person has to agree."""
        return self.approved_at is None and self.ended_at is None


class Edits:
    """The edits of one connection."""

    def __init__(
        self, db: Database, vault: Vault, connection_id: int, clock: Clock = lambda: datetime.now(UTC)
    ) -> None:
        self._db, self._vault, self._clock, self._connection_id = db, vault, clock, connection_id
        self._journal = Journal(db, vault, connection_id, clock)

    def put(self, flow: str, key: str, basis: str, body: Body, person: str, *, waits: bool) -> int:
        """Keep an edit, in force at once or when a second person agrees; its number."""
        scope, now = self._scope(flow), schema.stamp(self._clock())
        row = scope.owned() | {"key": key, "digest": basis, "person": clean(person), "at": now}
        row |= {"approved_by": "", "approved_at": None if waits else now, "ended_at": None, "ended_why": ""}
        row |= {"sealed": scope.seal(edits, key, body)}
        with self._db.lock(f"edits of connection {self._connection_id}", WAIT_S), self._db.write() as connection:
            number: int = connection.execute(insert(edits).values(row).returning(edits.c.id)).scalar_one()
            replaced = [one for one in _open(connection, scope, key) if one.id != number]
            replaced = [one for one in replaced if not waits or one.approved_at is None]
            _end(connection, scope, replaced, f"replaced by edit {number}")
            event = Event.PROPOSED if waits else Event.EDITED
            lines = [line(scope, one, Event.REPLACED, person) for one in replaced]
            made = _opened(scope, connection.execute(select(edits).where(edits.c.id == number)).one())
            self._journal.append(connection, [*lines, line(scope, made, event, person)])
        return number

    def approve(self, number: int, person: str) -> KeptEdit:
        """Put an edit in force, as a second person. Raises: SettingsError when it doesn't wait for one."""
        one = self.get(number)
        scope, now = self._scope(one.flow), schema.stamp(self._clock())
        waiting = (edits.c.id == number) & edits.c.approved_at.is_(None) & edits.c.ended_at.is_(None)
        with self._db.lock(f"edits of connection {self._connection_id}", WAIT_S), self._db.write() as connection:
            values = {"approved_by": clean(person), "approved_at": now}
            if connection.execute(update(edits).where(waiting).values(values)).rowcount != 1:
                raise SettingsError(f"edit {number} waits for nobody any more; `edits` tells what became of it")
            replaced = [other for other in _open(connection, scope, one.key) if other.id != number]
            _end(connection, scope, replaced, f"replaced by edit {number}")
            lines = [line(scope, other, Event.REPLACED, person) for other in replaced]
            self._journal.append(connection, [*lines, line(scope, one, Event.APPROVED, person)])
        return self.get(number)

    def undo(self, flow: str, key: str, person: str, reason: str) -> list[KeptEdit]:
        """End what is open of a record; the source's values count again."""
        scope = self._scope(flow)
        with self._db.lock(f"edits of connection {self._connection_id}", WAIT_S), self._db.write() as connection:
            ended = _open(connection, scope, key)
            _end(connection, scope, ended, f"undone by {person}")
            self._journal.append(connection, [line(scope, one, Event.UNDONE, person, reason) for one in ended])
        return [self.get(one.id) for one in ended]  # two at most

    def get(self, number: int) -> KeptEdit:
        """One edit. Raises: SettingsError when there is none with this number."""
        query = select(edits).where(edits.c.id == number, edits.c.connection_id == self._connection_id)
        with self._db.read() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise SettingsError(f"there is no edit {number}; `edits` lists them")
        return _opened(self._scope(row.flow), row)

    def in_force(self, flow: str, key: str) -> KeptEdit | None:
        """The edit of a record that is in force."""
        with self._db.read() as connection:
            found = [one for one in _open(connection, self._scope(flow), key) if one.approved_at]
        return found[-1] if found else None

    def listed(self, *, ended: bool = False, limit: int = LISTED_MAX) -> list[KeptEdit]:
        """Edits that are open, or those that ended too; the latest first."""
        query = select(edits).where(edits.c.connection_id == self._connection_id)
        query = query if ended else query.where(edits.c.ended_at.is_(None))
        with self._db.read() as connection:
            rows = connection.execute(query.order_by(edits.c.id.desc()).limit(limit)).all()
        return [_opened(self._scope(row.flow), row) for row in rows]

    def _scope(self, flow: str) -> Scope:
        return Scope(self._vault, self._connection_id, flow, object, object, self._clock)


def any_in_force(connection: Connection, scope: Scope) -> bool:
    """Whether any record of the flow has an edit in force."""
    query = select(edits.c.id).where(scope.mine(edits), edits.c.ended_at.is_(None), edits.c.approved_at.is_not(None))
    return connection.execute(query.limit(1)).first() is not None


def of(connection: Connection, scope: Scope, keys: Sequence[str]) -> dict[str, Edit]:
    """The edits of these records that are in force."""
    query = select(edits).where(scope.mine(edits), edits.c.ended_at.is_(None), edits.c.approved_at.is_not(None))
    rows = connection.execute(query.where(among(connection, edits.c.key, keys)).order_by(edits.c.id)).all()
    opened = [_opened(scope, row) for row in rows]
    return {one.key: Edit(one.id, one.key, one.basis, one.fields) for one in opened}


def lapse(connection: Connection, scope: Scope, run_id: str, why: Mapping[int, str]) -> list[Line]:
    """End edits whose record is another one by now; what the journal should tell of it."""
    query = select(edits).where(scope.mine(edits), among(connection, edits.c.id, list(why)))
    ended = [_opened(scope, row) for row in connection.execute(query).all() if row.ended_at is None]
    for one in ended:
        _end(connection, scope, [one], why[one.id])
    return [line(scope, one, Event.LAPSED, "", why[one.id], run_id) for one in ended]


def touched(connection: Connection, scope: Scope, after: int) -> set[str]:
    """Records whose edits began or ended after this entry of the journal."""
    table = schema.journal
    mine = (table.c.connection_id == scope.connection_id) & (table.c.flow == scope.flow) & (table.c.seq > after)
    edited = select(edits.c.key).where(scope.mine(edits))
    query = select(table.c.key).where(mine, table.c.kind == Kind.EDITED.value, table.c.key.in_(edited))
    return set(connection.execute(query).scalars())


def line(scope: Scope, one: KeptEdit, event: Event, person: str, reason: str = "", run_id: str = "") -> Line:
    """What the journal tells of an edit."""
    facts: dict[str, Any] = {"edit": one.id, "event": event.value, "person": person, "fields": ", ".join(one.fields)}
    told = {name: value for name, value in facts.items() if value != ""}
    body: dict[str, Any] = {"reason": reason or one.reason}
    if event in (Event.EDITED, Event.PROPOSED, Event.APPROVED):
        body |= {"before": {name: values.before for name, values in one.fields.items()}}
        body |= {"after": {name: values.after for name, values in one.fields.items()}}
    return Line(Kind.EDITED, told, one.key, scope.flow, run_id, body)


def _open(connection: Connection, scope: Scope, key: str) -> list[KeptEdit]:
    query = select(edits).where(scope.mine(edits), edits.c.key == key, edits.c.ended_at.is_(None))
    return [_opened(scope, row) for row in connection.execute(query.order_by(edits.c.id)).all()]


def _end(connection: Connection, scope: Scope, ended: Sequence[KeptEdit], why: str) -> None:
    if ended:
        statement = update(edits).where(among(connection, edits.c.id, [one.id for one in ended]))
        connection.execute(statement.values(ended_at=scope.now(), ended_why=clean(why)))


def _opened(scope: Scope, row: Any) -> KeptEdit:
    body: Body = scope.unseal(edits, row.key, row.sealed, Body)
    times = [schema.instant(at) if at else None for at in (row.approved_at, row.ended_at)]
    told = (body.reason, row.person, schema.instant(row.at), row.approved_by)
    return KeptEdit(row.id, row.flow, row.key, row.digest, body.fields, *told, times[0], times[1], row.ended_why)
