"""What the stand-in Airbase knows of the ERP's world when it starts, so that its documents can be posted.

One rule: it only reads the world, and only names that the ERP would have told Airbase.
It must not know how either site serves them.
"""

from typing import Any

from ml_connector.sandbox.airbase.seed import Company, Facts
from ml_connector.sandbox.world import World

_TAGS = {"Reference_CodeB": ("CodeB", "department"), "Reference_CodeF": ("CodeF", "project")}
_FEW = 5
Pair = tuple[str, str]


def facts_of(world: World, suppliers: int) -> Facts:
    """Gather companies, a few accounts and code parts, and the first suppliers."""
    costs, payables, banks = (_accounts(world, kind) for kind in ("Cost", "Liabilities", "Assets"))
    plain = Facts()
    return Facts(
        companies=_companies(world) or plain.companies,
        suppliers=_suppliers(world) if suppliers else (),
        expenses=costs[:_FEW] or plain.expenses,
        payable=next(iter(payables), plain.payable),
        bank=next((pair for pair in banks if pair[1] == "Bank"), plain.bank),
        tags=tuple(tag for name in _TAGS for tag in _tags(world, name)),
    )


def _companies(world: World) -> tuple[Company, ...]:
    return tuple(
        Company(row["Company"], row["Name"], row["CurrencyCode"], row["Country"]) for row in world.rows("CompanySet")
    )


def _suppliers(world: World) -> tuple[Pair, ...]:
    return tuple((row["SupplierId"], row["Name"]) for row in world.rows("SupplierInfoGeneralSet"))


def _accounts(world: World, kind: str) -> tuple[Pair, ...]:
    rows = [row for row in world.rows("Reference_Account") if row["LogicalAccountType"] == kind and _in_use(row)]
    return tuple(dict.fromkeys((row["Account"], row["Description"]) for row in rows))


def _tags(world: World, name: str) -> tuple[tuple[str, str, str], ...]:
    key, label = _TAGS[name]
    rows = [row for row in world.rows(name) if _in_use(row)]
    return tuple(dict.fromkeys((row[key], row["Description"], label) for row in rows))


def _in_use(row: dict[str, Any]) -> bool:
    return "closed" not in row["Description"]
