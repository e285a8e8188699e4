"""The hold table: manual vouchers in one changeset, what IFS refuses, changes in place."""

import json
from decimal import Decimal
from typing import Any

import pytest

from ml_connector.sandbox.posting import Ledger

SERVICE = "VoucherEntryHandling"
HEAD = {
    "Company": "10",
    "VoucherType": "M",
    "VoucherDate": "2025-08-15",
    "UserGroup": "AC",
    "VoucherText": "Bill 1",
    "ReferenceSerie": "AIRBASE",
    "ReferenceNumber": "bill/1/1",
}
DEBIT = {"Account": "6110", "CodeB": "100", "CurrencyCode": "EUR", "CurrencyDebetAmount": 100.5, "DebetAmount": 100.5}
CREDIT = {"Account": "2990", "CurrencyCode": "EUR", "CurrencyCreditAmount": 100.5, "CreditAmount": 100.5}
KEY = ("Company", "VoucherType", "AccountingYear", "VoucherNo")
Change = tuple[str, str, dict[str, Any] | None, str, str]
Found = list[tuple[int, dict[str, Any]]]


def change(
    method: str, path: str, body: dict[str, Any] | None = None, if_match: str = "", content_id: str = ""
) -> Change:
    return method, path, body, if_match, content_id


def changes(head: dict[str, Any], *rows: dict[str, Any]) -> list[Change]:
    posts = [change("POST", "$1/HoldVoucherRows", row) for row in rows]
    return [change("POST", "HoldVoucherSet", head, content_id="1"), *posts]


def posted(tenant: Any, head: dict[str, Any] = HEAD, *rows: dict[str, Any]) -> Found:
    return tenant.batch(SERVICE, changes(head, *(rows or (DEBIT, CREDIT))))


def key_of(voucher: dict[str, Any]) -> str:
    company, kind, year, number = (voucher[name] for name in KEY)
    return f"Company='{company}',VoucherType='{kind}',AccountingYear={year},VoucherNo={number}"


def path(voucher: dict[str, Any]) -> str:
    return f"HoldVoucherSet({key_of(voucher)})"


def row_path(row: dict[str, Any]) -> str:
    return f"HoldVoucherRowSet({key_of(row)},RowNo={row['RowNo']})"


def said(found: Found) -> str:
    assert len(found) == 1
    status, body = found[0]
    assert status == 400
    return body["error"]["details"][0]["message"]


def test_a_manual_voucher_is_completed_by_ifs(tenant: Any) -> None:
    (status, voucher), (row_status, debit), (_, credit) = posted(tenant)
    assert (status, row_status) == (201, 201)
    assert (voucher["AccountingYear"], voucher["AccountingPeriod"], voucher["VoucherNo"]) == (2025, 8, 2025000101)
    assert (voucher["VoucherStatus"], voucher["FunctionGroup"]) == ("Confirmed", "M")
    assert [debit["RowNo"], credit["RowNo"]] == [1, 2]
    assert debit["ReferenceNumber"] == "bill/1/1"
    assert posted(tenant)[0][1]["VoucherNo"] == 2025000102
    confirmed = f"VoucherStatus eq IfsApp.{SERVICE}.VoucherStatus'Confirmed' and startswith(ReferenceNumber,'bill/1/')"
    assert [row["VoucherNo"] for row in tenant.get("hold", filter=confirmed)["value"]] == [2025000101, 2025000102]
    below = tenant.get(f"hold({key_of(voucher)})/HoldVoucherRows")["value"]
    assert [row["Account"] for row in below] == ["6110", "2990"]


def test_amounts_in_the_company_s_currency_follow_from_the_rate(tenant: Any) -> None:
    foreign = {"CurrencyCode": "KWD", "CurrencyRate": 3.0167, "CurrencyDebetAmount": 1.5}
    debit = {"Account": "6110", "CodeB": "100", **foreign}
    credit = {"Account": "2990", "CurrencyCode": "EUR", "CurrencyCreditAmount": 4.53}
    found = posted(tenant, HEAD, debit, credit)
    assert [(row["DebetAmount"], row["CreditAmount"]) for _, row in found[1:]] == [(4.53, None), (None, 4.53)]
    assert found[2][1]["CurrencyRate"] == 1


def without(head: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in head.items() if key != name}


