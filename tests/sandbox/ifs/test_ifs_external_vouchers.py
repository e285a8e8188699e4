"""Loads of external vouchers: check, create, correct, delete; files; supplier invoices beside them."""

import json
from decimal import Decimal
from typing import Any

import pytest

from ml_connector.sandbox.posting import Ledger
from ml_connector.sandbox.world import World, seeded

ACTION = "IfsApp.ExternalVoucherHandling.ExtLoadInfo_"
DEBIT = {"Account": "6110", "CodeB": "100", "CurrencyAmount": 100, "Amount": 100}
CREDIT = {"Account": "2990", "CurrencyAmount": -100, "Amount": -100}


def loaded(tenant: Any, **fields: Any) -> str:
    body = {"Company": "10", "LoadType": "AIRBASE", "FileName": "entry-1", **fields}
    answer = tenant.ask("POST", "loads", body=body)
    assert answer.status == 201, answer
    row = json.loads(answer.body)
    assert row["LoadState"] == "Loaded"
    return row["LoadId"]


def add(tenant: Any, load_id: str, number: int, item: str, fields: dict[str, Any], **more: Any) -> Any:
    body = {
        "Company": "10",
        "LoadId": load_id,
        "RecordNo": number,
        "LoadGroupItem": item,
        "TransactionDate": "2025-08-15",
        "CurrencyCode": "EUR",
        "Text": f"line {number}",
        "ReferenceSerie": "AIRBASE",
        "ReferenceNumber": f"{item}/1",
        **fields,
        **more,
    }
    return tenant.ask("POST", "transactions", body=body)


def filled(tenant: Any, *items: str, **more: Any) -> str:
    load_id = loaded(tenant)
    for at, item in enumerate(items):
        assert add(tenant, load_id, 2 * at + 1, item, DEBIT, **more).status == 201
        assert add(tenant, load_id, 2 * at + 2, item, CREDIT, **more).status == 201
    return load_id


def place(load_id: str) -> str:
    return f"loads(Company='10',LoadId='{load_id}')"


def act(tenant: Any, load_id: str, name: str, tag: str = "") -> Any:
    match = tag or tenant.get(place(load_id))["@odata.etag"]
    return tenant.ask("POST", f"{place(load_id)}/{ACTION}{name}", {"If-Match": match}, {})


def texts(tenant: Any, load_id: str) -> list[Any]:
    rows = tenant.get("transactions", filter=f"LoadId eq '{load_id}'", orderby="RecordNo")["value"]
    return [row["ErrorText"] for row in rows]


def held(tenant: Any) -> list[dict[str, Any]]:
    return [each for each in Ledger(tenant.world).vouchers() if each["place"] == "hold"]


def test_a_load_becomes_vouchers_that_await_approval(tenant: Any) -> None:
    load_id = filled(tenant, "a", "b")
    checked = act(tenant, load_id, "Check")
    assert (checked.status, json.loads(checked.body)["LoadState"]) == (200, "Checked")
    created = act(tenant, load_id, "Create")
    assert (created.status, json.loads(created.body)["LoadState"]) == (200, "Created")
    one, two = held(tenant)
    assert (one["type"], one["status"], one["group"], one["number"]) == ("X", "AwaitingApproval", "AC", "a/1")
    assert two["no"] == one["no"] + 1
    assert [(row["account"], row["debit"], row["credit"]) for row in one["rows"]] == [
        ("6110", Decimal(100), 0),
        ("2990", 0, Decimal(100)),
    ]
    assert act(tenant, load_id, "Create").status == 400
    assert act(tenant, load_id, "Check").status == 400
    assert add(tenant, load_id, 99, "c", DEBIT).status == 400
    assert len(held(tenant)) == 2


