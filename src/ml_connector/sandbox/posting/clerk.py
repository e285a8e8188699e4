"""What persons do with vouchers, and what happens to vouchers, given as JSON, for the sandbox's control door.

Rule: whatever is wrong with an operation is a ValueError that says so; nothing is changed then.
It must not know HTTP.
"""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from ml_connector.sandbox.posting import tamper
from ml_connector.sandbox.posting.desk import Ledger
from ml_connector.sandbox.world.values import plain

Op = dict[str, Any]


def knows(op: Op) -> bool:
    """Whether an operation is one of these."""
    return op.get("op") in _ACTS


def act(ledger: Ledger, op: Op) -> dict[str, Any]:
    """Do one operation and answer with what came of it."""
    given = {name: value for name, value in op.items() if name != "op"}
    try:
        return _ACTS[str(op["op"])](ledger, **given)
    except (LookupError, TypeError, ArithmeticError) as problem:
        raise ValueError(f"{op['op']}: missing or unfit: {problem}") from problem


def _vouchers(ledger: Ledger) -> dict[str, Any]:
    return {"vouchers": [_jsonable(voucher) for voucher in ledger.vouchers()]}


def _approve(ledger: Ledger, company: str | None = None, keys: list[list[Any]] | None = None) -> dict[str, Any]:
    return {"approved": ledger.approve(company, _keys(keys))}


def _update_gl(ledger: Ledger, company: str | None = None, keys: list[list[Any]] | None = None) -> dict[str, Any]:
    return {"updated": ledger.update_gl(company, _keys(keys))}


def _set_period(ledger: Ledger, company: str, year: int, period: int, status: str) -> dict[str, Any]:
    ledger.set_period(company, year, period, status)
    return {}


def _load_file(
    ledger: Ledger, company: str, load_type: str, data: str, layout: dict[str, int | None] | None = None
) -> dict[str, Any]:
    return ledger.load_file(company, load_type, data.encode(), layout)


def _lose(ledger: Ledger, key: list[Any]) -> dict[str, Any]:
    return {"rows": tamper.lose(ledger.world, tuple(key))}


def _add(ledger: Ledger, key: list[Any], amount: str) -> dict[str, Any]:
    tamper.add(ledger.world, tuple(key), Decimal(amount))
    return {}


def _recode(ledger: Ledger, key: list[Any], row: int, values: dict[str, str | None]) -> dict[str, Any]:
    tamper.recode(ledger.world, tuple(key), row, values)
    return {}


def _move(ledger: Ledger, key: list[Any], day: str, period: int | None = None) -> dict[str, Any]:
    tamper.move(ledger.world, tuple(key), date.fromisoformat(day), period)
    return {}


def _double(ledger: Ledger, key: list[Any]) -> dict[str, Any]:
    return {"key": _jsonable(list(tamper.double(ledger.world, tuple(key))))}


def _reverse(ledger: Ledger, key: list[Any], reference: str | None = None) -> dict[str, Any]:
    return {"key": _jsonable(list(tamper.reverse(ledger.world, tuple(key), reference)))}


def _stray(ledger: Ledger, key: list[Any], reference: str) -> dict[str, Any]:
    return {"key": _jsonable(list(tamper.stray(ledger.world, tuple(key), reference)))}


def _keys(keys: list[list[Any]] | None) -> list[tuple[Any, ...]] | None:
    return None if keys is None else [tuple(key) for key in keys]


def _jsonable(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _jsonable(each) for name, each in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list):
        return [_jsonable(each) for each in value]  # pyright: ignore[reportUnknownVariableType]
    return plain(value)


_ACTS: dict[str, Callable[..., dict[str, Any]]] = {
    "vouchers": _vouchers,
    "approve": _approve,
    "update_gl": _update_gl,
    "set_period": _set_period,
    "load_file": _load_file,
    "lose": _lose,
    "add": _add,
    "recode": _recode,
    "move": _move,
    "double": _double,
    "reverse": _reverse,
    "stray": _stray,
}
