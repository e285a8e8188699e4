"""The stand-in Airbase as a client reads it: keys, lists, filters, limits, and the words it refuses with."""

import http.client
import json
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest

from ml_connector.sandbox.airbase import AirbaseOptions, AirbaseSite, Facts
from ml_connector.sandbox.airbase.gate import Gate
from ml_connector.sandbox.web import Request, Undisturbed, WebServer

Answer = tuple[int, dict[str, str], Any]
VENDORS = "/v1/accounting/vendors/"
ENTRIES = "/v1/accounting/ledger_entries/"


class Tenant:
    """A running stand-in, and a client of it."""

    def __init__(self, options: AirbaseOptions, facts: Facts) -> None:
        self.site = AirbaseSite(options, facts)
        self.web = WebServer(self.site, Undisturbed())
        self.web.start()
        self.line = http.client.HTTPConnection(self.web.host, timeout=60)

    def ask(self, method: str, path: str, body: Any = None, key: str = "Bearer sandbox-token") -> Answer:
        headers = {"Authorization": key} if key else {}
        text = None if body is None else json.dumps(body)
        self.line.request(method, path, text, {**headers, "Content-Type": "application/json"})
        answer = self.line.getresponse()
        told = answer.read()
        is_json = answer.headers.get_content_type() == "application/json"
        return answer.status, dict(answer.headers.items()), json.loads(told) if is_json else told.decode()

    def get(self, path: str) -> Any:
        status, _, body = self.ask("GET", path)
        assert status == 200, body
        return body


@contextmanager
def tenant(facts: Facts | None = None, **options: Any) -> Generator[Tenant]:
    made = Tenant(AirbaseOptions(**options), facts or Facts())
    yield made
    made.line.close()
    made.web.close()


def with_vendors(count: int) -> dict[str, Any]:
    suppliers = tuple((f"S{n}", f"Supplier {n}") for n in range(count))
    return {"facts": Facts(suppliers=suppliers), "prefilled_vendors": count, "documents": 0, "rate_limit": 0}


def test_a_page_has_data_and_pagination() -> None:
    with tenant(**with_vendors(120)) as airbase:
        page = airbase.get(VENDORS)
        assert [row["erp_reference_id"] for row in page["data"]] == [f"S{n}" for n in range(50)]
        assert page["pagination"] == {
            "next": f"{airbase.web.url}{VENDORS}?page=2",
            "previous": None,
            "page": 1,
            "page_size": 50,
        }
        last = airbase.get(f"{VENDORS}?page=3")
        assert len(last["data"]) == 20
        assert last["pagination"]["next"] is None


def test_a_page_past_the_end_is_empty() -> None:
    with tenant(**with_vendors(3)) as airbase:
        assert airbase.get(f"{VENDORS}?page=9")["data"] == []


def test_a_page_size_is_capped() -> None:
    with tenant(**with_vendors(300)) as airbase:
        assert len(airbase.get(f"{VENDORS}?page_size=1000")["data"]) == 250
        assert len(airbase.get(f"{VENDORS}?page_size=7")["data"]) == 7


@pytest.mark.parametrize("page", ["0", "x", "-1"])
def test_a_page_that_cannot_be_is_404(page: str) -> None:
    with tenant() as airbase:
        assert airbase.ask("GET", f"{VENDORS}?page={page}")[::2] == (404, {"detail": "Invalid page."})


def test_vendors_are_found_by_their_key_and_by_having_none() -> None:
    with tenant(**with_vendors(5)) as airbase:
        airbase.site.edit({"op": "create", "kind": "vendors", "fields": {"name": "New here"}})
        assert [row["name"] for row in airbase.get(f"{VENDORS}?erp_reference_id=S3")["data"]] == ["Supplier 3"]
        assert [row["name"] for row in airbase.get(f"{VENDORS}?erp_reference_id=")["data"]] == ["New here"]
        assert airbase.get(f"{VENDORS}?erp_reference_id=none")["data"] == []
        airbase.site.options.honour_filters = False
        assert len(airbase.get(f"{VENDORS}?erp_reference_id=S3")["data"]) == 6


