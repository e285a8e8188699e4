"""What a stand-in Airbase holds when it starts.

One rule: the same facts and the same seed give the same rows with the same ids.
It must not know where the facts come from.
"""

from collections.abc import Iterable
from itertools import islice
from typing import Any

from ml_connector.sandbox.airbase import examples
from ml_connector.sandbox.airbase.books import Books
from ml_connector.sandbox.airbase.documents import APPLIED_TO, LEDGER_TYPES, REQUEST_STATUSES
from ml_connector.sandbox.airbase.examples import Setting
from ml_connector.sandbox.airbase.facts import Company, Pair, Supplier
from ml_connector.sandbox.airbase.kinds import KINDS
from ml_connector.sandbox.airbase.spend import fill_spend

_CURRENCIES = ("USD", "EUR", "GBP", "SEK", "NOK", "JPY", "KWD")
_VENDOR_BRIEF = ("id", "airbase_id", "name", "erp_reference_id")
_TAG_BRIEF = ("erp_reference_id", "type_label", "name")


def fill(books: Books) -> None:
    """Put in what every tenant has, then the documents that were asked for."""
    _fill_shared(books)
    _prefill_vendors(books, books.options.prefilled_vendors)
    if books.options.documents:
        _fill_documents(books, books.options.documents)
    if spend := books.options.spend:
        if spend.vendors == "prefilled":
            _prefill_vendors(books, spend.vendor_count)
        fill_spend(books, setting_of(books, spend.vendor_count), spend)


def setting_of(books: Books, vendors_max: int = 50) -> Setting:
    """Say what a new document can refer to."""
    tags = [_picked(row, _TAG_BRIEF) for row in islice(books.tables["tags"], 200) if row["is_active"]]
    label = tags[0]["type_label"] if tags else ""
    return Setting(
        facts=books.facts,
        vendors=[_picked(row, _VENDOR_BRIEF) for row in islice(books.tables["vendors"], vendors_max)],
        subsidiaries=[dict(row) for row in books.tables["subsidiaries"] if row["erp_currency_reference_id"]],
        line_tags=[row for row in tags if row["type_label"] == label],
        document_tags=[row for row in tags if row["type_label"] != label],
    )


def make(books: Books, kind: str, number: int, fields: dict[str, Any]) -> dict[str, Any]:
    """Store a made-up document with some fields given."""
    setting = setting_of(books)
    if kind == "ledger_entries":
        entry = examples.ledger_entry(setting, number, fields.get("type", "bill"), books.fresh_id())
        return books.add(KINDS[kind], {**entry, **fields})
    return books.add(KINDS[kind], {**examples.MAKERS[kind](setting, number), **fields})


def _picked(row: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: row[name] for name in names}


def _fill_shared(books: Books) -> None:
    facts = books.facts
    companies = {company.currency for company in facts.companies}
    for code in dict.fromkeys((*_CURRENCIES, *sorted(companies))):
        books.add(KINDS["currencies"], {"erp_reference_id": code, "iso_code": code, "name": code})
    for company in facts.companies:
        books.add(KINDS["subsidiaries"], _subsidiary(company))
    _add_accounts(books, facts.expenses, "expense")
    _add_accounts(books, facts.balance_accounts(), "balance_sheet")
    _add_accounts(books, facts.expired_expenses, "expense", is_active=False)
    _add_tags(books, facts.tags)
    _add_tags(books, facts.expired_tags, is_active=False)


def _add_accounts(books: Books, pairs: Iterable[Pair], kind: str, *, is_active: bool = True) -> None:
    for key, name in pairs:
        fields = {"erp_reference_id": key, "name": name, "account_number": key, "type": kind}
        books.add(KINDS["accounts"], {**fields, "is_active": is_active})


def _add_tags(books: Books, tags: Iterable[tuple[str, str, str]], *, is_active: bool = True) -> None:
    for key, name, label in tags:
        fields = {"erp_reference_id": key, "name": name, "type": label, "type_label": label}
        books.add(KINDS["tags"], {**fields, "is_active": is_active})


def _prefill_vendors(books: Books, wanted: int) -> None:
    """Add the first suppliers that are no vendors yet."""
    vendors = books.tables["vendors"]
    for given in books.facts.suppliers[:wanted]:
        supplier = Supplier(*given)
        if vendors.first(erp_reference_id=supplier.key) is None:
            books.add(KINDS["vendors"], _vendor(supplier))


def _vendor(supplier: Supplier) -> dict[str, Any]:
    shared = {"erp_reference_id": supplier.key, "name": supplier.name}
    return {**shared, "tax_id": supplier.tax_id, "bank_country": supplier.country}


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
    latest: dict[str, str] = {}
    for number in range(count):
        kind = LEDGER_TYPES[number % len(LEDGER_TYPES)]
        latest[kind] = key = books.fresh_id()
        applies_to = latest.get(APPLIED_TO.get(kind, ""))
        books.add(KINDS["ledger_entries"], examples.ledger_entry(setting, number, kind, key, applies_to))
    for number in range(count):
        _fill_chain(books, setting, number)


def _fill_chain(books: Books, setting: Setting, number: int) -> None:
    status = REQUEST_STATUSES[number % len(REQUEST_STATUSES)]
    request = examples.purchase_request(setting, number, status)
    linked = {"request_id": books.add(KINDS["purchase_requests"], request)["airbase_id"]}
    paid = status == "approved"
    bill = books.add(KINDS["bills"], examples.bill(setting, number, status, paid=paid, **linked))
    if paid:
        books.add(KINDS["payments"], examples.payment(setting, number, bill_ids=[bill["airbase_id"]], **linked))
