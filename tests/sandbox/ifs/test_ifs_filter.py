"""The filter language: against plain Python, and what IFS refuses."""

import operator
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_connector.sandbox.ifs.bounds import Sorted, lowest
from ml_connector.sandbox.ifs.filter import Compiler, row_test
from ml_connector.sandbox.ifs.moment import Moments
from ml_connector.sandbox.ifs.options import IfsOptions
from ml_connector.sandbox.ifs.syntax import parse
from ml_connector.sandbox.ifs.view import View
from ml_connector.sandbox.world import By, seeded
from ml_connector.sandbox.world.rows import sort_key

WORLD = seeded(suppliers=80, orders=40, seed=3)
LINES = View(WORLD.tables["PurchaseOrderLineSet"], "PurchaseOrderLineEntity", WORLD, IfsOptions())
ROWS = WORLD.heap("PurchaseOrderLineSet")
UTC_TIME = Moments("UTC")

Truth = bool | None
Case = tuple[str, Callable[[dict[str, Any]], Truth]]
OPERATORS = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
PROPERTIES = ["OrderNo", "LineNo", "PartNo", "Description", "BuyQtyDue", "BuyUnitPrice", "WantedDeliveryDate",
              "Cf_Modified_At"]  # fmt: skip


def shown(row: tuple[Any, ...]) -> dict[str, Any]:
    return {name: column.read(row) for name, column in LINES.columns.items()}


def literal(value: object) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return value.isoformat() if isinstance(value, date) else str(value)


@st.composite
def comparisons(draw: st.DrawFn) -> Case:
    name = draw(st.sampled_from(PROPERTIES))
    known = sorted({value for row in ROWS if (value := LINES.columns[name].read(row)) is not None})
    value = draw(st.sampled_from(known))
    word = draw(st.sampled_from(sorted(OPERATORS)))
    compare = OPERATORS[word]
    return f"{name} {word} {literal(value)}", lambda row: None if row[name] is None else compare(row[name], value)


@st.composite
def null_tests(draw: st.DrawFn) -> Case:
    name, word = draw(st.sampled_from(PROPERTIES)), draw(st.sampled_from(["eq", "ne"]))
    return f"{name} {word} null", lambda row: (row[name] is None) is (word == "eq")


@st.composite
def string_tests(draw: st.DrawFn) -> Case:
    name, text = (
        draw(st.sampled_from(["Description", "PartNo"])),
        draw(st.sampled_from(["a", "B", "20", "0", "×", "-"])),
    )
    tests: dict[str, Callable[[str], bool]] = {
        f"contains({name},'{text}')": lambda value: text in value,
        f"startswith({name},'{text}')": lambda value: value.startswith(text),
        f"endswith(tolower({name}),'{text}')": lambda value: value.lower().endswith(text),
        f"length({name}) gt 9": lambda value: len(value) > 9,
        f"indexof({name},'{text}') eq 2": lambda value: value.find(text) == 2,
        f"substring({name},1,2) eq '{text}'": lambda value: value[1:3] == text,
        f"toupper(trim(concat({name},' '))) eq '{text}'": lambda value: value.strip().upper() == text,
    }
    words = draw(st.sampled_from(sorted(tests)))
    return words, lambda row: None if row[name] is None else tests[words](row[name])


@st.composite
def sums(draw: st.DrawFn) -> Case:
    number = draw(st.decimals(-100, 1000, places=3))
    text = f"BuyQtyDue mul BuyUnitPrice sub 2 add {number} gt 50 div 4"
    return text, lambda row: row["BuyQtyDue"] * row["BuyUnitPrice"] - 2 + number > Decimal(50) / 4


@st.composite
def lists(draw: st.DrawFn) -> Case:
    chosen = draw(st.lists(st.sampled_from(["1", "2", "3", "9"]), min_size=1, max_size=3))
    return f"LineNo in ({','.join(literal(one) for one in chosen)})", lambda row: row["LineNo"] in chosen


def negated(case: Case) -> Case:
    text, test = case
    return f"not ({text})", lambda row: None if (value := test(row)) is None else not value


def both(cases: tuple[Case, Case]) -> Case:
    (one, first), (two, second) = cases
    return f"({one}) and ({two})", lambda row: _all(first(row), second(row))


def either(cases: tuple[Case, Case]) -> Case:
    (one, first), (two, second) = cases
    return f"({one}) or ({two})", lambda row: _any(first(row), second(row))


def _all(one: Truth, two: Truth) -> Truth:
    return False if False in (one, two) else None if None in (one, two) else True


def _any(one: Truth, two: Truth) -> Truth:
    return True if True in (one, two) else None if None in (one, two) else False


CASES = st.recursive(
    st.one_of(comparisons(), null_tests(), string_tests(), sums(), lists()),
    lambda inner: st.one_of(inner.map(negated), st.tuples(inner, inner).map(both), st.tuples(inner, inner).map(either)),
    max_leaves=6,
)


@given(CASES)
@settings(max_examples=300, deadline=None)
def test_a_filter_agrees_with_plain_python(case: Case) -> None:
    text, expected = case
    test = row_test(parse(text), LINES, UTC_TIME)
    for row in ROWS[::3]:
        assert bool(test(row)) is bool(expected(shown(row))), text


@given(CASES, st.permutations(["Cf_Modified_At", "OrderNo", "LineNo", "PartNo"]))
@settings(max_examples=300, deadline=None)
def test_no_row_that_passes_is_below_the_bound(case: Case, names: list[str]) -> None:
    columns = [LINES.columns[name] for name in names]
    order = [By(column.at or 0, not column.item.required) for column in columns]
    compiler = Compiler(LINES, UTC_TIME)
    tree = parse(case[0])
    bound = lowest(
        tree,
        [Sorted(name, by.nullable) for name, by in zip(names, order, strict=True)],
        lambda constant: compiler.literal(constant).value,
    )
    if bound is None:
        return
    key, test = sort_key(order, LINES.table.place_at), row_test(tree, LINES, UTC_TIME)
    assert all(key(row) >= bound for row in ROWS if test(row))


