"""The inbox as people see it: which events came, what they led to, what one of them says, and where they are told.

Rule: a body is looked at one by one, masked; the address of a hook is not shown, as whoever knows it may use it.
Must not know: HTML, requests, how an event becomes an order.
"""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from pydantic import Field

from ml_connector.console import masked
from ml_connector.console.api import shapes
from ml_connector.console.api.shapes import NUMBER_MAX, Listing, Page, Shown
from ml_connector.console.site import Site
from ml_connector.store.connections import Connection
from ml_connector.store.hooks import Hook, Hooks
from ml_connector.store.inbox import Inbox, Kept, State
from ml_connector.wiring.receiving import TELLERS, how_of

_At = tuple[Annotated[int, msgspec.Meta(ge=0, le=NUMBER_MAX)]]


class EventShown(Shown):
    """An event; `occurred` as its sender wrote it. `key` may be empty: the flow as a whole has work."""

    id: int
    system: str
    event_id: str
    type: str
    occurred: str
    received_at: datetime
    verified: bool
    repeats: int
    state: State
    flow: str
    key: str
    order_id: str
    note: str
    done_at: datetime | None
    lag_s: float | None = Field(description="From its arrival to the end of what it led to.")


class EventListing(Listing):
    """Which events."""

    amiss: bool = Field(False, description="Only those that a person has to look at.")


class EventOpened(Shown):
    """An event with what was sent: without secrets and bank details, cut short."""

    event: EventShown
    body: str
    cut: bool
    can_again: bool = Field(description="Whether it can be processed again.")


class HookShown(Shown):
    """Where a system tells of what happened: how that shows that it is genuine, and when it was last used."""

    system: str
    checked: str
    secrets: int
    created_at: datetime
    changed_at: datetime
    last_at: datetime | None


class Standing(Shown):
    """How the inbox stands: the hooks there are, and how many events wait for an order or for somebody to look."""

    hooks: list[HookShown]
    without: list[str] = Field(description="Systems that have no hook.")
    counts: dict[State, int]
    waiting_s: float = Field(description="For how long the oldest event waits for its order.")


def inbox(site: Site) -> Inbox:
    """The events of the store."""
    return Inbox(site.opened.database, site.opened.vault)


def listed(site: Site, connection: Connection, listing: EventListing) -> Page[EventShown]:
    """What webhooks told of, newest first."""
    at = shapes.after(listing, _At)
    rows = inbox(site).recent(connection.id, listing.limit + 1, at[0] if at else None, amiss=listing.amiss)
    return shapes.page(listing, rows, shown, lambda one: (one.id,))


def standing(site: Site, connection: Connection) -> Standing:
    """How the inbox stands."""
    hooks = Hooks(site.opened.database, site.opened.vault).of(connection.id)
    return Standing(
        hooks=[_hook(one) for one in hooks],
        without=[system for system in TELLERS if system not in {one.system for one in hooks}],
        counts=inbox(site).standing(connection.id),
        waiting_s=round(inbox(site).waiting_s(connection.id), 1),
    )


def opened(site: Site, connection: Connection, number: int) -> EventOpened | None:
    """An event with what was sent. Raises: VaultError."""
    one = inbox(site).get(connection.id, number)
    if one is None:
        return None
    text, cut = masked.body(inbox(site).body(connection.id, number) or b"")
    rests = one.state not in (State.WAITING, State.PLACED)
    return EventOpened(event=shown(one), body=text, cut=cut, can_again=bool(one.flow) and rests)


def shown(one: Kept) -> EventShown:
    """An event as it is shown."""
    told = {name: getattr(one, name) for name in EventShown.model_fields if name not in ("key", "lag_s")}
    lag_s = round(max(0.0, (one.done_at - one.received_at).total_seconds()), 3) if one.done_at else None
    return EventShown(key=shapes.shown_key(one.key), lag_s=lag_s, **told)


def _hook(one: Hook) -> HookShown:
    scheme = how_of(one).scheme
    checked = {
        "hmac": f"signed by HMAC-SHA256 in {scheme.header} ({scheme.encoding})",
        "standard": "signed by Standard Webhooks",
        "header": f"with the secret in {scheme.header}",
        "none": "not signed: anybody can send",
    }[scheme.kind]
    return HookShown(
        system=one.system,
        checked=checked,
        secrets=len(one.kept.valid(datetime.now(UTC))),
        created_at=one.created_at,
        changed_at=one.changed_at,
        last_at=one.last_at,
    )
