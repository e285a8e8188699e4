"""A list of all vouchers with their rows, for whoever wants to see what came of it all.

Rule: amounts are never none here; whole numbers are whole numbers.
It must not know how vouchers came about.
"""

from decimal import Decimal
from typing import Any

from ml_connector.sandbox.posting.hold import VOUCHER_KEY, parts_of
from ml_connector.sandbox.world import Key, World
from ml_connector.sandbox.world.vouchers import HOLD, HOLD_ROW, POSTED

Values = dict[str, Any]
_AMOUNTS = {
    "currency_debit": "CurrencyDebetAmount",
    "currency_credit": "CurrencyCreditAmount",
    "debit": "DebetAmount",
    "credit": "CreditAmount",
}


def vouchers(world: World) -> list[dict[str, Any]]:
    """Every voucher, those of the hold table first."""
    held = [(_key(row), row) for row in world.rows(HOLD)]
    texts = {_key(row): row["VoucherText"] for row in world.rows(POSTED)}
    found = {key: _entry(voucher, "hold", voucher["VoucherText"]) for key, voucher in held}
    for row in world.rows(HOLD_ROW):
        found[_key(row)]["rows"].append(_row(row))
    for row in world.rows("VoucherRowSet"):
        key = _key(row)
        if key not in found:
            found[key] = _entry({**row, "UserGroup": row["EnteredByUserGroup"]}, "ledger", texts.get(key))
        found[key]["rows"].append(_row(row))
    return list(found.values())


def _key(row: Values) -> Key:
    return tuple(row[name] for name in VOUCHER_KEY)


def _entry(voucher: Values, place: str, text: str | None) -> dict[str, Any]:
    return {
        "place": place,
        "company": voucher["Company"],
        "type": voucher["VoucherType"],
        "year": int(voucher["AccountingYear"]),
        "no": int(voucher["VoucherNo"]),
        "date": voucher["VoucherDate"],
        "period": int(voucher["AccountingPeriod"]),
        "group": voucher["UserGroup"],
        "function_group": voucher["FunctionGroup"],
        "serie": voucher["ReferenceSerie"],
        "number": voucher["ReferenceNumber"],
        "text": text,
        "status": voucher.get("VoucherStatus", "Updated"),
        "rows": [],
    }


def _row(row: Values) -> dict[str, Any]:
    return {
        "no": int(row["RowNo"]),
        "account": row["Account"],
        "parts": parts_of(row),
        "currency": row["CurrencyCode"],
        "rate": row["CurrencyRate"],
        **{name: row[shown] or Decimal(0) for name, shown in _AMOUNTS.items()},
        "text": row["Text"],
        "party": row["PartyTypeId"],
    }
