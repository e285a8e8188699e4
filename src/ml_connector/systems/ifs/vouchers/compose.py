"""Vouchers to fields by our names, and back.

Rule: what was trimmed, written and read is the same voucher; a row's two amounts stand on one side.
Must not know: property names, where a voucher goes.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from ml_connector.records import money
from ml_connector.records.ledger import CODE_PARTS
from ml_connector.records.voucher import Voucher, VoucherRow
from ml_connector.systems.ifs.vouchers import texts
from ml_connector.systems.ifs.vouchers.landing import Landing
from ml_connector.systems.ifs.vouchers.references import Reference

Fields = dict[str, Any]
Values = Mapping[str, Any]
_ZERO = Decimal(0)


class Posting(msgspec.Struct, frozen=True):
    """A voucher to be made, trimmed, under its reference, on the day it takes effect."""

    reference: Reference
    voucher: Voucher
    on: date


def trim(voucher: Voucher, landing: Landing) -> Voucher:
    """What of a voucher comes back from this landing.

    The text of the first row is the voucher's own: the ledger shows no other. The note on the rate becomes part of it,
    type and group are the landing's.
    """
    if not voucher.rows:
        return Voucher(voucher.company, voucher.dated_on, "")
    separator = landing.separator if landing.kind == "file" else ""

    def clean(text: str) -> str:
        return texts.clean(text, separator)

    most = texts.head_max(prefixed=not landing.refers)
    head = texts.joined(clean(voucher.text), clean(voucher.rows[0].text), most)
    head = texts.joined(head, clean(voucher.rate_note), most) or landing.serie
    rest = [texts.cut(clean(row.text), texts.row_max(prefixed=not landing.refers)) or head for row in voucher.rows[1:]]
    parties = landing.kind != "file" or "party" in landing.layout
    rows = [_trimmed(row, text, clean, parties) for row, text in zip(voucher.rows, [head, *rest], strict=True)]
    return Voucher(voucher.company, voucher.dated_on, head, tuple(rows))


def _trimmed(row: VoucherRow, text: str, clean: Callable[[str], str], parties: bool) -> VoucherRow:
    parts = sorted((part, clean(value)) for part, value in row.parts)
    return VoucherRow(
        clean(row.account),
        clean(row.currency),
        row.amount,
        row.company_amount,
        tuple((part, value) for part, value in parts if value),
        text,
        clean(row.party) if parties else "",
    )


def row_texts(posting: Posting, landing: Landing) -> list[str]:
    """The texts of the rows as they are written, the voucher's own first."""
    voucher = posting.voucher
    head = texts.dated(voucher.text, voucher.dated_on, posting.on)
    prefix = "" if landing.refers else f"{posting.reference.text} "
    return [prefix + text for text in (head, *(row.text for row in voucher.rows[1:]))]


def head_fields(posting: Posting, landing: Landing) -> Fields:
    """A hold-table voucher's own fields."""
    fields = {
        "dated_on": posting.on,
        "group": landing.user_group,
        "text": row_texts(posting, landing)[0],
        "reference_serie": landing.serie,
        "reference": posting.reference.text,
    }
    return _given(fields)


def hold_rows(posting: Posting, landing: Landing) -> list[Fields]:
    """The rows of a hold-table voucher."""
    written = zip(posting.voucher.rows, row_texts(posting, landing), strict=True)
    return [_given({**_row(row, text), **_sides(row)}) for row, text in written]


def transactions(posting: Posting, landing: Landing) -> list[Fields]:
    """The transactions that become the voucher."""
    common = {
        "item": posting.reference.text,
        "voucher_type": landing.voucher_type(posting.voucher.company),
        "dated_on": posting.on,
        "group": landing.user_group,
        "reference_serie": landing.serie,
        "reference": posting.reference.text,
    }
    written = zip(posting.voucher.rows, row_texts(posting, landing), strict=True)
    return [
        _given({**common, **_row(row, text), "amount": row.amount, "company_amount": row.company_amount})
        for row, text in written
    ]


def _row(row: VoucherRow, text: str) -> Fields:
    parts = {f"code_{part.lower()}": value for part, value in row.parts}
    return {"account": row.account, **parts, "currency": row.currency, "text": text, "party": row.party}


def _sides(row: VoucherRow) -> Fields:
    if (row.company_amount or row.amount) >= 0:
        return {"debit": row.amount, "company_debit": row.company_amount}
    return {"credit": row.amount.copy_negate(), "company_credit": row.company_amount.copy_negate()}


def _given(fields: Fields) -> Fields:
    """What has a value; numbers as the text that they have in JSON."""
    shown = {name: money.plain(item) if isinstance(item, Decimal) else item for name, item in fields.items()}
    return {name: item for name, item in shown.items() if item != ""}


def voucher_of(company: str, on: date, rows: Sequence[Values], *, prefix: str = "") -> Voucher:
    """The voucher that rows by our names come to, in their order; `prefix`: what their texts begin with."""
    read = [_read_row(row, prefix) for row in rows]
    text, dated_on = texts.undated(read[0].text, on) if read else ("", on)
    first = [msgspec.structs.replace(row, text=text) for row in read[:1]]
    return Voucher(company, dated_on, text, (*first, *read[1:]))


def _read_row(row: Values, prefix: str) -> VoucherRow:
    parts = ((part, _text(row, f"code_{part.lower()}")) for part in CODE_PARTS)
    return VoucherRow(
        _text(row, "account"),
        _text(row, "currency"),
        _signed(row, "debit", "credit"),
        _signed(row, "company_debit", "company_credit"),
        tuple((part, value) for part, value in parts if value),
        _text(row, "text").removeprefix(prefix),
        _text(row, "party"),
    )


def _text(row: Values, field: str) -> str:
    value = row.get(field)
    return "" if value is None else str(value).strip()


def _signed(row: Values, debit: str, credit: str) -> Decimal:
    return money.total([_number(row, debit), _number(row, credit).copy_negate()])


def _number(row: Values, field: str) -> Decimal:
    value = row.get(field)
    return _ZERO if value is None else money.exact(value)


def reversed_(voucher: Voucher, landing: Landing) -> Voucher:
    """The voucher that takes another one back: the same accounts, all amounts negated."""
    text = texts.joined(landing.reverse_text, voucher.text, texts.head_max(prefixed=not landing.refers), " ")
    rows = [_negated(row, text if number == 0 else row.text) for number, row in enumerate(voucher.rows)]
    return msgspec.structs.replace(voucher, text=text, rows=tuple(rows))


def _negated(row: VoucherRow, text: str) -> VoucherRow:
    return msgspec.structs.replace(
        row, amount=row.amount.copy_negate(), company_amount=row.company_amount.copy_negate(), text=text
    )
