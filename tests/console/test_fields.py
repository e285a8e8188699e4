"""Fields of a record, as people read them."""

from typing import Any

import msgspec
import pytest

from ml_connector.console.views.fields import compared


class Row(msgspec.Struct):
    account: str
    amount: str
    tags: tuple[str, ...] = ()


class Voucher(msgspec.Struct):
    series: str
    rows: tuple[Row, ...]


VOUCHER = Voucher("M", (Row("6000", "100.00", ("a", "b")), Row("2440", "-100.00")))


@pytest.mark.parametrize("told", [msgspec.to_builtins(VOUCHER), msgspec.json.decode(msgspec.json.encode(VOUCHER))])
def test_each_value_of_each_row_is_a_field(told: Any) -> None:
    found = {field.name: field.after for field in compared(None, told)}
    assert found == {
        "Series": "M",
        "Row 1, account": "6000",
        "Row 1, amount": "100.00",
        "Row 1, tags": "a, b",
        "Row 2, account": "2440",
        "Row 2, amount": "-100.00",
    }


def test_what_is_empty_on_both_sides_is_left_out() -> None:
    (field,) = compared({"a": "", "b": (), "c": "x"}, {"a": None, "b": [], "c": ""})
    assert (field.path, field.before, field.after, field.changed) == ("c", "x", None, True)