@pytest.mark.parametrize(
    ("head", "debit", "credit", "text"),
    [
        ({}, {"DebetAmount": 100.51, "CurrencyDebetAmount": 100.51}, {}, "Voucher.NOTBALANCED"),
        ({}, {"CurrencyCode": "XXX"}, {}, "CurrencyCode.UNKNOWN"),
        ({}, {"CurrencyCode": "USD", "DebetAmount": None}, {}, "VoucherRow.NORATE"),
        ({}, {"CurrencyDebetAmount": 99}, {}, "VoucherRow.AMOUNTSDIFFER"),
        ({}, {"CurrencyDebetAmount": None}, {}, "VoucherRow.NOAMOUNT"),
        ({}, {"CurrencyCreditAmount": 1}, {}, "VoucherRow.BOTHSIDES"),
        ({}, {"Account": "0000"}, {}, "Account.NOTEXIST"),
        ({}, {"Account": "8310"}, {}, "Account.NOTVALID"),
        ({}, {"CodeB": None}, {}, "Account.CODEBMISSING"),
        ({}, {"CodeJ": "x"}, {}, "Account.CODEJBLOCKED"),
        ({}, {"CodeB": "nope"}, {}, "CodeB.NOTEXIST"),
        ({}, {}, {"CodeB": "900"}, "CodeB.NOTVALID"),
        ({}, {"Text": "x" * 201}, {}, "Text"),
        ({}, {"ReferenceNumber": "x"}, {}, "NOTINSERTABLE"),
        ({"VoucherText": "x" * 201}, {}, {}, "VoucherText"),
        ({"VoucherDate": "2025-06-30"}, {}, {}, "AccountingPeriod.CLOSED"),
        ({"VoucherDate": "2031-01-01"}, {}, {}, "AccountingPeriod.NOTEXIST"),
        ({"UserGroup": "ZZ"}, {}, {}, "UserGroupFinance.NOTEXIST"),
        ({"UserGroup": "YE"}, {}, {}, "UserGroupPeriod.NOTALLOWED"),
        ({"UserGroup": None}, {}, {}, "USER_GROUP"),
        ({"VoucherType": "ZZ"}, {}, {}, "VoucherType.NOTEXIST"),
        ({"VoucherType": "Q"}, {}, {}, "VoucherNoSerial.NOTALLOTTED"),
        ({"VoucherNo": 5}, {}, {}, "NOTINSERTABLE"),
        ({"VoucherStatus": "AwaitingApproval"}, {}, {}, "NOTINSERTABLE"),
        ({"Company": "77"}, {}, {}, "not allowed"),
    ],
)
def test_what_ifs_refuses_leaves_nothing(tenant: Any, head: Any, debit: Any, credit: Any, text: str) -> None:
    before = tenant.world.digest()
    assert text in said(posted(tenant, {**HEAD, **head}, {**DEBIT, **debit}, {**CREDIT, **credit}))
    assert tenant.world.digest() == before


def test_a_voucher_needs_rows_and_rows_a_voucher(tenant: Any) -> None:
    before = tenant.world.digest()
    alone = tenant.ask("POST", "hold", body=HEAD)
    assert (alone.status, b"Voucher.NOROWS" in alone.body) == (400, True)
    orphan = {**DEBIT, "Company": "10", "VoucherType": "M", "AccountingYear": 2025, "VoucherNo": 9}
    assert b"ORA-20111" in tenant.ask("POST", "hold_rows", body=orphan).body
    assert tenant.world.digest() == before


def test_a_series_ends_and_may_be_missing_for_a_year(tenant: Any) -> None:
    key = ("10", "M", 2025)
    tenant.world.update("VoucherNoSerialSet", key, {"SerieUntil": 2025000101})
    assert len(posted(tenant)) == 3
    assert "USEDUP" in said(posted(tenant))
    tenant.world.delete("VoucherNoSerialSet", key)
    assert "NOTALLOTTED" in said(posted(tenant))


def test_year_end_groups_post_to_period_13_and_nobody_else_does(tenant: Any) -> None:
    december = {**HEAD, "VoucherDate": "2025-12-31"}
    periods = [posted(tenant, {**december, "UserGroup": group})[0][1]["AccountingPeriod"] for group in ("AC", "YE")]
    assert periods == [12, 13]
    Ledger(tenant.world).set_period("10", 2025, 13, "Closed")
    assert "CLOSED" in said(posted(tenant, {**december, "UserGroup": "YE"}))
    assert len(posted(tenant, december)) == 3


def test_changesets_of_one_batch_stand_alone(tenant: Any) -> None:
    bad = changes(HEAD, DEBIT)
    found = tenant.batch(SERVICE, bad, changes(HEAD, DEBIT, CREDIT), prefer="odata.continue-on-error")
    assert [status for status, _ in found] == [400, 201, 201, 201]
    assert len(Ledger(tenant.world).vouchers()) == 201
    assert [status for status, _ in tenant.batch(SERVICE, bad, changes(HEAD, DEBIT, CREDIT))] == [400]


