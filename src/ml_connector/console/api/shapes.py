"""What all parts of the API share: how values look, how lists are cut into pages.

Rule: money is text, a time is ISO 8601 with its zone, unknown fields are refused, every list is bounded.
Must not know: what is listed.
"""

import base64
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from fastapi import Depends, Path
from pydantic import BaseModel, ConfigDict, Field

from ml_connector.console.refusals import Refused, absent
from ml_connector.console.site import Here
from ml_connector.errors import SettingsError
from ml_connector.records import keys
from ml_connector.store.connections import Connection
from ml_connector.wiring import choice

NUMBER_MAX = 2**31 - 1
LIMIT, LIMIT_MAX = 100, 500
PLAIN = r"^[^\x00-\x1f\x7f]*$"
T = TypeVar("T")
Row = TypeVar("Row")

Text = Annotated[str, Field(max_length=200, pattern=PLAIN)]
Key = Annotated[str, Field(min_length=1, max_length=500, pattern=PLAIN)]
Number = Annotated[int, Field(ge=1, le=NUMBER_MAX)]
FlowPath = Annotated[str, Path(max_length=64, pattern=r"^[a-z_]+$", description="A flow, such as suppliers.")]
NamePath = Annotated[str, Path(max_length=64, pattern=r"^[^\x00-\x1f\x7f/]+$", description="A connection's name.")]


class Shown(BaseModel):
    """Something as it is answered."""

    model_config = ConfigDict(from_attributes=True, frozen=True, extra="forbid")


class Asked(BaseModel):
    """Something that is asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class Listing(Asked):
    """Which part of a list."""

    limit: int = Field(LIMIT, ge=1, le=LIMIT_MAX, description="How many at most.")
    cursor: str = Field("", max_length=400, pattern=r"^[A-Za-z0-9_-]*$", description="`next` of the page before.")


class Page(Shown, Generic[T]):
    """A part of a list; `next` null: the last one."""

    items: list[T]
    next: str | None = Field(description="What to give as `cursor` for the page after this one.")


def page(
    listing: Listing, rows: Sequence[Row], show: Callable[[Row], T], at: Callable[[Row], tuple[Any, ...]]
) -> Page[T]:
    """A page of rows, of which one more than asked for was read; `at`: where a row stands in the list."""
    shown = rows[: listing.limit]
    following = cursor(at(shown[-1])) if len(rows) > listing.limit else None
    return Page(items=[show(row) for row in shown], next=following)


def after(listing: Listing, kind: type[T]) -> T | None:
    """Where the page before ended."""
    if not listing.cursor:
        return None
    try:
        padded = listing.cursor + "=" * (-len(listing.cursor) % 4)
        return msgspec.json.decode(base64.urlsafe_b64decode(padded), type=kind)
    except ValueError:
        raise Refused(422, "invalid", "this is no cursor; take it from `next` of the page before") from None


def cursor(at: tuple[Any, ...]) -> str:
    """A place in a list, as it is given in an address."""
    return base64.urlsafe_b64encode(msgspec.json.encode(at)).decode().rstrip("=")


def zoned(at: datetime) -> datetime:
    """An instant in UTC. Raises: Refused for one that no calendar has."""
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise Refused(422, "invalid", "this is no time") from None


def key_of(text: str) -> str:
    """A key of several parts, given as A/B."""
    parts = text.split("/")
    return keys.SEPARATOR.join(parts) if all(parts) else text


def shown_key(key: str) -> str:
    """A key as it is given in an address."""
    return key.replace(keys.SEPARATOR, "/")


def _connection(name: NamePath, here: Here) -> Connection:
    try:
        return here.opened.connections.get(name)
    except SettingsError as error:
        raise absent(str(error)) from None


def _flow(flow: FlowPath) -> str:
    try:
        choice.known([flow])
    except SettingsError as error:
        raise absent(str(error)) from None
    return flow


Connected = Annotated[Connection, Depends(_connection)]
Flow = Annotated[str, Depends(_flow)]
