"""Requests that change something.

Rule: an update, a delete or a bound action is made from the ETag that was read, or not at all. Without If-Match IFS
takes a PATCH for an upsert, and `*` skips its check.
Must not know: sockets, batches, which record is meant.
"""

import re
from typing import Any, cast

import msgspec

from ml_connector.systems.ifs.odata.answers import ETAG
from ml_connector.systems.ifs.odata.literals import name

_ETAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]+"')


class ETag(msgspec.Struct, frozen=True):
    """The version of a row as IFS gave it.

    Raises: ValueError when it is empty, a star, or no entity tag.
    """

    text: str

    def __post_init__(self) -> None:
        if not _ETAG.fullmatch(self.text) or self.text.strip('W/"') in ("", "*"):
            raise ValueError("not an ETag that IFS gave")

    @classmethod
    def of(cls, row: dict[str, Any]) -> "ETag":
        """The ETag of a row that was read. Raises: ValueError when it has none."""
        return cls(str(row.get(ETAG, "")))


class Request(msgspec.Struct, frozen=True):
    """A request as it goes out. Raises: ValueError for one that IFS might take for an upsert or leave unchecked."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""

    def __post_init__(self) -> None:
        if self.method not in ("GET", "POST", "PATCH", "DELETE"):
            raise ValueError(f"not a method to use: {self.method[:20]!r}")
        names = [header.lower() for header in self.headers]
        if len(names) != len(set(names)):
            raise ValueError("a header is given twice")
        match = {header.lower(): value for header, value in self.headers.items()}.get("if-match")
        if match is not None or self.method in ("PATCH", "DELETE"):
            ETag(match or "")


class Insert(msgspec.Struct, frozen=True):
    """Create a row in a set; IFS does this again when asked again."""

    place: str
    fields: dict[str, Any]

    def request(self) -> Request:
        """As it goes out."""
        return Request("POST", self.place, _JSON, _body(self.fields))


class Update(msgspec.Struct, frozen=True):
    """Set fields of the row that was read."""

    entity: str
    etag: ETag
    fields: dict[str, Any]

    def __post_init__(self) -> None:
        _needed(self.etag)

    def request(self) -> Request:
        """As it goes out."""
        return Request("PATCH", self.entity, {**_JSON, "If-Match": self.etag.text}, _body(self.fields))


class Delete(msgspec.Struct, frozen=True):
    """Delete the row that was read."""

    entity: str
    etag: ETag

    def __post_init__(self) -> None:
        _needed(self.etag)

    def request(self) -> Request:
        """As it goes out."""
        return Request("DELETE", self.entity, {"If-Match": self.etag.text})


class Act(msgspec.Struct, frozen=True):
    """Call an action bound to the row that was read."""

    entity: str
    action: str
    etag: ETag
    arguments: dict[str, Any] = {}

    def __post_init__(self) -> None:
        _needed(self.etag)
        for part in self.action.split("."):
            name(part)

    def request(self) -> Request:
        """As it goes out."""
        headers = {**_JSON, "If-Match": self.etag.text}
        return Request("POST", f"{self.entity}/{self.action}", headers, _body(self.arguments))


Write = Insert | Update | Delete | Act

# Decimals go as text: a JSON number might be read as a float on the way.
_JSON = {"Content-Type": "application/json;IEEE754Compatible=true"}


def _needed(etag: object) -> None:
    if not isinstance(etag, ETag):
        raise TypeError("the ETag that was read is needed")


def _body(fields: dict[str, Any]) -> bytes:
    _refuse_floats(fields)
    return msgspec.json.encode(fields)


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise ValueError("a float is not an amount")
    if isinstance(value, dict):
        _refuse_floats(list(cast("dict[str, Any]", value).values()))
    elif isinstance(value, list | tuple):
        for item in cast("list[Any]", value):
            _refuse_floats(item)
