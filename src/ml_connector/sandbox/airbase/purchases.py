"""Purchases of a large made-up spend world, some of them odd.

Rule: the same options and number make the same purchase, however many are made; it has one oddity at most.
Must not know: which documents are made of a purchase.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from random import Random
from typing import Any, TypeVar

import msgspec

from ml_connector.sandbox.airbase import documents
from ml_connector.sandbox.airbase.documents import Fields, Purchase
from ml_connector.sandbox.airbase.examples import CATEGORIES, PEOPLE, Setting
from ml_connector.sandbox.airbase.facts import Pair
from ml_connector.sandbox.airbase.money import decimals_of, rate_between, rounded, shown, split, unit_of
from ml_connector.sandbox.airbase.options import SpendOptions

CHAIN_ODDITIES = (
    "unconverted",
    "missing_category",
    "expired_account",
    "expired_tag",
    "zero",
    "negative",
    "doubled",
    "closed_period",
    "off_by_cent",
    "over_precise",
    "no_account",
    "no_bank_account",
)
ENTRY_ODDITIES = (*(name for name in CHAIN_ODDITIES if name != "missing_category"), "unknown_type")
_ACCOUNT_OF: dict[str, str] = dict(zip(CATEGORIES, ("6110", "6540", "5010", "4010", "7690", "6110"), strict=True))
_PERCENTS = ((100,), (100,), (60, 40), (50, 30, 20))
_THIRDS = (33, 33, 34)
_INVOICE_FORMS = ("inv {}", "INV{:08d}", "Inv. {}", "inv-{:05d}")
T = TypeVar("T")


class Bought(msgspec.Struct, frozen=True):
    """A purchase with what its documents do not say."""

    purchase: Purchase
    oddity: str
    day: date
    home: str  # the subsidiary's currency
    rate: Decimal  # into it

    @property
    def booked(self) -> Decimal:
        """Give the total in the subsidiary's currency."""
        return rounded(Decimal(self.purchase.total) * self.rate, self.home)


class Purchases:
    """Makes purchases by number."""

    def __init__(self, setting: Setting, options: SpendOptions, oddities: Sequence[str], *, rates: bool) -> None:
        self._setting = setting
        self._options = options
        self._oddities = [(name, float(getattr(options, name))) for name in oddities]
        self._rates = rates  # whether a document can carry a rate instead of the amount in company currency
        self._from = date.fromisoformat(options.from_date)
        self._days = (date.fromisoformat(options.to_date) - self._from).days + 1

    def random(self, number: int) -> Random:
        """Give the randomness of one purchase."""
        return Random(self._options.seed * 10_000_019 + number)  # noqa: S311 - made-up data

    def make(self, number: int, rng: Random) -> Bought:
        """Make one purchase."""
        oddity = self._oddity(rng)
        subsidiary = _one(rng, self._setting.subsidiaries)
        home = subsidiary["erp_currency_reference_id"]
        currency = self._currency(rng, home, oddity)
        rate = _rate(rng, currency, home)
        total = _total(rng, currency, oddity)
        day = self._day(rng, oddity)
        text = _worded(rng, total)
        category = _one(rng, CATEGORIES)
        purchase = Purchase(
            number=number,
            vendor=_one(rng, self._setting.vendors) if self._setting.vendors else None,
            subsidiary=documents.brief(subsidiary),
            currency=currency,
            total=text,
            lines=self._lines(rng, total, text, currency, category, oddity),
            tags=[_one(rng, tags) for tags in self._document_tags if _chance(rng, 0.4)],
            people=(_one(rng, PEOPLE), _one(rng, PEOPLE)),
            at=_at(day),
            category=None if oddity == "missing_category" else category,
            po_number=f"APO-{number}",
            invoice_number=f"INV-{number:08d}",
            description=f"{category} {number}",
        )
        return self._converted(rng, Bought(purchase, oddity, day, home, rate))

    def later(self, bought: Bought, days: int) -> date:
        """Give a day after a purchase; it stays in the days that are made, and a closed one in its closed period."""
        last = self._from + timedelta(days=self._days - 1)
        return bought.day if bought.oddity == "closed_period" else min(bought.day + timedelta(days=days), last)

    def _oddity(self, rng: Random) -> str:
        drawn = rng.random()
        for name, share in self._oddities:
            if drawn < share:
                return name
            drawn -= share
        return ""

    def _currency(self, rng: Random, home: str, oddity: str) -> str:
        others = [code for code in self._options.currencies if code != home]
        foreign = oddity == "unconverted" or _chance(rng, self._options.foreign)
        return _one(rng, others) if foreign and others else home

    def _day(self, rng: Random, oddity: str) -> date:
        day = self._from + timedelta(days=rng.randrange(self._days))
        return date.fromisoformat(self._options.closed_date) if oddity == "closed_period" else day

    def _lines(self, rng: Random, total: Decimal, text: str, currency: str, category: str, oddity: str) -> list[Fields]:
        amounts = _amounts(rng, total, text, currency, oddity)
        account = None if oddity == "no_account" else documents.account_of(self._account(category, oddity))
        tags = [self._line_tags(rng) for _ in amounts]
        if oddity == "expired_tag" and self._setting.facts.expired_tags:
            tags[0] = self._expired(tags[0])
        both = zip(amounts, tags, strict=True)
        return [documents.line_of(at, account, amount, some) for at, (amount, some) in enumerate(both, 1)]

    def _account(self, category: str, oddity: str) -> Pair:
        facts = self._setting.facts
        if oddity == "expired_account" and facts.expired_expenses:
            return facts.expired_expenses[0]
        found = [pair for pair in facts.expenses if pair[0] == _ACCOUNT_OF[category]]
        return found[0] if found else facts.expenses[CATEGORIES.index(category) % len(facts.expenses)]

    def _line_tags(self, rng: Random) -> list[Fields]:
        tags = [_one(rng, self._setting.line_tags)] if self._setting.line_tags else []
        return [*tags, _one(rng, self._cost_objects)] if self._cost_objects and _chance(rng, 0.3) else tags

    def _expired(self, tags: list[Fields]) -> list[Fields]:
        key, name, label = self._setting.facts.expired_tags[0]
        others = [tag for tag in tags if tag["type_label"] != label]
        return [{"erp_reference_id": key, "type_label": label, "name": name}, *others]

    @cached_property
    def _cost_objects(self) -> list[Fields]:
        return [tag for tag in self._setting.document_tags if tag["type_label"] == "cost_object"]

    @cached_property
    def _document_tags(self) -> list[list[Fields]]:
        labels = dict.fromkeys(tag["type_label"] for tag in self._setting.document_tags)
        return [
            [tag for tag in self._setting.document_tags if tag["type_label"] == label]
            for label in labels
            if label != "cost_object"
        ]

    def _converted(self, rng: Random, bought: Bought) -> Bought:
        """Say what a purchase is in the subsidiary's currency: by amount, by rate, by both, or not at all."""
        purchase = bought.purchase
        amount = purchase.total if purchase.currency == bought.home else shown(bought.booked)
        money = documents.amount_in(amount, bought.home)
        rate = {"rate": shown(bought.rate), "source": "airbase", "date": purchase.at}
        ways: Any = ((money, None), (None, rate), (money, rate))
        if not self._rates:
            ways = ((money, None),)
        elif purchase.currency == bought.home:
            ways = ((money, None), (None, None))
        converted, rate = (None, None) if bought.oddity == "unconverted" else _one(rng, ways)
        return msgspec.structs.replace(
            bought, purchase=msgspec.structs.replace(purchase, converted=converted, rate=rate)
        )


