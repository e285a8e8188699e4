"""Amounts at stake, summed exactly by the database.

Rule: no amount ever becomes a float: PostgreSQL sums numerics; SQLite sums whole thousandths in the order of an index,
and those that may be too long for it are summed here.
Must not know: what is at stake, or why.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import reduce
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Numeric,
    TextClause,
    case,
    cast,
    func,
    literal,
    or_,
    select,
)

from ml_connector.records import money
from ml_connector.store.schema import exceptions

WIDTH_MAX, DECIMALS = 10, 3  # so that a million of them fit into 64 bits
Stakes = dict[str, Decimal]
Counted = tuple[Any, ...]
Summed = tuple[tuple[Any, ...], list[Counted], Stakes]
_AMOUNT, _CURRENCY = exceptions.c.stake_amount, exceptions.c.stake_currency
_POINT = func.instr(_AMOUNT, ".")
_DECIMALS = case((_POINT == 0, 0), else_=func.length(_AMOUNT) - _POINT)
_IS_LONG = or_(func.length(_AMOUNT) > WIDTH_MAX, _DECIMALS > DECIMALS)


def summed(
    connection: Connection,
    columns: Sequence[Column[Any]],
    counted: Sequence[ColumnElement[Any]],
    where: ColumnElement[bool] | TextClause,
) -> list[Summed]:
    """Exceptions in groups by these columns: the group, what was counted in its parts, what is at stake in it."""
    is_exact, width = connection.dialect.name == "postgresql", len(columns)
    sums = [func.sum(cast(_AMOUNT, Numeric)), literal(0)] if is_exact else [_thousandths(), _how_many_long()]
    query = select(*columns, *counted, _CURRENCY, *sums).where(where).group_by(*columns, _CURRENCY)
    groups: dict[tuple[Any, ...], tuple[list[Counted], Stakes]] = {}
    any_long = False
    for row in connection.execute(query):
        told: list[Any] = list(row)
        long, amount, currency = told.pop(), told.pop(), told.pop()
        parts, stakes = groups.setdefault(tuple(told[:width]), ([], {}))
        parts.append(tuple(told[width:]))
        any_long = any_long or bool(long)
        if currency is not None:
            stakes[currency] = Decimal(amount) if is_exact else _of_thousandths(amount)
    if any_long:
        _add_long(connection, columns, where, groups)
    return [(place, parts, stakes) for place, (parts, stakes) in groups.items()]


def added(one: Stakes, other: Stakes) -> Stakes:
    """Both together."""
    return one | {currency: money.total((amount, one.get(currency, Decimal(0)))) for currency, amount in other.items()}


def total(several: Iterable[Stakes]) -> Stakes:
    """All of them together."""
    return reduce(added, several, {})


def _add_long(
    connection: Connection,
    columns: Sequence[Column[Any]],
    where: ColumnElement[bool] | TextClause,
    groups: dict[tuple[Any, ...], tuple[list[Counted], Stakes]],
) -> None:
    for row in connection.execute(select(*columns, _CURRENCY, _AMOUNT).where(where, _IS_LONG)):
        place: list[Any] = list(row)
        amount, currency = place.pop(), place.pop()
        stakes = groups[tuple(place)][1]
        stakes[currency] = money.total((stakes[currency], Decimal(amount)))


def _thousandths() -> ColumnElement[Any]:
    digits = cast(func.replace(_AMOUNT, ".", ""), BigInteger)
    weight = case({0: 1000, 1: 100, 2: 10}, value=_DECIMALS, else_=1)
    return func.sum(case((_IS_LONG, 0), else_=digits * weight))


def _how_many_long() -> ColumnElement[Any]:
    return func.sum(case((_IS_LONG, 1), else_=0))


def _of_thousandths(amount: int) -> Decimal:
    """An amount without the zeros that nobody wrote."""
    return Decimal(money.plain(Decimal(amount).scaleb(-DECIMALS)))
