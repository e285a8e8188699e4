"""What is written reads back the same, whatever names and fields a tenant has."""

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_connector.records import codec
from ml_connector.records.purchase_order import SpendOrder, SpendOrderLine
from ml_connector.records.supplier import Address, Vendor
from ml_connector.systems.airbase import translate
from ml_connector.systems.airbase.profile import DEFAULT, load
from ml_connector.systems.airbase.resource import Resource

_DECODER = msgspec.json.Decoder(float_hook=Decimal)

TEXT = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=12)
KEY = st.text("ABC0189-/ÄÖ", min_size=1, max_size=8)
NUMBER = st.decimals(allow_nan=False, allow_infinity=False, places=10, min_value=-(10**19), max_value=10**19)
DAY = st.none() | st.dates(min_value=date(1900, 1, 1))
LINES = st.lists(
    st.builds(
        SpendOrderLine,
        number=st.integers(1, 99),
        reference=KEY,
        part_number=TEXT,
        description=TEXT,
        quantity=NUMBER,
        unit=TEXT,
        unit_price=NUMBER,
        amount=NUMBER,
        delivery_on=DAY,
        status=TEXT,
    ),
    max_size=4,
    unique_by=lambda line: line.number,
).map(tuple)
ORDERS = st.builds(
    SpendOrder,
    number=KEY,
    vendor_id=KEY,
    subsidiary=KEY | st.just(""),
    currency=st.sampled_from(["EUR", "JPY"]),
    total=NUMBER,
    ordered_on=DAY,
    buyer=TEXT,
    status=st.sampled_from(["open", "closed"]),
    lines=LINES,
)
VENDORS = st.builds(
    Vendor,
    reference=KEY,
    name=TEXT,
    active=st.booleans(),
    subsidiaries=st.lists(KEY, max_size=3).map(tuple),
    payment_terms=st.none() | TEXT,
    currency=st.none() | TEXT,
    address=st.none() | st.builds(Address, TEXT, TEXT, TEXT, TEXT, TEXT),
)


def profiles(resource: Resource, needed: set[str]) -> st.SearchStrategy[Resource]:
    """The resource with some fields left out and others called differently."""
    optional = sorted(set(resource.fields) - needed)
    return st.lists(st.sampled_from(optional), max_size=4).map(
        lambda gone: msgspec.structs.replace(resource, fields=resource.fields | dict.fromkeys(gone, ""))
    )


def stored(body: dict[str, Any]) -> Any:
    """The body as a server that stores everything would give it back."""
    return _DECODER.decode(msgspec.json.encode({"id": "1", **body, "unknown": {"x": 1.5}}))


@given(VENDORS, profiles(DEFAULT.vendors, {"reference", "name"}))
def test_a_vendor_reads_back_as_it_was_written(vendor: Vendor, resource: Resource) -> None:
    sent = translate.trim_vendor(vendor, resource)
    read = translate.vendor(stored(translate.vendor_body(sent, resource)), resource)
    assert translate.trim_vendor(read, resource) == sent
    assert read == sent
    assert translate.trim_vendor(sent, resource) == sent


@given(ORDERS, profiles(DEFAULT.purchase_orders, {"number"}))
def test_an_order_reads_back_as_it_was_written(order: SpendOrder, resource: Resource) -> None:
    sent = translate.trim_order(order, resource)
    read = translate.order(stored(translate.order_body(sent, resource)), resource)
    assert translate.trim_order(read, resource) == sent
    assert codec.digest(translate.trim_order(read, resource)) == codec.digest(sent)
    assert translate.trim_order(sent, resource) == sent


@given(ORDERS)
def test_no_number_of_an_order_travels_as_a_json_number(order: SpendOrder) -> None:
    body = translate.order_body(order, DEFAULT.purchase_orders)
    assert isinstance(body["total_amount"], str)
    assert all(isinstance(line[name], str) for line in body["lines"] for name in ("quantity", "unit_price", "amount"))


def _order(**changes: Any) -> SpendOrder:
    line = SpendOrderLine(1, "1-1", "P", "Bolt", Decimal("3"), "pcs", Decimal("0.1"), Decimal("0.3"), None, "open")
    plain = SpendOrder("P1", "v1", "S", "EUR", Decimal("0.3"), date(2026, 2, 28), "BOB", "open", (line,))
    return msgspec.structs.replace(plain, **changes)


