"""Why a document waits, said so that a controller knows which one and what to do.

Rule: every sentence begins with the document as people call it, and every hold carries the money at stake.
Must not know: why a document is held.
"""

from ml_connector.records.spend import REQUEST, Document
from ml_connector.sync.outcome import Held, Owner

_TITLES = {REQUEST: "Request"}


def subject(document: Document) -> str:
    """A document as people call it: `Request PR-00012`."""
    title = _TITLES.get(document.kind) or document.kind.replace("_", " ").capitalize()
    return f"{title} {document.number or document.id}".strip()


def held(
    document: Document, cause: str, problem: str, remedy: str, owner: Owner = Owner.CLERK, lacks: str = ""
) -> Held:
    """A hold on a document; `problem` goes on where its name ends."""
    return Held(cause, f"{subject(document)} {problem}.", remedy, owner, document.amount, lacks=lacks)
