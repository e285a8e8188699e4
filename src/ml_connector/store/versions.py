"""Versions: what a connection's settings were, are and shall be; who said so, why, who agreed, and since when.

Rule: exactly one version of a connection is in force, and it is what the connection is set to; a version never changes
but in its state, and none goes. What was made upon another version than the one in force is not put in force. Secrets
that wait with a version count with it.
Must not know: which settings there are, who may approve.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, func, insert, select, update

from ml_connector.errors import SettingsError
from ml_connector.records import codec
from ml_connector.store import credentials, schema
from ml_connector.store.db import Database
from ml_connector.store.journal import Journal, Kind, Line
from ml_connector.store.schema_people import versions
from ml_connector.store.scope import Clock, clean
from ml_connector.store.vault import Vault

LISTED_MAX = 200
BEFORE_VERSIONS = "As it was before versions were kept."


class State(StrEnum):
    """What became of a version so far."""

    PROPOSED = "proposed"  # waits for a second person
    APPROVED = "approved"  # waits for its time
    IN_FORCE = "in force"
    PAST = "past"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"  # by who made it
    LAPSED = "lapsed"  # when its time came, it could not be put in force


WAITING = (State.PROPOSED, State.APPROVED)
_NUMBERED = versions.c.connection_id, versions.c.number


class Authored(msgspec.Struct, frozen=True):
    """Who changes settings, why, and from when on (None: at once).

    `waits`: a second person has to agree. `base`: the version that was looked at; None: whichever is in force.
    """

    person: str = ""
    note: str = ""
    effective_at: datetime | None = None
    waits: bool = False
    base: int | None = None


class Version(msgspec.Struct, frozen=True):
    """A version as recorded. `base`: the version that it was made upon."""

    number: int
    settings: dict[str, Any]
    note: str
    state: State
    author: str
    made_at: datetime
    effective_at: datetime | None
    base: int
    approved_by: str
    approved_at: datetime | None
    in_force_at: datetime | None
    ended_by: str
    ended_at: datetime | None

    @property
    def waits(self) -> bool:
        """Whether it may come in force yet."""
        return self.state in WAITING


class Versions:
    """The versions of one connection."""

    def __init__(
        self, db: Database, vault: Vault, connection_id: int, clock: Clock = lambda: datetime.now(UTC)
    ) -> None:
        self._db, self._vault, self._connection_id, self._clock = db, vault, connection_id, clock
        self._journal = Journal(db, vault, connection_id, clock)

    def get(self, number: int) -> Version:
        """One version. Raises: SettingsError when there is none with this number."""
        with self._db.read() as connection:
            return _get(connection, self._connection_id, number)

    def in_force(self) -> Version | None:
        """The version in force; None: settings were not changed since versions are kept."""
        with self._db.read() as connection:
            return in_force(connection, self._connection_id)

    def listed(self, before: int | None = None, limit: int = LISTED_MAX) -> list[Version]:
        """Versions, the latest first; `before`: only those with a lower number."""
        query = self._mine() if before is None else self._mine().where(versions.c.number < before)
        return self._read(query.order_by(versions.c.number.desc()).limit(limit))

    def counted(self) -> Iterator[Version]:
        """Versions that are or were in force, the latest first."""
        before = None
        while some := self.listed(before):
            yield from (one for one in some if one.in_force_at)
            before = some[-1].number

    def laid_by(self, number: int) -> tuple[str, ...]:
        """Which secrets wait with a version."""
        with self._db.read() as connection:
            return credentials.laid_by(connection, self._connection_id, number)

    def waiting(self) -> list[Version]:
        """Versions that may come in force yet, the oldest first."""
        states = [state.value for state in WAITING]
        return self._read(self._mine().where(versions.c.state.in_(states)).order_by(versions.c.number))

    def approve(self, number: int, person: str) -> Version:
        """Agree to a version: it is in force at once, or from its time on. Raises: SettingsError."""
        now = self._clock()
        with self._db.write() as connection:
            one = self._waiting(connection, number, State.PROPOSED)
            _check_base(connection, self._connection_id, one)
            values = {"approved_by": clean(person), "approved_at": schema.stamp(now), "state": State.APPROVED.value}
            _change(connection, self._connection_id, number, values)
            later = one.effective_at is not None and one.effective_at > now
            came = () if later else self._put_in_force(connection, one, now)
            self._tell(connection, one, "approved", person, secrets=came)
        return self.get(number)

    def end(self, number: int, person: str, note: str = "") -> Version:
        """Turn a waiting version down; who made it withdraws it. Raises: SettingsError."""
        with self._db.write() as connection:
            one = self._waiting(connection, number, *WAITING)
            state = State.WITHDRAWN if person == one.author else State.REJECTED
            self._end(connection, one, state, person, note)
        return self.get(number)

    def begin(self, number: int) -> Version:
        """Put an approved version in force, as its time has come. Raises: SettingsError."""
        with self._db.write() as connection:
            one = self._waiting(connection, number, State.APPROVED)
            _check_base(connection, self._connection_id, one)
            came = self._put_in_force(connection, one, self._clock())
            self._tell(connection, one, "in force", one.approved_by or one.author, secrets=came)
        return self.get(number)

    def lapse(self, number: int, why: str) -> None:
        """Say of an approved version that it can't be put in force. Raises: SettingsError."""
        with self._db.write() as connection:
            one = self._waiting(connection, number, State.APPROVED)
            self._end(connection, one, State.LAPSED, "", why)

    def _end(self, connection: Connection, one: Version, state: State, person: str, note: str) -> None:
        ended = {"ended_by": clean(person), "ended_at": schema.stamp(self._clock()), "state": state.value}
        _change(connection, self._connection_id, one.number, ended)
        credentials.drop(connection, self._connection_id, one.number)
        self._tell(connection, one, state.value, person, note)

    def _put_in_force(self, connection: Connection, one: Version, now: datetime) -> tuple[str, ...]:
        """Set the connection to a version and what waits with it; which secrets did."""
        put_in_force(connection, self._connection_id, one, now)
        return credentials.take(connection, self._vault, self._connection_id, one.number, schema.stamp(now))

    def _waiting(self, connection: Connection, number: int, *states: State) -> Version:
        """A version in one of these states, nobody else changing anything meanwhile."""
        hold(connection, self._connection_id)
        one = _get(connection, self._connection_id, number)
        if one.state not in states:
            raise SettingsError(f"version {number} does not wait for that; it is {one.state}")
        return one

    def _tell(
        self, connection: Connection, one: Version, event: str, person: str, note: str = "", secrets: Sequence[str] = ()
    ) -> None:
        told = line(one, event, person, note)
        facts = told.facts | ({"secrets": list(secrets)} if secrets else {})
        self._journal.append(connection, [msgspec.structs.replace(told, facts=facts)])

    def _mine(self) -> Select[Any]:
        return select(versions).where(versions.c.connection_id == self._connection_id)

    def _read(self, query: Select[Any]) -> list[Version]:
        with self._db.read() as connection:
            return [_read(row) for row in connection.execute(query)]


