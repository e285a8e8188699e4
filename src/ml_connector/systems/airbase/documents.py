"""Requests, bills, payments and ledger entries: Airbase's JSON to one kind of document.

Rule: an amount has a currency and is exact, or the document is unreadable; a day that can't be told is None.
Must not know: HTTP, what a document is good for.
"""

from collections.abc import Callable
from datetime import date, datetime
from zoneinfo import ZoneInfo

import msgspec

from ml_connector.records.money import Money
from ml_connector.records.spend import BILL, PAYMENT, REQUEST, Document, Rate, SpendLine, Tag
from ml_connector.systems.airbase.client import id_of
from ml_connector.systems.airbase.reading import (
    FieldError,
    Fields,
    Raw,
    as_number,
    as_object,
    as_text,
    inner_text,
)
from ml_connector.systems.airbase.resource import Resource

ACCEPTED = "accepted"
SHORT_ID = 8  # characters of an id that stand for a ledger entry without a number of its own

ReadDocument = Callable[[Raw, Resource, ZoneInfo], Document]


def request(raw: Raw, resource: Resource, zone: ZoneInfo) -> Document:
    """A purchase request; it takes effect on the day it was approved. Raises: FieldError."""
    fields = Fields(raw, resource)
    return _asked(raw, fields, zone, REQUEST, dated="approved_at")


def bill(raw: Raw, resource: Resource, zone: ZoneInfo) -> Document:
    """A bill; it takes effect on the day of the invoice. Raises: FieldError."""
    fields = Fields(raw, resource)
    asked = _asked(raw, fields, zone, BILL, dated="dated_on")
    return msgspec.structs.replace(asked, due_on=_day(fields, "due_on", zone))


def payment(raw: Raw, resource: Resource, zone: ZoneInfo) -> Document:
    """A payment; it takes effect on the day it was paid. Raises: FieldError."""
    fields = Fields(raw, resource)
    amount = _money(fields, "amount", "currency")
    return Document(
        id=id_of(raw),
        kind=PAYMENT,
        number=_number(raw, fields.text("number")),
        status=fields.text("status"),
        subsidiary=_reference(fields, "subsidiary"),
        amount=amount,
        dated_on=_day(fields, "paid_at", zone),
        type=fields.text("type"),
        vendor_id=_vendor_id(fields),
        vendor=_name(fields, "vendor"),
        supplier_id=_reference(fields, "vendor"),
        company_amount=fields.optional("company_amount", money),
        settlement=_settlement(fields, amount.currency),
        fee=fields.number("fee"),
        rate=_rate(fields, zone),
        request_id=fields.text("request_id"),
        bill_ids=tuple(as_text(one) for one in fields.rows("bill_ids")),
        po_number=fields.text("po_number"),
        invoice_number=fields.text("invoice_number"),
        bank_account=_reference(fields, "bank_account"),
        tags=fields.each("tags", _tag),
    )


def ledger_entry(raw: Raw, resource: Resource, zone: ZoneInfo) -> Document:
    """A ledger entry; its kind is its type as written. Raises: FieldError."""
    fields = Fields(raw, resource)
    amounts = fields.within("amounts")
    return Document(
        id=id_of(raw),
        kind=fields.text("type"),
        number=_number(raw, fields.text("invoice_number")),
        status=fields.text("status"),
        subsidiary=_reference(fields, "subsidiary"),
        amount=_entry_amount(fields, amounts),
        dated_on=_day(fields, "entered_at", zone),
        description=fields.text("description"),
        vendor_id=_vendor_id(fields),
        vendor=_name(fields, "vendor"),
        supplier_id=_reference(fields, "vendor"),
        person=_name(fields, "employee") or _name(fields, "owner"),
        company_amount=amounts.optional("company", money),
        settlement=amounts.optional("settlement", money),
        applied_to=tuple(_applied_id(one) for one in fields.rows("applied_to")),
        invoice_number=fields.text("invoice_number"),
        bank_account=_reference(fields, "bank_account"),
        payable_account=_reference(fields, "payable_account"),
        url=fields.text("url"),
        lines=fields.each("lines", _line),
        tags=fields.each("tags", _tag),
    )


def money(value: object) -> Money:
    """An amount with its currency, in an object. Raises: ValueError."""
    given = as_object(value)
    if given.get("amount") is None:
        raise FieldError("amount", "is empty")
    try:
        amount = as_number(given["amount"])
    except ValueError as error:
        raise FieldError("amount", str(error)) from None
    return Money(amount, currency(given.get("currency")))


