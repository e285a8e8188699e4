"""The stand-in Airbase as a client writes to it: single rows, bulk, purchase orders, acknowledgements, sessions."""

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from ml_connector.sandbox.airbase import AirbaseOptions, AirbaseSite
from ml_connector.sandbox.web import Undisturbed, WebServer

VENDORS = "/v1/accounting/vendors/"
ORDERS = "/v1/purchase_orders/"
ENTRIES = "/v1/accounting/ledger_entries/"
SESSION = "/v1/accounting/entity/sync/"


class Tenant:
    """A running stand-in, and a client that writes."""

    def __init__(self) -> None:
        self.options = AirbaseOptions(documents=0, rate_limit=0)
        self.site = AirbaseSite(self.options)
        self.web = WebServer(self.site, Undisturbed())
        self.web.start()
        self.line = http.client.HTTPConnection(self.web.host, timeout=60)

    def send(self, method: str, path: str, body: Any, kind: str = "application/json") -> tuple[int, Any]:
        text = body if isinstance(body, str) else json.dumps(body)
        self.line.request(method, path, text, {"Authorization": "Token sandbox-token", "Content-Type": kind})
        answer = self.line.getresponse()
        return answer.status, json.loads(answer.read())

    def bulk(self, path: str, *entities: Any) -> tuple[int, Any]:
        return self.send("POST", f"{path}bulk_upsert/", {"entities": list(entities)})

    def vendor(self, **fields: Any) -> dict[str, Any]:
        status, row = self.send("POST", VENDORS, {"name": "Acme", "erp_reference_id": "S1", **fields})
        assert status == 201
        return row


@pytest.fixture
def airbase() -> Iterator[Tenant]:
    made = Tenant()
    yield made
    made.line.close()
    made.web.close()


def test_a_vendor_is_created(airbase: Tenant) -> None:
    row = airbase.vendor(
        subsidiary_reference_ids=[{"erp_reference_id": "SUB-10"}],
        payment_terms="30",
        currency="USD",
        address={"street": "Main 1", "city": "X"},
        colour="blue",
    )
    assert row["id"] == row["airbase_id"]
    assert (row["payment_terms"], row["currency"]) == ("30", "USD")
    assert row["address"] == {"street": "Main 1", "city": "X", "zip": "", "state": "", "country": ""}
    assert row["subsidiary_reference_ids"][0]["erp_reference_id"] == "SUB-10"
    assert row["subsidiary_reference_ids"][0]["airbase_id"]
    assert "colour" not in row
    assert airbase.web.log.writes == 1


def test_a_field_that_the_tenant_does_not_have_is_lost_without_a_word(airbase: Tenant) -> None:
    airbase.options.vendor_fields = ("currency",)
    assert "payment_terms" not in airbase.vendor(payment_terms="30")
    airbase.options.vendor_fields = ("currency", "payment_terms")
    assert airbase.site.rows("vendors")[0]["payment_terms"] is None


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, {"name": ["This field is required."]}),
        ({"name": "  "}, {"name": ["This field may not be blank."]}),
        ({"name": None}, {"name": ["This field may not be null."]}),
        ({"name": "x" * 256}, {"name": ["Ensure this field has no more than 255 characters."]}),
        ({"name": "x", "is_active": "perhaps"}, {"is_active": ["Must be a valid boolean."]}),
        ({"name": "x", "email": "nobody"}, {"email": ["Enter a valid email address."]}),
        ({"name": "x", "currency": "XXX"}, {"currency": ['Object with iso_code="XXX" does not exist.']}),
        (
            {"name": "x", "subsidiary_reference_ids": [{"erp_reference_id": "SUB-99"}]},
            {"subsidiary_reference_ids": ["Unknown subsidiary reference {'erp_reference_id': 'SUB-99'}."]},
        ),
        ([], {"non_field_errors": ["Invalid data. Expected a dictionary, but got list."]}),
    ],
)
def test_a_wrong_vendor_is_refused(airbase: Tenant, fields: Any, said: Any) -> None:
    assert airbase.send("POST", VENDORS, fields) == (400, said)
    assert airbase.site.rows("vendors") == []
    assert airbase.web.log.writes == 0


