"""What a database driver complains about, as errors with a next step.

Rule: a sentence says what is wrong and what to do; it holds no value of any row.
Must not know: which statement failed.
"""

import sqlite3
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import exc

from ml_connector.errors import BusyError, StoreError

if TYPE_CHECKING:
    import psycopg

BUSY = "the database is locked by another process; try again"
FULL = "the disk of the database is full; free some space, then run again"
READ_ONLY = "the database can't be written; check the rights on its file and folder, or whether the server is a replica"
CORRUPT = "the database is damaged; stop everything, keep a copy of it, and restore the latest backup"
NOT_ONE = "this file is not a database; check the store's address"
IO = "the disk of the database does not answer as it should; check the disk and its mount"
CANT_OPEN = "the database file can't be opened; check its path, and the rights on its file and folder"
UNREACHABLE = "the database server can't be reached, or closed the connection; check that it is up, then run again"
LOGIN = "the database server refuses this login or this database name; check the store's address"
CLASH = "another process wrote the same row; nothing of this step was kept"

_SQLITE = {
    sqlite3.SQLITE_BUSY: BUSY,
    sqlite3.SQLITE_LOCKED: BUSY,
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_PERM: READ_ONLY,
    sqlite3.SQLITE_CORRUPT: CORRUPT,
    sqlite3.SQLITE_NOTADB: NOT_ONE,
    sqlite3.SQLITE_IOERR: IO,
    sqlite3.SQLITE_CANTOPEN: CANT_OPEN,
    sqlite3.SQLITE_CONSTRAINT: CLASH,
}

# Source: PostgreSQL, appendix A (SQLSTATE); a class is the first two characters.
_POSTGRES = {
    "55P03": BUSY,
    "40001": BUSY,
    "40P01": BUSY,
    "53100": FULL,
    "25006": READ_ONLY,
    "42501": READ_ONLY,
    "XX001": CORRUPT,
    "XX002": CORRUPT,
    "3D000": LOGIN,
    "23": CLASH,
    "28": LOGIN,
    "08": UNREACHABLE,
    "57": UNREACHABLE,
    "53": UNREACHABLE,
}


@contextmanager
def translated() -> Generator[None]:
    """Turn driver errors into store errors."""
    try:
        yield
    except exc.TimeoutError as error:
        raise BusyError("all database connections of this process are in use; try again") from error
    except exc.DBAPIError as error:
        raise _translated(error.orig) from error
    except (sqlite3.Error, *_of_postgres()) as error:  # while connecting
        raise _translated(error) from error


def _translated(orig: BaseException | None) -> StoreError:
    said = _said(orig)
    kind = BusyError if said == BUSY else StoreError
    return kind(said or f"the database failed: {type(orig).__name__} {_code(orig)}".rstrip())


def _said(orig: BaseException | None) -> str:
    if isinstance(orig, sqlite3.Error):
        return _SQLITE.get(getattr(orig, "sqlite_errorcode", 0) & 0xFF, "")
    return _said_by_postgres(orig) if isinstance(orig, _of_postgres()) else ""


def _of_postgres() -> "tuple[type[psycopg.Error], ...]":
    # It takes 10 MB of memory; who is on SQLite never loads it.
    return (sys.modules["psycopg"].Error,) if "psycopg" in sys.modules else ()


def _said_by_postgres(orig: "psycopg.Error") -> str:
    state = orig.sqlstate or ""
    lost = "" if state or not isinstance(orig, sys.modules["psycopg"].OperationalError) else _unconnected(orig)
    return _POSTGRES.get(state) or _POSTGRES.get(state[:2]) or lost


def _unconnected(orig: "psycopg.Error") -> str:
    # psycopg gives no SQLSTATE for an error that happens while connecting.
    words = ("authentication failed", "does not exist", "no pg_hba.conf entry", "no password supplied")
    return LOGIN if any(word in str(orig) for word in words) else UNREACHABLE


def _code(orig: BaseException | None) -> str:
    return getattr(orig, "sqlstate", None) or getattr(orig, "sqlite_errorname", None) or ""
