"""What becomes of a bill: an invoice to propose, or why not."""

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ml_connector.flows.supplier_invoices import map_bill, retire
from ml_connector.records.money import Money
from ml_connector.records.spend import BILL, Document
from ml_connector.records.supplier_invoice import InvoiceProposal, same_worth, told_by
from ml_connector.sync.flow import Context, Tables
from ml_connector.sync.outcome import Held, Mapped, Owner
from ml_connector.sync.plan import Action, Link, decide

CONTEXT = Context(date(2026, 11, 22), Tables({"10": "SUB-10", "20": "SUB-20"}))
WHOSE = {"unknown_status": Owner.ADMINISTRATOR, "subsidiary_not_mapped": Owner.ADMINISTRATOR}
PROPOSAL = InvoiceProposal(
    "20", "S1", "INV-0007", date(2026, 3, 1), date(2026, 3, 31), "EUR", Decimal("12.50"), order_no="4711"
)


def bill(amount: str = "12.50", currency: str = "EUR", **fields: Any) -> Document:
    given: dict[str, Any] = {
        "number": "BILL-00007",
        "status": "approved",
        "subsidiary": "SUB-20",
        "dated_on": date(2026, 3, 1),
        "due_on": date(2026, 3, 31),
        "supplier_id": "S1",
        "invoice_number": " INV-0007 ",
        "po_number": "4711",
        "bank_account": "1000",
        **fields,
    }
    return Document(id="b-1", kind=BILL, amount=Money(Decimal(amount), currency), **given)


def agreed_on(proposal: InvoiceProposal) -> Context:
    return msgspec.structs.replace(CONTEXT, link=Link("bill-1", "10/7", "", True, proposal))


def test_an_approved_bill_is_proposed_as_it_is() -> None:
    assert map_bill(bill(), CONTEXT) == Mapped(PROPOSAL)
    cents = msgspec.structs.replace(PROPOSAL, amount=Decimal("0.01"))
    assert map_bill(bill("0.01"), CONTEXT) == Mapped(cents)
    assert retire(PROPOSAL).stands is False
    assert msgspec.structs.replace(retire(PROPOSAL), stands=True) == PROPOSAL


@pytest.mark.parametrize("status", ["created", "sent_back", "denied", "archived"])
def test_what_is_not_approved_waits_for_nobody_until_it_was_proposed(status: str) -> None:
    outcome = map_bill(bill(status=status), CONTEXT)
    assert isinstance(outcome, Held)
    assert (outcome.cause, outcome.idle) == ("not_approved", True)
    withdrawn = Mapped(retire(PROPOSAL), active=False)
    assert map_bill(bill(status=status), agreed_on(PROPOSAL)) == withdrawn
    assert map_bill(bill(status=status, supplier_id=""), agreed_on(retire(PROPOSAL))) == withdrawn


@pytest.mark.parametrize(
    ("changed", "cause"),
    [
        ({"status": "half_approved"}, "unknown_status"),
        ({"status": ""}, "unknown_status"),
        ({"subsidiary": "SUB-99"}, "subsidiary_not_mapped"),
        ({"subsidiary": ""}, "subsidiary_not_mapped"),
        ({"supplier_id": ""}, "vendor_without_supplier"),
        ({"invoice_number": " - "}, "invoice_number_missing"),
        ({"dated_on": None}, "date_missing"),
        ({"amount": "0"}, "amount_not_positive"),
        ({"amount": "-12.50"}, "amount_not_positive"),
        ({"amount": "12.505"}, "too_precise"),
        ({"amount": "12.5", "currency": "JPY"}, "too_precise"),
    ],
)
def test_what_cannot_be_an_invoice_is_held_with_what_is_at_stake(changed: dict[str, Any], cause: str) -> None:
    wrong = bill(**changed)
    for context in (CONTEXT, agreed_on(PROPOSAL)):
        outcome = map_bill(wrong, context)
        assert isinstance(outcome, Held)
        assert (outcome.cause, outcome.idle, outcome.stake) == (cause, False, wrong.amount)
        assert outcome.sentence.startswith("Bill BILL-00007 ")
        assert outcome.remedy
        assert outcome.owner is WHOSE.get(cause, Owner.CLERK)
        assert outcome.lacks == (wrong.subsidiary if cause == "subsidiary_not_mapped" else "")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"status": ""}, "has the status (none), "),
        ({"status": "odd"}, "has the status odd, "),
        ({"subsidiary": ""}, "is of subsidiary (none), "),
        ({"subsidiary": "SUB-99"}, "is of subsidiary SUB-99, "),
        ({"supplier_id": ""}, "is of vendor (none), "),
        ({"supplier_id": "", "vendor": "Acme"}, "is of vendor Acme, "),
        ({"amount": "0"}, "is over EUR 0.00, "),
        ({"amount": "1.005"}, "more decimals than EUR"),
        ({"status": "denied"}, "is denied, not approved"),
    ],
)
def test_a_bill_that_waits_says_of_what_it_is(changed: dict[str, Any], said: str) -> None:
    outcome = map_bill(bill(**changed), CONTEXT)
    assert isinstance(outcome, Held)
    assert said in outcome.sentence


def test_a_due_date_is_not_needed() -> None:
    assert map_bill(bill(due_on=None), CONTEXT) == Mapped(msgspec.structs.replace(PROPOSAL, due_on=None))


@pytest.mark.parametrize(
    "changed", [{"due_on": None}, {"invoice_number": "inv. 7"}, {"po_number": ""}, {"amount": "12.5"}]
)
def test_what_says_the_same_stays_as_it_was_proposed(changed: dict[str, Any]) -> None:
    assert map_bill(bill(**changed), agreed_on(PROPOSAL)) == Mapped(PROPOSAL)


@pytest.mark.parametrize(
    "changed",
    [
        {"amount": "13"},
        {"currency": "USD"},
        {"invoice_number": "INV-8"},
        {"supplier_id": "S2"},
        {"subsidiary": "SUB-10"},
    ],
)
def test_what_says_something_else_is_compared_with_what_is_there(changed: dict[str, Any]) -> None:
    outcome = map_bill(bill(**changed), agreed_on(PROPOSAL))
    assert isinstance(outcome, Mapped)
    assert outcome.record.stands
    assert not same_worth(outcome.record, PROPOSAL)


def test_a_bill_that_is_approved_again_should_have_its_invoice_again() -> None:
    assert map_bill(bill(), agreed_on(retire(PROPOSAL))) == Mapped(PROPOSAL)


def test_a_withdrawal_that_is_settled_is_not_asked_for_again() -> None:
    gone = Mapped(retire(PROPOSAL), active=False)
    link = Link("b-1", "20/1", decide("b-1", gone, None, None).digest, active=False, kept=retire(PROPOSAL))
    assert decide("b-1", gone, link, None).action is Action.UNCHANGED


def test_an_invoice_is_told_by_supplier_number_and_currency() -> None:
    other = msgspec.structs.replace(PROPOSAL, number="inv 7", amount=Decimal(1), company="10", dated_on=None)
    assert told_by(PROPOSAL) == told_by(other)
    assert not same_worth(PROPOSAL, other)
    assert same_worth(PROPOSAL, msgspec.structs.replace(PROPOSAL, number="7", amount=Decimal("12.5"), due_on=None))
    for field, value in (("supplier_id", "S2"), ("number", "INV-70"), ("currency", "USD")):
        assert told_by(PROPOSAL) != told_by(msgspec.structs.replace(PROPOSAL, **{field: value}))
