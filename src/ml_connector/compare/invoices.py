"""Supplier invoices of IFS beside the bills of Airbase.

Rule: each invoice and each bill that counts is in exactly one class, and in at most one pair.
Must not know: how either was read.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Generic, TypeVar

import msgspec

from ml_connector.compare.pairing import Measure, paired
from ml_connector.records.money import Money
from ml_connector.records.spend import Document
from ml_connector.records.supplier_invoice import SupplierInvoice, normal

CANCELLED = "Cancelled"  # an invoice of this state does not count
DENIED = "denied"  # a bill of this status does not count

T = TypeVar("T", SupplierInvoice, Document)


class Pair(msgspec.Struct, frozen=True):
    """An invoice and the bill that it is; `differs` names what does: amount, currency, order, number, …"""

    invoice: SupplierInvoice
    bill: Document
    differs: tuple[str, ...] = ()


class Doubled(msgspec.Struct, Generic[T], frozen=True):
    """One that has the supplier and number of another one on the same side."""

    one: T
    other: T


class Comparison(msgspec.Struct, frozen=True):
    """Invoices and bills by class, each in order of its id."""

    matched: tuple[Pair, ...] = ()
    differing: tuple[Pair, ...] = ()
    only_in_ifs: tuple[SupplierInvoice, ...] = ()
    only_in_airbase: tuple[Document, ...] = ()
    doubled_in_ifs: tuple[Doubled[SupplierInvoice], ...] = ()
    doubled_in_airbase: tuple[Doubled[Document], ...] = ()


def compare(
    invoices: Iterable[SupplierInvoice], bills: Iterable[Document], subsidiaries: Mapping[str, str] | None = None
) -> Comparison:
    """Match invoices with bills; `subsidiaries` (by company) tells whether both are of the same company."""
    ours = sorted((one for one in invoices if one.state != CANCELLED), key=lambda one: (one.company, one.invoice_id))
    theirs = sorted((one for one in bills if one.status != DENIED), key=lambda one: one.id)
    left, right = [_of_ifs(one) for one in ours], [_of_airbase(one) for one in theirs]
    named, left, right = paired(left, right, BY_NAME)
    left, doubled_in_ifs = _once(left, [one for one, _ in named])
    right, doubled_in_airbase = _once(right, [one for _, one in named])
    others, left, right = paired(left, right, OTHERWISE)
    pairs = [Pair(one.record, other.record, _differs(one, other, subsidiaries or {})) for one, other in named + others]
    pairs.sort(key=lambda pair: (pair.invoice.company, pair.invoice.invoice_id))
    return Comparison(
        tuple(pair for pair in pairs if not pair.differs),
        tuple(pair for pair in pairs if pair.differs),
        tuple(one.record for one in left),
        tuple(one.record for one in right),
        doubled_in_ifs,
        doubled_in_airbase,
    )


class _Seen(msgspec.Struct, Generic[T], frozen=True):
    """What an invoice and a bill have in common."""

    record: T
    supplier: str
    number: str
    order: str
    amount: Money

    @property
    def name(self) -> Hashable | None:
        """What tells it from the supplier's others."""
        return (self.supplier, self.number) if self.supplier and self.number else None


def _of_ifs(invoice: SupplierInvoice) -> _Seen[SupplierInvoice]:
    amount = Money(invoice.amount, invoice.currency)
    return _Seen(invoice, invoice.supplier_id, normal(invoice.number), normal(invoice.order_no), amount)


def _of_airbase(bill: Document) -> _Seen[Document]:
    return _Seen(bill, bill.supplier_id, normal(bill.invoice_number), normal(bill.po_number), bill.amount)


Seen = _Seen[SupplierInvoice] | _Seen[Document]


def _measure(of: Callable[[Seen], tuple[Hashable, ...]]) -> Measure[_Seen[SupplierInvoice], _Seen[Document]]:
    """Alike when all of these are equal, and none is empty."""

    def value(seen: Seen) -> Hashable | None:
        values = of(seen)
        return None if any(one in ("", None) for one in values) else values

    return Measure(value, value)