def test_a_person_s_acts_take_them_to_the_ledger(tenant: Any) -> None:
    load_id = filled(tenant, "a")
    act(tenant, load_id, "Check")
    act(tenant, load_id, "Create")
    ledger = Ledger(tenant.world)
    assert ledger.update_gl() == 0
    assert (ledger.approve("20"), ledger.approve("10"), ledger.update_gl("20")) == (0, 1, 0)
    assert ledger.update_gl(keys=[("10", "X", 2025, 2025000001)]) == 1
    rows = tenant.get("voucher_rows", filter="ReferenceSerie eq 'AIRBASE' and ReferenceNumber eq 'a/1'")["value"]
    assert [(row["VoucherType"], row["TransCode"], row["Text"]) for row in rows] == [
        ("X", "EXTERNAL", "line 1"),
        ("X", "EXTERNAL", "line 2"),
    ]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"Amount": 99, "CurrencyAmount": 99}, "NOTBALANCED"),
        ({"Account": "0000"}, "Account.NOTEXIST"),
        ({"CodeB": None}, "CODEBMISSING"),
        ({"CurrencyCode": "XXX"}, "CurrencyCode.UNKNOWN"),
        ({"CurrencyCode": "USD", "Amount": None}, "NORATE"),
        ({"CurrencyAmount": None}, "NOAMOUNT"),
        ({"LoadGroupItem": None}, "NOGROUPITEM"),
        ({"TransactionDate": "2025-08-16"}, "UNLIKE"),
        ({"ReferenceNumber": "b/2"}, "UNLIKE"),
        ({"VoucherType": "Q"}, "UNLIKE"),
    ],
)
def test_a_bad_transaction_fails_the_whole_load_until_it_is_mended(tenant: Any, fields: Any, said: str) -> None:
    load_id = filled(tenant, "a")
    assert add(tenant, load_id, 3, "b", DEBIT, **fields).status == 201
    assert add(tenant, load_id, 4, "b", CREDIT).status == 201
    assert json.loads(act(tenant, load_id, "Check").body)["LoadState"] == "Failed"
    assert texts(tenant, load_id)[:2] == [None, None]
    assert any(said in (text or "") for text in texts(tenant, load_id))
    assert act(tenant, load_id, "Create").status == 400
    assert held(tenant) == []
    where = f"transactions(Company='10',LoadId='{load_id}',RecordNo=3)"
    right = {**DEBIT, "CurrencyCode": "EUR", "LoadGroupItem": "b", "TransactionDate": "2025-08-15"}
    mended = {**right, "ReferenceNumber": "b/1", "VoucherType": None}
    assert tenant.ask("PATCH", where, {"If-Match": tenant.get(where)["@odata.etag"]}, mended).status == 200
    assert tenant.get(place(load_id))["LoadState"] == "Loaded"
    assert json.loads(act(tenant, load_id, "Check").body)["LoadState"] == "Checked"
    assert texts(tenant, load_id) == [None] * 4
    assert act(tenant, load_id, "Create").status == 200


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"TransactionDate": "2025-06-30"}, "AccountingPeriod.CLOSED"),
        ({"TransactionDate": "2031-01-01"}, "AccountingPeriod.NOTEXIST"),
        ({"TransactionDate": None}, "TransactionDate must"),
        ({"UserGroup": "YE"}, "NOTALLOWED"),
        ({"UserGroup": "ZZ"}, "UserGroupFinance.NOTEXIST"),
        ({"VoucherType": "Q"}, "NOTALLOTTED"),
        ({"VoucherType": "ZZ"}, "VoucherType.NOTEXIST"),
    ],
)
def test_what_is_wrong_with_a_whole_voucher_is_said_of_each_transaction(tenant: Any, more: Any, said: str) -> None:
    load_id = filled(tenant, "a", **more)
    assert json.loads(act(tenant, load_id, "Check").body)["LoadState"] == "Failed"
    assert [said in text for text in texts(tenant, load_id)] == [True, True]


def test_a_period_that_closes_between_check_and_create(tenant: Any) -> None:
    load_id = filled(tenant, "a", "b")
    act(tenant, load_id, "Check")
    Ledger(tenant.world).set_period("10", 2025, 8, "Closed")
    before = tenant.world.digest()
    answer = act(tenant, load_id, "Create")
    assert (answer.status, b"CLOSED" in answer.body) == (400, True)
    assert tenant.world.digest() == before


