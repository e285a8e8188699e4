"""What happens to vouchers behind everybody's back, ordered through the control door."""

import http.client
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from ml_connector.sandbox import Sandbox, SandboxOptions, start

IN_LEDGER = ["10", "M", 2025, 2025000001]
Voucher = dict[str, Any]


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with start(SandboxOptions(suppliers=5, orders=5)) as running:
        yield running
        assert running.crashes == []


@pytest.fixture(params=["ledger", "hold"])
def key(request: pytest.FixtureRequest, box: Sandbox) -> list[Any]:
    return IN_LEDGER if request.param == "ledger" else in_hold(box)


def in_hold(box: Sandbox) -> list[Any]:
    """A voucher with two rows in the hold table."""
    key = ["10", "M", 2025, 2025000500]
    named = dict(zip(("Company", "VoucherType", "AccountingYear", "VoucherNo"), key, strict=True))
    head = {"VoucherDate": "2025-08-15", "AccountingPeriod": 8, "UserGroup": "AC"}
    reference = {"ReferenceSerie": "AIRBASE", "ReferenceNumber": "K"}
    box.world.insert("HoldVoucherSet", {**named, **head, **reference})
    for number, (account, side) in enumerate((("6110", "Debet"), ("2440", "Credit")), 1):
        row = {"RowNo": number, "Account": account, "CurrencyCode": "EUR", f"Currency{side}Amount": 5}
        box.world.insert("HoldVoucherRowSet", {**named, **row, f"{side}Amount": 5, **reference})
    return key


def order(box: Sandbox, **op: Any) -> tuple[int, Any]:
    line = http.client.HTTPConnection(box.control_url.removeprefix("http://"), timeout=60)
    try:
        line.request("POST", "/ifs/edit", json.dumps(op), {"X-Sandbox": "1"})
        answer = line.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        line.close()


def voucher(box: Sandbox, key: list[Any]) -> Voucher | None:
    wanted = [str(part) for part in key]
    found = (one for one in box.vouchers() if [str(one[name]) for name in ("company", "type", "year", "no")] == wanted)
    return next(found, None)


def there(box: Sandbox, key: list[Any]) -> Voucher:
    found = voucher(box, key)
    assert found is not None
    return found


def sides(one: Voucher) -> list[tuple[Decimal, Decimal]]:
    return [(row["debit"], row["credit"]) for row in one["rows"]]


def test_a_voucher_is_lost(box: Sandbox, key: list[Any]) -> None:
    count = len(box.vouchers())
    assert order(box, op="lose", key=key) == (200, {"rows": 2})
    assert voucher(box, key) is None
    assert len(box.vouchers()) == count - 1


def test_a_voucher_grows_and_still_balances(box: Sandbox, key: list[Any]) -> None:
    before = sides(there(box, key))
    assert order(box, op="add", key=key, amount="1.25")[0] == 200
    more = Decimal("1.25")
    assert sides(there(box, key)) == [(before[0][0] + more, Decimal(0)), (Decimal(0), before[1][1] + more)]


def test_a_row_gets_another_account_and_code_part(box: Sandbox, key: list[Any]) -> None:
    assert order(box, op="recode", key=key, row=0, values={"Account": "5010", "CodeB": None})[0] == 200
    row = there(box, key)["rows"][0]
    assert (row["account"], row["parts"]) == ("5010", {})


def test_a_voucher_moves_with_its_period_or_without(box: Sandbox, key: list[Any]) -> None:
    assert order(box, op="move", key=key, day="2025-11-03")[0] == 200
    assert (there(box, key)["date"].isoformat(), there(box, key)["period"]) == ("2025-11-03", 11)
    assert order(box, op="move", key=key, day="2025-11-03", period=13)[0] == 200
    assert there(box, key)["period"] == 13


def test_a_voucher_is_there_twice(box: Sandbox, key: list[Any]) -> None:
    copied = order(box, op="double", key=key)[1]["key"]
    one, other = there(box, key), there(box, copied)
    assert {**other, "no": one["no"]} == one


@pytest.mark.parametrize("reference", [None, "K/R1"])
def test_a_voucher_is_reversed(box: Sandbox, key: list[Any], reference: str | None) -> None:
    told = {} if reference is None else {"reference": reference}
    undone = there(box, order(box, op="reverse", key=key, **told)[1]["key"])
    assert sides(undone) == [(credit, debit) for debit, credit in sides(there(box, key))]
    assert undone["number"] == (reference or there(box, key)["number"])


def test_a_stray_voucher_has_a_reference_of_its_own(box: Sandbox, key: list[Any]) -> None:
    made = order(box, op="stray", key=key, reference="nobody")[1]["key"]
    assert there(box, made)["number"] == "nobody"


@pytest.mark.parametrize(
    "op",
    [
        {"op": "lose", "key": ["10", "M", 2025, 1]},
        {"op": "add", "key": IN_LEDGER, "amount": "much"},
        {"op": "recode", "key": IN_LEDGER, "row": 9, "values": {}},
        {"op": "recode", "key": IN_LEDGER, "row": 0, "values": {"Colour": "red"}},
        {"op": "move", "key": IN_LEDGER, "day": "2026-01-01"},
        {"op": "move", "key": IN_LEDGER, "day": "someday"},
        {"op": "double", "key": ["10"]},
    ],
)
def test_what_cannot_be_done_changes_nothing(box: Sandbox, op: dict[str, Any]) -> None:
    before = box.world.digest()
    assert order(box, **op)[0] == 400
    assert box.world.digest() == before
