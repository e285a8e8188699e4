"""Tie-outs as they were made: each with its documents one by one, some signed off by a person.

Rule: what was signed off never changes and never goes. A tie-out's digest covers all that it says and each of its
documents; everything is sealed, as it shows names and amounts. That one was made, and who signed it off, is in the
journal; a sign-off that the journal does not tell so is none.
Must not know: how a tie-out is made, who may sign.
"""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, delete, insert, select, update

from ml_connector.compare.tieout.shapes import Line, TieOut
from ml_connector.errors import SettingsError, StoreError
from ml_connector.store import schema
from ml_connector.store.db import Database, among
from ml_connector.store.journal import Journal, Kind
from ml_connector.store.journal import Line as Entry
from ml_connector.store.schema_people import tie_out_lines, tie_outs
from ml_connector.store.scope import Clock, clean, pack, unpack
from ml_connector.store.vault import Vault

PART = 500  # lines that are sealed together
UNSIGNED_MAX = 10  # of a period; older ones go
LISTED_MAX = 200
SHORT = 12  # characters by which people name a digest
NOTE_MAX = 2000
_EVENTS = {Kind.TIED: "tie-out made", Kind.SIGNED: "tie-out signed off"}
UNFINISHED = ""  # the digest of one that is being made

_KEYS = "tie-out "
_SAID = schema.journal.c
# By key, too: the journal has an index of those, and may be long.
SIGN_OFFS = (_SAID.key > _KEYS) & (_SAID.key < "tie-out:") & (_SAID.kind == Kind.SIGNED.value)

_HEAD = [column for column in tie_outs.c if column.name not in ("connection_id", "sealed")]


class Kept(msgspec.Struct, frozen=True):
    """A tie-out that was made, without what it says; `signed_at` None: nobody signed it off."""

    number: int
    period: str
    made_at: datetime
    made_by: str
    ties: bool
    digest: str
    signed_at: datetime | None = None
    signed_by: str = ""
    note: str = ""

    @property
    def short(self) -> str:
        """What people call its digest."""
        return self.digest[:SHORT]


def canonical(tie_out: TieOut) -> bytes:
    """The text whose SHA-256 is the digest of a tie-out."""
    return msgspec.json.encode(tie_out, order="sorted")


def canonical_line(line: Line) -> bytes:
    """A document as it goes into the digest of all of them, which is made over these lines."""
    return msgspec.json.encode(line, order="sorted") + b"\n"


