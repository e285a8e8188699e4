"""Event actions of IFS: whatever body the customer builds, and the key of one record in it.

Rule: where to look is data; a hint names a record to read and carries nothing else inward.
Must not know: HTTP, secrets, what is done about a hint.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import partial
from typing import Annotated, Any, cast
from xml.etree.ElementTree import Element, ParseError

import msgspec
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from ml_connector.systems.ifs import rows
from ml_connector.systems.notices import BODY_BYTES_MAX, Unreadable, usable
from ml_connector.systems.signature import Scheme

SHARED_SECRET = Scheme("header", header="X-Webhook-Secret")  # what an event action can send: headers, no signature
PARTS_MAX = 10
_BOM = b"\xef\xbb\xbf"
Values = Callable[[list[str]], Iterable[Any]]  # what a body has at a path
_JSON = msgspec.json.Decoder(float_hook=Decimal)

# Source: assumed; names of logical units as IFS writes them.
FLOWS: dict[str, str] = {
    "PurchaseOrder": "purchase_orders",
    "PurchaseOrderLine": "purchase_orders",
    "PurchaseOrderLinePart": "purchase_orders",
    "SupplierInfo": "suppliers",
    "SupplierInfoGeneral": "suppliers",
    "SupplierInfoAddress": "suppliers",
    "IdentityInvoiceInfo": "suppliers",
    "Account": "accounts",
}

Path = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Paths = Annotated[tuple[Path, ...], msgspec.Meta(min_length=1, max_length=PARTS_MAX)]


class Finder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a hint stands in a body, as paths such as `OrderNo` or `Order/OrderNo`.

    `key`: one path a part of the key. `keys`: the same for flows whose key stands elsewhere. `flow`: the flow of every
    hint; when it is "", `unit` is the path of the logical unit's name and `flows` says which flow that is for.
    `event_id`: path of an id that tells repeats; "" when the body has none.
    """

    key: Paths = ("key",)
    keys: dict[str, Paths] = {}
    flow: str = ""
    unit: str = "unit"
    flows: dict[str, str] = msgspec.field(default_factory=lambda: dict(FLOWS))
    event_id: str = "event_id"


class Hint(msgspec.Struct, frozen=True):
    """One record that may have changed; `flow` is "" for a logical unit that no flow is for."""

    flow: str
    key: str
    unit: str = ""
    event_id: str = ""


def hint(body: bytes, content_type: str, finder: Finder) -> Hint | Unreadable:
    """Read the key of a record out of a body of JSON or XML."""
    if len(body) > BODY_BYTES_MAX:
        return Unreadable(f"the body is larger than {BODY_BYTES_MAX} bytes")
    try:
        return _found(_read(body.removeprefix(_BOM), content_type.lower()), finder)
    except _Missing as missing:
        return Unreadable(str(missing))


class _Missing(Exception):
    """What was looked for is not there, as a sentence."""


def _in_json(raw: Any, names: list[str]) -> Iterable[Any]:
    found = _spread(raw)
    for name in names:
        inner = (cast(Mapping[str, Any], one).get(name) for one in found if isinstance(one, dict))
        found = [value for one in inner for value in _spread(one)]
    return found


def _in_xml(root: Element, names: list[str]) -> Iterable[Any]:
    found = [root]
    for name in names[1:] if len(names) > 1 and names[0] == _local(root) else names:
        found = [child for one in found for child in one if _local(child) == name]
    return (one.text for one in found if not len(one))


def _read(body: bytes, content_type: str) -> Values:
    start = body.lstrip()[:1]
    if start in (b"{", b"["):
        return _json(body)
    if start == b"<" or "xml" in content_type:
        return _xml(body)
    raise _Missing("the body is neither a JSON object nor XML")


def _json(body: bytes) -> Values:
    try:
        return partial(_in_json, _JSON.decode(body))
    except (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError):
        raise _Missing("the body is no usable JSON") from None


def _xml(body: bytes) -> Values:
    try:
        return partial(_in_xml, fromstring(body, forbid_dtd=True))
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise _Missing("the body is no usable XML") from None


def _found(values: Values, finder: Finder) -> Hint:
    unit = "" if finder.flow else _text(values, finder.unit)
    flow = finder.flow or finder.flows.get(unit, "")
    parts = [_text(values, path) for path in finder.keys.get(flow, finder.key)]
    try:
        key = rows.key(parts)
    except ValueError:
        raise _Missing("the key in the body can't be used") from None
    event_id = _text(values, finder.event_id, needed=False) if finder.event_id else ""
    return Hint(flow, key, unit, event_id)


def _text(values: Values, path: str, *, needed: bool = True) -> str:
    found = {text for value in values(path.split("/")) if (text := _plain(value))}
    if not found and needed:
        raise _Missing(f"the body has nothing usable at {path}")
    if len(found) > 1:
        raise _Missing(f"the body has several values at {path}, and a hint is for one record")
    return found.pop() if found else ""


def _plain(value: Any) -> str:
    """A value as part of a key; "" for one that can't be."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text.strip() if usable(text.strip()) else ""


def _spread(value: Any) -> list[Any]:
    return cast(list[Any], value) if isinstance(value, list) else [value]


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]
