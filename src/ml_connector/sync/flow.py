"""A flow: what is read where, how it maps, what it may do.

Rule: a flow is a value made of pure functions; the pipeline has no `if` for any one of them.
Must not know: how records are read, stored or sent.
"""

from collections.abc import Callable, Mapping
from datetime import date
from enum import StrEnum
from typing import Any, Generic, TypeVar

import msgspec

from ml_connector.records.ledger import Books
from ml_connector.sync.outcome import Admitted, Held, Mapped, Trace
from ml_connector.sync.plan import Link
from ml_connector.sync.policy import Policy

S = TypeVar("S")
T = TypeVar("T")

BOTH = "both"  # the system of an end that is in IFS and in Airbase at once


class End(msgspec.Struct, frozen=True):
    """One side of a flow: a resource of a system."""

    system: str
    resource: str


class Reference(msgspec.Struct, frozen=True):
    """A record of another flow that this one needs to be linked first."""

    flow: str
    key: str


class Shape(StrEnum):
    """How records move."""

    MIRROR = "mirror"  # master data: the target follows the source
    POST = "post"  # documents: made once; when the source changes later, corrected, never edited


class Tables(msgspec.Struct, frozen=True):
    """The connection's mapping tables, from IFS values to Airbase values, and what only some flows know how to read.

    `dimensions`: label of a tag to code part. `rules`: the rule book of the posting flows.
    """

    subsidiaries: Mapping[str, str] = {}
    payment_terms: Mapping[str, str] = {}
    dimensions: Mapping[str, str] = {}
    rules: Any = None
    terms_conflict: str = "hold"
    new_vendors: str = "hold"
    likely: Mapping[str, str] = {}


class Context(msgspec.Struct, frozen=True):
    """What a mapping may know beside its record: the day, the tables, the targets of its references.

    `links` has a key for each reference that is linked, or that this plan will link (then with an empty id); those of
    them that are switched off are in `asleep`. `link`: the record's own, if it has one.
    """

    today: date
    tables: Tables
    links: Mapping[Reference, str] = {}
    asleep: frozenset[Reference] = frozenset()
    books: Books = Books()
    link: Link | None = None

    @property
    def agreed(self) -> Any:
        """What both sides last agreed on of this record; None when it is not linked."""
        return self.link.agreed if self.link else None


Place = tuple[str, ...]


class Setting(msgspec.Struct, frozen=True):
    """The setting of a profile that turns a flow on, and with which values, the first of which is proposed.

    `listed`: the setting is a list that has to hold one of them.
    """

    place: Place
    values: tuple[Any, ...]
    listed: bool = False

    def turned_on(self, value: Any) -> bool:
        """Whether what is set turns it on."""
        return any(one in value for one in self.values) if self.listed else value in self.values

    @property
    def written(self) -> str:
        """As it stands in a profile."""
        value = {True: "true", False: "false"}.get(self.values[0], f'"{self.values[0]}"')
        *tables, name = self.place
        said = f"{name} = [{value}]" if self.listed else f"{name} = {value}"
        return f"[{'.'.join(tables)}] {said}" if tables else said


class Keys(msgspec.Struct, frozen=True):
    """How the key of a source's record and that of its target turn into one another; "" for what is not of the flow."""

    inward: Callable[[str], str]
    outward: Callable[[str], str]


def undated(_: Any) -> None:
    """The day of records that have none."""


class Flow(msgspec.Struct, Generic[S, T], frozen=True):
    """One direction of one kind of record.

    `retire`: what the target should hold once the source lost the record, or why a person should look. `trace` and
    `admit` are of documents; the latter is asked for those that are about to be sent. `absent`: why a record waits that
    the target lacks, in flows that never create. `resembles`: whether two documents that are alike may be one twice.
    `dated`: the day of a record, by which a backfill chooses. `editable`: the fields that a person may put right here.
    `both_ways`: the target is looked at whenever the source is. `setting`: what turns it on; None: every connection has
    it that has its systems. `heeds`: the parts of a profile that its mapping depends on, beside companies and names.
    `keys`: how both ends call a record, where they call it differently. `takes`: the tables that no other flow reads
    while the profile turns this one on. `likens`: whether it has to be told which suppliers its new ones may be.
    """

    name: str
    title: str
    source: End
    target: End
    source_kind: type[S]
    target_kind: type[T]
    map: Callable[[S, Context], Mapped[T] | Held]
    retire: Callable[[T], T | Held]
    references: Callable[[S], tuple[Reference, ...]] = lambda _: ()
    needs: tuple[str, ...] = ()
    policy: Policy = Policy()
    shape: Shape = Shape.MIRROR
    trace: Callable[[S], Trace] = lambda _: Trace()
    admit: Callable[[T, Context], Admitted | Held] = lambda _record, _context: Admitted()
    both_ways: bool = False
    absent: Callable[[T, str], Held] | None = None
    dated: Callable[[S], date | None] = undated
    editable: tuple[str, ...] = ()
    resembles: Callable[[T, T, Context], bool] = lambda _one, _other, _context: False
    setting: Setting | None = None
    heeds: tuple[Place, ...] = ((),)
    keys: Callable[[Tables], Keys] | None = None
    takes: tuple[str, ...] = ()
    likens: Callable[[Tables], bool] = lambda _: False


AnyFlow = Flow[Any, Any]


def in_order(flows: Mapping[str, AnyFlow], names: list[str]) -> list[AnyFlow]:
    """The named flows, or all, so that each comes after those it needs.

    Raises: ValueError when flows need each other.
    """
    ordered: dict[str, AnyFlow] = {}
    while rest := [flow for flow in flows.values() if flow.name not in ordered]:
        ready = [flow for flow in rest if ordered.keys() >= set(flow.needs)]
        if not ready:
            raise ValueError("flows need each other: " + ", ".join(flow.name for flow in rest))
        ordered |= {flow.name: flow for flow in ready}
    return [flow for flow in ordered.values() if not names or flow.name in names]