def test_a_change_in_place_under_the_etags(tenant: Any) -> None:
    (_, voucher), (_, debit), (_, credit) = posted(tenant)
    new_head = {"VoucherText": "new", "ReferenceNumber": "bill/1/2"}
    new_row = {**CREDIT, "CurrencyCreditAmount": 70, "CreditAmount": 70}
    found = tenant.batch(
        SERVICE,
        [
            change("PATCH", path(voucher), new_head, voucher["@odata.etag"]),
            change("PATCH", row_path(debit), {"CurrencyDebetAmount": 70, "Text": "less"}, debit["@odata.etag"]),
            change("DELETE", row_path(credit), None, credit["@odata.etag"]),
            change("POST", f"{path(voucher)}/HoldVoucherRows", new_row),
        ],
    )
    assert [status for status, _ in found] == [200, 200, 204, 201]
    (entry,) = [each for each in Ledger(tenant.world).vouchers() if each["place"] == "hold"]
    assert (entry["text"], entry["number"]) == ("new", "bill/1/2")
    rows = [(row["no"], row["debit"], row["credit"], row["currency_debit"]) for row in entry["rows"]]
    assert rows == [(1, Decimal(70), 0, Decimal(70)), (2, 0, Decimal(70), 0)]
    assert {row["ReferenceNumber"] for row in tenant.get("hold_rows")["value"]} == {"bill/1/2"}


def test_a_stale_etag_changes_nothing_of_the_changeset(tenant: Any) -> None:
    (_, voucher), (_, debit), _ = posted(tenant)
    tenant.world.clock.advance(2)
    tenant.world.update("HoldVoucherRowSet", [*(debit[name] for name in KEY), 1], {"Text": "touched"})
    before = tenant.world.digest()
    found = tenant.batch(
        SERVICE,
        [
            change("PATCH", path(voucher), {"VoucherText": "new"}, voucher["@odata.etag"]),
            change("PATCH", row_path(debit), {"Text": "late"}, debit["@odata.etag"]),
        ],
    )
    assert [status for status, _ in found] == [412]
    assert tenant.world.digest() == before


def test_a_change_that_unbalances_is_taken_back(tenant: Any) -> None:
    (_, voucher), (_, debit), _ = posted(tenant)
    before = tenant.world.digest()
    lone = tenant.ask("PATCH", f"hold_rows({key_of(debit)},RowNo=1)", {"If-Match": "*"}, {"CurrencyDebetAmount": 1})
    assert (lone.status, b"NOTBALANCED" in lone.body) == (400, True)
    gone = tenant.ask("DELETE", f"hold_rows({key_of(debit)},RowNo=1)", {"If-Match": "*"})
    assert (gone.status, b"NOTBALANCED" in gone.body) == (400, True)
    for body, code in (
        ({"VoucherDate": "2026-01-05"}, "WRONGYEAR"),
        ({"VoucherDate": "2025-01-05"}, "CLOSED"),
        ({"VoucherStatus": "AwaitingApproval"}, "NOTUPDATABLE"),
    ):
        answer = tenant.ask("PATCH", f"hold({key_of(voucher)})", {"If-Match": "*"}, body)
        assert (answer.status, code in answer.body.decode()) == (400, True)
    assert tenant.ask("DELETE", f"hold({key_of(voucher)})", {"If-Match": "*"}).status == 500
    assert tenant.world.digest() == before
    moved = tenant.ask("PATCH", f"hold({key_of(voucher)})", {"If-Match": "*"}, {"VoucherDate": "2025-09-05"})
    assert json.loads(moved.body)["AccountingPeriod"] == 9


def test_without_if_match_a_patch_is_an_upsert_here_too(tenant: Any) -> None:
    (_, voucher), _, _ = posted(tenant)
    where = f"hold({key_of(voucher)})"
    unchecked = {"VoucherText": "unchecked", "VoucherStatus": "AwaitingApproval"}
    assert tenant.ask("PATCH", where, body=unchecked).status == 200
    assert tenant.get(where)["VoucherStatus"] == "Confirmed"
    ghost = {**HEAD, "AccountingYear": 2025, "VoucherNo": 77}
    created = [
        change("PATCH", path(ghost), without(HEAD, "Company")),
        change("POST", f"{path(ghost)}/HoldVoucherRows", DEBIT),
        change("POST", f"{path(ghost)}/HoldVoucherRows", CREDIT),
    ]
    assert [status for status, _ in tenant.batch(SERVICE, created)] == [201, 201, 201]


