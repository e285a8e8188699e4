"""Reading sets: envelope, numbers, zones, paging, companies."""

import json
import re
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest


def ids(found: dict[str, Any]) -> list[str]:
    return [row["SupplierId"] for row in found["value"]]


def decoded(etag: str) -> str:
    return b64decode(etag.removeprefix('W/"').removesuffix('"')).decode()


def test_a_row_has_the_recorded_envelope(tenant: Any) -> None:
    found = tenant.get("lines", top=1)
    row = found["value"][0]
    assert list(row)[:4] == ["@odata.etag", "luname", "keyref", "Objgrants"]
    assert row["luname"] == "PurchaseOrderLine"
    assert row["keyref"] == f"LINE_NO={row['LineNo']}^ORDER_NO={row['OrderNo']}^RELEASE_NO=1^"
    assert found["@odata.context"].endswith("PurchaseOrderLineEntity.svc/$metadata#PurchaseOrderLineSet")
    assert set(found) == {"@odata.context", "value"}


def test_an_etag_is_base64_of_rowid_and_local_second(tenant: Any) -> None:
    tenant.world.clock.frozen_at = datetime(2025, 7, 16, 4, 43, 14, tzinfo=UTC)
    tenant.world.update("SupplierInfoGeneralSet", "S000002", {"Name": "x"})
    inner = decoded(tenant.get("suppliers('S000002')")["@odata.etag"])
    assert re.fullmatch(r'W/"[A-Za-z0-9+/]{18}:20250716064314"', inner)  # Oslo is two hours ahead


def test_two_changes_within_a_second_have_the_same_etag(tenant: Any) -> None:
    tenant.world.clock.freeze(True)
    etags: set[str] = set()
    for name in ("x", "y"):
        tenant.world.update("SupplierInfoGeneralSet", "S000002", {"Name": name})
        etags.add(tenant.get("suppliers('S000002')")["@odata.etag"])
    assert len(etags) == 1
    tenant.world.clock.advance(1)
    tenant.world.update("SupplierInfoGeneralSet", "S000002", {"Name": "z"})
    assert tenant.get("suppliers('S000002')")["@odata.etag"] not in etags


def test_select_keeps_the_etag_and_drops_the_envelope(tenant: Any) -> None:
    found = tenant.get("suppliers", select="SupplierId,Name", top=1)
    assert list(found["value"][0]) == ["@odata.etag", "SupplierId", "Name"]
    assert found["@odata.context"].endswith("#SupplierInfoGeneralSet(SupplierId,Name)")
    assert "keyref" in tenant.get("suppliers", select="keyref", top=1)["value"][0]


def test_decimals_are_exact_numbers_or_strings_when_asked(tenant: Any) -> None:
    exact = "12345678901234567890.000123"
    key = tenant.world.rows("PurchaseOrderLineSet")[0]
    where = {name: key[name] for name in ("OrderNo", "LineNo", "ReleaseNo")}
    tenant.world.update("PurchaseOrderLineSet", where, {"BuyUnitPrice": exact})
    path = f"lines(OrderNo='{key['OrderNo']}',LineNo='{key['LineNo']}',ReleaseNo='1')"
    assert f'"BuyUnitPrice":{exact},'.encode() in tenant.ask("GET", path).body
    compatible = tenant.ask("GET", path, {"Accept": "application/json;IEEE754Compatible=true"})
    assert f'"BuyUnitPrice":"{exact}",'.encode() in compatible.body
    assert "IEEE754Compatible=true" in compatible.headers["Content-Type"]


def test_z_is_local_time_unless_asked_for_utc(tenant: Any) -> None:
    tenant.world.clock.frozen_at = datetime(2025, 1, 15, 12, 0, 0, tzinfo=UTC)
    tenant.world.update("SupplierInfoGeneralSet", "S000002", {"Name": "x"})
    aware = {"X-Ifs-Time-Zone-Aware-Request": "true"}
    assert tenant.get("suppliers('S000002')")["Cf_Modified_At"] == "2025-01-15T13:00:00Z"
    assert tenant.get("suppliers('S000002')", aware)["Cf_Modified_At"] == "2025-01-15T12:00:00Z"
    assert ids(tenant.get("suppliers", filter="Cf_Modified_At eq 2025-01-15T13:00:00Z")) == ["S000002"]
    assert ids(tenant.get("suppliers", aware, filter="Cf_Modified_At eq 2025-01-15T12:00:00Z")) == ["S000002"]
    assert ids(tenant.get("suppliers", aware, filter="Cf_Modified_At eq 2025-01-15T13:00:00Z")) == []
    tenant.options.zone = "America/New_York"
    assert tenant.get("suppliers('S000002')")["Cf_Modified_At"] == "2025-01-15T07:00:00Z"


