"""Opening, migrating, sorting, and what the driver's complaints become."""

import sqlite3
import stat
import threading
import traceback
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, text

from ml_connector.errors import BusyError, SettingsError, StoreError
from ml_connector.store import db as db_module
from ml_connector.store import migrate, schema
from ml_connector.store.db import Database, among
from ml_connector.store.prepared import Prepared, mine

from .processes import together

TEXT = st.text(st.characters(min_codepoint=31, exclude_categories=("Cs",)), min_size=1, max_size=4)


def test_migrations_lead_to_the_schema(db: Database) -> None:
    with db.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []
        assert migrate.current(connection) == migrate.HEAD
    assert ScriptDirectory(str(migrate.FOLDER)).get_current_head() == migrate.HEAD


def test_opening_twice_is_opening_once(empty_url: str) -> None:
    for number in range(2):
        db = Database.open(empty_url)
        with db.write() as connection:
            connection.execute(insert(schema.reservations).values(name=f"{number}", due_at=0, resume_at=0))
            query = select(schema.reservations.c.name).order_by(schema.reservations.c.name)
            assert list(connection.execute(query).scalars()) == [f"{one}" for one in range(number + 1)]
            assert connection.execute(text("SELECT count(*) FROM alembic_version")).scalar() == 1
        db.close()


def test_processes_may_open_a_new_database_at_once(empty_url: str) -> None:
    assert together("migrate", empty_url, count=4) == [["done"]] * 4
    db = Database.open(empty_url)
    with db.read() as connection:
        assert len(connection.execute(select(schema.data_keys)).all()) == 1
    db.close()


def test_a_database_from_the_future_is_refused(empty_url: str) -> None:
    db = Database.open(empty_url)
    with db.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    db.close()
    with pytest.raises(StoreError, match=r"version 9999.*install a newer one"):
        Database.open(empty_url)


def test_the_file_is_the_owners_alone(tmp_path: Path) -> None:
    db = Database.open(f"sqlite:///{tmp_path}/deep/er/store.db")
    with db.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
        files = [file for file in (tmp_path / "deep/er").glob("store.db*") if file.is_file()]
        assert len(files) == 3
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    db.close()


def test_commits_are_made_to_last(tmp_path: Path) -> None:
    db = Database.open(f"sqlite:///{tmp_path}/store.db")
    with db.read() as connection:
        found = [
            connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    db.close()
    assert found == ["wal", 2, 1]


def test_a_database_in_memory_is_shared_between_threads() -> None:
    db = Database.open("sqlite://")
    with db.write() as connection:
        connection.execute(insert(schema.reservations).values(name="a", due_at=0, resume_at=0))
    seen: list[str] = []

    def look() -> None:
        with db.read() as connection:
            seen.extend(connection.execute(select(schema.reservations.c.name)).scalars())

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    db.close()
    assert seen == ["a"]


def test_a_failed_transaction_leaves_nothing(db: Database) -> None:
    def fail() -> None:
        with db.write() as connection:
            connection.execute(insert(schema.reservations).values(name="a", due_at=0, resume_at=0))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with db.read() as connection:
        assert connection.execute(select(schema.reservations)).all() == []


@pytest.mark.parametrize("url", ["mysql://x/y", "nonsense", ""])
def test_an_unusable_address_is_the_operators(url: str) -> None:
    with pytest.raises(SettingsError):
        Database.open(url)


def test_what_is_not_a_database_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear Sir or Madam, " * 100)
    with pytest.raises(StoreError, match="not a database"):
        Database.open(f"sqlite:///{tmp_path}/letter.txt")


def test_a_folder_that_can_not_be_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="folder that it may write to"):
        Database.open(f"sqlite:///{tmp_path}/file/store.db")


def test_an_absent_server_is_unreachable() -> None:
    with pytest.raises(StoreError, match="can't be reached"):
        Database.open("postgresql://someone:hidden@127.0.0.1:1/x")


