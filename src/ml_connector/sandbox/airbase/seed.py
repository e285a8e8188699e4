"""What a stand-in Airbase holds when it starts.

One rule: the same facts and the same seed give the same rows with the same ids.
It must not know where the facts come from.
"""

from itertools import islice
from typing import Any

import msgspec

from ml_connector.sandbox.airbase import documents
from ml_connector.sandbox.airbase.books import Books
from ml_connector.sandbox.airbase.documents import LEDGER_TYPES, REQUEST_STATUSES, Setting
from ml_connector.sandbox.airbase.kinds import KINDS

_CURRENCIES = ("USD", "EUR", "GBP", "SEK", "NOK", "JPY", "KWD")


class Company(msgspec.Struct, frozen=True):
    """A company of the ERP that Airbase has as a subsidiary."""

    company: str
    name: str
    currency: str
    country: str


class Facts(msgspec.Struct, frozen=True):
    """What Airbase shares with the ERP from the start; a pair is a key and a name, the tags that come
    first are those that every line needs."""

    companies: tuple[Company, ...] = (
        Company("10", "Northwind Industries Inc", "USD", "US"),
        Company("20", "Northwind Europe AB", "EUR", "SE"),
    )
    suppliers: tuple[tuple[str, str], ...] = ()
    expenses: tuple[tuple[str, str], ...] = (("60000", "Office supplies"), ("61000", "Travel"))
    payable: tuple[str, str] = ("20000", "Accounts payable")
    bank: tuple[str, str] = ("10100", "Money out clearing")
    tags: tuple[tuple[str, str, str], ...] = (  # key, name, label
        ("D100", "Operations", "department"),
        ("D200", "Sales", "department"),
        ("P1", "Launch", "project"),
    )


def fill(books: Books, facts: Facts) -> None:
    """Put in what every tenant has, then the documents that were asked for."""
    companies = {company.currency for company in facts.companies}
    for code in dict.fromkeys((*_CURRENCIES, *sorted(companies))):
        books.add(KINDS["currencies"], {"erp_reference_id": code, "iso_code": code, "name": code})
    for company in facts.companies:
        books.add(KINDS["subsidiaries"], _subsidiary(company))
    for key, name in (*facts.expenses, facts.payable, facts.bank):
        kind = "expense" if (key, name) in facts.expenses else "balance_sheet"
        fields = {"erp_reference_id": key, "name": name, "account_number": key, "type": kind}
        books.add(KINDS["accounts"], fields)
    for key, name, label in facts.tags:
        books.add(KINDS["tags"], {"erp_reference_id": key, "name": name, "type": label, "type_label": label})
    for key, name in facts.suppliers[: books.options.prefilled_vendors]:
        books.add(KINDS["vendors"], {"erp_reference_id": key, "name": name})
    if books.options.documents:
        _fill_documents(books, books.options.documents)


def setting_of(books: Books) -> Setting:
    """Say what a new document can refer to."""
    accounts = [dict(row) for row in books.tables["accounts"]]
    expenses = [row for row in accounts if row["type"] == "expense"] or accounts
    others = [row for row in accounts if row["type"] == "balance_sheet"] or accounts
    tags = [dict(row) for row in islice(books.tables["tags"], 50)]
    label = tags[0]["type_label"] if tags else ""
    return Setting(
        vendors=[dict(row) for row in islice(books.tables["vendors"], 50)],
        subsidiaries=[dict(row) for row in books.tables["subsidiaries"] if row["erp_currency_reference_id"]],
        expenses=expenses,
        payable=others[0],
        bank=others[-1],
        line_tags=[row for row in tags if row["type_label"] == label],
        document_tags=[row for row in tags if row["type_label"] != label],
    )


def make(books: Books, kind: str, number: int, fields: dict[str, Any]) -> dict[str, Any]:
    """Store a made-up document with some fields given."""
    setting = setting_of(books)
    if kind == "ledger_entries":
        entry = documents.ledger_entry(setting, number, fields.get("type", "bill"), books.fresh_id())
        return books.add(KINDS[kind], {**entry, **fields})
    return books.add(KINDS[kind], {**documents.MAKERS[kind](setting, number), **fields})


def _subsidiary(company: Company) -> dict[str, Any]:
    return {
        "erp_reference_id": f"SUB-{company.company}",
        "name": company.name,
        "erp_currency_reference_id": company.currency,
        "iso_code": company.country,
    }


def _fill_documents(books: Books, count: int) -> None:
    for name in ("Corner Bakery", "Lakeside Couriers"):  # made in Airbase, so the ERP does not know them
        books.add(KINDS["vendors"], {"name": name})
    setting = setting_of(books)
    latest = ""
    for number in range(count):
        kind = LEDGER_TYPES[number % len(LEDGER_TYPES)]
        key = books.fresh_id()
        latest = key if kind == "reimbursement" else latest
        books.add(KINDS["ledger_entries"], documents.ledger_entry(setting, number, kind, key, latest))
    for number in range(count):
        _fill_spend(books, setting, number)


def _fill_spend(books: Books, setting: Setting, number: int) -> None:
    status = REQUEST_STATUSES[number % len(REQUEST_STATUSES)]
    request = documents.purchase_request(setting, number, status)
    request_id = books.add(KINDS["purchase_requests"], request)["airbase_id"]
    paid = status == "approved"
    bill = {**documents.bill(setting, number, status), "payment_status": "paid" if paid else "unpaid"}
    bill_id = books.add(KINDS["bills"], bill)["airbase_id"]
    if paid:
        links = {"bill_ids": [bill_id], "request_id": request_id}
        books.add(KINDS["payments"], {**documents.payment(setting, number), **links})
