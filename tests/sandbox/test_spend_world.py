"""The large spend world: shapes as assumed, chains that hold, oddities in their proportions."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any
from urllib.request import Request, urlopen

import pytest

from ml_connector.sandbox import Sandbox, SandboxOptions, start
from ml_connector.sandbox.airbase import AirbaseOptions, AirbaseSite, Facts, SpendOptions
from ml_connector.sandbox.airbase.purchases import CHAIN_ODDITIES, ENTRY_ODDITIES

Row = dict[str, Any]
UNITS = {"JPY": Decimal(1), "KWD": Decimal("0.001")}
NONE_ODD: dict[str, Any] = dict.fromkeys((*CHAIN_ODDITIES, *ENTRY_ODDITIES), 0.0)
REQUEST = {
    "id", "airbase_id", "number", "status", "type", "category", "requester", "approvals", "approved_at", "vendor",
    "subsidiary", "currency", "total_amount", "subsidiary_amount", "exchange_rate", "po_number", "invoice_number",
    "description", "lines", "tags",
}  # fmt: skip
BILL = REQUEST | {"invoice_date", "due_date", "payment_status", "request_id"}
PAYMENT = {
    "id", "airbase_id", "number", "type", "status", "vendor", "subsidiary", "currency", "amount", "settlement_amount",
    "settlement_currency", "fee", "subsidiary_amount", "exchange_rate", "paid_at", "bank_account", "bill_ids",
    "request_id", "po_number", "invoice_number", "tags",
}  # fmt: skip


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    spend = SpendOptions(requests=1500, payments=1200, entries=1800)
    options = SandboxOptions(suppliers=60, orders=5, airbase=AirbaseOptions(documents=0, rate_limit=0, spend=spend))
    with start(options) as made:
        yield made
        assert made.crashes == []


def site(**spend: Any) -> AirbaseSite:
    suppliers = tuple((f"S{n}", f"Supplier {n}") for n in range(9))
    options = AirbaseOptions(documents=0, spend=SpendOptions(**spend))
    facts = Facts(
        suppliers=suppliers,
        expired_expenses=(("8310", "Old"),),
        expired_tags=(("900", "Closed down", "department"),),
    )
    return AirbaseSite(options, facts)


def listed(box: Sandbox, path: str) -> list[Row]:
    rows: list[Row] = []
    page = 1
    while True:
        url = f"{box.airbase_url}{path}{'&' if '?' in path else '?'}page_size=250&page={page}"
        with urlopen(Request(url, headers={"Authorization": "Token sandbox-token"})) as answer:  # noqa: S310
            data = json.load(answer)["data"]
        if not data:
            return rows
        rows += data
        page += 1


def unit(row: Row) -> Decimal:
    return UNITS.get(row["currency"]["iso_code"], Decimal("0.01"))


def total(row: Row) -> Decimal:
    return Decimal(row["amount"] if "amount" in row else row["total_amount"])


def lines(row: Row) -> list[Row]:
    return row["lines"] if "lines" in row else row["expense_list"]


def missed(row: Row) -> Decimal:
    return total(row) - sum(Decimal(line["amount"]) for line in lines(row))


def home(box: Sandbox) -> dict[str, str]:
    return {row["erp_reference_id"]: row["erp_currency_reference_id"] for row in box.airbase.rows("subsidiaries")}


def test_documents_are_listed_whole_and_in_order(box: Sandbox) -> None:
    for kind, path in (
        ("purchase_requests", "/v1/purchase_requests/"),
        ("payments", "/v1/payments/"),
        ("ledger_entries", "/v1/accounting/ledger_entries/"),
    ):
        rows = listed(box, path)
        assert rows == box.airbase.documents(kind)
        assert len({row["id"] for row in rows}) == len(rows) == box.airbase.counts()[kind]
    assert [box.airbase.counts()[kind] for kind in ("purchase_requests", "payments", "ledger_entries")] == [
        1500,
        1200,
        1800,
    ]


def test_shapes_are_those_that_were_assumed(box: Sandbox) -> None:
    for kind, keys in (("purchase_requests", REQUEST), ("bills", BILL), ("payments", PAYMENT)):
        assert all(set(row) == keys for row in box.airbase.documents(kind))
    request = box.airbase.documents("purchase_requests", status="approved", type="SPEND_REQUEST")[0]
    assert set(request["vendor"]) == {"id", "airbase_id", "name", "erp_reference_id"}
    assert set(request["approvals"][0]) == {"approver", "status", "decided_at"}
    assert set(request["subsidiary"]) == {"erp_reference_id", "name"}
    assert set(request["currency"]) == {"iso_code"}
    entry_line = box.airbase.documents("ledger_entries")[0]["expense_list"][0]
    assert set(request["lines"][0]) == {*entry_line, "category"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", request["approved_at"])
    rates = [row["exchange_rate"] for row in box.airbase.documents("bills") if row["exchange_rate"]]
    assert all(set(rate) == {"rate", "source", "date"} for rate in rates)
    assert rates


def test_bills_and_payments_follow_from_what_came_before(box: Sandbox) -> None:
    requests = {row["id"]: row for row in box.airbase.documents("purchase_requests")}
    bills = {row["id"]: row for row in box.airbase.documents("bills")}
    same = ("vendor", "subsidiary", "currency", "po_number", "invoice_number", "subsidiary_amount", "exchange_rate")
    for bill in bills.values():
        if request := requests.get(bill["request_id"]):
            assert request["status"] == "approved"
            assert [request[name] for name in (*same, "total_amount")] == [
                bill[name] for name in (*same, "total_amount")
            ]
    for payment in box.airbase.documents("payments"):
        assert len(payment["bill_ids"]) == (0 if payment["type"] == "card" else 1)
        before = bills[payment["bill_ids"][0]] if payment["bill_ids"] else requests[payment["request_id"]]
        assert [payment[name] for name in same] == [before[name] for name in same]
        assert payment["amount"] == before["total_amount"]
        if payment["bill_ids"]:
            assert payment["request_id"] == before["request_id"]
            assert (before["payment_status"] == "paid") == (payment["status"] == "settled")
    billed = {bill["request_id"] for bill in bills.values()}
    assert all(requests[key]["status"] == "approved" for key in billed if key)


def test_payments_are_as_many_as_asked_for_even_without_requests() -> None:
    made = site(payments=40)
    assert [made.counts()[kind] for kind in ("purchase_requests", "bills", "payments")] == [0, 40, 40]
    assert {(row["request_id"], row["po_number"]) for row in made.documents("bills")} == {(None, None)}


def test_an_approval_has_its_day(box: Sandbox) -> None:
    for row in box.airbase.documents("purchase_requests"):
        assert (row["approved_at"] is not None) == (row["status"] in ("approved", "archived"))
        assert (row["po_number"] is not None) == (row["approved_at"] is not None)
    reports = box.airbase.documents("purchase_requests", type="EXPENSE_REPORT")
    assert {row["vendor"] for row in reports} == {None}


def test_what_left_the_bank_is_in_the_subsidiarys_currency_with_its_fee(box: Sandbox) -> None:
    currencies, differences, fees = home(box), 0, 0
    for row in box.airbase.documents("payments"):
        own, fee = currencies[row["subsidiary"]["erp_reference_id"]], Decimal(row["fee"])
        if row["status"] in ("pending", "failed"):
            assert (row["settlement_amount"], row["settlement_currency"], fee) == (None, None, 0)
            continue
        assert row["settlement_currency"] == {"iso_code": own}
        taken = Decimal(row["settlement_amount"]) - fee
        fees += fee > 0
        if row["currency"]["iso_code"] == own:
            assert abs(taken - total(row)) < unit(row)
        elif row["subsidiary_amount"]:
            booked = Decimal(row["subsidiary_amount"]["amount"])
            assert abs(taken - booked) <= abs(booked) / 40 + Decimal("0.01")
            differences += taken != booked
    assert differences > 30
    assert fees > 100


def test_a_foreign_document_says_what_it_is_at_home_but_for_a_share(box: Sandbox) -> None:
    currencies = home(box)
    for kind in ("purchase_requests", "bills", "payments"):
        rows = box.airbase.documents(kind)
        foreign = [
            row for row in rows if row["currency"]["iso_code"] != currencies[row["subsidiary"]["erp_reference_id"]]
        ]
        bare = [row for row in foreign if not row["subsidiary_amount"] and not row["exchange_rate"]]
        assert 0.2 < len(foreign) / len(rows) < 0.4
        assert 0 < len(bare) / len(rows) < 0.03
        for row in foreign:
            if row["subsidiary_amount"] and row["exchange_rate"]:
                shown = Decimal(row["subsidiary_amount"]["amount"])
                assert abs(total(row) * Decimal(row["exchange_rate"]["rate"]) - shown) <= Decimal("0.005")


def test_amounts_have_the_decimals_of_their_currency() -> None:
    made = site(requests=300, entries=300, foreign=1.0, **NONE_ODD)
    for kind in ("purchase_requests", "bills", "ledger_entries"):
        rows = made.documents(kind)
        assert {row["currency"]["iso_code"] for row in rows} == {"USD", "EUR", "JPY", "KWD"}
        for row in rows:
            amounts = [total(row), *(Decimal(line["amount"]) for line in lines(row))]
            assert all(amount % unit(row) == 0 for amount in amounts)
            assert missed(row) == 0


def doubles(rows: list[Row]) -> int:
    keys = Counter((row["vendor"]["id"], _plainly(row["invoice_number"])) for row in rows)
    return sum(count - 1 for count in keys.values())


def _plainly(number: str) -> str:
    return re.sub(r"^([a-z]+)0*", r"\1", re.sub(r"[^a-z0-9]", "", number.lower()))


Sees = Callable[[Row], bool]
SEEN: dict[str, Sees] = {
    "missing_category": lambda row: row["category"] is None and row["lines"][0]["category"] is None,
    "expired_account": lambda row: row["lines"][0]["account"] == {"erp_reference_id": "8310", "name": "Old"},
    "expired_tag": lambda row: any(tag["erp_reference_id"] == "900" for tag in row["lines"][0]["tags"]),
    "zero": lambda row: total(row) == 0,
    "negative": lambda row: total(row) < 0,
    "closed_period": lambda row: row["invoice_date"] < "2025-07-01",
    "off_by_cent": lambda row: abs(missed(row)) == unit(row),
    "over_precise": lambda row: total(row) % unit(row) != 0,
    "no_account": lambda row: row["lines"][0]["account"] is None,
    "unconverted": lambda row: (
        row["currency"]["iso_code"] != {"SUB-10": "USD", "SUB-20": "EUR"}[row["subsidiary"]["erp_reference_id"]]
        and row["subsidiary_amount"] is row["exchange_rate"] is None
    ),
}


@pytest.mark.parametrize("oddity", SEEN)
def test_an_oddity_is_as_frequent_as_asked_for_and_alone(oddity: str) -> None:
    made = site(requests=400, **{**NONE_ODD, oddity: 0.25}, unapproved=0, cards=0, expense_reports=0)
    bills = made.documents("bills")
    shares = {name: sum(map(sees, bills)) / len(bills) for name, sees in SEEN.items()}
    assert 0.18 < shares.pop(oddity) < 0.32
    assert set(shares.values()) == {0}
    assert doubles(bills) == 0


def test_a_doubled_bill_has_the_supplier_and_invoice_of_another() -> None:
    made = site(requests=400, entries=400, **{**NONE_ODD, "doubled": 0.2})
    bills = made.documents("bills")
    assert 0.1 < doubles(bills) / len(bills) < 0.3
    assert len({row["invoice_number"] for row in bills}) > len(bills) - doubles(bills)
    assert doubles(made.documents("ledger_entries", type="bill")) > 30


def test_a_bank_account_can_be_missing() -> None:
    made = site(requests=200, payments=100, **{**NONE_ODD, "no_bank_account": 0.5})
    assert 30 < sum(row["bank_account"] is None for row in made.documents("payments")) < 70


def test_entries_are_of_all_types_and_some_of_none_that_is_known(box: Sandbox) -> None:
    entries = {row["id"]: row for row in box.airbase.documents("ledger_entries")}
    counts = Counter(row["type"] for row in entries.values())
    assert len(counts) == 10
    assert 5 < counts["mystery_type"] < 50
    for row in entries.values():
        settled = row["amounts"]["settlement_amount"]
        is_settled = "card" in row["type"] or row["type"].endswith("load")
        assert (settled is not None) == is_settled
        assert (row["ap_account"] is None) == is_settled
        if applied := row["applied_to"]:
            (before,) = applied
            assert before == {
                "id": before["id"],
                "airbase_id": before["id"],
                "transaction_type": before["transaction_type"],
            }
            assert entries[before["id"]]["type"] == before["transaction_type"]
            assert entries[before["id"]]["total_amount"] == row["total_amount"]
            assert row["type"] == f"{before['transaction_type']}_payment"
            assert row["bank_account"]["erp_reference_id"] == "1950"
    assert {row["applied_to"] is None for row in entries.values() if row["type"] == "bill_payment"} == {False}


def test_vendors_accounts_and_tags_are_those_of_the_erp(box: Sandbox) -> None:
    vendors = {row["id"]: row for row in box.airbase.documents("vendors")}
    assert len(vendors) == 60
    assert all(row["erp_reference_id"] for row in vendors.values())
    assert any(row["tax_id"] for row in vendors.values())
    assert all(len(row["bank_country"]) == 2 for row in vendors.values())
    accounts = {row["erp_reference_id"]: row["is_active"] for row in box.airbase.rows("accounts")}
    assert accounts.items() >= {"6110": True, "2440": True, "1930": True, "8310": False}.items()
    tags = {row["erp_reference_id"]: (row["type_label"], row["is_active"]) for row in box.airbase.rows("tags")}
    assert (
        tags.items()
        >= {
            "100": ("department", True),
            "900": ("department", False),
            "C1": ("cost_object", True),
            "NORTH": ("region", True),
            "P-001": ("project", True),
        }.items()
    )
    for bill in box.airbase.documents("bills"):
        assert bill["vendor"]["id"] in vendors
        assert all(line["account"]["erp_reference_id"] in accounts for line in bill["lines"])
        labels = [tag["type_label"] for line in bill["lines"] for tag in line["tags"]]
        assert labels.count("department") == len(bill["lines"])


def test_existing_vendors_can_be_used_as_they_are() -> None:
    made = AirbaseSite(AirbaseOptions(documents=1, spend=SpendOptions(requests=5, vendors="existing")))
    assert {row["erp_reference_id"] for row in made.rows("vendors")} == {""}
    vendors = {row["id"] for row in made.rows("vendors")}
    assert {row["vendor"]["id"] for row in made.documents("bills")} <= vendors


def test_the_same_seed_makes_the_same_world_and_more_of_it_begins_alike() -> None:
    few, again = site(requests=50, payments=30, entries=50), site(requests=50, payments=30, entries=50)
    assert few.rows("payments") == again.rows("payments")
    assert few.digest() == again.digest()
    assert site(requests=50, seed=2).digest() != site(requests=50).digest()
    numbers = [
        [(row["number"], row["total_amount"]) for row in made.rows("purchase_requests")[:50]]
        for made in (few, site(requests=80))
    ]
    assert numbers[0] == numbers[1]


def test_days_are_between_the_two_that_are_given() -> None:
    made = site(requests=300, payments=200, from_date="2026-03-01", to_date="2026-03-31", **NONE_ODD)
    days = {row["invoice_date"][:7] for row in made.rows("bills")} | {
        row["paid_at"][:7] for row in made.rows("payments")
    }
    assert days == {"2026-03"}
