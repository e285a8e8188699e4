"""What persons do in the ERP with vouchers: approve, update to the general ledger, open and close periods, load files.

Rule: nothing here goes through an API; it is what an API client finds done when it comes back.
It must not know HTTP.
"""

from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from typing import Any

from ml_connector.sandbox.posting import load as loads
from ml_connector.sandbox.posting.draft import Unfit
from ml_connector.sandbox.posting.hold import VOUCHER_KEY
from ml_connector.sandbox.posting.register import vouchers
from ml_connector.sandbox.posting.stdvou import Line, layout_of, parse
from ml_connector.sandbox.world import Key, World
from ml_connector.sandbox.world.values import exactly
from ml_connector.sandbox.world.vouchers import HOLD, HOLD_ROW, LOAD, POSTED, TRANSACTION

LEDGER_ROWS = "VoucherRowSet"
USER = "ACCOUNTANT"
Values = dict[str, Any]


class Ledger:
    """The desk of whoever keeps the books in IFS."""

    def __init__(self, world: World) -> None:
        self.world = world

    @exactly
    def vouchers(self) -> list[dict[str, Any]]:
        """Every voucher in the hold table and in the ledger, with its rows, by key."""
        with self.world.lock:
            return vouchers(self.world)

    @exactly
    def approve(self, company: str | None = None, keys: Collection[Key] | None = None) -> int:
        """Approve the hold vouchers that await it: all, those of a company, or those with these keys; how many."""
        with self.world.lock:
            chosen = [key for key, _ in self._held("AwaitingApproval", company, keys)]
            for key in chosen:
                self.world.update(HOLD, key, {"VoucherStatus": "Confirmed"})
        return len(chosen)

    @exactly
    def update_gl(self, company: str | None = None, keys: Collection[Key] | None = None) -> int:
        """Move the confirmed hold vouchers to the general ledger; how many."""
        world = self.world
        with world.lock:
            chosen = dict(self._held("Confirmed", company, keys))
            rows = [row for row in world.rows(HOLD_ROW) if _key(row) in chosen]
            world.load(POSTED, [_stored(world, POSTED, voucher) for voucher in chosen.values()])
            world.load(LEDGER_ROWS, [_stored(world, LEDGER_ROWS, _posted(chosen[_key(row)], row)) for row in rows])
            world.unload(HOLD_ROW, [(*_key(row), row["RowNo"]) for row in rows])
            world.unload(HOLD, chosen)
        return len(chosen)

    def set_period(self, company: str, year: int, period: int, status: str) -> None:
        """Open or close an accounting period: `Open` or `Closed`."""
        key = (company, Decimal(year), Decimal(period))
        self.world.update("AccountingPeriodSet", key, {"PeriodStatus": status})

    @exactly
    def load_file(
        self, company: str, load_type: str, data: bytes, layout: Mapping[str, int | None] | None = None
    ) -> dict[str, Any]:
        """Load a file of external vouchers, check it and make vouchers of it, all or none.

        Shape: ``{"load_id", "created", "errors"}``; without a load id nothing of the file was taken in.
        """
        properties = self.world.tables[TRANSACTION].by_name
        lines, errors = parse(data, layout_of(layout), properties)
        if errors or not lines:
            return _outcome(None, 0, errors or ["the file has no transactions"])
        with self.world.lock:
            try:
                return self._loaded(company, load_type, lines)
            except Unfit as unfit:
                return _outcome(None, 0, [str(unfit)])

    def _loaded(self, company: str, load_type: str, lines: list[Line]) -> dict[str, Any]:
        world = self.world
        with world.transaction():
            load = world.insert(LOAD, loads.new_load(world, {"Company": company, "LoadType": load_type}))
            key = (company, load["LoadId"])
            for line in lines:
                at = {"Company": company, "LoadId": load["LoadId"], "RecordNo": line.number}
                world.insert(TRANSACTION, {**line.values, **at})
            loads.check(world, load)
        errors = [*_wrong_years(lines), *_told(world.below(TRANSACTION, key))]
        if errors:
            world.update(LOAD, key, {"LoadState": "Failed"})
            return _outcome(load["LoadId"], 0, errors)
        with world.transaction():
            return _outcome(load["LoadId"], loads.create(world, world.get(LOAD, key) or load), [])

    def _held(self, status: str, company: str | None, keys: Collection[Key] | None) -> Iterator[tuple[Key, Values]]:
        wanted = None if keys is None else {self.world.key(self.world.tables[HOLD], key) for key in keys}
        for voucher in self.world.rows(HOLD):
            key = _key(voucher)
            in_company = company in (None, voucher["Company"])
            if voucher["VoucherStatus"] == status and in_company and (wanted is None or key in wanted):
                yield key, voucher


def _outcome(load_id: str | None, created: int, errors: list[str]) -> dict[str, Any]:
    return {"load_id": load_id, "created": created, "errors": errors}


def _wrong_years(lines: list[Line]) -> Iterator[str]:
    for line in lines:
        day = line.values["TransactionDate"]
        if line.year and day is not None and line.year != str(day.year):
            yield f"line {line.number}: the date {day} is not in the year {line.year}"


def _told(rows: list[Values]) -> Iterator[str]:
    return (f"line {row['RecordNo']}: {row['ErrorText']}" for row in rows if row["ErrorText"])


def _key(row: Values) -> Key:
    return tuple(row[name] for name in VOUCHER_KEY)


def _stored(world: World, name: str, values: Values) -> list[Any]:
    return [*(values.get(item.name) for item in world.tables[name].properties), world.now()]


def _posted(voucher: Values, row: Values) -> Values:
    """A row of the hold table as the ledger has it, with what it takes over from its voucher."""
    return {
        **row,
        "VoucherDate": voucher["VoucherDate"],
        "AccountingPeriod": voucher["AccountingPeriod"],
        "FunctionGroup": voucher["FunctionGroup"],
        "EntryDate": voucher["EntryDate"],
        "EnteredByUserGroup": voucher["UserGroup"],
        "ApprovedByUserGroup": voucher["UserGroup"],
        "Userid": voucher["Userid"],
        "ApprovedByUserid": USER,
        "TransCode": "EXTERNAL" if voucher["FunctionGroup"] == "X" else "MANUAL",
        "ConversionFactor": Decimal(1),
        "CurrencyAmount": _signed(row["CurrencyDebetAmount"], row["CurrencyCreditAmount"]),
        "Amount": _signed(row["DebetAmount"], row["CreditAmount"]),
        "Correction": False,
    }


def _signed(debit: Decimal | None, credit: Decimal | None) -> Decimal:
    return (debit or Decimal(0)) - (credit or Decimal(0))