def test_a_body_that_is_not_json_is_refused(airbase: Tenant) -> None:
    status, said = airbase.send("POST", VENDORS, "{")
    assert status == 400
    assert said["detail"].startswith("JSON parse error")
    assert airbase.send("POST", VENDORS, "a=b", "application/x-www-form-urlencoded")[0] == 415


def test_a_vendor_is_changed_but_never_its_key(airbase: Tenant) -> None:
    row = airbase.vendor(erp_reference_id="")
    place = f"{VENDORS}{row['id']}/"
    assert airbase.send("PATCH", place, {"is_active": False})[1]["is_active"] is False
    assert airbase.send("PATCH", place, {"erp_reference_id": "S1"})[0] == 200
    assert airbase.send("PATCH", place, {"erp_reference_id": "S1", "name": "B"})[1]["name"] == "B"
    status, said = airbase.send("PATCH", place, {"erp_reference_id": "S2", "name": "C"})
    assert (status, list(said)) == (400, ["erp_reference_id"])
    assert airbase.site.rows("vendors")[0]["name"] == "B"
    assert airbase.send("PATCH", f"{VENDORS}nobody/", {"name": "x"})[0] == 404


def test_bulk_updates_by_id_and_creates_the_rest_even_twice(airbase: Tenant) -> None:
    row = airbase.vendor()
    status, told = airbase.bulk(
        VENDORS,
        {"airbase_id": row["airbase_id"], "name": "Renamed"},
        {"name": "Acme", "erp_reference_id": "S1"},
        {"name": "Beta", "erp_reference_id": "S2"},
    )
    assert status == 200
    assert [made["name"] for made in told["created"]] == ["Acme", "Beta"]
    assert [changed["name"] for changed in told["updated"]] == ["Renamed"]
    assert [found["erp_reference_id"] for found in airbase.site.rows("vendors")] == ["S1", "S1", "S2"]


def test_bulk_is_all_or_nothing(airbase: Tenant) -> None:
    before = airbase.site.digest()
    status, said = airbase.bulk(VENDORS, {"name": "Fine"}, {"name": ""}, {"airbase_id": "nobody", "name": "x"})
    assert status == 400
    assert said == {
        "validation_errors": [
            {"index": 1, "errors": {"name": ["This field may not be blank."]}},
            {"index": 2, "errors": {"airbase_id": ['Object with airbase_id="nobody" does not exist.']}},
        ]
    }
    assert airbase.site.digest() == before


def test_bulk_takes_a_hundred(airbase: Tenant) -> None:
    assert airbase.bulk(VENDORS, *[{"name": f"V{n}"} for n in range(100)])[0] == 200
    assert airbase.bulk(VENDORS, *[{"name": f"V{n}"} for n in range(101)]) == (
        400,
        {"entities": ["Ensure this field has no more than 100 elements."]},
    )
    assert len(airbase.site.rows("vendors")) == 100
    assert airbase.send("POST", f"{VENDORS}bulk_upsert/", {}) == (400, {"entities": ["This field is required."]})


def test_two_changes_of_one_row_in_a_bulk_add_up(airbase: Tenant) -> None:
    key = airbase.vendor()["airbase_id"]
    airbase.bulk(VENDORS, {"airbase_id": key, "name": "New"}, {"airbase_id": key, "email": "a@b.test"})
    row = airbase.site.rows("vendors")[0]
    assert (row["name"], row["email"]) == ("New", "a@b.test")


def test_a_tenant_may_refuse_duplicates(airbase: Tenant) -> None:
    airbase.options.duplicates = "reject"
    airbase.vendor()
    same = {"name": "x", "erp_reference_id": "S1"}
    assert airbase.send("POST", VENDORS, same)[0] == 400
    status, said = airbase.bulk(VENDORS, {**same, "erp_reference_id": "S2"}, {**same, "erp_reference_id": "S2"})
    assert (status, said["validation_errors"][0]["index"]) == (400, 1)
    assert airbase.bulk(VENDORS, {"name": "x"}, {"name": "y"})[0] == 200


