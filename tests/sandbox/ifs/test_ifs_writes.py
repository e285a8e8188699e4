"""Writes: insert, upsert, change under an ETag, delete, actions, batches."""

import json
from typing import Any

import pytest

SUPPLIER = "suppliers('S000002')"


def error(answer: Any) -> dict[str, Any]:
    return json.loads(answer.body)["error"]


def etag(tenant: Any, where: str) -> str:
    return tenant.get(where)["@odata.etag"]


def stored(tenant: Any, key: str = "S000002") -> Any:
    return tenant.world.get("SupplierInfoGeneralSet", key)


def test_a_change_under_the_etag_read(tenant: Any) -> None:
    tag = etag(tenant, SUPPLIER)
    answer = tenant.ask("PATCH", SUPPLIER, {"If-Match": tag}, {"Name": "New & <name>"})
    assert answer.status == 200
    assert json.loads(answer.body)["Name"] == stored(tenant)["Name"] == "New & <name>"
    assert json.loads(answer.body)["@odata.etag"] != tag
    assert tenant.ask("PATCH", SUPPLIER, {"If-Match": tag}, {"Name": "late"}).status == 412
    assert stored(tenant)["Name"] == "New & <name>"


def test_a_star_skips_the_check(tenant: Any) -> None:
    assert tenant.ask("PATCH", SUPPLIER, {"If-Match": "*"}, {"Name": "star"}).status == 200
    assert tenant.ask("PATCH", "suppliers('nobody')", {"If-Match": "*"}, {"Name": "x"}).status == 404
    assert tenant.ask("DELETE", SUPPLIER, {"If-Match": "*"}).status == 204
    assert stored(tenant) is None
    assert tenant.get("addresses", filter="SupplierId eq 'S000002'")["value"] == []


def test_a_patch_without_if_match_is_an_upsert(tenant: Any) -> None:
    changed = tenant.ask("PATCH", SUPPLIER, body={"Name": "no check", "CreationDate": "1999-01-01"})
    assert changed.status == 200
    assert stored(tenant)["Name"] == "no check"
    assert stored(tenant)["CreationDate"].year != 1999  # what cannot be updated is ignored
    created = tenant.ask("PATCH", "suppliers('GHOST')", body={"Name": "a forgotten header"})
    assert created.status == 201
    assert stored(tenant, "GHOST")["Name"] == "a forgotten header"


def test_a_delete_needs_a_precondition(tenant: Any) -> None:
    answer = tenant.ask("DELETE", SUPPLIER)
    assert answer.status == 428
    assert error(answer)["message"] == "A precondition is missing in the request."
    tag = etag(tenant, SUPPLIER)
    tenant.world.update("SupplierInfoGeneralSet", "S000002", {"Name": "x"})
    assert tenant.ask("DELETE", SUPPLIER, {"If-Match": tag}).status == 412
    assert tenant.ask("DELETE", SUPPLIER, {"If-Match": etag(tenant, SUPPLIER)}).status == 204


def test_a_bound_action(tenant: Any) -> None:
    order = next(row["OrderNo"] for row in tenant.world.rows("PurchaseOrderSet") if row["Objstate"] == "Planned")
    where = f"orders('{order}')"
    action = f"{where}/IfsApp.PurchaseOrderHandling.PurchaseOrder_Release"
    missing = tenant.ask("POST", action)
    assert (missing.status, error(missing)["message"]) == (428, "A precondition is missing in the request.")
    tag = etag(tenant, where)
    answer = tenant.ask("POST", action, {"If-Match": tag})
    assert answer.status == 200
    assert json.loads(answer.body)["Objstate"] == "Released"
    states = {row["Objstate"] for row in tenant.get("lines", filter=f"OrderNo eq '{order}'")["value"]}
    assert states == {"Released"}
    assert tenant.ask("POST", action, {"If-Match": tag}).status == 412
    again = tenant.ask("POST", action, {"If-Match": "*"})
    assert error(again)["details"][0]["message"].startswith("ORA-20110")
    assert tenant.ask("GET", action).status == 405


