"""Fills a world with made-up trade: suppliers, addresses, companies' supplier data, orders, lines.

Rule: the same sizes and seed give the same world to the last byte, whatever the day.
It must not know how rows are stored or served.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, NamedTuple

from ml_connector.sandbox.world.seed_invoices import fill_invoices
from ml_connector.sandbox.world.seed_ledger import fill_ledger
from ml_connector.sandbox.world.trade import ORDER_STATES
from ml_connector.sandbox.world.values import exact
from ml_connector.sandbox.world.words import (
    BUYERS,
    COMPANY_COUNTRIES,
    COMPANY_CURRENCIES,
    DECIMALS,
    FIRST,
    GOODS,
    LANDS,
    ODD_NAMES,
    SECOND,
    UNITS,
    Land,
)
from ml_connector.sandbox.world.world import World

MIGRATED_AT = datetime(2024, 3, 4, 1, 0, 0, tzinfo=UTC)  # a third of all rows came in one migration
FIRST_DAY = date(2024, 1, 1)
STATE_WEIGHTS = (10, 20, 20, 10, 15, 20, 5)
PAY_TERMS = (("0", "Immediately", 0), ("14", "14 days net", 14), ("30", "30 days net", 30),
             ("30EOM", "30 days, end of month", 45), ("60", "60 days net", 60))  # fmt: skip
ZONES = ("Europe/Oslo", "America/New_York", "Europe/London", "Europe/Stockholm")


class Sizes(NamedTuple):
    """How much is made."""

    suppliers: int
    orders: int
    lines_per_order: int
    invoices: int = 0


class Site(NamedTuple):
    """A site that orders are placed from."""

    contract: str
    company: str


class Pool:
    """Values that many rows share, so that a large world stays small."""

    def __init__(self, rng: Random, stamps: int) -> None:
        self.days = [FIRST_DAY + timedelta(days=n) for n in range(700)]
        self.stamps = [MIGRATED_AT + timedelta(seconds=rng.randrange(40_000_000)) for _ in range(stamps)]
        self.prices = {code: _prices(rng, decimals) for code, decimals in DECIMALS.items()}
        self.quantities = [exact(Decimal(text)) for text in ("1", "2", "5", "10", "24", "100", "0.5", "2.25", "1000")]

    def stamp(self, at: int) -> datetime:
        """The instant of the last change of the row at a position: most are shared by several rows."""
        return MIGRATED_AT if at % 3 == 0 else self.stamps[at // 7 % len(self.stamps)]


def seeded(
    suppliers: int,
    orders: int,
    seed: int,
    lines_per_order: int = 3,
    companies: Sequence[str] = ("10", "20"),
    modified: bool = True,
    invoices: int = 0,
) -> World:
    """A world full of made-up but reproducible data."""
    world = World(modified)
    _fill(world, Sizes(suppliers, orders, lines_per_order, invoices), seed, tuple(companies))
    return world


def _fill(world: World, sizes: Sizes, seed: int, companies: tuple[str, ...]) -> None:
    rng = Random(seed)  # noqa: S311 - made-up data, not secrets
    pool = Pool(rng, min(20_000, 10 + sizes.suppliers + sizes.orders))
    sites = _sites(companies)
    names = supplier_ids(sizes.suppliers)
    lands = rng.choices(LANDS, k=sizes.suppliers)
    world.load("CompanySet", _companies(companies))
    world.load("SiteSet", _site_rows(sites, companies))
    world.load("PaymentTermSet", _terms(companies))
    world.load("Projections", _projections(world))
    world.load("SupplierInfoGeneralSet", _suppliers(rng, pool, names, lands))
    world.load("SupplierInfoAddressSet", _addresses(rng, pool, names, lands))
    world.load("IdentityInvoiceInfoSet", _identities(rng, pool, names, lands, companies))
    if names:
        orders = list(_orders(rng, pool, sizes.orders, names, sites))
        world.load("PurchaseOrderSet", iter(orders))
        world.load("PurchaseOrderLineSet", _lines(rng, pool, orders, sizes.lines_per_order))
    fill_ledger(world, rng, companies)
    fill_invoices(world, seed, sizes.invoices)


def supplier_ids(count: int) -> list[str]:
    """The ids of the seeded suppliers: S000001 and up; every 250th has characters that need care in a URL."""
    return [f"S{n:06d}{_ODD_IDS[n // 250 % len(_ODD_IDS)] if n % 250 == 13 else ''}" for n in range(1, count + 1)]


_ODD_IDS = ("/A&B'C", "-ÅØ", " X+Y", "#%?", "(=,)")


def _prices(rng: Random, decimals: int) -> list[Decimal]:
    return [exact(Decimal(rng.randrange(1, 10 ** rng.randrange(3, 8))).scaleb(-decimals)) for _ in range(500)]


def _sites(companies: tuple[str, ...]) -> list[Site]:
    return [Site(f"{company[:3]}{letter}", company) for company in companies for letter in ("A", "B")]


def _companies(companies: tuple[str, ...]) -> Iterator[list[Any]]:
    for at, company in enumerate(companies):
        country = COMPANY_COUNTRIES[at % len(COMPANY_COUNTRIES)]
        currency = COMPANY_CURRENCIES[at % len(COMPANY_CURRENCIES)]
        yield [company, f"Acme {country} {company}", currency, country, MIGRATED_AT]


def _site_rows(sites: list[Site], companies: tuple[str, ...]) -> Iterator[list[Any]]:
    for contract, company in sites:
        at = companies.index(company) % len(ZONES)
        yield [contract, company, f"Site {contract}", ZONES[at], COMPANY_COUNTRIES[at], MIGRATED_AT]


def _terms(companies: tuple[str, ...]) -> Iterator[list[Any]]:
    for company in companies:
        for term, text, days in PAY_TERMS:
            yield [company, term, text, Decimal(days), MIGRATED_AT]


def _projections(world: World) -> Iterator[list[Any]]:
    for service in sorted({table.service for table in world.tables.values() if table.served}):
        entity = any(table.service == service and table.entity_api for table in world.tables.values())
        categories, api_class = ("Entity", "Entity Service") if entity else ("Users", "Standard")
        yield [service, f"Projection {service}", categories, api_class, MIGRATED_AT]


def _suppliers(rng: Random, pool: Pool, ids: list[str], lands: list[Land]) -> Iterator[list[Any]]:
    firsts, seconds = rng.choices(FIRST, k=len(ids)), rng.choices(SECOND, k=len(ids))
    days = rng.choices(pool.days, k=len(ids))
    numbers = rng.choices(range(100_000_000, 1_000_000_000), k=len(ids))
    for at, (key, land, first, second, day, number) in enumerate(
        zip(ids, lands, firsts, seconds, days, numbers, strict=True)
    ):
        odd = at % 100
        name = ODD_NAMES[odd] if odd < len(ODD_NAMES) else f"{first} {second} {land.legal_form}"
        association = None if at % 11 == 4 else f"{land.code}{number}"
        language = None if at % 13 == 6 else land.language
        yield [key, name, association, land.code, language, day, "Supplier", None, pool.stamp(at)]


def _addresses(rng: Random, pool: Pool, ids: list[str], lands: list[Land]) -> Iterator[list[Any]]:
    for at, (key, land) in enumerate(zip(ids, lands, strict=True)):
        number = rng.randrange(10, 9999)
        for address in range(_address_count(at)):
            street = f"{land.streets[number % len(land.streets)]} {number % 200}"
            city = land.cities[number % len(land.cities)]
            second = "c/o Finance" if at % 9 == 2 else None
            post = land.zip_format.format(number)
            where = [street, second, post, city, land.state, land.code]
            yield [key, f"{address + 1}" if at % 2 else f"HQ{address}", *where, pool.stamp(at + address)]


def _address_count(at: int) -> int:
    if at % 25 == 24:
        return 0
    return 2 if at % 10 == 0 else 1


def _identities(
    rng: Random, pool: Pool, ids: list[str], lands: list[Land], companies: tuple[str, ...]
) -> Iterator[list[Any]]:
    terms = rng.choices([term for term, _, _ in PAY_TERMS], k=len(ids))
    past, future = date(2023, 6, 30), date(2039, 12, 31)
    for at, (key, land, term) in enumerate(zip(ids, lands, terms, strict=True)):
        expires = {3: past, 5: future}.get(at % 17)
        for company in _companies_of(at, companies):
            yield [company, key, "Supplier", term, land.currency, expires, pool.stamp(at + 1)]


def _companies_of(at: int, companies: tuple[str, ...]) -> tuple[str, ...]:
    share = at % 20
    if share == 7:
        return ()
    if share < 7:
        return companies[:1]
    return companies[-1:] if share < 11 else companies


def _orders(rng: Random, pool: Pool, count: int, suppliers: list[str], sites: list[Site]) -> Iterator[list[Any]]:
    vendors, places = rng.choices(suppliers, k=count), rng.choices(sites, k=count)
    states, buyers = rng.choices(ORDER_STATES, STATE_WEIGHTS, k=count), rng.choices(BUYERS, k=count)
    currencies, days = rng.choices(list(DECIMALS), k=count), rng.choices(pool.days, k=count)
    rows = zip(vendors, places, states, buyers, currencies, days, strict=True)
    for at, (vendor, site, state, buyer, currency, day) in enumerate(rows):
        state = ORDER_STATES[at] if at < len(ORDER_STATES) else state  # all states, however few orders
        number = f"R{at}" if at % 50 == 7 else f"{100_001 + at}"
        yield [number, vendor, site.contract, site.company, currency, buyer, day, state, pool.stamp(at)]


def _lines(rng: Random, pool: Pool, orders: list[list[Any]], most: int) -> Iterator[list[Any]]:
    for at, order in enumerate(orders):
        number, currency, day, state, stamp = order[0], order[4], order[6], order[7], order[8]
        for line in range(most):
            goods = int(rng.random() * len(GOODS))
            part = None if goods % 4 == 0 else f"PART-{goods:03d}"
            price = pool.prices[currency][int(rng.random() * 500)]
            quantity = pool.quantities[int(rng.random() * len(pool.quantities))]
            changed = stamp if line else pool.stamp(at + 5)
            wanted = None if line == 2 else day
            what = [part, GOODS[goods], quantity, UNITS[goods], price, currency, wanted, state]
            yield [number, _LINE_NUMBERS[line], "1", *what, changed]


_LINE_NUMBERS = [str(n) for n in range(1, 10_000)]