BY_NAME = (
    _measure(lambda seen: (seen.name, seen.amount.currency, seen.amount.amount, seen.order)),
    _measure(lambda seen: (seen.name, seen.amount.currency, seen.amount.amount)),
    _measure(lambda seen: (seen.name, seen.order)),
    _measure(lambda seen: (seen.name, seen.amount.currency)),
    _measure(lambda seen: (seen.name,)),
)
OTHERWISE = (
    _measure(lambda seen: (seen.supplier, seen.order, seen.amount.currency, seen.amount.amount)),
    Measure[_Seen[SupplierInvoice], _Seen[Document]](
        lambda seen: _nameless(seen), lambda seen: None if seen.supplier else _nameless(seen)
    ),
)


def _nameless(seen: Seen) -> Hashable | None:
    """What tells a bill whose vendor stands for no supplier."""
    return (seen.number, seen.amount.currency, seen.amount.amount) if seen.number else None


def _differs(left: _Seen[SupplierInvoice], right: _Seen[Document], subsidiaries: Mapping[str, str]) -> tuple[str, ...]:
    mapped = subsidiaries.get(left.record.company, "")
    differences = {
        "supplier": left.supplier != right.supplier,
        "number": left.number != right.number,
        "amount": left.amount.amount != right.amount.amount,
        "currency": left.amount.currency != right.amount.currency,
        "order": bool(left.order and right.order and left.order != right.order),
        "company": bool(mapped and right.record.subsidiary and mapped != right.record.subsidiary),
    }
    return tuple(name for name, differ in differences.items() if differ)


def _once(alone: Sequence[_Seen[T]], in_pairs: Sequence[_Seen[T]]) -> tuple[list[_Seen[T]], tuple[Doubled[T], ...]]:
    """Those that are there once, and those that are there a second time, with the first."""
    first = {seen.name: seen.record for seen in reversed(in_pairs) if seen.name}
    once: list[_Seen[T]] = []
    doubled: list[Doubled[T]] = []
    for seen in alone:
        if seen.name in first:
            doubled.append(Doubled(seen.record, first[seen.name]))
            continue
        once.append(seen)
        if seen.name:
            first[seen.name] = seen.record
    return once, tuple(doubled)


def in_words(comparison: Comparison) -> list[str]:
    """Each finding in a sentence; what matches is not told."""
    return [
        *(_pair_in_words(pair) for pair in comparison.differing),
        *(f"{_invoice(one)} is not in Airbase." for one in comparison.only_in_ifs),
        *(f"{_bill(one)} is not in IFS." for one in comparison.only_in_airbase),
        *(f"{_invoice(two.one)} is in IFS twice, also as {two.other.invoice_id}." for two in comparison.doubled_in_ifs),
        *(
            f"{_bill(two.one)} is in Airbase twice, also as {_number(two.other)}."
            for two in comparison.doubled_in_airbase
        ),
    ]


def _pair_in_words(pair: Pair) -> str:
    said = {
        "supplier": (pair.invoice.supplier_id, pair.bill.supplier_id),
        "number": (pair.invoice.number, pair.bill.invoice_number),
        "amount": (_worth(pair.invoice), str(pair.bill.amount)),
        "currency": (pair.invoice.currency, pair.bill.amount.currency),
        "order": (pair.invoice.order_no, pair.bill.po_number),
        "company": (pair.invoice.company, pair.bill.subsidiary),
    }
    differences = ", ".join(
        f"{name} {said[name][0] or 'none'} in IFS, {said[name][1] or 'none'} in Airbase" for name in pair.differs
    )
    return f"{_invoice(pair.invoice)} differs from {_number(pair.bill)}: {differences}."


def _invoice(invoice: SupplierInvoice) -> str:
    number = f" {invoice.number}" if invoice.number else f" without a number ({invoice.company}/{invoice.invoice_id})"
    return f"Invoice{number} of supplier {invoice.supplier_id or 'unknown'}, {_worth(invoice)},"


def _bill(bill: Document) -> str:
    whose = bill.supplier_id or bill.vendor or "unknown"
    return f"Bill {_number(bill)} of supplier {whose}, {bill.amount},"


def _worth(invoice: SupplierInvoice) -> str:
    return str(Money(invoice.amount, invoice.currency))


def _number(bill: Document) -> str:
    return bill.invoice_number or bill.number or bill.id
