"""Why a supplier invoice is not proposed, or is not as the spend side has it, said for an AP clerk.

Rule: every sentence names the invoice by number and supplier, and the one in IFS by company and id.
Must not know: how any of it was learnt.
"""

from collections.abc import Sequence

from ml_connector.records.money import Money
from ml_connector.records.supplier_invoice import InvoiceProposal, normal
from ml_connector.sync.outcome import Held, Owner
from ml_connector.sync.plan import Found


def entered_already(wanted: InvoiceProposal, twins: Sequence[Found]) -> Held:
    """IFS has one of this supplier, number and currency that is not the bill's."""
    there = ", ".join(f"{one.target_id} over {_worth(one.record)}{_whose(one)}" for one in twins[:5])
    return _held(
        wanted,
        "invoice_entered_already",
        f"Invoice {_subject(wanted)} over {_worth(wanted)} is in IFS already: {there}.",
        "If it is the same invoice, correct the amount or company on the wrong side, or deny the bill that is there "
        "twice; if not, correct its number in Airbase. Then run again.",
    )


def differs(wanted: InvoiceProposal, there: Found) -> Held:
    """The bill says something else than the invoice that was made of it."""
    return _held(
        wanted,
        "invoice_differs",
        f"Invoice {_subject(wanted)} is {there.target_id} in IFS; {_difference(wanted, there.record)}.",
        "Correct the invoice in IFS, or the bill in Airbase, then run again; an invoice that is there is not changed "
        "from here.",
    )


def withdrawn(wanted: InvoiceProposal, target_id: str) -> Held:
    """The bill is no longer approved, and its invoice stands."""
    return _held(
        wanted,
        "invoice_withdrawn",
        f"The bill of invoice {_subject(wanted)} is no longer approved in Airbase; invoice {target_id} of IFS stands.",
        "Cancel the invoice in IFS, or have the bill approved again, then run again.",
    )


def cancelled(wanted: InvoiceProposal, target_id: str) -> Held:
    """The invoice was cancelled, and its bill is approved."""
    return _held(
        wanted,
        "invoice_cancelled",
        f"Invoice {_subject(wanted)} is {target_id} in IFS, which is cancelled; its bill is approved in Airbase.",
        "Enter it in IFS by hand if it is to be paid there, or deny the bill in Airbase.",
    )


def gone(wanted: InvoiceProposal, target_id: str) -> Held:
    """The invoice is not in IFS any more, and its bill is approved."""
    return _held(
        wanted,
        "invoice_gone",
        f"Invoice {_subject(wanted)} was {target_id} in IFS, where it is no longer; its bill is approved in Airbase.",
        "Enter it in IFS by hand if it is to be paid there, or deny the bill in Airbase.",
    )


def not_connected(wanted: InvoiceProposal) -> Held:
    """What was made in a company that nobody reads could never be found again."""
    return _held(
        wanted,
        "company_not_connected",
        f"Invoice {_subject(wanted)} is of company {wanted.company}, which this connection does not hold.",
        "Add the company to the connection, or take it out of the mapping.",
    )


def unmarked(key_property: str, service: str, entity_set: str) -> Held:
    """Nothing in IFS could carry the bill's id."""
    return Held(
        "field_missing_in_ifs",
        f"IFS has no field {key_property} on {entity_set}, so an invoice made twice could not be told.",
        f"Add a custom field (text, 50) to the supplier invoice in IFS, so that {service} shows it as {key_property}; "
        "then run again.",
    )


def _held(wanted: InvoiceProposal, cause: str, sentence: str, remedy: str) -> Held:
    return Held(cause, sentence, remedy, Owner.CLERK, Money(wanted.amount, wanted.currency))


def _subject(proposal: InvoiceProposal) -> str:
    return f"{proposal.number} of supplier {proposal.supplier_id}"


def _worth(proposal: InvoiceProposal) -> Money:
    return Money(proposal.amount, proposal.currency)


def _whose(twin: Found) -> str:
    return f" (of bill {twin.key})" if twin.key else ""


def _difference(wanted: InvoiceProposal, there: InvoiceProposal) -> str:
    """What differs, as `Airbase says … and IFS says …`."""
    said = (
        ("amount", str(_worth(wanted)), str(_worth(there))),
        ("number", wanted.number if normal(wanted.number) != normal(there.number) else "", there.number),
        ("supplier", wanted.supplier_id, there.supplier_id),
        ("company", wanted.company, there.company),
    )
    parts = [f"{what} {here} in Airbase, {other} there" for what, here, other in said if here and here != other]
    return "; ".join(parts)