def doubled(number: int, original: Bought) -> Bought:
    """Make the purchase again under another number, its invoice number written in another way."""
    form = _INVOICE_FORMS[number % len(_INVOICE_FORMS)]
    again = msgspec.structs.replace(
        original.purchase,
        number=number,
        po_number=f"APO-{number}",
        invoice_number=form.format(original.purchase.number),
        description=f"{original.purchase.description} again",
    )
    return msgspec.structs.replace(original, purchase=again, oddity="doubled")


def settled(rng: Random, bought: Bought, differences: float) -> Decimal:
    """Draw what the bank takes for a purchase, before fees: what is booked, or for some foreign ones not quite."""
    booked = bought.booked
    if not booked or bought.purchase.currency == bought.home or not _chance(rng, differences):
        return booked
    drifted = rounded(booked * _drift(rng), bought.home)
    return drifted if drifted != booked else booked + unit_of(bought.home)


def _total(rng: Random, currency: str, oddity: str) -> Decimal:
    smallest = rng.randrange(100, 10 ** rng.randrange(4, 8))
    amount = Decimal(smallest).scaleb(-decimals_of(currency))
    if oddity == "zero":
        return Decimal(0).scaleb(-decimals_of(currency))
    if oddity == "over_precise":
        return amount + unit_of(currency) / 2
    return -amount if oddity == "negative" else amount


def _amounts(rng: Random, total: Decimal, text: str, currency: str, oddity: str) -> list[str]:
    if oddity == "off_by_cent":
        *parts, last = split(total, _THIRDS, currency)
        return [shown(part) for part in (*parts, last + _one(rng, (1, -1)) * unit_of(currency))]
    percents = (100,) if oddity in ("zero", "over_precise") else _one(rng, _PERCENTS)
    return [text] if len(percents) == 1 else [shown(part) for part in split(total, percents, currency)]


def _worded(rng: Random, amount: Decimal) -> str:
    """Write an amount with the decimals of its currency, or some with no more than they need."""
    return shown(amount.normalize()) if _chance(rng, 0.2) else shown(amount)


def _rate(rng: Random, currency: str, home: str) -> Decimal:
    return Decimal(1) if currency == home else rate_between(currency, home, _drift(rng))


def _drift(rng: Random) -> Decimal:
    return Decimal(rng.randrange(980, 1021)).scaleb(-3)


def _at(day: date) -> str:
    return f"{day.isoformat()}T00:00:00"


def _chance(rng: Random, share: float) -> bool:
    return rng.random() < share


def _one(rng: Random, several: Sequence[T]) -> T:
    return several[int(rng.random() * len(several))]