def test_a_repeated_post_creates_twice(tenant: Any) -> None:
    order = {"VendorNo": "S000002", "Contract": "10A", "CurrencyCode": "EUR"}
    made = [json.loads(tenant.ask("POST", "orders", body=order).body) for _ in range(2)]
    assert made[0]["OrderNo"] != made[1]["OrderNo"]
    assert {row["Company"] for row in made} == {"10"}
    assert {row["Objstate"] for row in made} == {"Planned"}
    line = {"OrderNo": made[0]["OrderNo"], "Description": "x", "BuyQtyDue": 1.5}
    numbers = [json.loads(tenant.ask("POST", "lines", body=line).body)["LineNo"] for _ in range(2)]
    assert numbers == ["1", "2"]


def test_a_post_with_a_taken_key(tenant: Any) -> None:
    answer = tenant.ask("POST", "suppliers", body={"SupplierId": "S000002", "Name": "x"})
    assert answer.status == 400
    assert error(answer)["code"] == "DATABASE_ERROR"
    assert "ORA-20112: SupplierInfoGeneral.FND_RECORD_EXIST" in error(answer)["details"][0]["message"]


def test_a_post_answers_with_the_entity_and_its_place(tenant: Any) -> None:
    answer = tenant.ask("POST", "suppliers", body={"SupplierId": "O'N 1", "Name": "x"})
    assert answer.status == 201
    assert answer.headers["Location"].endswith("SupplierInfoGeneralSet(SupplierId='O''N%201')")
    assert json.loads(answer.body)["PartyType"] == "Supplier"
    nested = tenant.ask("POST", SUPPLIER + "/SupplierInfoAddresses", body={"AddressId": "NEW", "Country": "NO"})
    assert json.loads(nested.body)["SupplierId"] == "S000002"


def test_what_is_mandatory_only_shows_when_it_is_missing(tenant: Any) -> None:
    answer = tenant.ask("POST", "suppliers", body={"SupplierId": "X"})
    text = "Field [NAME] is mandatory for SupplierInfoGeneral and requires a value."
    assert error(answer)["details"][0]["message"] == f"ORA-20124: Error.NULLVALUE: {text}"
    emptied = tenant.ask("PATCH", SUPPLIER, {"If-Match": "*"}, {"Name": ""})
    assert "ORA-20124" in error(emptied)["details"][0]["message"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"CreationDate": "2020-01-01"}, 400),
        ({"SupplierId": "OTHER"}, 400),
        ({"NoSuch": 1}, 400),
        ({"Name": 5}, 400),
        ({"Name": "x" * 101}, 400),
        ({"PartyType": "Customer"}, 400),
        (b"{", 400),
        (b"[]", 400),
        ({"SupplierId": "S000002", "Country": "SE"}, 200),
    ],
)
def test_what_a_patch_may_say(tenant: Any, body: Any, status: int) -> None:
    before = tenant.world.digest()
    answer = tenant.ask("PATCH", SUPPLIER, {"If-Match": "*"}, body)
    assert answer.status == status
    assert (tenant.world.digest() == before) == (status != 200)


def test_a_set_that_cannot_be_changed(tenant: Any) -> None:
    answer = tenant.ask("PATCH", "companies('10')", {"If-Match": "*"}, {"Name": "x"})
    assert (answer.status, error(answer)["code"]) == (500, "ODP_ILLEGAL_STATE")
    assert tenant.ask("PATCH", "sites('10A')", {"If-Match": "*"}, {"TimeZoneCode": "UTC"}).status == 200


def test_references_must_exist_and_companies_be_allowed(tenant: Any) -> None:
    unknown = tenant.ask("POST", "orders", body={"VendorNo": "nobody", "Contract": "10A"})
    assert "ORA-20111: Supplier.FND_RECORD_NOT_EXIST" in error(unknown)["details"][0]["message"]
    orphan = tenant.ask("POST", "lines", body={"OrderNo": "none", "Description": "x", "BuyQtyDue": 1})
    assert "ORA-20111" in error(orphan)["details"][0]["message"]
    tenant.options.companies = ("20",)
    refused = tenant.ask("POST", "orders", body={"VendorNo": "S000002", "Contract": "10A"})
    assert "not allowed" in error(refused)["details"][0]["message"]


