"""Edits of documents past the API: amended, decided, reversed, sent again."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.request import Request, urlopen

import pytest

from ml_connector.sandbox.airbase import AirbaseOptions, AirbaseSite, Facts, SpendOptions
from ml_connector.sandbox.web import Undisturbed, WebServer

Row = dict[str, Any]
ENTRIES = "/v1/accounting/ledger_entries/"


class Tenant:
    """A running stand-in with a small spend world."""

    def __init__(self) -> None:
        suppliers = tuple((f"S{n}", f"Supplier {n}") for n in range(5))
        spend = SpendOptions(requests=60, payments=40, entries=40, foreign=0.5, unapproved=0.4, fees=1.0)
        self.site = AirbaseSite(AirbaseOptions(documents=0, rate_limit=0, spend=spend), Facts(suppliers=suppliers))
        self.web = WebServer(self.site, Undisturbed())
        self.web.start()

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": "Token sandbox-token", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.web.url}{path}", data, headers, method=method)  # noqa: S310
        with urlopen(request) as answer:  # noqa: S310
            return json.load(answer)

    def edit(self, op: str, kind: str, key: str, **fields: Any) -> Row:
        return self.site.edit({"op": op, "kind": kind, "id": key, "fields": fields})["row"]


@pytest.fixture
def airbase() -> Iterator[Tenant]:
    made = Tenant()
    yield made
    made.web.close()


def foreign(airbase: Tenant, kind: str) -> Row:
    return next(
        row
        for row in airbase.site.documents(kind)
        if row["subsidiary_amount"]
        and row["subsidiary_amount"]["currency"] != row["currency"]
        and row.get("settlement_amount", "1")
        and Decimal(row["subsidiary_amount"]["amount"])
    )


def test_an_amended_bill_has_other_lines_and_amounts(airbase: Tenant) -> None:
    before = foreign(airbase, "bills")
    doubled = format(Decimal(before["total_amount"]) * 2, "f")
    airbase.edit("amend", "bills", before["id"], amount=doubled)
    after = airbase.ask("GET", f"/v1/bills/{before['id']}/")
    assert after["total_amount"] == doubled
    assert sum(Decimal(line["amount"]) for line in after["lines"]) == Decimal(doubled)
    amounts = [Decimal(row["subsidiary_amount"]["amount"]) for row in (before, after)]
    assert amounts[1] == amounts[0] * 2
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"total_amount", "lines", "subsidiary_amount"}


def test_lines_that_are_given_stay_as_given(airbase: Tenant) -> None:
    before = airbase.site.documents("bills")[0]
    lines = [{**before["lines"][0], "amount": "7"}]
    after = airbase.edit("amend", "bills", before["id"], amount="10", lines=lines, description="Mended")
    assert (after["total_amount"], after["lines"], after["description"]) == ("10", lines, "Mended")


def test_an_amended_payment_takes_more_from_the_bank_but_no_other_fee(airbase: Tenant) -> None:
    before = foreign(airbase, "payments")
    doubled = format(Decimal(before["amount"]) * 2, "f")
    after = airbase.edit("amend", "payments", before["id"], amount=doubled)
    taken = [Decimal(row["settlement_amount"]) - Decimal(row["fee"]) for row in (before, after)]
    assert taken[1] == taken[0] * 2
    assert after["fee"] == before["fee"]


def test_an_amended_ledger_entry_says_so_everywhere(airbase: Tenant) -> None:
    before = airbase.site.documents("ledger_entries", type="virtual_card_transaction")[0]
    after = airbase.edit("amend", "ledger_entries", before["id"], amount="55")
    assert after["total_amount"] == after["amounts"]["amount"]["amount"] == "55"
    assert sum(Decimal(line["amount"]) for line in after["expense_list"]) == 55
    assert after["amounts"]["settlement_amount"]["amount"] != before["amounts"]["settlement_amount"]["amount"]


def test_a_request_is_approved_and_denied(airbase: Tenant) -> None:
    key = airbase.site.documents("purchase_requests", status="created")[0]["id"]
    after = airbase.edit("approve", "purchase_requests", key, approved_at="2026-03-04T00:00:00")
    assert (after["status"], after["approved_at"]) == ("approved", "2026-03-04T00:00:00")
    assert {(one["status"], one["decided_at"]) for one in after["approvals"]} == {("accepted", "2026-03-04T00:00:00")}
    assert after["po_number"] == after["number"].replace("PR", "APO")
    after = airbase.edit("deny", "purchase_requests", key)
    assert (after["status"], after["approved_at"]) == ("denied", None)
    assert {one["status"] for one in after["approvals"]} == {"denied"}
    assert airbase.ask("GET", f"/v1/purchase_requests/{key}/") == after


def test_a_reversed_payment_leaves_its_bill_unpaid(airbase: Tenant) -> None:
    payment = next(row for row in airbase.site.documents("payments", status="settled") if row["bill_ids"])
    bill = payment["bill_ids"][0]
    assert airbase.site.document("bills", bill)["payment_status"] == "paid"
    assert airbase.edit("reverse", "payments", payment["id"])["status"] == "reversed"
    assert airbase.site.document("bills", bill)["payment_status"] == "unpaid"


def test_an_entry_sent_again_is_in_the_queue_again(airbase: Tenant) -> None:
    key = airbase.site.documents("ledger_entries")[3]["id"]
    done = {"status": "sync_complete", "error_message": "x", "erp_reference_id": "10-X-1", "erp_url": "https://e.test"}
    airbase.ask("PATCH", f"{ENTRIES}{key}/", done)
    assert key not in [row["id"] for row in airbase.ask("GET", ENTRIES)["data"]]
    assert [row["id"] for row in airbase.ask("GET", f"{ENTRIES}?status=sync_complete")["data"]] == [key]
    airbase.edit("resend", "ledger_entries", key)
    row = airbase.ask("GET", f"{ENTRIES}?erp_reference_id=10-X-1")["data"][0]
    assert (row["id"], row["status"], row["error_message"]) == (key, "sync_ready", "")
    assert airbase.ask("GET", f"{ENTRIES}?status=sync_complete")["data"] == []


def test_a_document_can_be_deleted(airbase: Tenant) -> None:
    key = airbase.site.documents("payments")[0]["id"]
    assert airbase.site.edit({"op": "delete", "kind": "payments", "id": key}) == {"deleted": 1}
    with pytest.raises(KeyError):
        airbase.site.document("payments", key)


@pytest.mark.parametrize(
    ("op", "kind", "said"),
    [
        ("approve", "payments", "approve is for purchase_requests, bills"),
        ("reverse", "bills", "reverse is for payments"),
        ("resend", "bills", "resend is for ledger_entries"),
        ("amend", "vendors", "amend is for"),
        ("amend", "bills", "takes its new amount"),
    ],
)
def test_a_mistaken_edit_changes_nothing(airbase: Tenant, op: str, kind: str, said: str) -> None:
    before = airbase.site.digest()
    key = airbase.site.rows(kind)[0]["id"]
    with pytest.raises(ValueError, match=said):
        airbase.site.edit({"op": op, "kind": kind, "id": key, "fields": {}})
    assert airbase.site.digest() == before


def test_a_copy_is_not_the_row(airbase: Tenant) -> None:
    copy = airbase.site.documents("bills")[0]
    copy["lines"][0]["amount"] = "spoilt"
    assert airbase.site.document("bills", copy["id"])["lines"][0]["amount"] != "spoilt"
    vendor = copy["vendor"]["id"]
    airbase.site.edit({"op": "update", "kind": "vendors", "id": vendor, "fields": {"name": "Renamed"}})
    assert airbase.site.document("bills", copy["id"])["vendor"]["name"] == "Renamed"