def test_a_late_commit_carries_its_earlier_stamp(tenant: Any) -> None:
    before = tenant.world.now() - timedelta(minutes=9)
    tenant.world.update("SupplierInfoGeneralSet", "S000002", {"Name": "x"}, stamp=before)
    shown = tenant.get("suppliers('S000002')", {"X-Ifs-Time-Zone-Aware-Request": "true"})["Cf_Modified_At"]
    assert datetime.fromisoformat(shown) == before


def test_rows_of_other_companies_are_silently_missing(tenant: Any) -> None:
    tenant.options.companies = ("20",)
    for name in ("orders", "identities", "voucher_rows", "sites", "companies"):
        assert {row["Company"] for row in tenant.get(name)["value"]} == {"20"}
    mine = {row["OrderNo"] for row in tenant.get("orders")["value"]}
    assert {row["OrderNo"] for row in tenant.get("lines")["value"]} == mine
    assert len(tenant.get("suppliers")["value"]) == 60
    hidden = next(row["OrderNo"] for row in tenant.world.rows("PurchaseOrderSet") if row["Company"] == "10")
    tenant.refused(f"orders('{hidden}')", 404)
    tenant.options.companies = ()
    assert tenant.get("orders", count="true")["@odata.count"] == 0


def test_lines_follow_their_order_to_another_company(tenant: Any) -> None:
    order = next(row for row in tenant.world.rows("PurchaseOrderSet") if row["Company"] == "10")
    tenant.options.companies = ("20",)
    tenant.world.update("PurchaseOrderSet", order["OrderNo"], {"Company": "20"})
    assert len(tenant.get("lines", filter=f"OrderNo eq '{order['OrderNo']}'")["value"]) == 3


def test_top_and_skip_give_no_next_link_and_a_silent_cap(tenant: Any) -> None:
    found = tenant.get("suppliers", top=20, skip=50, orderby="SupplierId")
    assert ids(found)[0] == "S000051"
    assert len(ids(found)) == 10
    tenant.options.page_cap = 25
    capped = tenant.get("suppliers", orderby="SupplierId", count="true")
    assert len(ids(capped)) == 25
    assert capped["@odata.count"] == 60
    assert "@odata.nextLink" not in capped


def test_next_links_only_when_pages_are_asked_for(tenant: Any) -> None:
    prefer = {"Prefer": "odata.maxpagesize=7,odata.track-changes"}
    seen: list[str] = []
    answer = tenant.ask("GET", "suppliers", prefer, orderby="SupplierId", top=20, filter="SupplierId gt 'S000010'")
    assert answer.headers["Preference-Applied"] == "odata.maxpagesize=7"
    sizes: list[int] = []
    while True:
        page = json.loads(answer.body)
        seen += ids(page)
        sizes.append(len(ids(page)))
        link = page.get("@odata.nextLink")
        if link is None:
            break
        path, _, query = link.removeprefix("http://127.0.0.1:8080").partition("?")
        headers = {"Authorization": f"Bearer {tenant.token}", **prefer}
        answer = tenant.raw("GET", path, query, headers)
    assert sizes == [7, 7, 6]
    assert len(set(seen)) == 20
    assert seen == sorted(seen)


def test_a_large_top_takes_too_long(tenant: Any) -> None:
    tenant.options.timeout_top = 100
    error = tenant.refused("suppliers", 504, top=101)
    assert error["code"] == "ODP_OPERATION_TIMEOUT"
    assert error["message"] == "Operation did not complete in the expected time (10 seconds)."
    assert tenant.ask("GET", "suppliers", top=100).status == 200


def test_without_orderby_a_changed_row_moves(tenant: Any) -> None:
    first = ids(tenant.get("suppliers", top=30))
    tenant.world.update("SupplierInfoGeneralSet", first[0], {"Name": "moved"})
    second = ids(tenant.get("suppliers", top=30, skip=30))
    assert len(set(first) | set(second)) == 59  # one was passed by
    assert second[-1] == first[0]