class TieOuts:
    """The tie-outs of one connection."""

    def __init__(
        self, db: Database, vault: Vault, connection_id: int, clock: Clock = lambda: datetime.now(UTC)
    ) -> None:
        self._db, self._vault, self._connection_id, self._clock = db, vault, connection_id, clock
        self._journal = Journal(db, vault, connection_id, clock)
        self._mine = tie_outs.c.connection_id == connection_id

    def begin(self, period: str, person: str) -> "Draft":
        """Begin to keep one; what others left unfinished goes, so only one may be made at a time."""
        row = {"connection_id": self._connection_id, "period": period, "made_at": schema.stamp(self._clock())}
        row |= {"made_by": clean(person), "ties": 0, "digest": UNFINISHED, "sealed": b""}
        with self._db.write() as connection:
            _drop(connection, select(tie_outs.c.id).where(self._mine, tie_outs.c.digest == UNFINISHED))
            number: int = connection.execute(insert(tie_outs).values(row).returning(tie_outs.c.id)).scalar_one()
        return Draft(self._db, self._vault, self._connection_id, self._journal, number)

    def get(self, number: int) -> Kept:
        """One that was made. Raises: SettingsError when there is none; StoreError when its sign-off was altered."""
        with self._db.read() as connection:
            return self._get(connection, number)

    def content(self, number: int) -> TieOut:
        """What a tie-out says. Raises: SettingsError, StoreError when it is not as it was made."""
        return msgspec.json.decode(self.text(number), type=TieOut)

    def text(self, number: int) -> bytes:
        """The same as the very characters that its digest is of, whatever program made it. Raises: as `content`."""
        query = select(tie_outs.c.digest, tie_outs.c.sealed).where(self._finished, tie_outs.c.id == number)
        with self._db.read() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise _absent(number)
        plain = unpack(self._vault.unseal(row.sealed, *place(self._connection_id, number)))
        if hashlib.sha256(plain).hexdigest() != row.digest:
            raise StoreError(f"tie-out {number} is not as it was made; restore the latest backup beside this store")
        return plain

    def lines(self, number: int, after: int = 0) -> Iterator[Line]:
        """Its documents one by one, those after so many, in the order in which they were told.

        Raises: SettingsError, StoreError when some are gone.
        """
        return (msgspec.json.decode(one, type=Line) for one in self.told(number, after))

    def told(self, number: int, after: int = 0) -> Iterator[bytes]:
        """The same as the very characters that they were told in, each with its end of line."""
        self.get(number)
        told, (part, skip) = after, divmod(after, PART)
        while (sealed := self._part(number, part)) is not None:
            some = _opened(self._vault.unseal(sealed, *place(self._connection_id, number, part)))[skip:]
            yield from some
            told, part, skip = told + len(some), part + 1, 0
        if told < (there := self.content(number).lines):
            raise StoreError(f"tie-out {number} has lost {there - told:,} of its documents; restore the latest backup")

    def latest(self, period: str) -> Kept | None:
        """The latest of a period."""
        return next(iter(self._read(self._listing(period).limit(1))), None)

    def signed(self, period: str) -> Kept | None:
        """The one of a period that was signed off last."""
        query = self._listing(period).where(tie_outs.c.signed_at.is_not(None)).order_by(None)
        query = query.order_by(tie_outs.c.signed_at.desc(), tie_outs.c.id.desc())
        return next(iter(self._read(query.limit(1))), None)

    def gone(self, period: str) -> list[int]:
        """Those of a period that the journal says were signed off, and that are there no more."""
        query = select(_SAID.facts).where(_SAID.connection_id == self._connection_id, SIGN_OFFS)
        with self._db.read() as connection:
            told = connection.execute(query).scalars()
            said = [msgspec.json.decode(facts, type=dict[str, Any]) for facts in told]
            numbers = [one["tie_out"] for one in said if one.get("period") == period]
            there = set(connection.execute(select(tie_outs.c.id).where(self._finished)).scalars())
        return sorted(set(numbers) - there)

    def listed(self, period: str = "") -> list[Kept]:
        """Those that were made, the latest first."""
        return self._read(self._listing(period).limit(LISTED_MAX))

    def sign(self, number: int, digest: str, person: str, note: str = "") -> Kept:
        """Sign one off, as it was looked at by this digest or its beginning; who signs twice has signed once.

        None that is older than one of its period that is signed off: what was signed last is what counts.

        Raises: SettingsError.
        """
        said, now = clean(note.strip()), schema.stamp(self._clock())
        with self._db.write() as connection:
            later = self._signed_later(connection, number)
            one = self._get(connection, number)
            if one.signed_at and one.signed_by == person:
                return one
            _check(one, digest.strip().lower(), said)
            if later:
                raise SettingsError(f"number {later}, a later tie-out of {one.period}, is signed off; make another one")
            values = {"signed_at": now, "signed_by": clean(person), "note": said}
            connection.execute(update(tie_outs).where(self._mine, tie_outs.c.id == number).values(values))
            self._journal.append(connection, [_sign_off(one, person, now, said)])
        return self.get(number)

    @property
    def _finished(self) -> Any:
        return self._mine & (tie_outs.c.digest != UNFINISHED)

    def _get(self, connection: Connection, number: int) -> Kept:
        query = select(*_HEAD).where(self._finished, tie_outs.c.id == number)
        row = connection.execute(query).one_or_none()
        if row is None:
            raise _absent(number)
        return self._checked(connection, [row])[0]

    def _signed_later(self, connection: Connection, number: int) -> int:
        """One of the same period that is later and signed off, 0 for none; who signs another at this moment waits."""
        period = select(tie_outs.c.period).where(self._mine, tie_outs.c.id == number).scalar_subquery()
        query = select(tie_outs.c.id, tie_outs.c.signed_at).where(self._mine, tie_outs.c.period == period)
        rows = connection.execute(query.order_by(tie_outs.c.id.desc()).with_for_update())
        return max((row.id for row in rows if row.signed_at and row.id > number), default=0)

    def _listing(self, period: str) -> Select[Any]:
        query = select(*_HEAD).where(self._finished).order_by(tie_outs.c.id.desc())
        return query.where(tie_outs.c.period == period) if period else query

    def _read(self, query: Select[Any]) -> list[Kept]:
        with self._db.read() as connection:
            return self._checked(connection, connection.execute(query).all())

    def _checked(self, connection: Connection, rows: Sequence[Row[Any]]) -> list[Kept]:
        """As they are kept, if the journal tells the same of who signed them off. Raises: StoreError."""
        table = schema.journal.c
        query = select(table.key, table.facts).where(table.connection_id == self._connection_id)
        query = query.where(among(connection, table.key, [_key(row.id) for row in rows]))
        signed = {row.key: row.facts for row in connection.execute(query.where(table.kind == Kind.SIGNED.value))}
        for row in rows:
            if _told(signed.get(_key(row.id))) != _signed(row):
                raise StoreError(
                    f"who signed off tie-out {row.id}, when or with which note is not as the journal tells; "
                    "restore the latest backup beside this store"
                )
        return [_kept(row) for row in rows]

    def _part(self, number: int, part: int) -> bytes | None:
        table = tie_out_lines.c
        with self._db.read() as connection:
            query = select(table.sealed).where(table.tie_out_id == number, table.part == part)
            return connection.execute(query).scalar_one_or_none()


