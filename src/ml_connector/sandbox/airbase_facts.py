"""What the stand-in Airbase knows of the ERP's world when it starts, so that its documents can be posted.

One rule: it only reads the world, and only names that the ERP would have told Airbase.
It must not know how either site serves them.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from ml_connector.sandbox.airbase.facts import Company, Facts, Pair, Supplier
from ml_connector.sandbox.world import World

_LABELS = {"B": "department", "C": "cost_object", "D": "region", "F": "project"}
_SPENT_ON = ("6110", "6540", "5010", "4010", "7690")  # what people buy with a card or on an invoice
_FEW = 5
_SUPPLIERS_MIN = 500
Tag = tuple[str, str, str]


def facts_of(world: World, suppliers: int) -> Facts:
    """Gather companies, accounts, code parts, and the first suppliers: as many as asked for, and never just a few."""
    plain = Facts()
    accounts = dict(_accounts(world))
    bank = accounts.get("1930", plain.bank)
    return Facts(
        companies=_companies(world) or plain.companies,
        suppliers=tuple(_suppliers(world, max(suppliers, _SUPPLIERS_MIN))),
        expenses=tuple(accounts[key] for key in _SPENT_ON if key in accounts) or _costs(world) or plain.expenses,
        payable=accounts.get("2440", plain.payable),
        bank=bank,
        card_clearing=accounts.get("1940", bank),
        payment_clearing=accounts.get("1950", bank),
        tags=tuple(_tags(world, in_use=True)),
        expired_expenses=_once(pair for pair in _pairs(world) if not _in_use(pair[1])),
        expired_tags=tuple(_tags(world, in_use=False)),
    )


def _companies(world: World) -> tuple[Company, ...]:
    return tuple(
        Company(row["Company"], row["Name"], row["CurrencyCode"], row["Country"]) for row in world.rows("CompanySet")
    )


def _suppliers(world: World, count: int) -> Iterator[Supplier]:
    names = ("SupplierId", "Name", "AssociationNo", "Country")
    places = [world.table("SupplierInfoGeneralSet").index[name] for name in names]
    for row in world.heap("SupplierInfoGeneralSet")[:count]:
        yield Supplier(*(row[place] or "" for place in places))


def _accounts(world: World) -> Iterator[tuple[str, Pair]]:
    return ((pair[0], pair) for pair in _pairs(world) if _in_use(pair[1]))


def _costs(world: World) -> tuple[Pair, ...]:
    return _once(pair for pair in _pairs(world, "Cost") if _in_use(pair[1]))[:_FEW]


def _pairs(world: World, kind: str | None = None) -> Iterator[Pair]:
    rows = (row for row in world.rows("Reference_Account") if kind in (None, row["LogicalAccountType"]))
    return ((row["Account"], row["Description"]) for row in rows)


def _tags(world: World, *, in_use: bool) -> Iterator[Tag]:
    for part, label in _LABELS.items():
        rows = [row for row in world.rows(f"Reference_Code{part}") if _in_use(row["Description"]) == in_use]
        yield from dict.fromkeys((_key(row, part), row["Description"], label) for row in rows)


def _key(row: dict[str, Any], part: str) -> str:
    return row[f"Code{part}"]


def _in_use(description: str) -> bool:
    return "closed" not in description


def _once(pairs: Iterable[Pair]) -> tuple[Pair, ...]:
    return tuple(dict.fromkeys(pairs))
