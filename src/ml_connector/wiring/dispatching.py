"""Events in the inbox become orders.

Rule: any number of workers may look at the same time; the store sees to it that each event is ordered once. One order
of a flow waits at a time, and takes all events that have come by then.
Must not know: how an order is carried out, how an event came.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from ml_connector.store.leading import Group, Leading
from ml_connector.wiring import choice
from ml_connector.wiring.opened import Opened
from ml_connector.wiring.ticking import Place

EVERY_S = 0.1


class Dispatching:
    """Looks which events wait for an order, and what became of those that have one.

    `places`: of each connection, its flows. `held_until`: until when a flow may not start; both as `Ticking` has them.
    """

    def __init__(
        self,
        opened: Opened,
        places: Callable[[], Mapping[int, Place]],
        held_until: Callable[[int, str], datetime | None],
    ) -> None:
        self._leading = Leading(opened.database)
        self._places = places
        self._held_until = held_until

    def act(self) -> bool:
        """Order what waits; whether anything was."""
        settled = self._leading.settle()
        groups = self._leading.groups()
        places: Mapping[int, Place] = self._places() if groups else {}
        placed = sum(self._dealt_with(group, places.get(group[0])) for group in groups)
        return bool(placed) or settled

    def _dealt_with(self, group: Group, place: Place | None) -> int:
        if place and place.unread:
            return 0
        if sentence := _why_off(group[1], place):
            return self._leading.turn_off(group, sentence)
        until = self._held_until(*group)
        wait_s = max(0.0, (until - datetime.now(UTC)).total_seconds()) if until else 0.0
        return self._leading.place(group, wait_s)


def _why_off(flow: str, place: Place | None) -> str:
    if place is None:
        return "the connection was removed"
    return "" if flow in place.flows else choice.off(flow, place.off)
