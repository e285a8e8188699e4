"""Orders: which flow is to be run, of which connection, how much of it, and why.

Rule: an order holds ids, digests and counts, never a record; which one is next is decided here, whoever asks.
Must not know: where orders are kept, who carries them out.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum

import msgspec

from ml_connector.sync.report import Report

KEYS_MAX = 1000
AT_ONCE = timedelta(seconds=1)  # ordered by one look at the schedules
COUNTED = (
    "read",
    "unchanged",
    "not_due",
    "created",
    "updated",
    "deactivated",
    "posted",
    "corrected",
    "held",
    "refused",
    "uncertain",
    "recovered",
    "late",
    "unannounced",
    "lapsed",
)


class Cause(StrEnum):
    """What started it."""

    SCHEDULE = "schedule"
    CATCH_UP = "catch-up"
    WEBHOOK = "webhook"
    PERSON = "person"
    REPLAY = "replay"
    BACKFILL = "backfill"


class Extent(msgspec.Struct, frozen=True, omit_defaults=True):
    """How much of a flow a run covers: what changed, all of both sides, only these keys, or from a day on."""

    census: bool = False
    keys: tuple[str, ...] = ()
    since: date | None = None

    @property
    def partial(self) -> bool:
        """Whether what it does not cover stays as it was seen before."""
        return bool(self.keys or self.since)


WHOLE = Extent()


class State(StrEnum):
    """Where an order stands; the first two are open."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    BLOCKED = "blocked"  # the gate stopped the plan; a person approves
    FAILED = "failed"
    CANCELLED = "cancelled"


class Order(msgspec.Struct, frozen=True):
    """What is to be run; `rank`: lower goes first. `waits`: its time has not come yet."""

    id: str
    connection_id: int
    flow: str
    extent: Extent = WHOLE
    cause: Cause = Cause.SCHEDULE
    person: str = ""
    rank: int = 1
    state: State = State.QUEUED
    attempts: int = 0
    waits: bool = False
    placed_at: datetime | None = None


class Ending(msgspec.Struct, frozen=True):
    """What became of an attempt.

    QUEUED: to be tried again in `wait_s`; `counts`: a limited number of times.
    """

    state: State
    figures: dict[str, int] = {}
    run_id: str = ""
    error: str = ""
    wait_s: float = 0.0
    counts: bool = False
    requests: dict[str, int] = {}
    throttled: dict[str, int] = {}
    seconds: float = 0.0


def following(
    open_orders: Sequence[Order], needs: Mapping[str, Collection[str]], *, spare: bool = False
) -> Order | None:
    """The order to carry out next, of those that are open, the first ones first.

    One of each connection and flow at a time; none while a flow that it needs is running, or ordered before it, or at
    the same time. A webhook does not wait for what is running: that may take hours, and only new suppliers matter to
    it. A connection of which less is running goes first; `spare`: only one of which nothing is.
    """
    running = {(one.connection_id, one.flow) for one in open_orders if one.state is State.RUNNING}
    waiting = [one for one in open_orders if one.state is State.QUEUED and not one.waits]
    of_flow: dict[tuple[int, str], list[Order]] = {}
    for one in waiting:
        of_flow.setdefault((one.connection_id, one.flow), []).append(one)
    ahead, may = set[tuple[int, str]](), list[Order]()
    busy = Counter(connection_id for connection_id, _ in running)
    for order in waiting:
        needed = [(order.connection_id, flow) for flow in needs.get(order.flow, ())]
        together = any(_at_once(one, order) for key in needed for one in of_flow.get(key, ()))
        own = (order.connection_id, order.flow)
        waits = () if order.cause is Cause.WEBHOOK else needed
        if not together and ahead.isdisjoint([own, *needed]) and running.isdisjoint([own, *waits]):
            may.append(order)
        ahead.add(own)
    may = [one for one in may if not (spare and busy[one.connection_id])]
    return min(may, key=lambda one: busy[one.connection_id], default=None)


def _at_once(one: Order, other: Order) -> bool:
    if one.rank != other.rank or not one.placed_at or not other.placed_at:
        return False
    return abs(one.placed_at - other.placed_at) <= AT_ONCE


def needed_by(flows: Mapping[str, Collection[str]]) -> dict[str, frozenset[str]]:
    """Of each flow, all flows that it needs, also those that these need."""

    def all_of(name: str) -> frozenset[str]:
        direct = frozenset(flows.get(name, ()))
        return direct.union(*(all_of(one) for one in direct))

    return {name: all_of(name) for name in flows}


def figures(report: Report) -> dict[str, int]:
    """What a report counted, without what is zero."""
    return {name: count for name in COUNTED if (count := getattr(report, name))}