def test_thirty_digits_survive() -> None:
    total = Decimal("12345678901234567890.1234567891")
    body = translate.order_body(_order(total=total), DEFAULT.purchase_orders)
    assert body["total_amount"] == "12345678901234567890.1234567891"
    assert translate.order(stored(body), DEFAULT.purchase_orders).total == total


def test_a_number_that_comes_as_a_json_number_is_exact() -> None:
    raw = _DECODER.decode(b'{"po_number": "P1", "total_amount": 0.10000000000000000001, "lines": []}')
    assert translate.order(raw, DEFAULT.purchase_orders).total == Decimal("0.10000000000000000001")


def test_a_float_is_no_amount() -> None:
    with pytest.raises(ValueError, match="something else"):
        translate.order({"po_number": "P1", "total_amount": 0.1}, DEFAULT.purchase_orders)


def test_days_are_naive_times_of_nineteen_characters() -> None:
    body = translate.order_body(_order(), DEFAULT.purchase_orders)
    assert body["order_date"] == "2026-02-28T00:00:00"
    assert body["lines"][0]["delivery_date"] is None


@pytest.mark.parametrize("text", ["2026-02-28", "2026-02-28T00:00:00", "2026-02-28T23:59:59.123456"])
def test_a_day_is_read_from_all_forms_seen(text: str) -> None:
    assert translate.order({"po_number": "P", "order_date": text}, DEFAULT.purchase_orders).ordered_on == date(
        2026, 2, 28
    )


def test_what_is_not_ours_is_not_sent() -> None:
    vendor = Vendor("S1", "Bolts", True, ("B", "A"))
    assert translate.vendor_body(vendor, DEFAULT.vendors).keys() == {
        "erp_reference_id",
        "name",
        "is_active",
        "subsidiary_reference_ids",
    }


def test_a_field_that_the_tenant_lacks_becomes_none() -> None:
    lacking = load({"vendors": {"fields": {"payment_terms": "", "address": ""}}}).vendors
    vendor = Vendor("S1", " Bolts ", True, ("B", "A", "B"), "Net 30", "EUR", Address("x"))
    assert translate.trim_vendor(vendor, lacking) == Vendor("S1", "Bolts", True, ("A", "B"), None, "EUR", None)
    assert "payment_terms" not in translate.vendor_body(vendor, lacking)


def test_fields_go_under_the_tenants_own_names() -> None:
    own = load({"purchase_orders": {"fields": {"total": "grand_total", "lines.unit": "uom", "buyer": ""}}})
    body = translate.order_body(_order(), own.purchase_orders)
    assert body["grand_total"] == "0.3"
    assert body["lines"][0]["uom"] == "pcs"
    assert not {"total_amount", "buyer"} & body.keys()


def test_lines_are_compared_in_the_order_of_their_numbers() -> None:
    first = _order().lines[0]
    second = msgspec.structs.replace(first, number=2)
    resource = DEFAULT.purchase_orders
    assert translate.trim_order(_order(lines=(second, first)), resource).lines == (first, second)


@pytest.mark.parametrize(
    "spoilt",
    [
        {"name": 5},
        {"is_active": "yes"},
        {"subsidiary_reference_ids": "S"},
        {"subsidiary_reference_ids": ["S"]},
        {"address": "Main street"},
    ],
)
def test_a_vendor_field_of_another_kind_is_an_error(spoilt: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="belongs"):
        translate.vendor({"erp_reference_id": "S1", "name": "n", **spoilt}, DEFAULT.vendors)


@pytest.mark.parametrize(
    "spoilt",
    [
        {"total_amount": "12,50"},
        {"total_amount": [0, [1], 0]},
        {"order_date": "28/02/2026"},
        {"vendor": "v1"},
        {"lines": [{"line_number": "1.5"}]},
    ],
)
def test_an_order_field_of_another_kind_is_an_error(spoilt: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"belongs|number|no date"):
        translate.order({"po_number": "P1", **spoilt}, DEFAULT.purchase_orders)