class Draft:
    """A tie-out that is being made: told of each document, then kept. `count`: of documents by now."""

    def __init__(self, db: Database, vault: Vault, connection_id: int, journal: Journal, number: int) -> None:
        self._db, self._vault, self._connection_id, self.number = db, vault, connection_id, number
        self._journal = journal
        self._waiting: list[bytes] = []
        self._parts, self.count, self._hash = 0, 0, hashlib.sha256()

    def tell(self, line: Line) -> None:
        """Keep a document."""
        told = canonical_line(line)
        self._hash.update(told)
        self.count += 1
        self._waiting.append(told)
        if len(self._waiting) >= PART:
            self._flush()

    def keep(self, tie_out: TieOut) -> Kept:
        """Keep what was found; of others of its period that nobody signed, the oldest go."""
        self._flush()
        told = msgspec.structs.replace(tie_out, lines=self.count, lines_digest=self._hash.hexdigest())
        plain = canonical(told)
        sealed = self._vault.seal(pack(plain), *place(self._connection_id, self.number))
        values: dict[str, Any] = {"made_at": schema.stamp(told.made_at), "ties": int(told.ties), "sealed": sealed}
        values |= {"digest": hashlib.sha256(plain).hexdigest(), "period": told.period}
        with self._db.write() as connection:
            connection.execute(update(tie_outs).where(tie_outs.c.id == self.number).values(values))
            _drop(connection, self._surplus(told.period))
            kept = _kept(connection.execute(select(*_HEAD).where(tie_outs.c.id == self.number)).one())
            self._journal.append(connection, [_entry(Kind.TIED, kept, kept.made_by)])
        return kept

    def drop(self) -> None:
        """Forget it."""
        with self._db.write() as connection:
            _drop(connection, select(tie_outs.c.id).where(tie_outs.c.id == self.number))

    def _flush(self) -> None:
        if not self._waiting:
            return
        where = place(self._connection_id, self.number, self._parts)
        row = {"tie_out_id": self.number, "part": self._parts}
        row |= {"sealed": self._vault.seal(pack(b"".join(self._waiting)), *where)}
        with self._db.write() as connection:
            connection.execute(insert(tie_out_lines).values(row))
        self._parts += 1
        self._waiting.clear()

    def _surplus(self, period: str) -> Select[Any]:
        query = select(tie_outs.c.id).where(tie_outs.c.connection_id == self._connection_id)
        query = query.where(tie_outs.c.period == period, tie_outs.c.signed_at.is_(None))
        return query.order_by(tie_outs.c.id.desc()).limit(1000).offset(UNSIGNED_MAX)