def test_a_tenant_may_upsert(airbase: Tenant) -> None:
    airbase.options.duplicates = "upsert"
    row = airbase.vendor()
    _, told = airbase.bulk(VENDORS, {"name": "Again", "erp_reference_id": "S1"})
    assert [changed["id"] for changed in told["updated"]] == [row["id"]]
    assert airbase.site.counts()["vendors"] == 1


def test_accounts_and_tags_are_written_in_bulk(airbase: Tenant) -> None:
    account = {
        "name": "Rent",
        "erp_reference_id": "5010",
        "type": "expense",
        "account_number": "5010",
        "erp_currency_reference_id": "USD",
        "subsidiary_reference_ids": [{"erp_reference_id": "SUB-20"}],
    }
    status, told = airbase.bulk("/v1/accounting/accounts/", account)
    assert status == 200
    assert told["created"][0]["account_number"] == "5010"
    assert airbase.bulk("/v1/accounting/tags/", {"name": "North", "type_label": "region"})[0] == 200
    wrong = {**account, "erp_currency_reference_id": "XXX"}
    assert airbase.bulk("/v1/accounting/accounts/", wrong)[0] == 400


def test_a_currency_without_a_key_cannot_be_referred_to(airbase: Tenant) -> None:
    place = "/v1/accounting/currencies/"
    assert airbase.send("POST", place, {"iso_code": "CHF"})[1]["erp_reference_id"] == ""
    assert airbase.send("POST", place, {"iso_code": "CHF"})[0] == 201
    company = {"name": "C", "erp_currency_reference_id": "CHF"}
    assert airbase.send("POST", "/v1/accounting/subsidiaries/", company)[0] == 400


def order(airbase: Tenant, **fields: Any) -> dict[str, Any]:
    rows = airbase.site.rows("vendors")
    key = rows[0]["airbase_id"] if rows else airbase.vendor()["airbase_id"]
    return {
        "po_number": "100001",
        "erp_reference_id": "100001",
        "vendor": {"airbase_id": key},
        "subsidiary": {"erp_reference_id": "SUB-10"},
        "currency": {"iso_code": "USD"},
        "total_amount": "120.10",
        "order_date": "2026-07-01T00:00:00",
        "lines": [{"line_number": 1, "quantity": "2.50", "unit_price": "48.04", "amount": "120.10"}],
        **fields,
    }


def test_a_purchase_order_is_created_and_changed(airbase: Tenant) -> None:
    status, row = airbase.send("POST", ORDERS, order(airbase))
    assert status == 201
    assert row["vendor"] == {**row["vendor"], "name": "Acme", "erp_reference_id": "S1"}
    assert row["subsidiary"]["name"]
    assert row["status"] == "open"
    assert (row["total_amount"], row["lines"][0]["quantity"]) == ("120.10", "2.50")
    lines = [{"line_number": 2, "quantity": "1"}, {"line_number": 3, "quantity": "1"}]
    _, changed = airbase.send("PATCH", f"{ORDERS}{row['id']}/", {"status": "closed", "lines": lines})
    assert [line["line_number"] for line in changed["lines"]] == [2, 3]
    assert airbase.send("PATCH", f"{ORDERS}{row['id']}/", {"status": "lost"})[0] == 400


def test_a_number_keeps_its_digits(airbase: Tenant) -> None:
    text = json.dumps(order(airbase)).replace('"120.10"', "12345678901234567.10")
    status, row = airbase.send("POST", ORDERS, text)
    assert status == 201
    assert row["total_amount"] == row["lines"][0]["amount"] == "12345678901234567.10"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"vendor": {"airbase_id": "x"}}, {"vendor": ['Object with airbase_id="x" does not exist.']}),
        ({"vendor": {"erp_reference_id": "S1"}}, {"vendor": ['Object with airbase_id="None" does not exist.']}),
        ({"currency": {"iso_code": "XXX"}}, {"currency": ['Object with iso_code="XXX" does not exist.']}),
        ({"total_amount": "1,5"}, {"total_amount": ["A valid number is required."]}),
        ({"total_amount": True}, {"total_amount": ["A valid number is required."]}),
        (
            {"lines": [{"line_number": 1}, {"quantity": "x"}]},
            {
                "lines": [
                    {},
                    {"line_number": ["This field is required."], "quantity": ["A valid number is required."]},
                ]
            },
        ),
        ({"lines": {}}, {"lines": ['Expected a list of items but got type "dict".']}),
    ],
)
def test_a_wrong_purchase_order_is_refused(airbase: Tenant, fields: Any, said: Any) -> None:
    assert airbase.send("POST", ORDERS, order(airbase, **fields)) == (400, said)
    assert airbase.bulk(ORDERS, order(airbase, **fields)) == (
        400,
        {"validation_errors": [{"index": 0, "errors": said}]},
    )
    assert airbase.site.rows("purchase_orders") == []


