"""What is asked for when pages are measured: records, flows, searches, and places deep in long lists.

Rule: an address with a parameter that has no values here is an error.
"""

import base64
import random
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import console_store as kept
import msgspec
from addresses import Address

from ml_connector.console.static import FILES

NAMES = {"/static": sorted(FILES)[0], "/access/people": "kari", "/access/tokens": "bench"}


class Place(NamedTuple):
    """Values for an address, what its list is asked, and what to call that beside the address."""

    values: Mapping[str, str]
    query: Mapping[str, str]
    about: str = ""


class Places:
    """Where to look."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def of(self, address: Address, times: int) -> list[Place]:
        """So many places of an address, for each way in which it can be asked."""
        asked = ASKED.get(ending(address.path), {"": PLAIN})
        made = [
            Place(self._values(address), ask(self._chance), about) for about, ask in asked.items() for _ in range(times)
        ]
        return [one for one in made if one.query.keys() <= address.asked]

    def _values(self, address: Address) -> dict[str, str]:
        number = self._chance.randrange(kept.OPEN)
        flow = kept.held_flow(number)
        key = kept.MAKERS[flow](
            number if self._chance.random() < 0.5 else self._chance.randrange(kept.COUNTS[flow])
        ).key
        values = {"flow": flow, "key": key, "cause": kept.CAUSES[number % len(kept.CAUSES)]}
        values["name"] = next((name for start, name in NAMES.items() if address.path.startswith(start)), kept.NAME)
        values |= {"id": kept.order_of(self._chance.randrange(kept.ORDERS)), "run_id": kept.run_of(number)}
        values |= {"order_id": values["id"], "token": "x" * 43, "system": "airbase", "what": "checks"}
        few = any(part in address.path for part in ("versions", "tie-out"))
        values["number"] = "1" if few else str(1 + self._chance.randrange(kept.EVENTS))
        values["period"] = kept.PERIOD
        return values


def ending(path: str) -> str:
    """What an address is about, whether it is a page or its twin."""
    return path.removeprefix("/api/v1").replace("/connections/{name}", "/c/{name}")


def cursor(*at: Any) -> str:
    """A place in a list."""
    return base64.urlsafe_b64encode(msgspec.json.encode(at)).decode().rstrip("=")


def deep(place: Callable[[random.Random], tuple[Any, ...]], **query: str) -> Callable[[random.Random], dict[str, str]]:
    """Somewhere far down a list."""
    return lambda chance: {"cursor": cursor(*place(chance))} | query


def fixed(**query: str) -> Callable[[random.Random], dict[str, str]]:
    """The same each time."""
    return lambda _: query


def _opened(chance: random.Random) -> tuple[Any, ...]:
    number = chance.randrange(kept.OPEN)
    return kept.ago(number * 3), number + 1


def _resolved(chance: random.Random) -> tuple[Any, ...]:
    number = kept.OPEN + chance.randrange(kept.RESOLVED)
    return kept.ago(number * 2 % 100_000), number + 1


def _started(chance: random.Random) -> tuple[Any, ...]:
    number = chance.randrange(kept.RUNS)
    return kept.ago(number), kept.run_of(number)


def _placed(chance: random.Random) -> tuple[Any, ...]:
    number = chance.randrange(kept.ORDERS)
    return kept.ago(number), kept.order_of(number)


def _search(*words: Callable[[int], str]) -> Callable[[random.Random], dict[str, str]]:
    def ask(chance: random.Random) -> dict[str, str]:
        number = chance.randrange(100_000)
        return {"q": " ".join(word(number) for word in words)}

    return ask


Asked = Mapping[str, Callable[[random.Random], dict[str, str]]]
PLAIN = fixed()
ASKED: dict[str, Asked] = {
    "/c/{name}/exceptions": {
        "": PLAIN,
        "snoozed": fixed(stage="snoozed"),
        "retrying": fixed(stage="retrying"),
        "deep": deep(_opened),
        "of a cause": fixed(flow="payments", cause="handed_over"),
        "of somebody": fixed(assignee="kari"),
    },
    "/c/{name}/exceptions/resolved": {"": PLAIN, "deep": deep(_resolved)},
    "/c/{name}/exceptions/{flow}/{cause}": {
        "": PLAIN,
        "deep": deep(_opened),
        "snoozed": fixed(stage="snoozed"),
        "of somebody": fixed(assignee="kari"),
    },
    "/c/{name}/runs": {"": PLAIN, "deep": deep(_started), "of a flow": fixed(flow="suppliers")},
    "/orders": {"": PLAIN, "deep": deep(_placed), "blocked": fixed(state="blocked"), "failed": fixed(state="failed")},
    "/c/{name}/inbox": {
        "": PLAIN,
        "deep": deep(lambda chance: (chance.randrange(kept.EVENTS),)),
        "amiss": fixed(amiss="1"),
    },
    "/c/{name}/replay": {
        "of a cause": fixed(flow="payments", cause="handed_over"),
        "of keys": lambda chance: {"flow": "payments", "key": f"pay_{chance.randrange(200_000):08x}"},
    },
    "/c/{name}/journal": {
        "": PLAIN,
        "deep": deep(lambda chance: (chance.randrange(2_000_000),)),
        "of a kind": fixed(kind="released"),
        "of a rare kind": fixed(kind="approved"),
        "of a flow": fixed(flow="suppliers"),
        "of a day": fixed(since="2026-06-01", until="2026-06-01"),
        "of a person": fixed(person="kari"),
        "of nobody": fixed(person="nobody"),
        "of a run": lambda chance: {"run": kept.run_of(chance.randrange(kept.RUNS))},
        "of a record": lambda chance: {"key": f"pay_{chance.randrange(200_000):08x}", "flow": "payments"},
    },
    "/c/{name}/records": {
        "": PLAIN,
        "none": fixed(q="xyzzy plugh"),
        "one": _search(lambda number: f"pay_{number:08x}"),
        "a supplier": _search(kept.company),
        "many": fixed(q="steel"),
        "two of many": fixed(q="steel gmbh"),
        "many of a flow": fixed(q="ab", flow="payments"),
        "an amount": _search(lambda number: str(kept.amount(number))),
        "a target": _search(lambda number: f"10/{number}/2026/M"),
        "a prefix": fixed(q="S0001"),
    },
}