def test_what_a_person_updates_leaves_the_hold_table_for_good(tenant: Any) -> None:
    (_, voucher), (_, debit), _ = posted(tenant)
    assert Ledger(tenant.world).update_gl() == 1
    assert tenant.ask("GET", f"hold({key_of(voucher)})").status == 404
    under = {"If-Match": voucher["@odata.etag"]}
    late = tenant.ask("PATCH", f"hold({key_of(voucher)})", under, {"VoucherText": "late"})
    assert late.status == 404
    row = tenant.get(f"voucher_rows({key_of(voucher)},RowNo=1)")
    assert {**debit, **row} == {**row, **{name: debit[name] for name in debit if name not in row}}
    assert (row["Amount"], row["CurrencyAmount"], row["EnteredByUserGroup"]) == (100.5, 100.5, "AC")
    (entry,) = [each for each in Ledger(tenant.world).vouchers() if each["number"] == "bill/1/1"]
    assert (entry["place"], entry["text"], entry["status"], entry["group"]) == ("ledger", "Bill 1", "Updated", "AC")
    assert entry["rows"][0]["parts"] == {"B": "100"}
    back = {**HEAD, "ReferenceNumber": "bill/1/2"}
    flipped = [{**DEBIT, "CurrencyDebetAmount": None, "DebetAmount": None, "CurrencyCreditAmount": 100.5}]
    flipped.append({**CREDIT, "CurrencyCreditAmount": None, "CreditAmount": None, "CurrencyDebetAmount": 100.5})
    assert [status for status, _ in posted(tenant, back, *flipped)] == [201, 201, 201]


def test_names_may_be_others_here_too(tenant: Any) -> None:
    tenant.options.renamed = (f"{SERVICE}.ReferenceNumber=RefNo", f"{SERVICE}.VoucherNo=VouNo")
    head = {**without(HEAD, "ReferenceNumber"), "RefNo": "bill/1/1"}
    found = posted(tenant, head)
    assert [status for status, _ in found] == [201, 201, 201]
    assert found[1][1]["RefNo"] == "bill/1/1"
    where = "RefNo eq 'bill/1/1' or startswith(RefNo,'bill/2/')"
    rows = tenant.get("hold_rows", filter=where, orderby="VouNo")["value"]
    assert [row["RowNo"] for row in rows] == [1, 2]
    tenant.options.renamed = ()
    tenant.options.missing_properties = (f"{SERVICE}.VoucherText",)
    assert posted(tenant)[0][0] == 400
    assert len(posted(tenant, without(HEAD, "VoucherText"))) == 3


def test_a_batch_has_an_end(tenant: Any) -> None:
    tenant.options.batch_max = 5
    assert len(posted(tenant)) == 3
    part = b"Content-Type: application/http\r\n\r\nGET HoldVoucherSet HTTP/1.1\r\n"
    content = b"--B\r\n" + b"\r\n--B\r\n".join([part] * 6)
    headers = {"Content-Type": "multipart/mixed; boundary=B"}
    where = "/main/ifsapplications/projection/v1/VoucherEntryHandling.svc/$batch"
    assert tenant.ask("POST", where, headers, content + b"\r\n--B--\r\n").status == 400


def test_rows_are_paged_by_their_numeric_keys(tenant: Any) -> None:
    tenant.world.update("VoucherNoSerialSet", ("10", "M", 2025), {"NextNo": 2025000095 + 904})  # 999, then 1000
    for number in range(12):
        posted(tenant, {**HEAD, "ReferenceNumber": f"b/{number}"})
    names = ("Company", "VoucherType", "AccountingYear", "VoucherNo", "RowNo")
    seen: list[Any] = []
    where = "ReferenceSerie eq 'AIRBASE'"
    while rows := tenant.get("hold_rows", filter=where, orderby=",".join(names), top=5)["value"]:
        seen += [tuple(row[name] for name in names) for row in rows]
        last = [f"'{value}'" if isinstance(value, str) else str(value) for value in seen[-1]]
        steps = [
            " and ".join([f"{name} eq {value}" for name, value in zip(names[:at], last[:at], strict=True)]
                         + [f"{names[at]} gt {last[at]}"])
            for at in range(5)
        ]  # fmt: skip
        where = f"ReferenceSerie eq 'AIRBASE' and ({' or '.join(f'({step})' for step in steps)})"
    assert len(seen) == 24
    assert seen == sorted(set(seen))


def test_the_catalogue_and_the_metadata_know_the_new_services(tenant: Any) -> None:
    names = {row["ProjectionName"] for row in tenant.get("catalogue")["value"]}
    assert {SERVICE, "ExternalVoucherHandling", "ManSuppInvoiceEntity", "PaymentAddressEntity"} <= names
    assert "" not in names
    text = tenant.ask("GET", "/main/ifsapplications/projection/v1/ExternalVoucherHandling.svc/$metadata").body
    assert b'<Action Name="ExtLoadInfo_Check" IsBound="true">' in text
    assert b"Nullable" not in text
