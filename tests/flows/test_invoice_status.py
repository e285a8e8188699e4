"""What an IFS invoice shows of Airbase's decision, and what waits for its invoice."""

from datetime import date
from decimal import Decimal

import pytest

from ml_connector.flows.invoice_status import INVOICE_STATUS, absent, map_status, retire
from ml_connector.records import keys
from ml_connector.records.supplier_invoice import InvoiceReference, InvoiceStatus
from ml_connector.sync.flow import Context, Tables
from ml_connector.sync.outcome import Mapped, Owner

CONTEXT = Context(date(2026, 11, 22), Tables())


def reference(status: str) -> InvoiceReference:
    return InvoiceReference("payment", "p-1", "S1", "EUR", Decimal(5), "invoice", "INV-7", status)


@pytest.mark.parametrize("status", ["Approved", "Paid", "Reversed", "Declined"])
def test_a_decision_is_shown(status: str) -> None:
    assert map_status(reference(status), CONTEXT) == Mapped(InvoiceStatus(status))


def test_nothing_is_looked_for_as_long_as_there_is_no_decision() -> None:
    assert map_status(reference(""), CONTEXT) == Mapped(InvoiceStatus(""), due=False)


def test_what_was_shown_stays() -> None:
    assert retire(InvoiceStatus("Paid")) == InvoiceStatus("Paid")


@pytest.mark.parametrize(
    ("parts", "said", "idle"),
    [
        (("payment", "p-1", "invoice", "S1", "INV-7"), "INV-7 of supplier S1", False),
        (("payment", "p-1", "invoice", "-", "INV-7"), "INV-7", False),
        (("purchase_request", "r-1", "order", "S1", "4711"), "for order 4711 of supplier S1", True),
        (("purchase_request", "r-1", "order", "-", "4711"), "for order 4711", True),
    ],
)
def test_without_its_invoice_it_waits_unless_it_names_an_order_only(
    parts: tuple[str, ...], said: str, idle: bool
) -> None:
    held = absent(InvoiceStatus("Approved"), keys.join(parts))
    assert (held.cause, held.owner) == ("invoice_not_found", Owner.CLERK)
    assert held.sentence.endswith(f": {said}.")
    assert held.idle is idle


def test_the_flow_never_creates() -> None:
    assert INVOICE_STATUS.absent is absent
