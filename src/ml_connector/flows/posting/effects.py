"""What the status of a document comes to.

Rule: a status that is not listed has no effect that anybody knows.
Must not know: rules, accounts.
"""

from collections.abc import Mapping
from enum import StrEnum

from ml_connector.records.spend import PAYMENT, REQUEST, Document


class Effect(StrEnum):
    """Whether a document should be in the ledger."""

    DUE = "due"  # it should be posted
    STANDS = "stands"  # what is posted stays; what is not need not be
    WITHDRAWN = "withdrawn"  # nothing should stand


_WITHDRAWN = Effect.WITHDRAWN
_OF_ENTRIES: Mapping[str, Effect] = {"sync_ready": Effect.DUE, "sync_complete": Effect.STANDS}
_BY_KIND: Mapping[str, Mapping[str, Effect]] = {
    REQUEST: {
        "approved": Effect.DUE,
        "archived": Effect.STANDS,
        "created": _WITHDRAWN,
        "sent_back": _WITHDRAWN,
        "denied": _WITHDRAWN,
    },
    PAYMENT: {
        "settled": Effect.DUE,
        "pending": _WITHDRAWN,
        "failed": _WITHDRAWN,
        "reversed": _WITHDRAWN,
    },
}


def effect_of(document: Document) -> Effect | None:
    """What the status of a document comes to; None for a status that is not known."""
    return _BY_KIND.get(document.kind, _OF_ENTRIES).get(document.status)
