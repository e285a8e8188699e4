"""The database behind the IFS site: what is in it, and edits as another user of the ERP would make them.

Rule: every change goes through ``insert``, ``update`` or ``delete`` under one lock, and stamps the row with the
database's clock in whole seconds: two changes within a second cannot be told apart, as in the real thing.
It must not know HTTP, OData or what a client may see.
"""

import hashlib
import threading
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from ml_connector.sandbox.world.clock import Clock
from ml_connector.sandbox.world.ledger import LEDGER_ENUMS, ledger_tables
from ml_connector.sandbox.world.rows import By, Key, Row, Store
from ml_connector.sandbox.world.tables import Kind, Property, Table, by_name
from ml_connector.sandbox.world.trade import TRADE_ENUMS, trade_tables
from ml_connector.sandbox.world.values import instant, stored
from ml_connector.sandbox.world.vouchers import VOUCHER_ENUMS, voucher_tables

KeyLike = Mapping[str, object] | Sequence[object] | str
STAMP = "Cf_Modified_At"


class Written(NamedTuple):
    """A row as it was before a change within a transaction."""

    store: Store
    key: Key
    old: Row | None


class Missing(ValueError):
    """A row that is not there."""


class Taken(ValueError):
    """A key that is there already."""


class World:
    """Tables, a clock and edits."""

    def __init__(self, modified: bool = True) -> None:
        self.modified = modified  # whether stamped sets show Cf_Modified_At
        self.lock = threading.RLock()
        self.clock = Clock()
        self.tables = by_name((*trade_tables(), *ledger_tables(), *voucher_tables()))
        self.enums = {**TRADE_ENUMS, **LEDGER_ENUMS, **VOUCHER_ENUMS}
        self._stores = {name: Store(table) for name, table in self.tables.items()}
        self._kin = {name: [each for each in self.tables.values() if _is_child(each, name)] for name in self.tables}
        self._serial = 0
        self._undo: list[Written] | None = None

    def now(self) -> datetime:
        """The instant the database believes it is (UTC, whole seconds)."""
        with self.lock:
            return self.clock.now()

    # Reading

    def table(self, name: str) -> Table:
        """The table of a set, or a ValueError."""
        if name not in self.tables:
            raise ValueError(f"there is no set {name!r}")
        return self.tables[name]

    def count(self, name: str) -> int:
        """How many rows a set has."""
        self.table(name)
        return len(self._stores[name])

    def heap(self, name: str) -> list[Row]:
        """All stored rows of a set as they lie; the caller must not change the list."""
        with self.lock:
            return self._stores[name].heap()

    def ordered(self, name: str, order: tuple[By, ...], low: Key = (), high: Key | None = None) -> list[Row]:
        """The stored rows of a set in an order, between two sort keys."""
        with self.lock:
            return self._stores[name].ordered(order, low, high)

    def stored(self, name: str, key: Key) -> Row | None:
        """One stored row."""
        with self.lock:
            return self._stores[name].get(key)

    def linked(self, name: str, properties: Sequence[str], values: Key) -> list[Row]:
        """The stored rows of a set whose properties have these values."""
        table = self.tables[name]
        order = tuple(By(table.index[item], not table.by_name[item].required) for item in properties)
        bound = tuple((0, value) if by.nullable else value for by, value in zip(order, values, strict=True))
        return self.ordered(name, order, bound, bound)

    def rows(self, name: str) -> list[dict[str, Any]]:
        """All rows of a set, by key."""
        table = self.table(name)
        order = tuple(By(at, nullable=False) for at in table.key_at)
        return [self._shown(table, row) for row in self.ordered(name, order)]

    def below(self, name: str, prefix: Key) -> list[dict[str, Any]]:
        """The rows of a set whose keys begin like this, by key."""
        table = self.table(name)
        order = tuple(By(at, nullable=False) for at in table.key_at)
        return [self._shown(table, row) for row in self.ordered(name, order, prefix, prefix)]

    def get(self, name: str, key: KeyLike) -> dict[str, Any] | None:
        """One row of a set, or None."""
        table = self.table(name)
        row = self.stored(name, self.key(table, key))
        return None if row is None else self._shown(table, row)

    def key(self, table: Table, key: KeyLike) -> Key:
        """A key in any of its forms as the tuple that rows are stored under."""
        values = _key_values(table, key)
        return tuple(stored(table.by_name[name], value) for name, value in zip(table.keys, values, strict=True))

    def digest(self) -> str:
        """A digest of all that is stored, whatever lies where."""
        total = hashlib.sha256()
        encode = msgspec.json.Encoder().encode
        with self.lock:
            for name, table in sorted(self.tables.items()):
                order = tuple(By(at, nullable=False) for at in table.key_at)
                for row in self._stores[name].ordered(order):
                    total.update(encode(row[: table.place_at]))
        return total.hexdigest()

    # Changing

    def insert(self, name: str, values: Mapping[str, object], stamp: datetime | None = None) -> dict[str, Any]:
        """Add a row; ``stamp`` is the earlier instant of a change that was committed late."""
        table = self.table(name)
        with self.lock:
            full = self._completed(table, values)
            row = self._row(table, [_stored(item, full.get(item.name)) for item in table.properties])
            key = tuple(row[at] for at in table.key_at)
            self._check_parent(table, row)
            if self.stored(name, key) is not None:
                raise Taken(f"{name} has {key!r} already")
            return self._put(table, key, [*row, self._stamp(stamp), self._next(), 0, None])

    def update(
        self, name: str, key: KeyLike, values: Mapping[str, object], stamp: datetime | None = None
    ) -> dict[str, Any]:
        """Change a row."""
        table = self.table(name)
        _check_names(table, values)
        with self.lock:
            old = self._found(table, self.key(table, key))
            row = list(old)
            for item, value in values.items():
                row[table.index[item]] = stored(table.by_name[item], value)
            self._row(table, row[: table.stamp_at])
            row[table.stamp_at] = self._stamp(stamp)
            new_key = tuple(row[at] for at in table.key_at)
            if new_key != tuple(old[at] for at in table.key_at):
                raise ValueError("a key cannot change")
            return self._put(table, new_key, row)

    def delete(self, name: str, key: KeyLike) -> int:
        """Take a row and its children away; how many rows went."""
        table = self.table(name)
        with self.lock:
            row = self._found(table, self.key(table, key))
            gone = sum(self._delete_children(table, child, row) for child in self._kin[name])
            self._write(self._stores[name], tuple(row[at] for at in table.key_at), None)
            return gone + 1

    @contextmanager
    def transaction(self) -> Generator[list[Written]]:
        """All changes within, or none; gives what is written, from the outermost transaction on."""
        with self.lock:
            outer = self._undo
            written = self._undo = [] if outer is None else outer
            start = len(written)
            try:
                yield written
            except BaseException:
                _undo(written[start:])
                del written[start:]
                raise
            finally:
                self._undo = outer

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open; ask under the lock."""
        return self._undo is not None

    def load(self, name: str, rows: Iterable[list[Any]]) -> None:
        """Put many rows (properties and stamp) in at once, without checks; it cannot be taken back."""
        table = self.tables[name]
        owner = self._company_of(table)
        with self.lock:
            self._stores[name].load((*row, serial := self._next(), serial, owner(row)) for row in rows)

    def unload(self, name: str, keys: Iterable[Key]) -> None:
        """Take many rows away at once, without their children; it cannot be taken back."""
        with self.lock:
            self._stores[name].unload(keys)

    # Within

    def _next(self) -> int:
        self._serial += 1
        return self._serial

    def _stamp(self, given: datetime | None) -> datetime:
        return self.clock.now() if given is None else instant(given)

    def _shown(self, table: Table, row: Row) -> dict[str, Any]:
        shown: dict[str, Any] = dict(zip(table.index, row, strict=False))
        if table.stamped and self.modified:
            shown[STAMP] = row[table.stamp_at]
        return shown

    def _found(self, table: Table, key: Key) -> Row:
        row = self._stores[table.name].get(key)
        if row is None:
            raise Missing(f"{table.name} has no {key!r}")
        return row

    def _completed(self, table: Table, values: Mapping[str, object]) -> dict[str, object]:
        _check_names(table, values)
        full: dict[str, object] = {**table.defaults, **values}
        if table.name == "PurchaseOrderSet" and full.get("Company") is None:
            site = self.get("SiteSet", str(full.get("Contract")))
            full["Company"] = site and site["Company"]
        if table.name == "SupplierInfoGeneralSet" and full.get("CreationDate") is None:
            full["CreationDate"] = self.clock.now().date()
        for name in table.allots:
            if full.get(name) is None:
                full[name] = self._allot(table, name, full)
        return full

    def _allot(self, table: Table, name: str, values: Mapping[str, object]) -> object:
        if table.parent is None:
            return self._next_number(table, name) if table.by_name[name].kind is Kind.NUMBER else f"N{self._next()}"
        own = [pair[0] for pair in table.parent.pairs]
        taken = self.linked(table.name, own, tuple(values.get(item) for item in own))
        numbers = [int(row[table.index[name]]) for row in taken if str(row[table.index[name]]).isdigit()]
        return str(max(numbers, default=0) + 1)

    def _next_number(self, table: Table, name: str) -> Decimal:
        return max((row[name] for row in self.rows(table.name)), default=Decimal(1000)) + 1

    def _row(self, table: Table, values: list[Any]) -> list[Any]:
        for at, item in table.demanding:
            value = values[at]
            if value is None and item.required:
                raise ValueError(f"{table.name}: {item.name} must have a value")
            if item.enum is not None and value is not None and value not in self.enums[item.enum]:
                raise ValueError(f"{item.name}: {value!r} is not a member of {item.enum}")
        return values

    def _check_parent(self, table: Table, row: Sequence[Any]) -> None:
        if table.parent is not None:
            self._found(self.tables[table.parent.target], tuple(row[table.index[own]] for own, _ in table.parent.pairs))

    def _put(self, table: Table, key: Key, row: list[Any]) -> dict[str, Any]:
        row[table.place_at] = self._next()
        row[table.company_at] = self._company_of(table)(row)
        new = tuple(row)
        self._write(self._stores[table.name], key, new)
        self._follow(table, new)
        return self._shown(table, new)

    def _write(self, store: Store, key: Key, row: Row | None) -> None:
        old = store.get(key)
        if self._undo is not None:
            self._undo.append(Written(store, key, old))
        if row is None:
            store.drop(key)
        else:
            store.put(row)

    def _company_of(self, table: Table) -> Callable[[Sequence[Any]], str | None]:
        if table.company is not None:
            at = table.index[table.company]
            return lambda row: row[at]
        if table.parent is None or self.tables[table.parent.target].company is None:
            return lambda row: None  # noqa: ARG005
        parent, at = self.tables[table.parent.target], table.index[table.parent.pairs[0][0]]
        return lambda row: self._found(parent, (row[at],))[parent.company_at]

    def _follow(self, table: Table, row: Row) -> None:
        """Lines are seen by whoever sees their order, also after it moved to another company."""
        for child in self._kin[table.name]:
            for each in self._children(table, child, row) if child.company is None and table.company else ():
                if each[child.company_at] != row[table.company_at]:
                    key = tuple(each[at] for at in child.key_at)
                    self._write(self._stores[child.name], key, (*each[:-1], row[table.company_at]))

    def _children(self, table: Table, child: Table, row: Row) -> list[Row]:
        if child.parent is None:
            return []
        own = [pair[0] for pair in child.parent.pairs]
        return self.linked(child.name, own, tuple(row[table.index[pair[1]]] for pair in child.parent.pairs))

    def _delete_children(self, table: Table, child: Table, row: Row) -> int:
        found = self._children(table, child, row)
        for each in found:
            self._write(self._stores[child.name], tuple(each[at] for at in child.key_at), None)
        return len(found)


def _is_child(table: Table, parent: str) -> bool:
    return table.parent is not None and table.parent.target == parent


def _stored(item: Property, value: object) -> Any:
    return None if value is None else stored(item, value)


def _undo(written: list[Written]) -> None:
    for store, key, old in reversed(written):
        store.drop(key)
        if old is not None:
            store.put(old)


def _key_values(table: Table, key: KeyLike) -> list[object]:
    if isinstance(key, str):
        key = [key]
    if isinstance(key, Mapping):
        if set(key) != set(table.keys):
            raise ValueError(f"the key of {table.name} is {', '.join(table.keys)}")
        return [key[name] for name in table.keys]
    if len(key) != len(table.keys):
        raise ValueError(f"the key of {table.name} is {', '.join(table.keys)}")
    return list(key)


def _check_names(table: Table, values: Mapping[str, object]) -> None:
    unknown = sorted(set(values) - set(table.index))
    if unknown:
        raise ValueError(f"{table.name} has no property {', '.join(unknown)}")