def currency(value: object) -> str:
    """The code in a currency's object. Raises: ValueError."""
    code = "" if value is None else inner_text(value, "iso_code").strip()
    if not code:
        raise FieldError("currency", "is empty")
    return code


def day_in(value: object, zone: ZoneInfo) -> date | None:
    """The day that a time falls on: as written, or in the zone where it carries an offset; None when it is no time."""
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
        return None if at is None else at.astimezone(zone).date() if at.tzinfo else at.date()
    except (ValueError, OverflowError):
        return None


def _asked(raw: Raw, fields: Fields, zone: ZoneInfo, kind: str, dated: str) -> Document:
    return Document(
        id=id_of(raw),
        kind=kind,
        number=_number(raw, fields.text("number")),
        status=fields.text("status"),
        subsidiary=_reference(fields, "subsidiary"),
        amount=_money(fields, "amount", "currency"),
        dated_on=_day(fields, dated, zone),
        type=fields.text("type"),
        category=fields.text("category"),
        description=fields.text("description"),
        vendor_id=_vendor_id(fields),
        vendor=_name(fields, "vendor"),
        supplier_id=_reference(fields, "vendor"),
        person=_name(fields, "requester"),
        approver=_approver(fields),
        approved=fields.text("approved_at"),
        company_amount=fields.optional("company_amount", money),
        rate=_rate(fields, zone),
        request_id=fields.text("request_id"),
        po_number=fields.text("po_number"),
        invoice_number=fields.text("invoice_number"),
        lines=fields.each("lines", _line),
        tags=fields.each("tags", _tag),
    )


def _number(raw: Raw, given: str) -> str:
    return given or id_of(raw)[:SHORT_ID]


def _reference(fields: Fields, field: str) -> str:
    return fields.inner(field, "erp_reference_id")


def _name(fields: Fields, field: str) -> str:
    return fields.inner(field, "name")


def _vendor_id(fields: Fields) -> str:
    return fields.inner("vendor", "airbase_id") or fields.inner("vendor", "id")


def _applied_id(value: object) -> str:
    return inner_text(value, "airbase_id") or inner_text(value, "id")


def _day(fields: Fields, field: str, zone: ZoneInfo) -> date | None:
    return fields.optional(field, lambda value: day_in(value, zone))


def _money(fields: Fields, amount: str, of: str) -> Money:
    number = fields.optional(amount, as_number)
    if number is None:
        raise FieldError(fields.name(amount), "is empty")
    code = fields.optional(of, currency)
    if not code:
        raise FieldError(fields.name(of), "is empty")
    return Money(number, code)


def _entry_amount(fields: Fields, amounts: Fields) -> Money:
    said = amounts.optional("transaction", money) or amounts.optional("plain", money)
    return said or _money(fields, "amount", "currency")


def _settlement(fields: Fields, of: str) -> Money | None:
    number = fields.optional("settlement_amount", as_number)
    if number is None:
        return None
    return Money(number, fields.optional("settlement_currency", currency) or of)


def _rate(fields: Fields, zone: ZoneInfo) -> Rate | None:
    given = fields.within("rate")
    rate = given.optional("rate", as_number)
    return None if rate is None else Rate(rate, given.text("source"), _day(given, "on", zone))


def _approver(fields: Fields) -> str:
    """Who accepted last."""
    decisions = fields.each("approvals", _decision)
    accepted = [(at, place, name) for place, (status, at, name) in enumerate(decisions) if status == ACCEPTED]
    return max(accepted)[2] if accepted else ""


def _decision(fields: Fields) -> tuple[str, str, str]:
    return fields.text("status"), fields.text("decided_at"), _name(fields, "approver")


def _line(fields: Fields) -> SpendLine:
    amount = fields.optional("amount", as_number)
    if amount is None:
        raise FieldError(fields.name("amount"), "is empty")
    return SpendLine(
        number=fields.whole("number"),
        amount=amount,
        account=_reference(fields, "account"),
        category=fields.text("category"),
        description=fields.text("description"),
        tags=fields.each("tags", _tag),
    )


def _tag(fields: Fields) -> Tag:
    return Tag(fields.text("label"), fields.text("reference"), fields.text("name"))


READERS: dict[str, ReadDocument] = {
    "purchase_requests": request,
    "bills": bill,
    "payments": payment,
    "ledger_entries": ledger_entry,
}