def due(db: Database, now: datetime) -> list[tuple[int, int]]:
    """Connection and number of the versions whose time has come, in the order of their times."""
    come = (versions.c.state == State.APPROVED.value) & (versions.c.effective_at <= schema.stamp(now))
    there = versions.join(schema.connections, schema.connections.c.id == versions.c.connection_id)
    query = select(*_NUMBERED).select_from(there).where(come, schema.connections.c.removed_at.is_(None))
    with db.read() as connection:
        return [(row[0], row[1]) for row in connection.execute(query.order_by(versions.c.effective_at, versions.c.id))]


def hold(connection: Connection, connection_id: int) -> None:
    """Let nobody else change the settings of a connection until the commit."""
    table = schema.connections
    connection.execute(select(table.c.id).where(table.c.id == connection_id).with_for_update())


def keep(
    connection: Connection,
    connection_id: int,
    settings: Mapping[str, Any],
    how: Authored,
    now: datetime,
    *,
    anyhow: bool = False,
) -> Version | None:
    """Make a version of these settings, in force at once where nothing else is said; None: they are as in force.

    `anyhow`: make one that says what another says, too, as something else waits with it.
    Raises: SettingsError when another version is in force than was looked at.
    """
    current = in_force(connection, connection_id)
    number = current.number if current else 0
    if how.base is not None and how.base != number:
        raise SettingsError(
            f"version {number} came in force after you looked (version {how.base}); look at it, and do it again"
        )
    current = current or _first(connection, connection_id)
    if not anyhow and current and codec.digest(current.settings) == codec.digest(settings):
        return None
    base = current.number if current else 0
    if not anyhow and (same := _waiting_alike(connection, connection_id, settings, how, base)):
        return same  # the same asked for twice
    made = _insert(connection, connection_id, settings, how, now, base)
    if made.state is State.IN_FORCE:
        put_in_force(connection, connection_id, made, now)
    return made


