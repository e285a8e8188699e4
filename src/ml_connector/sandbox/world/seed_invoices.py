"""Fills a world with supplier invoices and with the payment addresses of suppliers.

Rule: nothing here changes what else a seed gives, however many invoices are asked for.
It must not know how rows are stored or served.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, NamedTuple

from ml_connector.sandbox.world.values import exact
from ml_connector.sandbox.world.vouchers import INVOICE, INVOICE_STATES, PAYMENT_ADDRESS
from ml_connector.sandbox.world.words import DECIMALS
from ml_connector.sandbox.world.world import World

FIRST_DAY = date(2025, 7, 1)
FIRST_INSTANT = datetime(2024, 3, 4, 1, 0, 0, tzinfo=UTC)
STATE_WEIGHTS = (40, 30, 10, 15, 5)


class Origin(NamedTuple):
    """What an invoice is for."""

    company: str
    supplier: str
    currency: str
    order: str | None


def fill_invoices(world: World, seed: int, count: int) -> None:
    """Fill in the payment addresses, and this many supplier invoices."""
    world.load(PAYMENT_ADDRESS, _addresses(world))
    origins = [*_orders(world), *_suppliers(world)]
    if origins:
        world.load(INVOICE, _invoices(Random(seed), origins, count))  # noqa: S311 - made-up data, not secrets


def _addresses(world: World) -> Iterator[list[Any]]:
    countries = {row["SupplierId"]: row["Country"] for row in world.rows("SupplierInfoGeneralSet")}
    for at, row in enumerate(world.rows("IdentityInvoiceInfoSet")):
        if at % 13 == 9:  # a supplier that is paid by check has none
            continue
        elsewhere = "CH" if at % 9 == 4 else countries[row["Identity"]]
        yield [row["Company"], row["Identity"], "1", elsewhere, FIRST_INSTANT]


def _orders(world: World) -> list[Origin]:
    rows = world.rows("PurchaseOrderSet")
    return [Origin(row["Company"], row["VendorNo"], row["CurrencyCode"], row["OrderNo"]) for row in rows]


def _suppliers(world: World) -> list[Origin]:
    rows = world.rows("IdentityInvoiceInfoSet")
    return [Origin(row["Company"], row["Identity"], row["DefCurrency"], None) for row in rows]


def _invoices(rng: Random, origins: list[Origin], count: int) -> Iterator[list[Any]]:
    for at in range(count):
        origin = rng.choice(origins)
        day = FIRST_DAY + timedelta(days=rng.randrange(300))
        amount = exact(Decimal(rng.randrange(1_000, 9_000_000)).scaleb(-DECIMALS.get(origin.currency, 2)))
        state = INVOICE_STATES[at] if at < len(INVOICE_STATES) else rng.choices(INVOICE_STATES, STATE_WEIGHTS)[0]
        when = [day, day + timedelta(days=30), origin.currency, amount]
        yield [origin.company, Decimal(1001 + at), origin.supplier, f"INV-{at + 1:05d}", *when, origin.order, state,
               None, None, FIRST_INSTANT]  # fmt: skip
