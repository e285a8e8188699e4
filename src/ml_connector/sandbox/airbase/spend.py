"""Fills a stand-in Airbase with a large spend world: chains of request, bill and payment, and ledger entries.

Rule: what follows from a document refers to it by id and carries its numbers.
Must not know: what makes a purchase odd.
"""

from datetime import timedelta
from decimal import Decimal
from random import Random

import msgspec

from ml_connector.sandbox.airbase import documents
from ml_connector.sandbox.airbase.books import Books
from ml_connector.sandbox.airbase.documents import APPLIED_TO, LEDGER_TYPES, REQUEST_STATUSES, Fields, Settlement
from ml_connector.sandbox.airbase.examples import Setting
from ml_connector.sandbox.airbase.kinds import KINDS
from ml_connector.sandbox.airbase.money import rounded, shown
from ml_connector.sandbox.airbase.options import SpendOptions
from ml_connector.sandbox.airbase.purchases import (
    CHAIN_ODDITIES,
    ENTRY_ODDITIES,
    Bought,
    Purchases,
    doubled,
    settled,
)

CHAINS_FROM = 100_000
ENTRIES_FROM = 5_000_000
_UNAPPROVED = tuple(status for status in REQUEST_STATUSES if status != "approved")
_TRANSFERS = ("ach", "ach", "wire", "check")


def fill_spend(books: Books, setting: Setting, options: SpendOptions) -> None:
    """Make the documents that were asked for."""
    if options.vendors == "prefilled":
        linked = [vendor for vendor in setting.vendors if vendor["erp_reference_id"]]
        setting = msgspec.structs.replace(setting, vendors=linked)
    _Chains(books, setting, options).fill()
    _Entries(books, setting, options).fill()


class _Chains:
    """Requests with the bills and payments that follow from them."""

    def __init__(self, books: Books, setting: Setting, options: SpendOptions) -> None:
        self._books = books
        self._facts = setting.facts
        self._options = options
        self._purchases = Purchases(setting, options, CHAIN_ODDITIES, rates=True)
        self._unpaid = options.payments
        self._plain: Bought | None = None  # the latest that can be doubled

    def fill(self) -> None:
        for at in range(self._options.requests):
            self._from_request(CHAINS_FROM + at)
        at = self._options.requests
        while self._unpaid:
            rng = self._purchases.random(CHAINS_FROM + at)
            self._billed(rng, self._bought(CHAINS_FROM + at, rng), None)
            at += 1

    def _from_request(self, number: int) -> None:
        rng = self._purchases.random(number)
        bought = self._bought(number, rng)
        status, kind, card = self._course(rng, bought)
        purchase = bought.purchase
        if kind == "EXPENSE_REPORT":
            purchase = msgspec.structs.replace(purchase, vendor=None, invoice_number=None)
        if card:
            purchase = msgspec.structs.replace(purchase, invoice_number=None)
        key = self._add("purchase_requests", documents.request_of(purchase, status, kind))
        if status != "approved" or kind == "EXPENSE_REPORT":
            return
        bought = msgspec.structs.replace(bought, purchase=purchase)
        if card:
            self._paid(rng, bought, key, None, "card")
        else:
            self._billed(rng, bought, key)

    def _bought(self, number: int, rng: Random) -> Bought:
        bought = self._purchases.make(number, rng)
        if bought.oddity != "doubled":
            return bought
        return doubled(number, self._plain) if self._plain else msgspec.structs.replace(bought, oddity="")

    def _course(self, rng: Random, bought: Bought) -> tuple[str, str, bool]:
        """Draw what becomes of a request: its status, its type, and whether a card pays for it."""
        if bought.oddity == "doubled":
            return "approved", "BILL", False
        kind = "BILL" if rng.random() < 0.2 else "SPEND_REQUEST"
        kind = "EXPENSE_REPORT" if rng.random() < self._options.expense_reports else kind
        status = rng.choice(_UNAPPROVED) if rng.random() < self._options.unapproved else "approved"
        return status, kind, kind == "SPEND_REQUEST" and rng.random() < self._options.cards

    def _billed(self, rng: Random, bought: Bought, request_id: str | None) -> None:
        if request_id is None:
            bought = msgspec.structs.replace(bought, purchase=msgspec.structs.replace(bought.purchase, po_number=None))
        due_at = f"{bought.day + timedelta(days=30)}T00:00:00"
        bill = documents.bill_of(bought.purchase, "approved", due_at, request_id=request_id)
        bill_id = self._books.fresh_id()
        status = self._paid(rng, bought, request_id, bill_id, rng.choice(_TRANSFERS))
        paid = "paid" if status == "settled" else "unpaid"
        self._add("bills", {"id": bill_id, "airbase_id": bill_id, **bill, "payment_status": paid})
        self._plain = bought if not bought.oddity else self._plain

    def _paid(self, rng: Random, bought: Bought, request_id: str | None, bill_id: str | None, kind: str) -> str | None:
        """Pay a purchase while payments are asked for, and say what became of it."""
        if not self._unpaid:
            return None
        self._unpaid -= 1
        settlement = self._settlement(rng, bought, kind)
        bill_ids = [bill_id] if bill_id else []
        payment = documents.payment_of(bought.purchase, settlement, bill_ids=bill_ids, request_id=request_id)
        self._add("payments", payment)
        return settlement.status

    def _settlement(self, rng: Random, bought: Bought, kind: str) -> Settlement:
        status = self._payment_status(rng)
        is_drawn = status in ("settled", "reversed")
        fee = self._fee(rng, bought) if is_drawn else Decimal(0)
        amount = settled(rng, bought, self._options.exchange_differences) + fee
        account = self._facts.card_clearing if kind == "card" else self._facts.bank
        return Settlement(
            kind=kind,
            status=status,
            amount=shown(amount) if is_drawn else None,
            currency=bought.home if is_drawn else None,
            fee=shown(fee),
            paid_at=f"{self._purchases.later(bought, 10)}T09:00:00",
            bank=None if bought.oddity == "no_bank_account" else documents.account_of(account),
        )

    def _payment_status(self, rng: Random) -> str:
        drawn = rng.random()
        for status in ("failed", "pending", "reversed"):
            drawn -= float(getattr(self._options, status))
            if drawn < 0:
                return status
        return "settled"

    def _fee(self, rng: Random, bought: Bought) -> Decimal:
        drawn, cents = rng.random(), rng.randrange(100, 2500)
        has_fee = drawn < self._options.fees and bought.booked > 0
        return rounded(Decimal(cents).scaleb(-2), bought.home) if has_fee else Decimal(0)

    def _add(self, kind: str, fields: Fields) -> str:
        return self._books.add(KINDS[kind], fields)["airbase_id"]