def put_in_force(connection: Connection, connection_id: int, one: Version, now: datetime) -> None:
    """Set a connection to a version."""
    mine = versions.c.connection_id == connection_id
    before = mine & (versions.c.state == State.IN_FORCE.value) & (versions.c.number != one.number)
    connection.execute(update(versions).where(before).values(state=State.PAST.value))
    values = {"state": State.IN_FORCE.value, "in_force_at": schema.stamp(now)}
    _change(connection, connection_id, one.number, values)
    table = schema.connections
    settings = {"settings": msgspec.json.encode(one.settings).decode(), "changed_at": schema.stamp(now)}
    connection.execute(update(table).where(table.c.id == connection_id).values(settings))


def in_force(connection: Connection, connection_id: int) -> Version | None:
    """The version in force, within a transaction."""
    query = select(versions).where(versions.c.connection_id == connection_id)
    row = connection.execute(query.where(versions.c.state == State.IN_FORCE.value)).one_or_none()
    return _read(row) if row else None


def line(one: Version, event: str, person: str, note: str = "") -> Line:
    """What the journal tells of a version; notes are sealed."""
    facts: dict[str, Any] = {"event": event, "version": one.number, "settings": codec.digest(one.settings)}
    facts |= {"person": person, "author": one.author}
    said = note or one.note
    return Line(Kind.CONNECTION, {k: v for k, v in facts.items() if v != ""}, body={"note": said} if said else None)


def _waiting_alike(
    connection: Connection, connection_id: int, settings: Mapping[str, Any], how: Authored, base: int
) -> Version | None:
    """A version that waits already and says the same."""
    same: dict[str, Any] = {"connection_id": connection_id, "digest": codec.digest(settings), "base": base}
    same |= {"author": clean(how.person)}
    same |= {"effective_at": schema.stamp(how.effective_at) if how.effective_at else None}
    query = select(versions).where(versions.c.state.in_([state.value for state in WAITING]))
    row = connection.execute(query.filter_by(**same).limit(1)).first()
    return _read(row) if row else None


def _first(connection: Connection, connection_id: int) -> Version | None:
    """Of settings that were kept before versions were: them as the first one; None: they are new."""
    table = schema.connections
    row = connection.execute(select(table).where(table.c.id == connection_id)).one()
    if row.settings == "{}":
        return None
    kept, since = msgspec.json.decode(row.settings), schema.instant(row.changed_at)
    return _insert(connection, connection_id, kept, Authored(note=BEFORE_VERSIONS), since, 0)


def _insert(
    connection: Connection, connection_id: int, settings: Mapping[str, Any], how: Authored, now: datetime, base: int
) -> Version:
    last = select(func.max(versions.c.number)).where(versions.c.connection_id == connection_id)
    later = how.effective_at is not None and how.effective_at > now
    state = State.PROPOSED if how.waits else State.APPROVED if later else State.IN_FORCE
    row: dict[str, Any] = {
        "connection_id": connection_id,
        "number": (connection.execute(last).scalar() or 0) + 1,
        "settings": msgspec.json.encode(settings).decode(),
        "digest": codec.digest(settings),
        "note": clean(how.note),
        "state": state.value,
        "author": clean(how.person),
        "made_at": schema.stamp(now),
        "effective_at": schema.stamp(how.effective_at) if how.effective_at else None,
        "base": base,
        "approved_by": "",
        "in_force_at": schema.stamp(now) if state is State.IN_FORCE else None,
        "ended_by": "",
    }
    connection.execute(insert(versions).values(row))
    return _get(connection, connection_id, row["number"])


def _check_base(connection: Connection, connection_id: int, one: Version) -> None:
    current = in_force(connection, connection_id)
    if current and current.number != one.base:
        raise SettingsError(
            f"version {one.number} was made upon version {one.base}, and by now version {current.number} is in force; "
            "rebase it, which makes a new version of what it changes, and look at that"
        )


def _change(connection: Connection, connection_id: int, number: int, values: Mapping[str, Any]) -> None:
    mine = (versions.c.connection_id == connection_id) & (versions.c.number == number)
    connection.execute(update(versions).where(mine).values(values))


def _get(connection: Connection, connection_id: int, number: int) -> Version:
    mine = (versions.c.connection_id == connection_id) & (versions.c.number == number)
    row = connection.execute(select(versions).where(mine)).one_or_none()
    if row is None:
        raise SettingsError(f"there is no version {number}; `config versions` lists those that there are")
    return _read(row)


def _read(row: Row[Any]) -> Version:
    def at(stored: str | None) -> datetime | None:
        return schema.instant(stored) if stored else None

    return Version(
        row.number,
        msgspec.json.decode(row.settings),
        row.note,
        State(row.state),
        row.author,
        schema.instant(row.made_at),
        at(row.effective_at),
        row.base,
        row.approved_by,
        at(row.approved_at),
        at(row.in_force_at),
        row.ended_by,
        at(row.ended_at),
    )
