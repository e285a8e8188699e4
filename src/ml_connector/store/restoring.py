"""Restoring: a backup checked, and put into an empty store.

Rule: nothing is written before all of the backup is checked, and then everything or nothing. What is restored is older
than reality: every link is in doubt, nothing counts as seen, no approval is left, so the next run asks both systems.
Must not know: flows, systems.
"""

import tempfile
from collections.abc import Generator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, Table, delete, exc, func, select, text, update

from ml_connector.errors import SettingsError, StoreError, VaultError
from ml_connector.store import backup_file, copying, faults, migrate, schema, schema_people, schema_work
from ml_connector.store.backup_file import Manifest
from ml_connector.store.db import Database, epoch
from ml_connector.store.journal import Journal, Kind, Line
from ml_connector.store.scope import Clock
from ml_connector.store.vault import Vault
from ml_connector.sync.orders import State

# What an empty store may hold: none of it says anything about a connection.
_NOTHING = ("data_keys", "reservations", "tallies", "workers", "finds")


class Restored(msgspec.Struct, frozen=True):
    """What was restored: links to be looked at, approvals that no longer hold, and what is in force as it was then."""

    manifest: Manifest
    connections: tuple[str, ...]
    doubted: int
    voided: int
    edits: int
    api_tokens: int
    people: int


class Backup:
    """A backup that was checked from beginning to end; close it after use."""

    def __init__(self, db: Database, file: Path, manifest: Manifest, vault: Vault) -> None:
        self.manifest = manifest
        self.vault = vault
        self._db = db
        self._file = file

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def restore(self, db: Database, clock: Clock = lambda: datetime.now(UTC)) -> Restored:
        """Put everything into an empty store.

        Raises: SettingsError when the store is not empty, StoreError; then nothing of it is kept.
        """
        with self._current() as source, source.read() as held, db.write() as connection:
            _check_empty(connection)
            connection.execute(delete(schema.data_keys))
            sums = copying.copied(held, connection)
            if source is self._db and copying.digests(sums) != self.manifest.digests:
                raise self._changed()
            copying.set_sequences(connection)
            done = _unsettled(connection, self.manifest, schema.stamp(clock()))
            self._note(connection, db, clock)
        return done

    @contextmanager
    def _current(self) -> Generator[Database]:
        """The backup with today's tables; of an older one its rows, in tables of our own, migrated."""
        if self.manifest.migration == migrate.HEAD:
            yield self._db
            return
        with tempfile.TemporaryDirectory(prefix="ml-connector-") as folder:
            part = Path(folder) / "older.db"
            with _whole(self._file):
                self._rows_into(part)
            with closing(Database.open(f"sqlite:///{part}")) as migrated:
                yield migrated

    def _rows_into(self, part: Path) -> None:
        """Take the rows that were summed, and nothing else that somebody may have put beside them: a trigger, say."""
        backup_file.create(part)
        with closing(backup_file.writable(part)) as made, made.write() as target, self._db.read() as source:
            migrate.upgrade(target, self.manifest.migration)
            sums = copying.raw_copied(source, target, self.manifest.counts)
            if copying.digests(sums) != self.manifest.digests:
                raise self._changed()

    def _changed(self) -> StoreError:
        return StoreError(f"{self._file} changed while it was read; nothing was restored")

    def _note(self, connection: Connection, db: Database, clock: Clock) -> None:
        facts = {"made_at": schema.stamp(self.manifest.made_at), "program": self.manifest.program}
        facts |= {"digest": backup_file.digest(self.manifest)}
        for connection_id in connection.execute(select(schema.connections.c.id).order_by("id")).scalars().all():
            Journal(db, self.vault, connection_id, clock).append(connection, [Line(Kind.RESTORED, facts)])


def open_backup(file: Path, key: bytes | None, key_file: Path | None) -> Backup:
    """Open a backup and check all of it.

    Raises: SettingsError when it is no backup, VaultError when the key is another one, StoreError when it is damaged,
    was altered, or is of a newer program.
    """
    if not file.is_file():
        raise SettingsError(f"there is no backup at {file}")
    db = backup_file.read_only(file)
    try:
        return _checked(db, file, key, key_file)
    except BaseException:
        db.close()
        raise


def _checked(db: Database, file: Path, key: bytes | None, key_file: Path | None) -> Backup:
    with _whole(file):
        told, sealed = backup_file.told(db, file)
    manifest = backup_file.decoded(told, file)
    if manifest.migration > migrate.HEAD:
        raise StoreError(
            f"{file} was made by ml-connector {manifest.program}, with tables of version {manifest.migration}; this "
            f"program knows up to {migrate.HEAD}: install that one or a newer one, then restore"
        )
    if key is None and key_file and not key_file.exists():
        raise VaultError(f"the backup opens with key {manifest.key}; put that key into {key_file}, then restore")
    with _whole(file):
        vault = Vault.open(db, key, key_file)
    backup_file.check_seal(vault, told, sealed, file)
    with _whole(file), db.read() as connection:
        sums = {name: copying.raw_sum(connection, name) for name in manifest.counts}
    if copying.digests(sums) != manifest.digests or copying.counts(sums) != manifest.counts:
        wrong = next(name for name, one in sums.items() if one.digest != manifest.digests[name])
        raise StoreError(f"{file} is not as it was made: table {wrong} differs; take another backup")
    return Backup(db, file, manifest, vault)


def _check_empty(connection: Connection) -> None:
    for table in schema.metadata.sorted_tables:
        if table.name not in _NOTHING and connection.execute(select(text("1")).select_from(table).limit(1)).first():
            raise SettingsError(
                f"the store is not empty: it has {table.name}; a backup is restored into a new file or a new "
                "database, so that nothing is lost (name it with --store)"
            )
    alive = select(schema_work.workers.c.id).where(schema_work.workers.c.lease_until > epoch(connection))
    if connection.execute(alive.limit(1)).first():
        raise SettingsError("a worker or `serve` is running on this store; stop it, then restore")


def _unsettled(connection: Connection, manifest: Manifest, now: str) -> Restored:
    """Believe nothing that may have changed since; what that came to."""
    links, approvals, orders = schema.links, schema.approvals, schema_work.orders
    doubted = connection.execute(update(links).values(digest="")).rowcount
    voided = connection.execute(update(approvals).where(approvals.c.used_at.is_(None)).values(used_at=now)).rowcount
    running = update(orders).where(orders.c.state == State.RUNNING.value)
    connection.execute(running.values(state=State.QUEUED.value, worker=None))
    there, people = schema.connections, schema_people.users
    edits, tokens = schema_work.edits, schema_work.api_tokens
    names = select(there.c.name).where(there.c.removed_at.is_(None)).order_by(there.c.name)
    return Restored(
        manifest,
        tuple(connection.execute(names).scalars()),
        doubted,
        voided,
        _number(connection, edits, edits.c.ended_at.is_(None)),
        _number(connection, tokens, tokens.c.revoked_at.is_(None)),
        _number(connection, people, people.c.disabled_at.is_(None)),
    )


def _number(connection: Connection, table: Table, where: Any) -> int:
    return connection.execute(select(func.count()).select_from(table).where(where)).scalar_one()


@contextmanager
def _whole(file: Path) -> Generator[None]:
    """Say which file it is that can't be read."""
    try:
        yield
    except VaultError:
        raise
    except (StoreError, exc.SQLAlchemyError) as error:
        said = str(error) if str(error) == faults.NOT_ONE else faults.CORRUPT
        what = "no backup" if said == faults.NOT_ONE else "damaged or cut off"
        raise StoreError(f"{file} is {what}; nothing was restored, take another backup") from error
