"""The database: opened, brought up to date, read and written in transactions.

Rule: reading and writing are separate transactions; a writing one takes SQLite's write lock at its start, so that it
can't fail half-way for having read first. Every commit reaches the disk: an intent must survive a power cut.
Must not know: what the tables mean.
"""

import os
import sqlite3
import time
import uuid
from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import (
    URL,
    Column,
    ColumnElement,
    Connection,
    Double,
    Engine,
    Float,
    NullPool,
    QueuePool,
    Table,
    TextClause,
    any_,
    cast,
    create_engine,
    event,
    exc,
    func,
    literal,
    make_url,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection

from ml_connector.errors import SettingsError, StoreError
from ml_connector.store import faults, migrate
from ml_connector.store.locks import FileLocks, Locks, SessionLocks, ThreadLocks
from ml_connector.store.prepared import Compiled, compiled

BUSY_S = 10.0
TURN_S = 5
MIGRATE_S = 120.0
SQLITE_MIN = (3, 35, 0)  # the first with RETURNING
PROCESS = uuid.uuid4().hex  # tells this process from those before it, whatever their process ids

# The server notices a dead machine within a minute or so, and frees its locks.
_KEEPALIVE = "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"


_UNREADABLE = (
    "the store's address is not readable; it looks like sqlite:////var/lib/store.db or postgresql://user:password@host/"
    "name, where : / @ of a password are %3A %2F %40"
)


class Database:
    """A store's database."""

    def __init__(self, engine: Engine, locks: Locks, file: Path | None) -> None:
        self.engine = engine
        self.file = file
        self._locks = locks
        self._writer = engine.execution_options(writes=True)

    @classmethod
    def open(cls, url: str) -> "Database":
        """Open the database, created and migrated when needed.

        Raises: SettingsError when the address is not usable, StoreError.
        """
        address = _address(url)
        db = _postgres(address) if address.get_backend_name() == "postgresql" else _sqlite(address)
        try:
            with db.lock("migration", MIGRATE_S):
                db.prepare()
        except BaseException:
            db.close()
            raise
        return db

    def prepare(self) -> None:
        """Check the database and bring its tables up to date."""
        if self.file:
            _use_wal(self.engine)
        with self.write() as connection:
            _check_encoding(connection)
            migrate.upgrade(connection)

    @contextmanager
    def read(self) -> Generator[Connection]:
        """A transaction that reads."""
        with faults.translated(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Generator[Connection]:
        """A transaction that is committed at the end, or rolled back on any error."""
        with faults.translated(), self._writer.begin() as connection:
            yield connection

    def now(self) -> datetime:
        """This instant, by the server's clock where there may be several machines."""
        with self.read() as connection:
            return datetime.fromtimestamp(connection.execute(select(epoch(connection))).scalar_one(), UTC)

    def lock(self, name: str, wait_s: float) -> AbstractContextManager[None]:
        """Hold a lock across threads and processes; it vanishes when the process dies.

        Raises: BusyError when it is not free within `wait_s`.
        """
        return self._locks.hold(name, wait_s)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def add(connection: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows of these columns, in the table's order; values go to the driver as they are."""
    if rows:
        connection.exec_driver_sql(_inserting(connection.dialect.name, table, columns), list(rows))


def upsert(
    connection: Connection,
    table: Table,
    rows: Sequence[dict[str, Any]],
    where: tuple[Sequence[Column[Any]], TextClause | None] | None = None,
) -> None:
    """Insert rows; one that is there already gets the new values of all columns that are given.

    `where`: the condition of the partial unique index that decides what "there already" means, with its columns.
    """
    if not rows:
        return
    chosen, condition = where or (list(table.primary_key.columns), None)
    columns, unique = tuple(rows[0]), tuple(column.name for column in chosen)
    statement, order, _ = _upserting(connection.dialect.name, table, columns, unique, condition)
    # SQLAlchemy's own way takes each row apart and puts it together again, several times.
    connection.exec_driver_sql(statement, [tuple([row[name] for name in order]) for row in rows])


@cache
def _inserting(dialect: str, table: Table, columns: tuple[str, ...]) -> str:
    statement, order, _ = compiled(dialect, _insert(dialect, table), columns)
    if order != columns:
        raise ValueError(f"the columns of {table.name} are in another order")
    return statement


@cache
def _upserting(
    dialect: str, table: Table, columns: tuple[str, ...], unique: tuple[str, ...], condition: TextClause | None
) -> Compiled:
    statement = _insert(dialect, table)
    changed = {name: statement.excluded[name] for name in columns if name not in unique}
    made = statement.on_conflict_do_update(
        index_elements=[table.c[name] for name in unique], index_where=condition, set_=changed
    )
    return compiled(dialect, made, columns)


def _insert(dialect: str, table: Table) -> Any:
    made = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    return made.inline()  # numbers that the database gives are not asked for


def session_name(process: str) -> str:
    """How the sessions of a process are called at the database server."""
    return f"ml-connector/{process}"


def epoch(connection: Connection) -> Any:
    """Now, in seconds since 1970: by the server's clock where there may be several machines."""
    if connection.dialect.name == "postgresql":
        return cast(func.extract("epoch", func.clock_timestamp()), Double)
    return literal(time.time(), Float)


def one_at_a_time(connection: Connection, number: int) -> None:
    """Let the transactions of this number wait for one another; who holds it may be frozen, so not for long."""
    # SQLite's write lock is enough; PostgreSQL's writers would see the same rows free.
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT set_config('lock_timeout', :wait, true)"), {"wait": f"{TURN_S}s"})
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})


def among(connection: Connection, column: Column[Any], values: Sequence[str] | Sequence[int]) -> ColumnElement[bool]:
    """The condition that a column has one of any number of values, as one bound value.

    PostgreSQL gets an array, not a subquery: without statistics it would compare every row with every value.
    """
    if connection.dialect.name == "postgresql":
        return column == any_(literal(list(values), postgresql.ARRAY(column.type)))
    rows = func.json_each(msgspec.json.encode(values).decode()).table_valued("value", name="listed")
    return column.in_(select(rows.c.value))


def _address(url: str) -> URL:
    try:
        address = make_url(url.replace("postgres://", "postgresql://", 1) if url.startswith("postgres://") else url)
    except (exc.ArgumentError, ValueError):  # which may repeat part of a password
        raise SettingsError(_UNREADABLE) from None
    if address.drivername == "postgresql":
        address = address.set(drivername="postgresql+psycopg")
    if address.drivername not in ("sqlite", "postgresql+psycopg"):
        raise SettingsError(f"a store can be sqlite:///… or postgresql://…, not {address.drivername}")
    return address


def _postgres(address: URL) -> Database:
    arguments = {"options": _KEEPALIVE, "application_name": session_name(PROCESS), "connect_timeout": 10}
    arguments |= {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
    # Keepalives find nothing while an answer is awaited from a machine that is gone: a quarter of an hour is usual.
    arguments |= {"tcp_user_timeout": 60_000}
    common: dict[str, Any] = {"hide_parameters": True, "connect_args": arguments}
    engine = create_engine(address, pool_pre_ping=True, pool_size=8, max_overflow=24, **common)
    return Database(engine, SessionLocks(create_engine(address, poolclass=NullPool, **common)), None)


def _sqlite(address: URL) -> Database:
    if sqlite3.sqlite_version_info < SQLITE_MIN:
        raise StoreError(f"SQLite {sqlite3.sqlite_version} is too old; at least {'.'.join(map(str, SQLITE_MIN))}")
    name = address.database or ":memory:"
    file = None if name == ":memory:" else Path(name).absolute()
    if file:
        _create(file)
    engine = create_engine(
        address.set(database=str(file)) if file else address,
        hide_parameters=True,
        poolclass=QueuePool,
        # In memory the connection is the database: there is exactly one, and it is lent in turn.
        pool_size=8 if file else 1,
        max_overflow=24 if file else 0,
        connect_args={"timeout": BUSY_S, "check_same_thread": False},
    )
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return Database(engine, FileLocks(file) if file else ThreadLocks(), file)


def _create(file: Path) -> None:
    """Create the file so that nobody else can read it; SQLite gives its side files the same rights."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreError(f"{file}: {error.strerror}; the store needs a folder that it may write to") from error


def _on_connect(connection: DBAPIConnection, _record: Any) -> None:
    # Python's sqlite3 would otherwise begin and commit by itself.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    # Search words go all over their index: pages at hand, and copied back more rarely, are work saved.
    cursor.execute("PRAGMA cache_size=-8000")  # KB
    cursor.execute("PRAGMA wal_autocheckpoint=4000")  # pages
    cursor.close()


def _on_begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _use_wal(engine: Engine) -> None:
    # Outside of any transaction: SQLite changes the mode only there.
    with faults.translated():
        raw = engine.raw_connection()
        try:
            raw.cursor().execute("PRAGMA journal_mode=WAL")
        finally:
            raw.close()


def _check_encoding(connection: Connection) -> None:
    if connection.dialect.name != "postgresql":
        return
    encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
    if encoding != "UTF8":
        raise StoreError(f"the database's encoding is {encoding}; create one with ENCODING 'UTF8'")
