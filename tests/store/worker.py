"""What other processes do in tests: each says "ready", and goes on when told, or until killed."""

import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from ml_connector.records.supplier import Supplier, Vendor
from ml_connector.store import key_file, settling
from ml_connector.store.access_log import AccessLog
from ml_connector.store.db import Database
from ml_connector.store.flow_store import FlowStore
from ml_connector.store.journal import Journal, Kind, Line
from ml_connector.store.limits import Reservations
from ml_connector.store.rekeying import rekey as change_key
from ml_connector.store.tokens import TokenShelf
from ml_connector.store.vault import Vault
from ml_connector.sync.change import Event
from ml_connector.sync.ports import Settlement

from .samples import entry, intended

KEY = bytes(range(32))
_pipes: list[Connection] = []


def main(pipe: Connection, what: str, *arguments: str) -> None:
    _pipes.append(pipe)
    {f.__name__: f for f in (migrate, lock, reserve, renew, append, settle, rekey)}[what](*arguments)


def say(what: object) -> None:
    _pipes[0].send(str(what))


def wait() -> None:
    say("ready")
    _pipes[0].recv()


def migrate(url: str) -> None:
    wait()
    db = Database.open(url)
    Vault.open(db, KEY, None)
    say("done")


def lock(url: str, name: str) -> None:
    with Database.open(url).lock(name, 0):
        wait()


def reserve(url: str, count: str) -> None:
    reservations = Reservations(Database.open(url))
    wait()
    for _ in range(int(count)):
        before = time.time()
        wait_s = reservations.reserve("api", 0.01, 0.05)
        say(f"{before + wait_s} {time.time() + wait_s}")  # between these is the slot


def renew(url: str, connection_id: str) -> None:
    db = Database.open(url)
    shelf = TokenShelf(db, Vault.open(db, KEY, None), int(connection_id))
    wait()

    def fetch() -> tuple[str, float]:
        say("fetched")
        time.sleep(0.2)
        return "token", time.time() + 3600

    say(shelf.renew(None, fetch)[0])


def append(url: str, connection_id: str, count: str) -> None:
    db = Database.open(url)
    journal = Journal(db, Vault.open(db, KEY, None), int(connection_id))
    wait()
    for number in range(int(count)):
        with db.write() as connection:
            journal.append(connection, [Line(Kind.RUN, {"number": number})] * 3)
    say("done")


def settle(url: str, connection_id: str) -> None:
    """Stop within the settling transaction, after its links are written."""
    db = Database.open(url)
    store = FlowStore(db, Vault.open(db, KEY, None), int(connection_id), "suppliers", Supplier, Vendor)

    def stop(*_: object) -> None:
        wait()

    settling.mark = stop
    with store.turn():
        run_id, changes = intended(store, [entry(f"S{number}") for number in range(50)])
        store.settle(run_id, [Settlement(change, Event.DONE, "id") for change in changes])


def rekey(url: str, file: str, where: str) -> None:
    """Stop while the key is changed: once the new one is kept, once it is in the journal, or once that is committed."""

    def first(act: Callable[..., Any], *, stop_before: bool = False) -> Callable[..., Any]:
        def stopped(*given: Any, **named: Any) -> Any:
            if stop_before:
                wait()
            done = act(*given, **named)
            wait()
            return done

        return stopped

    if where == "kept":
        key_file.prepare = first(key_file.prepare)
    elif where == "written":
        AccessLog.note = first(AccessLog.note)
    else:
        key_file.put_in_place = first(key_file.put_in_place, stop_before=True)
    db = Database.open(url)
    change_key(db, Vault.open(db, None, Path(file)), None, Path(file), "root")