def test_numbers_that_run_out_half_way_leave_none(tenant: Any) -> None:
    load_id = filled(tenant, "a", "b")
    act(tenant, load_id, "Check")
    tenant.world.update("VoucherNoSerialSet", ("10", "X", 2025), {"SerieUntil": 2025000001})
    before = tenant.world.digest()
    assert b"USEDUP" in act(tenant, load_id, "Create").body
    assert tenant.world.digest() == before


def test_a_load_is_deleted_with_its_transactions_unless_created(tenant: Any) -> None:
    load_id, kept = filled(tenant, "a"), filled(tenant, "b")
    tag = tenant.get(place(load_id))["@odata.etag"]
    assert tenant.ask("DELETE", place(load_id)).status == 428
    assert tenant.ask("DELETE", place(load_id), {"If-Match": 'W/"old"'}).status == 412
    assert tenant.ask("DELETE", place(load_id), {"If-Match": tag}).status == 204
    assert {row["LoadId"] for row in tenant.get("transactions")["value"]} == {kept}
    act(tenant, kept, "Check")
    act(tenant, kept, "Create")
    assert tenant.ask("DELETE", place(kept), {"If-Match": "*"}).status == 400


def test_actions_need_the_etag_and_transactions(tenant: Any) -> None:
    load_id = loaded(tenant)
    assert tenant.ask("POST", f"{place(load_id)}/{ACTION}Check", body={}).status == 428
    assert act(tenant, load_id, "Check", 'W/"old"').status == 412
    assert b"EMPTY" in act(tenant, load_id, "Check").body
    assert b"NOTCHECKED" in act(tenant, filled(tenant, "a"), "Create").body


def test_a_load_needs_a_known_type(tenant: Any) -> None:
    body = {"Company": "10", "LoadType": "NOPE"}
    assert b"ExtLoadType.NOTEXIST" in tenant.ask("POST", "loads", body=body).body
    assert b"ORA-20111" in add(tenant, "999", 1, "a", DEBIT).body
    assert [(row["VoucherType"], row["UserGroup"]) for row in tenant.get("load_types")["value"]] == [("X", "AC")] * 2


def test_amounts_in_foreign_currency_are_worked_out_by_the_rate(tenant: Any) -> None:
    load_id = loaded(tenant)
    foreign = {"CurrencyCode": "USD", "CurrencyRate": 0.9123, "Amount": None}
    add(tenant, load_id, 1, "a", DEBIT, **foreign)
    add(tenant, load_id, 2, "a", CREDIT, Amount=-91.23, CurrencyAmount=-91.23)
    act(tenant, load_id, "Check")
    assert act(tenant, load_id, "Create").status == 200
    (voucher,) = held(tenant)
    assert [(row["currency"], row["currency_debit"], row["debit"]) for row in voucher["rows"]] == [
        ("USD", Decimal(100), Decimal("91.23")),
        ("EUR", 0, 0),
    ]


def line(item: str, account: str, amount: str, text: str, part: str = "", year: str = "2025") -> str:
    fields = [""] * 32
    fields[0], fields[1], fields[2], fields[3], fields[12] = item, year, account, part, "EUR"
    fields[15] = fields[18] = amount
    fields[24], fields[31] = text, "2025-08-15"
    return ";".join(fields)


GOOD = [line("1", "6110", "12.50", "AB:bill/1/1 Stapler", "100"), line("1", "2990", "-12.50", "AB:bill/1/1 Stapler")]


def test_a_file_becomes_vouchers_without_a_reference(world: World) -> None:
    more = [line("2", "6110", "3", "AB:bill/2/1", "100"), line("2", "2990", "-3", "AB:bill/2/1")]
    ledger = Ledger(world)
    done = ledger.load_file("10", "AIRBASE", "\r\n".join([*GOOD, "", *more]).encode())
    assert (done["created"], done["errors"]) == (2, [])
    one, two = [each for each in ledger.vouchers() if each["place"] == "hold"]
    assert (one["type"], one["group"], one["status"]) == ("X", "AC", "AwaitingApproval")
    assert (one["serie"], one["number"], two["text"]) == (None, None, "AB:bill/2/1")
    assert [row["text"] for row in one["rows"]] == ["AB:bill/1/1 Stapler"] * 2
    assert (ledger.approve(), ledger.update_gl()) == (2, 2)


