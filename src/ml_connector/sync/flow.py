"""A flow: what is read where, how it maps, what it may do.

Rule: a flow is a value made of pure functions; the pipeline has no `if` for any one of them.
Must not know: how records are read, stored or sent.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Generic, TypeVar

import msgspec

from ml_connector.sync.outcome import Held, Mapped
from ml_connector.sync.policy import Policy

S = TypeVar("S")
T = TypeVar("T")


class End(msgspec.Struct, frozen=True):
    """One side of a flow: a resource of a system."""

    system: str
    resource: str


class Reference(msgspec.Struct, frozen=True):
    """A record of another flow that this one needs to be linked first."""

    flow: str
    key: str


class Tables(msgspec.Struct, frozen=True):
    """The connection's mapping tables, from IFS values to Airbase values."""

    subsidiaries: Mapping[str, str] = {}
    payment_terms: Mapping[str, str] = {}


class Context(msgspec.Struct, frozen=True):
    """What a mapping may know beside its record: the day, the tables, the targets of its references.

    `links` has a key for each reference that is linked, or that this plan will link (then with an empty id).
    """

    today: date
    tables: Tables
    links: Mapping[Reference, str] = {}


class Flow(msgspec.Struct, Generic[S, T], frozen=True):
    """One direction of one kind of record."""

    name: str
    title: str
    source: End
    target: End
    source_kind: type[S]
    target_kind: type[T]
    map: Callable[[S, Context], Mapped[T] | Held]
    retire: Callable[[T], T]
    references: Callable[[S], tuple[Reference, ...]] = lambda _: ()
    needs: tuple[str, ...] = ()
    policy: Policy = Policy()


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
