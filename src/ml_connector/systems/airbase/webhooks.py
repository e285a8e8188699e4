"""Airbase's webhooks: which event one is, and which record it hints at.

Rule: an event is a hint to read the record; nothing else in it is used, and an unknown type is kept, not guessed.
Must not know: HTTP, secrets, what is done about an event.
"""

import re
from datetime import UTC, datetime
from typing import Annotated

import msgspec

from ml_connector.systems.notices import BODY_BYTES_MAX, TEXT_MAX, Unreadable, usable

# Source: facts of the one public consumer name purchase_request_approved; every other type here is assumed, and so is
# how any of them is written.
FLOWS: dict[str, str] = {
    "purchase_request_approved": "purchase_requests",
    "payment_settled": "payments",
    "payment_completed": "payments",
    "payment_paid": "payments",
    "bill_approved": "supplier_invoices",
    "vendor_created": "vendors",
}
KEYS = ("airbase_id", "id")  # assumed; inside `data`, in the order in which the client tells a record's id
_IGNORED = re.compile(r"[\W_]+")

Short = Annotated[str, msgspec.Meta(max_length=TEXT_MAX)]


class Event(msgspec.Struct, frozen=True):
    """An event as far as it is used.

    `created_date`: as written. `created_at`: None where its zone is not known. `key`: None where no record is named.
    `flow`: which flow may have work; "" for an unknown type.
    """

    id: str
    type: str
    created_date: str
    created_at: datetime | None
    key: str | None
    flow: str


class _Told(msgspec.Struct, frozen=True):
    """The five fields that every event has; all that is below `data` stays unread."""

    id: Short
    object: Short
    type: Short
    created_date: Short
    data: dict[str, msgspec.Raw]


_DECODER = msgspec.json.Decoder(_Told)


def event(body: bytes) -> Event | Unreadable:
    """Read an event."""
    if len(body) > BODY_BYTES_MAX:
        return Unreadable(f"the event is larger than {BODY_BYTES_MAX} bytes")
    try:
        told = _DECODER.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return Unreadable(f"the body is no event of Airbase: {_why(error)}")
    if not usable(told.id) or not usable(told.type):
        return Unreadable("the id or the type of the event is empty or holds odd characters")
    key = next((found for name in KEYS if (found := _key(told.data.get(name)))), None)
    at = told.created_date
    return Event(told.id, told.type, at, _instant(at), key, _flow_of(told.type))


def _flow_of(kind: str) -> str:
    """The flow that an event's type is for, case and separators aside; "" when it is unknown."""
    wanted = _plain(kind)
    return next((flow for name, flow in FLOWS.items() if _plain(name) == wanted), "") if wanted else ""


def _plain(kind: str) -> str:
    return _IGNORED.sub("", kind).casefold()


def _key(raw: msgspec.Raw | None) -> str:
    try:
        found = msgspec.json.decode(raw or b"null", type=str)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return ""  # no id of a record: the flow as a whole is looked at
    return found if usable(found) else ""


def _instant(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _why(error: Exception) -> str:
    """What the decoder found wrong with the shape; that tells fields and types, never values."""
    return str(error)[:TEXT_MAX] if isinstance(error, msgspec.ValidationError) else "it is no usable JSON"