def test_a_customer_s_layout_may_have_a_reference(world: World) -> None:
    rows = [row.split(";") for row in GOOD]
    for row in rows:
        row[25:27] = ["AIRBASE", "bill/1/1"]
    data = "\n".join(";".join(row) for row in rows).encode()
    Ledger(world).load_file("10", "AIRBASE", data, {"serie": 25, "reference": 26})
    (voucher,) = [each for each in Ledger(world).vouchers() if each["place"] == "hold"]
    assert (voucher["serie"], voucher["number"]) == ("AIRBASE", "bill/1/1")
    with pytest.raises(ValueError, match="no field nonsense"):
        Ledger(world).load_file("10", "AIRBASE", data, {"nonsense": 1})


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (line("2", "6110", "1,50", "x", "100"), "line 3: CurrencyAmount"),
        (line("2", "6110", "1", "x" * 201, "100"), "line 3: Text"),
        (line("2", "6110", "1", "x", "100"), "NOTBALANCED"),
        (line("1", "6110", "0", "x", "100", year="2024"), "not in the year 2024"),
        (line("1", "0000", "0", "x"), "Account.NOTEXIST"),
        ("1;2025", "line 3"),
    ],
)
def test_a_bad_line_stops_the_whole_file(world: World, bad: str, said: str) -> None:
    done = Ledger(world).load_file("10", "AIRBASE", "\n".join([*GOOD, bad]).encode())
    assert done["created"] == 0
    assert any(said in error for error in done["errors"]), done["errors"]
    assert world.count("HoldVoucherSet") == 0


def test_a_file_for_an_unknown_load_type(world: World) -> None:
    before = world.digest()
    assert Ledger(world).load_file("10", "NOPE", "\n".join(GOOD).encode())["load_id"] is None
    assert Ledger(world).load_file("10", "AIRBASE", b"\n")["errors"] == ["the file has no transactions"]
    assert world.digest() == before


def test_supplier_invoices_are_seeded_released_and_marked(tenant: Any) -> None:
    tenant.world = seeded(60, 30, 7, invoices=40)
    tenant.__post_init__()
    rows = tenant.get("invoices")["value"]
    assert len(rows) == 40
    assert {row["Company"] for row in rows} == {"10", "20"}
    assert {row["Objstate"] for row in rows} == set(tenant.world.enums["ManSuppInvoiceState"])
    orders = {row["OrderNo"]: row["VendorNo"] for row in tenant.world.rows("PurchaseOrderSet")}
    assert any(row["PoRefNumber"] for row in rows)
    assert all(orders[row["PoRefNumber"]] == row["Identity"] for row in rows if row["PoRefNumber"])
    row = next(row for row in rows if row["Objstate"] == "Preliminary")
    where = f"invoices(Company='{row['Company']}',InvoiceId={row['InvoiceId']})"
    release = f"{where}/IfsApp.ManSuppInvoiceEntity.ManSuppInvoice_Release"
    assert tenant.ask("POST", release, body={}).status == 428
    marked = tenant.ask("PATCH", where, {"If-Match": row["@odata.etag"]}, {"Cf_Airbase_Status": "Approved"})
    assert json.loads(marked.body)["Cf_Airbase_Status"] == "Approved"
    tag = {"If-Match": json.loads(marked.body)["@odata.etag"]}
    assert json.loads(tenant.ask("POST", release, tag, {}).body)["Objstate"] == "Posted"
    assert b"NOTPRELIMINARY" in tenant.ask("POST", release, {"If-Match": "*"}, {}).body
    assert tenant.ask("PATCH", where, {"If-Match": "*"}, {"InvoiceNo": "x"}).status == 400


def test_payment_addresses_tell_the_bank_s_country(tenant: Any) -> None:
    rows = tenant.get("payment_addresses")["value"]
    countries = {row["SupplierId"]: row["Country"] for row in tenant.world.rows("SupplierInfoGeneralSet")}
    abroad = [row for row in rows if row["BankCountry"] != countries[row["Identity"]]]
    assert 0 < len(abroad) < len(rows) / 2
    assert len(rows) < len(tenant.get("identities")["value"])