def place(connection_id: int, number: int, part: int = -1) -> tuple[str, str, str, str]:
    """Where what is sealed belongs."""
    return str(connection_id), "tie_outs", str(number), str(part)


def _check(one: Kept, digest: str, note: str) -> None:
    if one.signed_at:
        raise SettingsError(f"tie-out {one.number} is signed off already, by {one.signed_by}")
    if len(digest) < SHORT or not one.digest.startswith(digest):
        raise SettingsError(
            f"that is not the digest of tie-out {one.number}; look at it, and give the first {SHORT} characters"
        )
    if len(note) > NOTE_MAX:
        raise SettingsError(f"a note has at most {NOTE_MAX:,} characters")
    if not one.ties and not note:
        raise SettingsError("this one does not tie; say in a note why it is signed off all the same")


def _sign_off(one: Kept, person: str, now: str, note: str) -> Entry:
    """What the journal tells of it; the note is sealed, but its digest is told, so that it can't be changed later."""
    entry = _entry(Kind.SIGNED, one, person)
    facts = entry.facts | {"signed_at": now, "note_digest": hashlib.sha256(note.encode()).hexdigest()}
    return msgspec.structs.replace(entry, facts=facts, body={"note": note} if note else None)


def _entry(kind: Kind, one: Kept, person: str) -> Entry:
    facts: dict[str, Any] = {"event": _EVENTS[kind], "tie_out": one.number, "period": one.period}
    return Entry(kind, facts | {"digest": one.digest, "ties": one.ties, "person": clean(person)}, key=_key(one.number))


def _key(number: int) -> str:
    return f"{_KEYS}{number}"


def _told(facts: str | None) -> tuple[Any, ...]:
    said = msgspec.json.decode(facts or "{}", type=dict[str, Any])
    return tuple(said.get(name) for name in ("digest", "person", "signed_at", "note_digest"))


def _signed(row: Row[Any]) -> tuple[Any, ...]:
    if row.signed_at is None:
        return (None,) * 4
    return row.digest, row.signed_by, row.signed_at, hashlib.sha256(row.note.encode()).hexdigest()


def _absent(number: int) -> SettingsError:
    return SettingsError(f"there is no tie-out {number}; `tie-out NAME --list` lists those that there are")


def _opened(packed: bytes) -> Sequence[bytes]:
    return unpack(packed).splitlines(keepends=True)


def _drop(connection: Connection, numbers: Select[Any]) -> None:
    # Locked, so that one that somebody signs off at this moment is looked at again, and stays.
    ids = list(connection.execute(numbers.with_for_update()).scalars())
    if ids:
        connection.execute(delete(tie_out_lines).where(tie_out_lines.c.tie_out_id.in_(ids)))
        connection.execute(delete(tie_outs).where(tie_outs.c.id.in_(ids)))


def _kept(row: Row[Any]) -> Kept:
    signed_at = schema.instant(row.signed_at) if row.signed_at else None
    told = schema.instant(row.made_at), row.made_by, bool(row.ties), row.digest
    return Kept(row.id, row.period, *told, signed_at, row.signed_by, row.note)
