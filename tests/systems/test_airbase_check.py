"""The check says what is wrong and what to do, and writes nothing."""

from collections.abc import Collection, Generator
from contextlib import contextmanager
from typing import Any

from reaching import airbase_client

from ml_connector import sandbox
from ml_connector.sandbox.airbase import AirbaseOptions
from ml_connector.systems.airbase.check import IN_USE, steps
from ml_connector.systems.step import Step

TOKEN = AirbaseOptions().token
MAPPED = {"10": "SUB-10", "20": "SUB-20"}


@contextmanager
def started(**options: Any) -> Generator[Any]:
    with sandbox.start(sandbox.SandboxOptions(suppliers=3, orders=3, airbase=AirbaseOptions(**options))) as box:
        yield box


def checked(
    box: Any,
    profile: dict[str, Any] | None = None,
    secret: str = TOKEN,
    mapped: dict[str, str] | None = None,
    resources: Collection[str] = IN_USE,
) -> list[Step]:
    client = airbase_client(box.airbase_url, secret, profile=profile)
    try:
        return list(steps(client, MAPPED | (mapped or {}), resources))
    finally:
        client.wire.close()


def step(found: list[Step], name: str) -> Step:
    return next(one for one in found if one.name == name)


def test_all_is_well_and_nothing_is_written() -> None:
    with started(prefilled_vendors=2) as box:
        before = box.airbase.digest()
        found = checked(box)
        assert [one.name for one in found] == [
            "host",
            "token",
            "subsidiaries",
            "vendors",
            "vendor look-up",
            "purchase orders",
            "write permission",
            "rate limit",
        ]
        assert all(one.ok for one in found), found
        assert "SUB-10" in step(found, "subsidiaries").result
        assert "finds exactly" in step(found, "vendor look-up").result
        assert "of 500 requests left" in step(found, "rate limit").result
        assert box.airbase.digest() == before
        assert {entry.method for entry in box.airbase_log.entries()} == {"GET"}


def test_a_host_that_is_not_there_ends_it() -> None:
    with started() as box:
        pass
    found = checked(box)
    assert [(one.name, one.ok) for one in found] == [("host", False)]
    assert found[0].remedy


def test_a_wrong_token_ends_it_and_is_not_shown() -> None:
    with started() as box:
        found = checked(box, secret="wr0ng-secret")
    assert [(one.name, one.ok) for one in found] == [("host", True), ("token", False)]
    assert "scheme" in found[1].remedy
    assert "wr0ng-secret" not in str(found)


def test_a_company_mapped_to_nowhere_is_named() -> None:
    with started() as box:
        said = step(checked(box, mapped={"30": "SUB-30"}), "subsidiaries")
    assert not said.ok
    assert "30 → SUB-30" in said.result
    assert "SUB-20" in said.result


def test_fields_that_no_vendor_shows_are_named() -> None:
    with started(vendor_fields=("currency",)) as box:
        said = step(checked(box), "vendors")
        assert not said.ok
        assert "payment_terms" in said.result
        assert "currency" not in said.result
        left_out = {"vendors": {"fields": {"payment_terms": "", "address": ""}}}
        assert step(checked(box, left_out), "vendors").ok


def test_a_filter_that_is_not_honoured_is_told() -> None:
    with started(prefilled_vendors=2, honour_filters=False) as box:
        said = step(checked(box), "vendor look-up")
    assert said.ok
    assert "not honoured" in said.result
    assert said.remedy


def test_a_filter_that_can_not_be_tried_is_told() -> None:
    with started() as box:
        assert "can't be tried" in step(checked(box), "vendor look-up").result


def test_a_path_of_the_profile_that_is_not_there_fails_alone() -> None:
    with started() as box:
        found = checked(box, {"purchase_orders": {"path": "/v1/orders/"}})
    assert [one.name for one in found if not one.ok] == ["purchase orders"]
    assert "profile" in step(found, "purchase orders").remedy


def test_a_tenant_that_tells_no_rate_limit() -> None:
    with started(rate_limit=0) as box:
        assert "no rate limit" in step(checked(box), "rate limit").result


SPEND = ("accounts", "tags", "purchase_requests", "bills", "payments", "ledger_entries")


def named(resource: str) -> str:
    return resource.replace("_", " ")


def test_lists_that_are_not_used_are_not_looked_at() -> None:
    with started() as box:
        names = [one.name for one in checked(box, resources=("vendors", "payments"))]
        assert names == ["host", "token", "vendors", "vendor look-up", "payments", "write permission", "rate limit"]
        assert not any("purchase_orders" in entry.path for entry in box.airbase_log.entries())


def test_lists_of_spend_are_readable() -> None:
    with started() as box:
        found = checked(box, resources=SPEND)
        assert [one.name for one in found[2:-2]] == [named(resource) for resource in SPEND]
        assert all(one.ok and "with all fields" in one.result for one in found[2:-2]), found
        assert "assumed path, confirmed now" in step(found, "payments").result
        assert {entry.method for entry in box.airbase_log.entries()} == {"GET"}


def test_an_empty_list_is_said_to_be_empty() -> None:
    with started(documents=0) as box:
        said = step(checked(box, resources=("payments",)), "payments")
    assert said.ok
    assert "empty" in said.result


def test_fields_that_no_payment_shows_are_named() -> None:
    with started() as box:
        renamed = {"payments": {"fields": {"paid_at": "paid_on", "fee": ""}}}
        said = step(checked(box, renamed, resources=("payments",)), "payments")
    assert not said.ok
    assert "paid_on (paid_at)" in said.result
    assert "fee" not in said.result


def test_documents_that_can_not_be_read_are_counted() -> None:
    with started() as box:
        rows = box.airbase.documents("payments")
        change = {"op": "update", "kind": "payments", "fields": {"amount": "x"}}
        for row in rows[1:]:
            box.airbase.edit({**change, "id": row["airbase_id"]})
        some = step(checked(box, resources=("payments",)), "payments")
        box.airbase.edit({**change, "id": rows[0]["airbase_id"]})
        none = step(checked(box, resources=("payments",)), "payments")
    assert some.ok
    assert f"{len(rows) - 1} of {len(rows)} can't be read" in some.result
    assert not none.ok
    assert "none of" in none.result


def test_a_list_that_is_not_there_fails_alone() -> None:
    with started() as box:
        found = checked(box, {"bills": {"path": "/v1/invoices/"}}, resources=SPEND)
    assert [one.name for one in found if not one.ok] == ["bills"]
    assert "profile" in step(found, "bills").remedy
