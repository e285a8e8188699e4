"""The texts of a voucher.

Rule: the same document gives the same text, it begins with the document's number, and it is never too long.
Must not know: rules, accounts.
"""

from ml_connector.records.spend import Document, SpendLine

TEXT_MAX = 200


def text_of(document: Document) -> str:
    """The text of a document's voucher: `PR-00012 Office chairs · approved by Ada Moreau 2026-07-01`."""
    end = _approval(document)[: TEXT_MAX // 2]
    return f"{_cut(topic(document), TEXT_MAX - len(end))}{end}"


def topic(document: Document) -> str:
    """The number of a document and what it is about."""
    about = document.description or document.vendor or document.category
    return _cut(_clean(f"{document.number or document.id} {about}"), TEXT_MAX)


def line_text(document: Document, line: SpendLine) -> str:
    """The text of a line's row."""
    return _cut(_clean(f"{document.number or document.id} {line.description or document.description}"), TEXT_MAX)


def role_text(document: Document, role: str) -> str:
    """The text of a row that no line stands behind: `PAY-00012 fee`."""
    return _cut(_clean(f"{document.number or document.id} {role}"), TEXT_MAX)


def _approval(document: Document) -> str:
    by = _clean(f"by {document.approver}") if document.approver else ""
    said = " ".join(part for part in (by, document.approved[:10]) if part)
    return f" · approved {said}" if said else ""


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def _clean(text: str) -> str:
    """In one line, without what can't be seen."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
