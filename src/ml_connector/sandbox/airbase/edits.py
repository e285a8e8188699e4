"""Edits from outside the API: what a person in Airbase's own pages, or Airbase itself, would do.

One rule: no check of the API stands in the way, so that a test can make any state there can be.
It must not know HTTP.
"""

from collections.abc import Callable
from typing import Any

from ml_connector.sandbox.airbase import seed
from ml_connector.sandbox.airbase.amend import amended
from ml_connector.sandbox.airbase.books import Books
from ml_connector.sandbox.airbase.examples import MAKERS
from ml_connector.sandbox.airbase.kinds import KINDS, Kind

Op = dict[str, Any]
Fields = dict[str, Any]
DECIDED = ("purchase_requests", "bills")
DOCUMENTS = (*MAKERS, "ledger_entries")
_DECIDED_AT = "2026-07-01T00:00:00"  # where a request tells no day at all


def edited(books: Books, op: Op) -> dict[str, Any]:
    """Do one edit, `{"op", "kind", "id", "fields"}`; a mistake in it is a ValueError.

    Shape: create, update and delete are for any kind; amend (`fields`: `amount` and, if at hand, `lines`) for any
    document; approve and deny for requests and bills; reverse for payments; resend for ledger entries. In all of
    these, further `fields` are set as they are given.
    """
    act = _ACTS.get(str(op.get("op")))
    kind = KINDS.get(str(op.get("kind")))
    if act is None or kind is None or set(op) - {"op", "kind", "id", "fields"}:
        raise ValueError(
            f"an edit is {{op, kind, id, fields}} with op one of {', '.join(_ACTS)}; kind one of {', '.join(KINDS)}"
        )
    return act(books, kind, op)


def _create(books: Books, kind: Kind, op: Op) -> dict[str, Any]:
    fields = _fields(op)
    if kind.name in DOCUMENTS:
        row = seed.make(books, kind.name, len(books.tables[kind.name]), fields)
    else:
        row = books.add(kind, fields)
    return {"row": books.shown(kind, row)}


def _update(books: Books, kind: Kind, op: Op) -> dict[str, Any]:
    return _changed(books, kind, _row(books, kind, op), _fields(op))


def _delete(books: Books, kind: Kind, op: Op) -> dict[str, Any]:
    return {"deleted": int(books.tables[kind.name].drop(str(op.get("id"))))}


def _amend(books: Books, kind: Kind, op: Op) -> dict[str, Any]:
    _demand(kind, op, DOCUMENTS)
    row, fields = _row(books, kind, op), _fields(op)
    total, lines = fields.pop("amount", None), fields.pop("lines", None)
    if total is None:
        raise ValueError("to amend a document takes its new amount")
    return _changed(books, kind, row, {**amended(kind.name, row, str(total), lines), **fields})


def _approve(books: Books, kind: Kind, op: Op) -> dict[str, Any]:
    return _decide(books, kind, op, "approved", "accepted")


def _deny(books: Books, kind: Kind, op: Op) -> dict[str, Any]:
    return _decide(books, kind, op, "denied", "denied")


def _decide(books: Books, kind: Kind, op: Op, status: str, decision: str) -> dict[str, Any]:
    """Decide as every approver at once, at `approved_at` or else on the day of the invoice."""
    _demand(kind, op, DECIDED)
    row, fields = _row(books, kind, op), _fields(op)
    decided_at = fields.get("approved_at") or row.get("invoice_date") or _DECIDED_AT
    approvals = [{**approval, "status": decision, "decided_at": decided_at} for approval in row["approvals"]]
    changed: Fields = {
        "status": status,
        "approvals": approvals,
        "approved_at": decided_at if status == "approved" else None,
        "po_number": row["po_number"] or _po_number(kind, row, status),
    }
    return _changed(books, kind, row, {**changed, **fields})


def _po_number(kind: Kind, row: Fields, status: str) -> str | None:
    is_new = kind.name == "purchase_requests" and status == "approved"
    return row["number"].replace("PR-", "APO-") if is_new else None


def _reverse(books: Books, kind: Kind, op: Op) -> dict[str, Any]:
    """Reverse a payment; its bills are unpaid again."""
    _demand(kind, op, ("payments",))
    row = _row(books, kind, op)
    for key in row["bill_ids"]:
        if bill := books.tables["bills"].get(key):
            books.tables["bills"].put({**bill, "payment_status": "unpaid"})
    return _changed(books, kind, row, {"status": "reversed", **_fields(op)})


def _resend(books: Books, kind: Kind, op: Op) -> dict[str, Any]:
    """Put a ledger entry back in the queue; what was acknowledged about it stays."""
    _demand(kind, op, ("ledger_entries",))
    waiting = {"status": "sync_ready", "error_message": ""}
    return _changed(books, kind, _row(books, kind, op), {**waiting, **_fields(op)})


def _demand(kind: Kind, op: Op, kinds: tuple[str, ...]) -> None:
    if kind.name not in kinds:
        raise ValueError(f"{op['op']} is for {', '.join(kinds)}")


def _row(books: Books, kind: Kind, op: Op) -> Fields:
    row = books.tables[kind.name].get(str(op.get("id")))
    if row is None:
        raise ValueError(f"there is no {op.get('id')} in {kind.name}")
    return dict(row)


def _changed(books: Books, kind: Kind, row: Fields, fields: Fields) -> dict[str, Any]:
    changed = {**row, **fields, "id": row["id"], "airbase_id": row["airbase_id"]}
    books.tables[kind.name].put(changed)
    return {"row": books.shown(kind, changed)}


def _fields(op: Op) -> Fields:
    return dict(op.get("fields") or {})


_ACTS: dict[str, Callable[[Books, Kind, Op], dict[str, Any]]] = {
    "create": _create,
    "update": _update,
    "delete": _delete,
    "amend": _amend,
    "approve": _approve,
    "deny": _deny,
    "reverse": _reverse,
    "resend": _resend,
}