def test_a_vendor_has_the_seen_fields() -> None:
    with tenant(**with_vendors(1), vendor_fields=()) as airbase:
        row = airbase.get(VENDORS)["data"][0]
        assert row == airbase.get(f"{VENDORS}{row['airbase_id']}/")
        assert set(row) == {
            "id",
            "airbase_id",
            "erp_reference_id",
            "erp_parent_reference_id",
            "name",
            "is_active",
            "email",
            "subsidiary_reference_ids",
        }


def test_a_list_of_ledger_entries_is_the_queue() -> None:
    with tenant() as airbase:
        waiting = airbase.get(ENTRIES)["data"]
        assert {row["status"] for row in waiting} == {"sync_ready"}
        assert {row["type"] for row in waiting} >= {"bill", "reimbursement", "bill_payment_load"}
        assert airbase.get(f"{ENTRIES}?status=sync_complete")["data"] == []
        status, _, said = airbase.ask("GET", f"{ENTRIES}?status=done")
        assert (status, said) == (
            400,
            {"status": ["Select a valid choice. done is not one of the available choices."]},
        )


def test_ledger_entries_look_as_they_were_seen() -> None:
    with tenant() as airbase:
        entries = airbase.get(ENTRIES)["data"]
        bill = next(row for row in entries if row["type"] == "bill")
        load = next(row for row in entries if row["type"] == "bill_payment_load")
        assert bill["vendor"]["created_in_airbase"]
        assert bill["bank_account"] is None
        assert bill["amounts"]["settlement_amount"] is None
        assert len(bill["entry_date"]) == 19
        assert isinstance(bill["total_amount"], str)
        assert load["vendor"] is load["ap_account"] is None
        assert load["amounts"]["settlement_amount"]
        assert len(load["entry_date"]) == 26
        assert not {"created_at", "updated_at", "due_date", "tax"} & set(bill)


def test_a_document_shows_its_vendor_as_it_is_now() -> None:
    with tenant(documents=1) as airbase:
        vendor = airbase.get(ENTRIES)["data"][0]["vendor"]
        airbase.ask("PATCH", f"{VENDORS}{vendor['id']}/", {"erp_reference_id": "S9"})
        assert airbase.get(ENTRIES)["data"][0]["vendor"]["erp_reference_id"] == "S9"


def test_the_assumed_spend_api_can_be_read() -> None:
    with tenant() as airbase:
        requests = airbase.get("/v1/purchase_requests/")["data"]
        assert {row["status"] for row in requests} == {"created", "sent_back", "approved", "denied", "archived"}
        assert all((row["approved_at"] is not None) == (row["status"] in ("approved", "archived")) for row in requests)
        bill = airbase.get("/v1/bills/")["data"][0]
        assert airbase.get(f"/v1/bills/{bill['id']}/") == bill
        payment = next(row for row in airbase.get("/v1/payments/")["data"] if row["bill_ids"])
        assert airbase.get(f"/v1/bills/{payment['bill_ids'][0]}/")["payment_status"] == "paid"
        assert airbase.get(f"/v1/purchase_requests/{payment['request_id']}/")["status"] == "approved"
        assert airbase.ask("POST", "/v1/bills/", {})[0] == 405


def test_subsidiaries_and_currencies_are_there_from_the_start() -> None:
    with tenant() as airbase:
        keys = [row["erp_reference_id"] for row in airbase.get("/v1/accounting/subsidiaries/")["data"]]
        assert keys == ["SUB-10", "SUB-20"]
        assert "USD" in [row["iso_code"] for row in airbase.get("/v1/accounting/currencies/")["data"]]


@pytest.mark.parametrize(
    ("auth", "key", "status"),
    [
        ("both", "Bearer sandbox-token", 200),
        ("both", "Token sandbox-token", 200),
        ("bearer", "Token sandbox-token", 401),
        ("token", "Bearer sandbox-token", 401),
        ("both", "", 401),
        ("both", "Token wrong", 401),
    ],
)
def test_who_is_let_in(auth: str, key: str, status: int) -> None:
    with tenant(auth=auth) as airbase:
        got, headers, body = airbase.ask("GET", VENDORS, key=key)
        assert got == status
        if key == "":
            assert body == {"detail": "Authentication credentials were not provided."}
            assert headers["WWW-Authenticate"] == "Token"
        if key == "Token wrong":
            assert body == {"detail": "Invalid token."}