def test_an_order_date_is_a_time(airbase: Tenant) -> None:
    status, said = airbase.send("POST", ORDERS, order(airbase, order_date="2026-07-01"))
    assert status == 400
    assert said["order_date"][0].startswith("Datetime has wrong format.")
    _, row = airbase.send("POST", ORDERS, order(airbase, order_date="2026-07-01T12:00:00.5+02:00"))
    assert row["order_date"] == "2026-07-01T10:00:00"


def test_purchase_orders_are_found_by_number(airbase: Tenant) -> None:
    airbase.bulk(ORDERS, *[order(airbase, po_number=f"P{n}", erp_reference_id=f"E{n}") for n in range(5)])
    for query in ("po_number=P3", "erp_reference_id=E3", "po_number=P3&erp_reference_id=E3"):
        page = airbase.send("GET", f"{ORDERS}?{query}", "")[1]
        assert [row["po_number"] for row in page["data"]] == ["P3"]
    assert airbase.send("GET", f"{ORDERS}?po_number=P3&erp_reference_id=E4", "")[1]["data"] == []


def test_a_posting_is_acknowledged(airbase: Tenant) -> None:
    row = airbase.site.edit({"op": "create", "kind": "ledger_entries", "fields": {}})["row"]
    place = f"{ENTRIES}{row['id']}/"
    wrong = airbase.send("PATCH", place, {"status": "sync_failed"})
    assert wrong == (400, {"status": ['"sync_failed" is not a valid choice.']})
    assert airbase.send("PATCH", place, {"error_message": "Period closed"})[1]["error_message"] == "Period closed"
    done = {"status": "sync_complete", "error_message": None, "erp_reference_id": "10-I-2026-1"}
    assert airbase.send("PATCH", place, done)[1]["status"] == "sync_complete"
    assert airbase.send("GET", ENTRIES, "")[1]["data"] == []
    assert airbase.send("GET", f"{ENTRIES}?status=sync_complete", "")[1]["data"][0]["erp_reference_id"] == "10-I-2026-1"
    assert airbase.send("PATCH", place, {"erp_reference_id": "other"})[0] == 400
    assert airbase.send("POST", ENTRIES, {})[0] == 405


def test_a_failure_status_is_known_only_where_it_is_set(airbase: Tenant) -> None:
    airbase.options.failure_status = "sync_failed"
    row = airbase.site.edit({"op": "create", "kind": "ledger_entries", "fields": {}})["row"]
    assert airbase.send("PATCH", f"{ENTRIES}{row['id']}/", {"status": "sync_failed"})[0] == 200


def test_the_entity_session(airbase: Tenant) -> None:
    complete = {"action": "COMPLETE"}
    assert airbase.send("PATCH", SESSION, complete) == (404, {"detail": "No active sync session found."})
    assert airbase.send("POST", SESSION, {"action": "START"})[0] == 200
    assert airbase.send("POST", SESSION, {"action": "START"})[0] == 409
    assert airbase.send("PATCH", SESSION, {"action": "START"})[0] == 400
    assert airbase.send("PATCH", SESSION, complete)[0] == 200
    assert airbase.send("POST", SESSION, {"action": "START"})[0] == 409


def test_a_digest_sees_twice_as_twice(airbase: Tenant) -> None:
    empty = airbase.site.digest("vendors")
    airbase.vendor()
    once = airbase.site.digest("vendors")
    airbase.vendor()
    assert len({empty, once, airbase.site.digest("vendors")}) == 3
