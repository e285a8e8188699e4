"""Amounts at stake, summed exactly by the database.

Rule: no amount ever becomes a float: PostgreSQL sums numerics; SQLite sums whole numbers, apart by how many decimals
they have, and gives what may be too long for it as it is.
Must not know: what is at stake, or why.
"""

from collections.abc import Sequence
from decimal import Decimal
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
    null,
    select,
)

from ml_connector.records import money
from ml_connector.store.schema import exceptions

WIDTH_MAX = 13  # so that millions of them fit into 64 bits
Stakes = dict[str, Decimal]
Counted = tuple[Any, ...]
Summed = tuple[tuple[Any, ...], list[Counted], Stakes]
_AMOUNT = exceptions.c.stake_amount


def summed(
    connection: Connection,
    columns: Sequence[Column[Any] | ColumnElement[Any]],
    counted: Sequence[ColumnElement[Any]],
    where: ColumnElement[bool] | TextClause,
) -> list[Summed]:
    """Exceptions in groups by these columns: the group, what was counted in its parts, what is at stake in it."""
    parts = [exceptions.c.stake_currency, *_parts(connection)]
    query = select(*columns, *counted, *parts, _sum(connection)).where(where).group_by(*columns, *parts)
    width, told = len(columns), len(columns) + len(counted)
    groups: dict[tuple[Any, ...], tuple[list[Counted], Stakes]] = {}
    for row in connection.execute(query):
        rows, stakes = groups.setdefault(tuple(row[:width]), ([], {}))
        rows.append(tuple(row[width:told]))
        currency, *part, amount = row[told:]
        if currency is not None:
            stakes[currency] = money.total((stakes.get(currency, Decimal(0)), _value(amount, *part)))
    return [(place, rows, stakes) for place, (rows, stakes) in groups.items()]


def added(one: Stakes, other: Stakes) -> Stakes:
    """Both together."""
    return one | {currency: money.total((amount, one.get(currency, Decimal(0)))) for currency, amount in other.items()}


def _parts(connection: Connection) -> list[ColumnElement[Any]]:
    """By what SQLite's sums are kept apart: decimals, and each amount that is too long."""
    if connection.dialect.name == "postgresql":
        return []
    point = func.instr(_AMOUNT, ".")
    decimals = case((point == 0, 0), else_=func.length(_AMOUNT) - point)
    return [decimals, case((func.length(_AMOUNT) > WIDTH_MAX, _AMOUNT), else_=null())]


def _sum(connection: Connection) -> ColumnElement[Any]:
    if connection.dialect.name == "postgresql":
        return func.sum(cast(_AMOUNT, Numeric))
    digits = cast(func.replace(_AMOUNT, ".", ""), BigInteger)
    return func.sum(case((func.length(_AMOUNT) <= WIDTH_MAX, digits), else_=literal(1)))


def _value(amount: int | Decimal, decimals: int = 0, long: str | None = None) -> Decimal:
    """What a part comes to; of those too long, `amount` is how many there are."""
    return money.times(Decimal(long), Decimal(amount)) if long else Decimal(amount).scaleb(-decimals)
