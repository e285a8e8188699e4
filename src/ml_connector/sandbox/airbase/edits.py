"""Edits from outside the API: what a person in Airbase's own pages, or Airbase itself, would do.

One rule: no check of the API stands in the way, so that a test can make any state there can be.
It must not know HTTP.
"""

from collections.abc import Callable
from typing import Any

from ml_connector.sandbox.airbase import seed
from ml_connector.sandbox.airbase.books import Books
from ml_connector.sandbox.airbase.documents import MAKERS
from ml_connector.sandbox.airbase.kinds import KINDS, Kind

Op = dict[str, Any]


def edited(books: Books, op: Op) -> dict[str, Any]:
    """Do one of create, update, delete; `{"op", "kind", "id", "fields"}`; a mistake in it is a ValueError."""
    act = _ACTS.get(str(op.get("op")))
    kind = KINDS.get(str(op.get("kind")))
    if act is None or kind is None or set(op) - {"op", "kind", "id", "fields"}:
        raise ValueError(
            f"an edit is {{op, kind, id, fields}} with op one of {', '.join(_ACTS)}; kind one of {', '.join(KINDS)}"
        )
    return act(books, kind, op)


def _create(books: Books, kind: Kind, op: Op) -> dict[str, Any]:
    fields: dict[str, Any] = op.get("fields") or {}
    if kind.name in MAKERS or kind.name == "ledger_entries":
        row = seed.make(books, kind.name, len(books.tables[kind.name]), fields)
    else:
        row = books.add(kind, fields)
    return {"row": books.shown(kind, row)}


def _update(books: Books, kind: Kind, op: Op) -> dict[str, Any]:
    row = books.tables[kind.name].get(str(op.get("id")))
    if row is None:
        raise ValueError(f"there is no {op.get('id')} in {kind.name}")
    fields: dict[str, Any] = op.get("fields") or {}
    changed = {**row, **fields, "id": row["id"], "airbase_id": row["airbase_id"]}
    books.tables[kind.name].put(changed)
    return {"row": books.shown(kind, changed)}


def _delete(books: Books, kind: Kind, op: Op) -> dict[str, Any]:
    return {"deleted": int(books.tables[kind.name].drop(str(op.get("id"))))}


_ACTS: dict[str, Callable[[Books, Kind, Op], dict[str, Any]]] = {
    "create": _create,
    "update": _update,
    "delete": _delete,
}
