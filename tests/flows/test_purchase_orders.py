"""One case for each way a purchase order can map."""

from datetime import date
from decimal import Decimal

import msgspec
import pytest

from ml_connector.flows.purchase_orders import map_order, references, retire
from ml_connector.records.money import Money
from ml_connector.records.purchase_order import OrderLine, PurchaseOrder, SpendOrder, SpendOrderLine
from ml_connector.sync.flow import Context, Reference, Tables
from ml_connector.sync.outcome import Held, Mapped, Owner

LINKS = {Reference("suppliers", "S1"): "v-1"}
CONTEXT = Context(date(2026, 11, 22), Tables({"10": "SUB-10"}), LINKS)
LINE = OrderLine("1", "2", "P-9", "Bolt", Decimal("3"), "pcs", Decimal("0.335"), "EUR", date(2026, 12, 1), "Released")
ORDER = PurchaseOrder("4711", "S1", "10", "SITE", "EUR", "ANN", date(2026, 11, 1), "Released", (LINE,))


def changed(**fields: object) -> PurchaseOrder:
    return msgspec.structs.replace(ORDER, **fields)


def mapped(order: PurchaseOrder, context: Context = CONTEXT) -> Mapped[SpendOrder]:
    result = map_order(order, context)
    assert isinstance(result, Mapped)
    return result


def held(order: PurchaseOrder, context: Context = CONTEXT) -> Held:
    result = map_order(order, context)
    assert isinstance(result, Held)
    return result


def test_an_order_arrives_with_its_lines() -> None:
    result = mapped(ORDER)
    assert result.active
    assert result.due
    worth, on = Decimal("1.01"), date(2026, 12, 1)  # 1.005 rounds half up
    line = SpendOrderLine(1, "1-2", "P-9", "Bolt", Decimal(3), "pcs", Decimal("0.335"), worth, on, "open")
    assert result.record == SpendOrder("4711", "v-1", "SUB-10", "EUR", worth, date(2026, 11, 1), "ANN", "open", (line,))


@pytest.mark.parametrize(("currency", "amount"), [("JPY", "1"), ("KWD", "1.005")])
def test_amounts_have_their_currencys_decimals(currency: str, amount: str) -> None:
    line = msgspec.structs.replace(LINE, currency=currency)
    assert mapped(changed(currency=currency, lines=(line,))).record.total == Decimal(amount)


@pytest.mark.parametrize(
    ("state", "active", "due", "status"),
    [
        ("Planned", True, False, "open"),
        ("Released", True, True, "open"),
        ("Confirmed", True, True, "open"),
        ("Arrived", True, True, "open"),
        ("Received", True, True, "open"),
        ("Closed", False, False, "closed"),
        ("Cancelled", False, False, "cancelled"),
    ],
)
def test_states(state: str, active: bool, due: bool, status: str) -> None:
    result = mapped(changed(state=state))
    assert (result.active, result.due, result.record.status) == (active, due, status)


def test_a_cancelled_line_stays_visible_but_is_not_in_the_total() -> None:
    gone = msgspec.structs.replace(LINE, line_no="2", state="Cancelled")
    result = mapped(changed(lines=(LINE, gone))).record
    assert [line.status for line in result.lines] == ["open", "cancelled"]
    assert result.total == Decimal("1.01")


def test_it_needs_its_supplier() -> None:
    assert references(ORDER) == (Reference("suppliers", "S1"),)
    result = held(ORDER, msgspec.structs.replace(CONTEXT, links={}))
    assert result.cause == "supplier_not_linked"
    assert result.stake == Money(Decimal("1.01"), "EUR")
    assert result.owner is Owner.CLERK
    assert result.sentence.startswith("Order 4711 waits for supplier S1, ")
    assert "company 10 " in result.remedy


@pytest.mark.parametrize("state", ["Planned", "Closed", "Cancelled"])
def test_an_order_that_need_not_be_created_waits_for_its_supplier_only_once_it_is_linked(state: str) -> None:
    assert held(changed(state=state), msgspec.structs.replace(CONTEXT, links={})).idle
    assert not held(ORDER, msgspec.structs.replace(CONTEXT, links={})).idle


@pytest.mark.parametrize(
    ("order", "cause", "owner", "said"),
    [
        (changed(state="Frozen"), "unknown_state", Owner.ADMINISTRATOR, "has the state Frozen, "),
        (changed(state=""), "unknown_state", Owner.ADMINISTRATOR, "has the state (none), "),
        (changed(lines=(msgspec.structs.replace(LINE, state="Odd"),)), "unknown_state", Owner.ADMINISTRATOR, "Odd, "),
        (
            changed(lines=(LINE, msgspec.structs.replace(LINE, line_no="2", currency="USD"))),
            "mixed_currencies",
            Owner.PURCHASING,
            "is in EUR, but line 2 is in USD.",
        ),
        (changed(company="30"), "company_not_mapped", Owner.ADMINISTRATOR, "company 30, "),
    ],
)
def test_what_can_not_be_mapped_is_held(order: PurchaseOrder, cause: str, owner: Owner, said: str) -> None:
    result = held(order)
    assert (result.cause, result.owner) == (cause, owner)
    assert result.sentence.startswith("Order 4711 ")
    assert said in result.sentence
    assert result.remedy
    assert result.lacks == ("30" if cause == "company_not_mapped" else "")
    assert result.stake == (None if cause == "mixed_currencies" else Money(Decimal("1.01"), "EUR"))


def test_an_order_that_vanished_is_cancelled() -> None:
    order = mapped(ORDER).record
    assert retire(order) == msgspec.structs.replace(order, status="cancelled")