def test_a_keyset_filter_gives_the_exact_bound() -> None:
    tree = parse("(LineNo gt 'a') or (LineNo eq 'a' and (OrderNo gt 'b' or OrderNo eq 'b' and ReleaseNo gt 'c'))")
    compiler = Compiler(LINES, UTC_TIME)
    order = [Sorted(name, nullable=False) for name in ("LineNo", "OrderNo", "ReleaseNo")]
    bound = lowest(tree, order, lambda constant: compiler.literal(constant).value)
    assert bound is not None
    assert bound[:3] == ("a", "b", "c")


def passing(text: str, moments: Moments = UTC_TIME) -> int:
    test = row_test(parse(text), LINES, moments)
    return sum(bool(test(row)) for row in ROWS)


def test_a_thousand_keys_in_one_filter() -> None:
    text = " or ".join(f"OrderNo eq '{number}'" for number in range(100_000, 101_000))
    assert passing(text) == passing("not startswith(OrderNo,'R')")


def test_enumerations_need_their_full_name(tenant: Any) -> None:
    state = "IfsApp.PurchaseOrderHandling.PurchaseOrderState"
    found = tenant.get("orders", filter=f"Objstate eq {state}'Released'")["value"]
    assert {row["Objstate"] for row in found} == {"Released"}
    assert tenant.get("orders", filter=f"Objstate in ({state}'Closed',{state}'Planned')")["value"]
    tenant.refused("orders", 400, filter="Objstate eq 'Released'")
    tenant.refused("orders", 400, filter="Objstate eq IfsApp.Other.PurchaseOrderState'Released'")


def test_an_unknown_property_is_the_recorded_error(tenant: Any) -> None:
    for option in ("filter", "orderby", "select"):
        value = "NotAColumn eq 1" if option == "filter" else "NotAColumn"
        error = tenant.refused("voucher_rows", 400, **{option: value})
        assert error["message"] == "Malformed Request."
        assert error["details"][0]["message"] == (
            "The property 'NotAColumn', used in a query expression, is not defined in type "
            "'IfsApp.VoucherRowsAnalysis.VoucherRow'."
        )
        assert len(error["code"] + error["details"][0]["code"]) == 44  # as in the recording


@pytest.mark.parametrize(
    "text",
    [
        "VoucherNo mod 2 eq 0", "round(Amount) eq 1", "floor(Amount) eq 1", "Rows/any(r:r/Amount gt 1)",
        "Rows/$count gt 1", "VoucherType has 'x'", "year(VoucherDate) eq 2025", "VoucherDate add 1 gt 2025-01-01",
    ],
)  # fmt: skip
def test_what_ifs_does_not_support_is_not_implemented(tenant: Any, text: str) -> None:
    assert tenant.refused("voucher_rows", 501, filter=text)["code"] == "ODP_NOT_IMPLEMENTED"


@pytest.mark.parametrize(
    "text",
    [
        "", "VoucherNo eq", "eq 1", "(VoucherNo eq 1", "VoucherNo eq '1'", "Text eq 1", "VoucherDate eq '2025-01-01'",
        "VoucherNo", "Text and true", "nosuch(Text)", "contains(Text)", "VoucherNo eq 1 1", "VoucherDate eq 2025-13-01",
        "VoucherNo eq 1;", "'open", "((((((((((((((((((((((((((((((((((((true))))))))))))))))))))))))))))))))))))",
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_malformed(tenant: Any, text: str) -> None:
    assert tenant.refused("voucher_rows", 400, filter=text)["message"] == "Malformed Request."


def test_options_are_checked(tenant: Any) -> None:
    tenant.refused("suppliers", 400, nosuch="1")
    tenant.refused("suppliers", 400, top="-1")
    tenant.refused("suppliers", 400, top="many")
    tenant.refused("suppliers", 400, count="yes")
    tenant.refused("suppliers", 400, orderby="Name down")
    tenant.refused("suppliers", 501, apply="aggregate(x)")
    tenant.refused("suppliers('S000002')", 501, top=1)


def test_a_plus_is_not_a_space(tenant: Any) -> None:
    headers = {"Authorization": f"Bearer {tenant.token}"}
    path = "/main/ifsapplications/projection/v1/SupplierHandling.svc/SupplierInfoGeneralSet"
    assert tenant.raw("GET", path, "$filter=Name+eq+'x'", headers).status == 400
    assert tenant.raw("GET", path, "$filter=Name%20eq%20'x%2By'", headers).status == 200
    assert tenant.raw("GET", path, "%24top=1", headers).status == 200


def test_an_empty_string_is_null_as_in_oracle() -> None:
    assert passing("PartNo eq ''") == 0
    assert passing("PartNo ne ''") == 0
    assert passing("PartNo eq null") > 0


def test_numbers_compare_by_value_and_dates_by_day() -> None:
    assert passing("BuyQtyDue eq 1.0") == passing("BuyQtyDue eq 1") > 0
    day = next(row["WantedDeliveryDate"] for row in WORLD.rows("PurchaseOrderLineSet"))
    assert passing(f"WantedDeliveryDate eq {day}") > 0
    stamp = datetime(2024, 3, 4, 1, tzinfo=UTC)
    assert passing("Cf_Modified_At eq 2024-03-04T02:00:00Z", Moments("Europe/Oslo")) == sum(
        row["Cf_Modified_At"] == stamp for row in WORLD.rows("PurchaseOrderLineSet")
    )