def test_ordering_is_by_code_point_with_nulls_last(tenant: Any) -> None:
    names = [row["Name"] for row in tenant.get("suppliers", orderby="Name")["value"]]
    assert names == sorted(names)
    numbers = [row["AssociationNo"] for row in tenant.get("suppliers", orderby="AssociationNo")["value"]]
    assert numbers[-1] is None
    assert numbers[0] is not None
    down = [row["AssociationNo"] for row in tenant.get("suppliers", orderby="AssociationNo desc")["value"]]
    assert down == numbers[::-1]


def test_mixed_ordering(tenant: Any) -> None:
    found = tenant.get("suppliers", orderby="Country desc,SupplierId asc")["value"]
    pairs = [(row["Country"], row["SupplierId"]) for row in found]
    assert pairs == sorted(sorted(pairs, key=lambda pair: pair[1]), key=lambda pair: pair[0], reverse=True)


@pytest.mark.parametrize("seed", range(3))
def test_keyset_pages_see_every_row_once(tenant: Any, seed: int) -> None:
    aware = {"X-Ifs-Time-Zone-Aware-Request": "true"}
    seen: list[str] = []
    where = None
    while True:
        options = {"filter": where} if where else {}
        page = tenant.get("suppliers", aware, orderby="Cf_Modified_At,SupplierId", top=5 + seed, **options)["value"]
        if not page:
            break
        seen += [row["SupplierId"] for row in page]
        at, key = page[-1]["Cf_Modified_At"], page[-1]["SupplierId"].replace("'", "''")
        where = f"(Cf_Modified_At gt {at}) or (Cf_Modified_At eq {at} and SupplierId gt '{key}')"
    assert sorted(seen) == [row["SupplierId"] for row in tenant.world.rows("SupplierInfoGeneralSet")]


def test_expand_is_one_to_one_only(tenant: Any) -> None:
    row = tenant.get("voucher_rows", expand="AccountRef($select=Description,AccntType),CodeBRef", top=1)["value"][0]
    assert row["AccountRef"]["Description"] == "Office supplies"
    assert set(row["AccountRef"]) == {"@odata.etag", "Description", "AccntType"}
    assert row["CodeBRef"]["CodeB"] == "100"
    assert tenant.refused("suppliers", 501, expand="SupplierInfoAddresses")["code"] == "ODP_NOT_IMPLEMENTED"


def test_nested_collections_and_all_forms_of_keys(tenant: Any) -> None:
    base = "suppliers(SupplierId='S000001')"
    addresses = tenant.get(f"{base}/SupplierInfoAddresses")["value"]
    assert {row["SupplierId"] for row in addresses} == {"S000001"}
    one = tenant.get(f"{base}/SupplierInfoAddresses(SupplierId='S000001',AddressId='HQ0')")
    assert one["AddressId"] == "HQ0"
    assert tenant.get(f"{base}/SupplierInvoiceCompanies")["value"][0]["Identity"] == "S000001"
    party = "IfsApp.IdentityInvoiceInfoEntity.PartyType'Supplier'"
    row = tenant.get(f"identities(Company='10',Identity='S000001',PartyType={party})")
    assert row["Identity"] == "S000001"
    key = "Company='10',VoucherType='M',AccountingYear=2025,VoucherNo=2025000001,RowNo=1"
    assert tenant.get(f"voucher_rows({key})/AccountRef")["Account"] == "6110"
    tenant.refused("identities(Company='10')", 400)
    tenant.refused("identities(Company='10',Identity='S000001',PartyType='Supplier')", 400)
    tenant.refused("suppliers('nobody')", 404)


def test_ids_that_need_care_in_a_url(tenant: Any) -> None:
    supplier = tenant.world.get("SupplierInfoGeneralSet", "S000013/A&B'C")
    path = "/main/ifsapplications/projection/v1/SupplierHandling.svc/SupplierInfoGeneralSet('S000013%2FA%26B''C')"
    answer = tenant.raw("GET", path, headers={"Authorization": f"Bearer {tenant.token}"})
    assert json.loads(answer.body)["Name"] == supplier["Name"]


@pytest.mark.parametrize(("method", "where"), [("PUT", "suppliers('S000002')"), ("DELETE", "suppliers"),
                                               ("POST", "suppliers('S000002')"), ("PATCH", "suppliers")])  # fmt: skip
def test_wrong_methods(tenant: Any, method: str, where: str) -> None:
    assert tenant.ask(method, where).status == 405