def test_decimals_must_be_strings_for_whoever_says_so(tenant: Any) -> None:
    line = tenant.world.rows("PurchaseOrderLineSet")[0]
    where = f"lines(OrderNo='{line['OrderNo']}',LineNo='{line['LineNo']}',ReleaseNo='1')"
    compatible = {"If-Match": "*", "Content-Type": "application/json;IEEE754Compatible=true"}
    wrong = tenant.ask("PATCH", where, compatible, {"BuyQtyDue": 1.5})
    assert wrong.status == 400
    assert "Invalid value" in error(wrong)["message"]
    assert tenant.ask("PATCH", where, compatible, {"BuyQtyDue": "1.50"}).status == 200
    assert tenant.ask("PATCH", where, {"If-Match": "*"}, {"BuyQtyDue": "2"}).status == 400
    assert tenant.ask("PATCH", where, {"If-Match": "*"}, b'{"BuyQtyDue": 0.1000000000000000000001}').status == 200
    assert b'"BuyQtyDue":0.1000000000000000000001' in tenant.ask("GET", where).body


def test_writes_need_json(tenant: Any) -> None:
    assert tenant.ask("POST", "suppliers", {"Content-Type": "text/plain"}, {"Name": "x"}).status == 415


def batch(tenant: Any, parts: list[str], prefer: str = "") -> list[str]:
    content = "".join(f"--B\r\n{part}\r\n" for part in parts) + "--B--\r\n"
    headers = {"Content-Type": "multipart/mixed; boundary=B", "Prefer": prefer}
    path = "/main/ifsapplications/projection/v1/SupplierHandling.svc/$batch"
    answer = tenant.ask("POST", path, headers, content.encode())
    assert answer.status == 200, answer
    return [line for line in answer.body.decode().splitlines() if line.startswith("HTTP/1.1")]


def part(method: str, key: str, body: str = "", if_match: str = "") -> str:
    lines = f"{method} SupplierInfoGeneralSet('{key}') HTTP/1.1\r\nContent-Type: application/json\r\n"
    guard = f"If-Match: {if_match}\r\n" if if_match else ""
    return f"Content-Type: application/http\r\nContent-ID: {key}\r\n\r\n{lines}{guard}\r\n{body}"


def changeset(*parts: str) -> str:
    inner = "".join(f"--C\r\n{each}\r\n" for each in parts) + "--C--"
    return f"Content-Type: multipart/mixed; boundary=C\r\n\r\n{inner}"


def test_a_changeset_is_all_or_nothing(tenant: Any) -> None:
    before = tenant.world.digest()
    good, bad = part("PATCH", "S000003", '{"Name":"x"}', "*"), part("PATCH", "S000004", '{"Name":"y"}', 'W/"old"')
    assert batch(tenant, [changeset(good, bad)]) == ["HTTP/1.1 412 Precondition Failed"]
    assert tenant.world.digest() == before
    better = part("PATCH", "S000004", '{"Name":"y"}', "*")
    assert batch(tenant, [changeset(good, better)]) == ["HTTP/1.1 200 OK"] * 2
    assert (stored(tenant, "S000003")["Name"], stored(tenant, "S000004")["Name"]) == ("x", "y")


def test_a_changeset_that_fails_takes_inserts_and_deletes_back(tenant: Any) -> None:
    before = tenant.world.digest()
    parts = [
        part("PATCH", "NEW", '{"Name":"x"}'),
        part("DELETE", "S000003", "", "*"),
        part("DELETE", "nobody", "", "*"),
    ]
    assert batch(tenant, [changeset(*parts)]) == ["HTTP/1.1 404 Not Found"]
    assert tenant.world.digest() == before
    assert len(tenant.get("suppliers", orderby="SupplierId")["value"]) == 60


def test_a_batch_stops_at_the_first_error_unless_told_to_go_on(tenant: Any) -> None:
    parts = [part("GET", "S000003"), part("GET", "nobody"), part("GET", "S000004")]
    assert batch(tenant, parts) == ["HTTP/1.1 200 OK", "HTTP/1.1 404 Not Found"]
    answers = batch(tenant, parts, "odata.continue-on-error")
    assert answers == ["HTTP/1.1 200 OK", "HTTP/1.1 404 Not Found", "HTTP/1.1 200 OK"]


def test_a_json_batch_is_unsupported(tenant: Any) -> None:
    path = "/main/ifsapplications/projection/v1/SupplierHandling.svc/$batch"
    assert tenant.ask("POST", path, body={"requests": []}).status == 415