class _Entries:
    """Ledger entries over all types."""

    def __init__(self, books: Books, setting: Setting, options: SpendOptions) -> None:
        self._books = books
        self._facts = setting.facts
        self._options = options
        self._purchases = Purchases(setting, options, ENTRY_ODDITIES, rates=False)
        self._unpaid: dict[str, tuple[str, Bought]] = {}  # the latest of a type that nothing is wrong with
        self._bill: Bought | None = None  # the latest that can be doubled

    def fill(self) -> None:
        for at in range(self._options.entries):
            self._entry(ENTRIES_FROM + at, LEDGER_TYPES[at % len(LEDGER_TYPES)])

    def _entry(self, number: int, kind: str) -> None:
        rng = self._purchases.random(number)
        if applied := self._unpaid.pop(APPLIED_TO.get(kind, ""), None):
            self._add(rng, self._later(number, applied[1]), kind, applied[0])
            return
        kind = APPLIED_TO.get(kind, kind)  # a payment of nothing becomes what there was nothing of
        bought, kind = self._odd(number, self._purchases.make(number, rng), kind)
        key = self._add(rng, bought, kind, None)
        if not bought.oddity:
            self._unpaid[kind] = key, bought
            self._bill = bought if kind == "bill" else self._bill

    def _later(self, number: int, bought: Bought) -> Bought:
        at = f"{self._purchases.later(bought, 7)}T00:00:00"
        purchase = msgspec.structs.replace(bought.purchase, number=number, at=at)
        return msgspec.structs.replace(bought, purchase=purchase)

    def _odd(self, number: int, bought: Bought, kind: str) -> tuple[Bought, str]:
        if bought.oddity == "unknown_type":
            return bought, "mystery_type"
        if bought.oddity == "doubled" and self._bill:
            return doubled(number, self._bill), "bill"
        return bought, kind

    def _add(self, rng: Random, bought: Bought, kind: str, applies_to: str | None) -> str:
        key = self._books.fresh_id()
        amount = settled(rng, bought, self._options.exchange_differences)
        bank = self._bank(kind)
        entry = documents.entry_of(
            self._of_kind(bought, kind).purchase,
            kind,
            key,
            payable=documents.account_of(self._facts.payable),
            bank=None if bought.oddity == "no_bank_account" else bank,
            settled=documents.amount_in(shown(amount), bought.home),
            applies_to=applies_to,
        )
        return self._books.add(KINDS["ledger_entries"], entry)["airbase_id"]

    def _bank(self, kind: str) -> Fields:
        if "card" in kind:
            return documents.account_of(self._facts.card_clearing)
        return documents.account_of(self._facts.payment_clearing if kind in APPLIED_TO else self._facts.bank)

    def _of_kind(self, bought: Bought, kind: str) -> Bought:
        """Put a load on the clearing account, and give every kind its own precision of time."""
        purchase = bought.purchase
        if documents.settles(kind):
            purchase = msgspec.structs.replace(purchase, at=f"{purchase.at[:10]}T09:00:00.000000")
        if kind.endswith("load"):
            clearing = documents.account_of(self._facts.payment_clearing)
            lines = [documents.line_of(1, clearing, purchase.total, [])]
            purchase = msgspec.structs.replace(purchase, lines=lines, tags=[])
        return msgspec.structs.replace(bought, purchase=purchase)
