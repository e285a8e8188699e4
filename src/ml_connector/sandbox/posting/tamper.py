"""What happens to vouchers behind everybody's back: they go, change, move, or are there once more.

Rule: no check stands in the way, and rows that are changed in pairs still balance, so that only a comparison can tell.
It must not know HTTP, nor what a client makes of it.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from ml_connector.sandbox.posting.books import Books
from ml_connector.sandbox.posting.desk import LEDGER_ROWS
from ml_connector.sandbox.posting.hold import VOUCHER_KEY
from ml_connector.sandbox.posting.series import allot
from ml_connector.sandbox.world import Key, World
from ml_connector.sandbox.world.values import exactly
from ml_connector.sandbox.world.vouchers import HOLD, HOLD_ROW, POSTED

Values = dict[str, Any]
_SIDES = (("CurrencyDebetAmount", "CurrencyCreditAmount"), ("DebetAmount", "CreditAmount"))
_SIGNED = ("CurrencyAmount", "Amount")


def lose(world: World, key: Key) -> int:
    """Take a voucher away, out of the hold table or the ledger; how many rows it had."""
    with world.lock:
        rows = _rows(world, key)
        world.unload(_row_set(world, key), [_row_key(row) for row in rows])
        world.unload(_head_set(world, key), [_key(world, key)])
    return len(rows)


@exactly
def add(world: World, key: Key, amount: Decimal) -> None:
    """Make the first and the last row of a voucher larger by an amount, each on its own side."""
    with world.lock:
        rows = _rows(world, key)
        for row in (rows[0], rows[-1]):
            _change(world, row, _larger(row, Decimal(amount)))


def recode(world: World, key: Key, row: int, values: Mapping[str, str | None]) -> None:
    """Give a row another account or other code parts, by the names that IFS has for them; 0 is the first row."""
    with world.lock:
        _change(world, _rows(world, key)[row], dict(values))


def move(world: World, key: Key, day: date, period: int | None = None) -> None:
    """Date a voucher anew within its year; its period is that of the day, unless another is given."""
    with world.lock:
        found = Books(world).period(str(key[0]), day, year_end=False)
        if found is None or found.year != Decimal(key[2]):
            raise ValueError(f"{day} is in no period of the year {key[2]}")
        moved = {"VoucherDate": day, "AccountingPeriod": found.number if period is None else Decimal(period)}
        if _held(world, key):
            world.update(HOLD, key, moved)
        else:
            for row in _rows(world, key):
                _change(world, row, moved)


def double(world: World, key: Key) -> Key:
    """Copy a voucher with all that it says under a number of its own; its key."""
    return _copied(world, key, reference=None, turned=False)


def reverse(world: World, key: Key, reference: str | None = None) -> Key:
    """Book the reversal of a voucher, under the same reference or another; its key."""
    return _copied(world, key, reference=reference, turned=True)


def stray(world: World, key: Key, reference: str) -> Key:
    """Copy a voucher under a number and a reference of its own; its key."""
    return _copied(world, key, reference=reference, turned=False)


@exactly
def _copied(world: World, key: Key, reference: str | None, turned: bool) -> Key:
    with world.lock:
        head = world.get(_head_set(world, key), key)
        if head is None:
            raise ValueError(f"there is no voucher {key}")
        fresh: Values = {"VoucherNo": allot(world, str(key[0]), str(key[1]), Decimal(key[2]))}
        told = {} if reference is None else {"ReferenceNumber": reference}
        _insert(world, _head_set(world, key), {**head, **fresh}, told)
        for row in _rows(world, key):
            _insert(world, _row_set(world, key), {**row, **fresh, **(_turned(row) if turned else {})}, told)
    return (*key[:3], fresh["VoucherNo"])


def _insert(world: World, name: str, values: Values, told: Values) -> None:
    known = world.tables[name].index
    world.insert(name, {field: value for field, value in {**values, **told}.items() if field in known})


def _larger(row: Values, amount: Decimal) -> Values:
    """On whichever side it is; what the ledger has signed follows."""
    changed = {side: row[side] + amount for pair in _SIDES for side in pair if row[side] is not None}
    return changed | _signed({**row, **changed})


def _turned(row: Values) -> Values:
    changed = {one: row[other] for pair in _SIDES for one, other in (pair, pair[::-1])}
    return changed | _signed({**row, **changed})


def _signed(row: Values) -> Values:
    pairs = zip(_SIGNED, _SIDES, strict=True)
    return {name: (row[debit] or 0) - (row[credit] or 0) for name, (debit, credit) in pairs if name in row}


def _change(world: World, row: Values, values: Values) -> None:
    world.update(_row_set(world, _row_key(row)[:4]), _row_key(row), values)


def _rows(world: World, key: Key) -> list[Values]:
    rows = world.below(_row_set(world, key), _key(world, key))
    if not rows:
        raise ValueError(f"there is no voucher {key}")
    return rows


def _key(world: World, key: Key) -> Key:
    return world.key(world.tables[HOLD], key)


def _row_key(row: Values) -> Key:
    return tuple(row[name] for name in (*VOUCHER_KEY, "RowNo"))


def _held(world: World, key: Key) -> bool:
    return world.get(HOLD, key) is not None


def _head_set(world: World, key: Key) -> str:
    return HOLD if _held(world, key) else POSTED


def _row_set(world: World, key: Key) -> str:
    return HOLD_ROW if _held(world, key) else LEDGER_ROWS
