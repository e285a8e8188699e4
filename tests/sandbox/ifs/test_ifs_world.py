"""The world behind the site: seeds, edits, clock."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_connector.sandbox.world import By, World, edit, seeded

SUPPLIERS, ORDERS, LINES = "SupplierInfoGeneralSet", "PurchaseOrderSet", "PurchaseOrderLineSet"


def test_the_same_seed_is_the_same_world() -> None:
    assert seeded(90, 40, 1).digest() == seeded(90, 40, 1).digest()
    assert seeded(90, 40, 1).digest() != seeded(90, 40, 2).digest()


def test_the_seed_has_what_is_hard() -> None:
    world = seeded(600, 100, 5)
    names = [row["Name"] for row in world.rows(SUPPLIERS)]
    assert any(name != name.strip() for name in names)
    for part in ("'", "&", "<", "Ü", "株", "🔩"):
        assert any(part in name for name in names), part
    assert max(map(len, names)) > 90
    assert {row["Objstate"] for row in world.rows(ORDERS)} == set(world.enums["PurchaseOrderState"])
    companies: dict[str, set[str]] = {}
    for row in world.rows("IdentityInvoiceInfoSet"):
        companies.setdefault(row["Identity"], set()).add(row["Company"])
    shares = {frozenset(companies.get(row["SupplierId"], set())) for row in world.rows(SUPPLIERS)}
    assert shares == {frozenset[str](), frozenset({"10"}), frozenset({"20"}), frozenset({"10", "20"})}
    expiries = {row["ExpireDate"] for row in world.rows("IdentityInvoiceInfoSet")}
    assert None in expiries
    years = [day.year for day in expiries if day is not None]
    assert min(years) < 2024
    assert max(years) > 2030
    stamps = [row["Cf_Modified_At"] for row in world.rows(SUPPLIERS)]
    assert stamps.count(max(set(stamps), key=stamps.count)) > 150


@pytest.mark.parametrize(("currency", "places"), [("JPY", 0), ("EUR", 2), ("KWD", 3)])
def test_prices_have_their_currency_s_decimals(currency: str, places: int) -> None:
    lines = seeded(10, 300, 5).rows(LINES)
    prices = [row["BuyUnitPrice"] for row in lines if row["CurrencyCode"] == currency]
    assert max(-price.as_tuple().exponent for price in prices) == places


def test_vouchers_balance() -> None:
    sums: dict[Any, Decimal] = {}
    for row in seeded(5, 5, 5).rows("VoucherRowSet"):
        sums[row["Company"], row["VoucherNo"]] = (
            sums.get((row["Company"], row["VoucherNo"]), Decimal(0)) + row["Amount"]
        )
    assert set(sums.values()) == {Decimal(0)}


def test_edits_by_json(world: World) -> None:
    made = edit(world, {"op": "insert", "set": SUPPLIERS, "values": {"SupplierId": "X", "Name": "x"}})
    assert made["row"]["PartyType"] == "Supplier"
    stamp = "2025-01-01T00:00:00Z"
    key = {"SupplierId": "X"}
    changed = edit(world, {"op": "update", "set": SUPPLIERS, "key": key, "values": {"Name": "y"}, "stamp": stamp})
    assert changed["row"]["Cf_Modified_At"] == stamp
    assert edit(world, {"op": "rows", "set": SUPPLIERS, "where": key})["rows"] == [changed["row"]]
    line = world.rows(LINES)[0]
    line_key = {name: line[name] for name in ("OrderNo", "LineNo", "ReleaseNo")}
    edit(world, {"op": "update", "set": LINES, "key": line_key, "values": {"BuyUnitPrice": "10.250"}})
    assert world.get(LINES, line_key)["BuyUnitPrice"] == Decimal("10.25")  # type: ignore[index]
    assert edit(world, {"op": "delete", "set": ORDERS, "key": {"OrderNo": line["OrderNo"]}}) == {"deleted": 4}
    assert edit(world, {"op": "get", "set": LINES, "key": line_key}) == {"row": None}
    assert edit(world, {"op": "delete", "set": SUPPLIERS, "key": key}) == {"deleted": 1}
    assert edit(world, {"op": "digest"})["digest"] == world.digest()


@pytest.mark.parametrize(
    "op",
    [
        {},
        {"op": "nosuch"},
        {"op": "rows"},
        {"op": "rows", "set": "nosuch"},
        {"op": "update", "set": SUPPLIERS, "key": {"SupplierId": "nobody"}, "values": {}},
        {"op": "update", "set": SUPPLIERS, "key": {"Id": "S000002"}, "values": {}},
        {"op": "update", "set": SUPPLIERS, "key": {"SupplierId": "S000002"}, "values": {"Nosuch": 1}},
        {"op": "update", "set": SUPPLIERS, "key": {"SupplierId": "S000002"}, "values": {"Name": None}},
        {"op": "update", "set": SUPPLIERS, "key": {"SupplierId": "S000002"}, "values": {"PartyType": "Friend"}},
        {"op": "update", "set": SUPPLIERS, "key": {"SupplierId": "S000002"}, "values": {"SupplierId": "Y"}},
        {"op": "update", "set": SUPPLIERS, "key": {"SupplierId": "S000002"}, "values": {"Name": "x"}, "stamp": "soon"},
        {"op": "insert", "set": SUPPLIERS, "values": {"SupplierId": "S000002", "Name": "x"}},
        {"op": "insert", "set": LINES, "values": {"OrderNo": "none", "Description": "x", "BuyQtyDue": "1"}},
        {"op": "insert", "set": SUPPLIERS, "values": {"Name": "x"}, "typo": 1},
        {"op": "clock", "at": "yesterday"},
    ],
)
def test_a_wrong_edit_is_a_value_error_and_changes_nothing(world: World, op: dict[str, Any]) -> None:
    before = world.digest()
    with pytest.raises(ValueError, match=r"\w"):
        edit(world, op)
    assert world.digest() == before


def test_the_clock(world: World) -> None:
    frozen = edit(world, {"op": "clock", "at": "2030-05-05T10:00:00Z", "freeze": True})
    assert frozen == {"now": "2030-05-05T10:00:00Z", "frozen": True}
    edit(world, {"op": "clock", "advance_s": 90})
    assert world.now() == datetime(2030, 5, 5, 10, 1, 30, tzinfo=UTC)
    edit(world, {"op": "clock", "freeze": False})
    assert abs(world.now() - datetime(2030, 5, 5, 10, 1, 30, tzinfo=UTC)) < timedelta(seconds=90)
    world.clock.offset_s = 0
    assert abs(world.now() - datetime.now(UTC)) < timedelta(seconds=90)


EDITS = st.lists(
    st.tuples(
        st.sampled_from(["insert", "update", "delete"]), st.integers(0, 12), st.sampled_from(["a", "B", "ø", None])
    ),
    max_size=25,
)


@given(EDITS)
@settings(max_examples=30, deadline=None)
def test_orders_stay_right_through_edits(edits: list[tuple[str, int, str | None]]) -> None:
    world = seeded(8, 0, 1)
    table = world.tables[SUPPLIERS]
    order = (By(table.index["AssociationNo"]), By(table.index["SupplierId"], nullable=False))
    world.ordered(SUPPLIERS, order)
    for what, number, value in edits:
        key = f"S{number:06d}"
        if what == "insert" and world.get(SUPPLIERS, key) is None:
            world.insert(SUPPLIERS, {"SupplierId": key, "Name": "x", "AssociationNo": value})
        elif what != "insert" and world.get(SUPPLIERS, key) is not None:
            _ = (
                world.delete(SUPPLIERS, key)
                if what == "delete"
                else world.update(SUPPLIERS, key, {"AssociationNo": value})
            )
    expected = sorted(
        world.rows(SUPPLIERS),
        key=lambda row: (row["AssociationNo"] is None, row["AssociationNo"] or "", row["SupplierId"]),
    )
    found = world.ordered(SUPPLIERS, order)
    assert [row[table.index["SupplierId"]] for row in found] == [row["SupplierId"] for row in expected]