def test_a_path_without_its_slash_is_moved() -> None:
    with tenant() as airbase:
        for method in ("GET", "POST"):
            status, headers, _ = airbase.ask(method, "/v1/accounting/vendors?page=2")
            assert (status, headers["Location"]) == (301, f"{VENDORS}?page=2")
        assert airbase.web.log.writes == 0


def test_what_is_not_there_is_404() -> None:
    with tenant() as airbase:
        assert airbase.ask("GET", f"{VENDORS}nobody/")[::2] == (404, {"detail": "Not found."})
        status, headers, _ = airbase.ask("GET", "/v1/accounting/nothing/")
        assert (status, headers["Content-Type"]) == (404, "text/html; charset=utf-8")
        assert airbase.ask("POST", "/v1/accounting/currencies/bulk_upsert/", {})[0] == 404


def test_a_method_that_is_not_allowed_is_405() -> None:
    with tenant(readonly=("accounts",)) as airbase:
        status, headers, body = airbase.ask("DELETE", VENDORS)
        assert (status, headers["Allow"]) == (405, "GET, HEAD, POST, OPTIONS")
        assert body == {"detail": 'Method "DELETE" not allowed.'}
        assert airbase.ask("POST", "/v1/accounting/accounts/", {"name": "x"})[0] == 405
        assert airbase.ask("POST", "/v1/accounting/accounts/bulk_upsert/", {"entities": []})[0] == 405


def test_the_headers_are_those_that_were_seen() -> None:
    with tenant() as airbase:
        _, first, _ = airbase.ask("GET", VENDORS)
        _, second, _ = airbase.ask("GET", VENDORS)
        assert first["X-Ratelimit-Limit"] == "500"
        assert (first["X-Ratelimit-Remaining"], second["X-Ratelimit-Remaining"]) == ("499", "498")
        assert first["X-Request-Id"] != second["X-Request-Id"]
        assert first["X-Airbase-Release-Version"]
        assert not {"ETag", "Last-Modified", "Link", "Retry-After"} & set(first)


def test_too_many_requests_are_429() -> None:
    with tenant(rate_limit=3) as airbase:
        assert [airbase.ask("GET", VENDORS)[0] for _ in range(5)] == [200, 200, 200, 429, 429]
        _, headers, body = airbase.ask("GET", VENDORS)
        assert "Retry-After" not in headers
        assert headers["X-Ratelimit-Remaining"] == "0"
        assert body == {"detail": "Request was throttled."}
        airbase.site.options.retry_after = True
        assert airbase.ask("GET", VENDORS)[1]["Retry-After"] == "60"


def test_the_limit_is_over_any_window() -> None:
    now = [0.0]
    gate = Gate(AirbaseOptions(rate_limit=2), lambda: now[0])
    request = Request("GET", VENDORS, "", {"authorization": "Token sandbox-token"}, b"", "h")

    def granted(at: float) -> bool:
        now[0] = at
        return gate.refusal(request) is None

    assert [granted(at) for at in (0, 50, 59, 61, 62, 111)] == [True, True, False, True, False, True]


def test_edits_pass_the_checks_by() -> None:
    with tenant(documents=0) as airbase:
        made = airbase.site.edit({"op": "create", "kind": "ledger_entries", "fields": {"type": "crypto_refund"}})
        row = made["row"]
        assert airbase.get(ENTRIES)["data"] == [row]
        airbase.site.edit({"op": "update", "kind": "ledger_entries", "id": row["id"], "fields": {"notes": "n"}})
        assert airbase.get(f"{ENTRIES}{row['id']}/")["notes"] == "n"
        assert airbase.site.edit({"op": "delete", "kind": "ledger_entries", "id": row["id"]}) == {"deleted": 1}
        assert airbase.site.rows("ledger_entries") == []
        with pytest.raises(ValueError, match="op one of"):
            airbase.site.edit({"op": "burn", "kind": "vendors"})


def test_the_same_seed_makes_the_same_rows() -> None:
    assert AirbaseSite().rows("bills") == AirbaseSite().rows("bills")
    other = AirbaseSite(AirbaseOptions(seed=2))
    assert other.rows("bills") != AirbaseSite().rows("bills")
    assert other.digest("bills") == AirbaseSite().digest("bills")
