"""What happens to vouchers and loads that come in through an API, before and after each change.

Rule: whoever opens the outermost transaction has the vouchers touched in it checked, at its end.
It must not know HTTP or what the rules are.
"""

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from typing import Any

from ml_connector.sandbox.posting import hold, load
from ml_connector.sandbox.world import Key, World
from ml_connector.sandbox.world.vouchers import HOLD, HOLD_ROW, LOAD, TRANSACTION
from ml_connector.sandbox.world.world import Written

Values = dict[str, Any]


def inserting(world: World, name: str, values: Values) -> Values:
    """The values of a new row with what IFS adds. Raises: Unfit."""
    return _INSERTING[name](world, values) if name in _INSERTING else values


def updating(world: World, name: str, old: Values, values: Values) -> Values:
    """The changes of a row with what follows from them. Raises: Unfit."""
    return _UPDATING[name](world, old, values) if name in _UPDATING else values


def deleting(world: World, name: str, old: Values) -> None:
    """Refuse to delete what must stay. Raises: Unfit."""
    if name in _DELETING:
        _DELETING[name](world, old)


@contextmanager
def settled(world: World) -> Generator[None]:
    """All changes within or none; the outermost checks the vouchers. Raises: Unfit."""
    with world.lock:
        outermost = not world.in_transaction
        with world.transaction() as written:
            yield
            if outermost:
                hold.settle(world, _touched(written))


def _touched(written: Iterable[Written]) -> list[Key]:
    return list(dict.fromkeys(each.key[:4] for each in written if each.store.table.name in (HOLD, HOLD_ROW)))


def _new_transaction(world: World, values: Values) -> Values:
    load.touch(world, values)
    return values


def _changed_transaction(world: World, old: Values, values: Values) -> Values:
    load.touch(world, old)
    return values


def _changed_load(_: World, old: Values, values: Values) -> Values:
    load.demand_changeable(old)
    return values


def _deleted_load(_: World, old: Values) -> None:
    load.demand_changeable(old)


_INSERTING: dict[str, Callable[[World, Values], Values]] = {
    HOLD: hold.new_voucher,
    HOLD_ROW: hold.new_row,
    LOAD: load.new_load,
    TRANSACTION: _new_transaction,
}
_UPDATING: dict[str, Callable[[World, Values, Values], Values]] = {
    HOLD: hold.changed_voucher,
    HOLD_ROW: hold.changed_row,
    LOAD: _changed_load,
    TRANSACTION: _changed_transaction,
}
_DELETING: dict[str, Callable[[World, Values], None]] = {LOAD: _deleted_load, TRANSACTION: load.touch}
