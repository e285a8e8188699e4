"""Events as the stand-in Airbase writes and signs them.

One rule: an event has the five fields of the one public schema; its types beyond the first and its signing are assumed.
It must not know how it is sent, or how a receiver checks it.
"""

import base64
import hashlib
import hmac
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from ml_connector.sandbox.airbase.options import HookOptions, secret_key

# When a row of a kind comes to have a status; only the first is known to exist.
TYPES: dict[tuple[str, str], str] = {
    ("purchase_requests", "approved"): "purchase_request_approved",
    ("payments", "settled"): "payment_settled",
    ("bills", "approved"): "bill_approved",
}


class Event(msgspec.Struct, frozen=True):
    """One event as it is sent."""

    id: str
    type: str
    body: bytes


def event_of(name: str, row: Mapping[str, Any], *, zoned: bool) -> Event:
    """Write an event of this type about a row, created now."""
    key = f"evt_{uuid.uuid4().hex}"
    now = datetime.now(UTC)
    at = now if zoned else now.replace(tzinfo=None)
    fields = {"id": key, "object": "event", "type": name, "created_date": at.isoformat(), "data": row}
    return Event(key, name, msgspec.json.encode(fields))


def headers_of(options: HookOptions, event: Event, at_s: int, *, missigned: bool) -> dict[str, str]:
    """Sign an event for one attempt at a time in seconds since 1970."""
    secret = options.secret + "-not" if missigned else options.secret
    headers = {"Content-Type": "application/json", "User-Agent": "Airbase-Sandbox-Webhooks"}
    if options.scheme == "hmac":
        made = hmac.new(secret.encode(), event.body, hashlib.sha256)
        text = made.hexdigest() if options.encoding == "hex" else base64.b64encode(made.digest()).decode()
        headers[options.header] = options.prefix + text
    elif options.scheme == "standard":
        signed = b"%s.%d.%s" % (event.id.encode(), at_s, event.body)
        made = hmac.new(secret_key(options.secret) + b"-not" * missigned, signed, hashlib.sha256)
        headers["webhook-id"] = event.id
        headers["webhook-timestamp"] = str(at_s)
        headers["webhook-signature"] = f"v1,{base64.b64encode(made.digest()).decode()}"
    return headers


def tampered(body: bytes) -> bytes:
    """Change a body so that it still is an event."""
    return body.removesuffix(b"}") + b',"tampered":true}'