def test_an_absent_database_is_the_operators(server: str) -> None:
    with pytest.raises(StoreError, match="this database name"):
        Database.open(server.replace("/postgres?", "/nowhere?"))


def test_a_locked_database_is_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db_module, "BUSY_S", 0.05)
    url = f"sqlite:///{tmp_path}/store.db"
    db, other = Database.open(url), Database.open(url)
    with db.write(), pytest.raises(BusyError, match="locked"), other.write():
        pass
    db.close()
    other.close()


def test_a_full_disk_is_said_so(tmp_path: Path) -> None:
    db = Database.open(f"sqlite:///{tmp_path}/store.db")
    rows = [{"name": "n" * 999 + str(number), "due_at": 0, "resume_at": 0} for number in range(99)]

    def fill() -> None:
        with db.write() as connection:
            pages = connection.execute(text("PRAGMA page_count")).scalar()
            connection.execute(text(f"PRAGMA max_page_count = {pages}"))
            connection.execute(insert(schema.reservations), rows)

    with pytest.raises(StoreError, match="disk of the database is full"):
        fill()
    db.close()


def test_a_damaged_file_is_said_so(tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    Database.open(f"sqlite:///{file}").close()
    content = bytearray(file.read_bytes())
    content[100:8192] = b"\xff" * 8092
    file.write_bytes(content)
    with pytest.raises(StoreError, match="damaged"):
        Database.open(f"sqlite:///{file}")


def test_errors_hold_no_values(db: Database) -> None:
    row = {"name": "canary", "due_at": 0, "resume_at": 0}
    with pytest.raises(StoreError) as caught, db.write() as connection:
        connection.execute(insert(schema.reservations), [row, row])
    cause = caught.value.__cause__
    assert "canary" not in str(caught.value)
    assert "[parameters" not in str(cause).lower()


@settings(max_examples=25, deadline=None)
@given(names=st.lists(TEXT, unique=True, min_size=1, max_size=8), after=TEXT, upto=TEXT)
def test_keys_sort_as_in_python(both: list[Database], names: list[str], after: str, upto: str) -> None:
    table = schema.reservations
    expected = sorted(name for name in names if after < name <= upto)
    for db in both:
        with db.write() as connection:
            connection.execute(table.delete())
            connection.execute(insert(table), [{"name": name, "due_at": 0, "resume_at": 0} for name in names])
            query = select(table.c.name).where(table.c.name > after, table.c.name <= upto).order_by(table.c.name)
            assert list(connection.execute(query).scalars()) == expected
            query = select(table.c.name).where(among(connection, table.c.name, names)).order_by(table.c.name)
            assert list(connection.execute(query).scalars()) == sorted(names)


@pytest.mark.parametrize("code", [sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR])
def test_other_complaints_of_sqlite_say_what_to_do(code: int) -> None:
    from sqlalchemy.exc import OperationalError

    from ml_connector.store.faults import translated

    orig = sqlite3.OperationalError("x")
    orig.sqlite_errorcode = code
    with pytest.raises(StoreError, match="check"), translated():
        raise OperationalError("UPDATE", None, orig)


def test_a_value_that_is_left_out_of_a_statement_is_missed(db: Database) -> None:
    of_one = Prepared(lambda _: select(schema.marks.c.mark).where(mine(schema.marks), schema.marks.c.part == "p"))
    with db.read() as connection:
        assert of_one.rows(connection, connection_id=1, flow="f") == []
        with pytest.raises(KeyError, match="flow"):
            of_one.rows(connection, connection_id=1)


@pytest.mark.parametrize("place", ["h:hush/db", "u:p@ss:hush@h/db", "u:a@b:hush/x@h/db", "u:x@[::hush/db"])
def test_an_address_that_is_not_readable_is_told_without_its_password(place: str) -> None:
    with pytest.raises(SettingsError, match="%2F") as caught:
        Database.open(f"postgresql://{place}")
    assert "hush" not in "".join(traceback.format_exception(caught.value))
