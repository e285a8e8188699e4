"""What a replay would do: which records are looked at again, and what would become of them.

Rule: nothing is written; of many records the first are looked at, and it is said how many there are.
Must not know: HTML, requests.
"""

from collections.abc import Mapping, Sequence
from itertools import islice

import msgspec
from pydantic import Field

from ml_connector import flows
from ml_connector.console.api.shapes import Shown, shown_key
from ml_connector.console.views import records
from ml_connector.console.views.fields import FieldShown, compared
from ml_connector.store.connections import Connection
from ml_connector.store.db import Database
from ml_connector.store.orders import Orders
from ml_connector.sync.orders import Order
from ml_connector.wiring import Joined, Opened, causes, replaying
from ml_connector.wiring.replaying import Prospect, Would

LOOKED_MAX, SHOWN_MAX, NAMED_MAX = 500, 50, 20
MARKS = {
    Would.POST: "ok",
    Would.CREATE: "ok",
    Would.CHANGE: "ok",
    Would.SWITCH_OFF: "warn",
    Would.THERE: "idle",
    Would.BLOCKED: "warn",
    Would.GONE: "idle",
    Would.NOTHING: "idle",
}
SAID = {
    Would.POST: ("would be posted", "would be posted"),
    Would.CREATE: ("would be created", "would be created"),
    Would.CHANGE: ("would be changed", "would be changed"),
    Would.SWITCH_OFF: ("would be switched off", "would be switched off"),
    Would.THERE: ("is there already", "are there already"),
    Would.BLOCKED: ("is still held", "are still held"),
    Would.GONE: ("is gone from its source", "are gone from their source"),
    Would.NOTHING: ("is not due", "are not due"),
}


class Named(Shown):
    """A record that is named; `called`: what it is called, as far as known."""

    flow: str
    key: str
    called: str


class Asked(Shown):
    """Which records are to be looked at again: so many of each flow; the first of them by name."""

    flow: str
    cause: str
    title: str = Field(description="The cause in words.")
    total: int
    counts: dict[str, int]
    named: list[Named]


class Outlook(Named):
    """What would become of one record."""

    mark: str
    would: str
    sentence: str
    remedy: str
    target_id: str
    fields: list[FieldShown]


class Counted(Shown):
    """How many records would end in one way."""

    mark: str
    said: str
    count: int


class Preview(Shown):
    """What would become of the records; `looked_at` of `total` were."""

    total: int
    looked_at: int
    counts: list[Counted]
    objections: list[str] = Field(description="Why a gate would stop it.")
    first: list[Outlook]


def asked(opened: Opened, connection: Connection, chosen: Mapping[str, Sequence[str]], flow: str, cause: str) -> Asked:
    """Which records were chosen."""
    listed = [(name, key) for name, keys in chosen.items() for key in keys[:NAMED_MAX]][:NAMED_MAX]
    names = records.names(opened, connection.id, listed)
    return Asked(
        flow=flow,
        cause=cause,
        title=causes.title(cause) if cause else "",
        total=sum(len(keys) for keys in chosen.values()),
        counts={name: len(keys) for name, keys in chosen.items()},
        named=[Named(flow=flow, key=shown_key(key), called=names.get((flow, key), "")) for flow, key in listed],
    )


def preview(both: Joined, chosen: Mapping[str, Sequence[str]]) -> Preview:
    """What would become of the first of these records. Raises: ConnectorError."""
    some = _first(chosen)
    made = replaying.preview(both, some, SHOWN_MAX)
    names = records.names(both.opened, both.stored.id, [(one.flow, one.key) for one in made.first])
    counted = [(would, sum(one[would] for one in made.counts.values())) for would in Would]
    return Preview(
        total=sum(len(keys) for keys in chosen.values()),
        looked_at=sum(len(keys) for keys in some.values()),
        counts=[_counted(would, count) for would, count in counted if count],
        objections=[f"{report.flow}: {one}" for report in made.reports for one in report.objections],
        first=[_outlook(one, names.get((one.flow, one.key), "")) for one in made.first],
    )


def place(database: Database, orders: Sequence[Order], once: str) -> list[str]:
    """Place the orders of a form, whose `once` names them: sent a second time, it places nothing more."""
    kept = Orders(database)
    named = [msgspec.structs.replace(order, id=f"replay-{once}-{number}") for number, order in enumerate(orders)]
    return list(dict.fromkeys(kept.place(order) for order in named))


def _first(chosen: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    every = ((flow, key) for flow, keys in chosen.items() for key in keys)
    some: dict[str, list[str]] = {}
    for flow, key in islice(every, LOOKED_MAX):
        some.setdefault(flow, []).append(key)
    return some


def _counted(would: Would, count: int) -> Counted:
    return Counted(mark=MARKS[would], said=SAID[would][count != 1], count=count)


def _outlook(one: Prospect, called: str) -> Outlook:
    before, after = msgspec.to_builtins(one.before), msgspec.to_builtins(one.after)
    return Outlook(
        flow=flows.FLOWS[one.flow].name,
        key=shown_key(one.key),
        called=called,
        mark=MARKS[one.would],
        would=SAID[one.would][0],
        sentence=one.held.sentence if one.held else "",
        remedy=one.held.remedy if one.held else "",
        target_id=one.target_id,
        fields=[field for field in compared(before, after) if field.changed],
    )
