"""A target under other keys: every key has its counterpart, what has none is not ours."""

from collections.abc import Iterator, Sequence
from typing import Any

from ml_connector.sync.plan import Found
from ml_connector.sync.ports import Done, Result, Target, Write
from ml_connector.systems.rekeyed import Rekeyed

NAMES = {"B": "department", "D": "region"}
LABELS = {label: part for part, label in NAMES.items()}


class Tags:
    """A target in memory that knows only (label, reference)."""

    batch_max = 7
    find_max = 9

    def __init__(self) -> None:
        self.there = {"department/100": "t1", "colour/red": "t2"}
        self.sent: list[Write] = []

    def trim(self, record: Any) -> Any:
        return record

    def walk(self) -> Iterator[tuple[Found, ...]]:
        yield tuple(Found(key, target_id, None) for key, target_id in self.there.items())

    def find(self, keys: Sequence[str]) -> tuple[Found, ...]:
        return tuple(Found(key, self.there[key], None) for key in keys if key in self.there)

    def send(self, writes: Sequence[Write]) -> tuple[Result, ...]:
        self.sent.extend(writes)
        return tuple(Done(write.key, "new") for write in writes)


def turned(key: str, names: dict[str, str]) -> str:
    first, _, rest = key.partition("/")
    return f"{names[first]}/{rest}" if first in names else ""


def rekeyed(tags: Tags) -> Target:
    return Rekeyed(tags, lambda key: turned(key, NAMES), lambda key: turned(key, LABELS))


def test_a_walk_gives_our_keys_and_leaves_out_what_is_not_ours() -> None:
    pages = list(rekeyed(Tags()).walk() or ())
    assert [[(found.key, found.target_id) for found in page] for page in pages] == [[("B/100", "t1")]]


def test_find_and_send_speak_both_languages() -> None:
    tags = Tags()
    target = rekeyed(tags)
    assert [found.key for found in target.find(["B/100", "B/200", "X/1"])] == ["B/100"]
    results = target.send([Write("D/NORTH", "", None), Write("B/300", "", None)])
    assert [result.key for result in results] == ["D/NORTH", "B/300"]
    assert [write.key for write in tags.sent] == ["region/NORTH", "department/300"]
    assert (target.batch_max, target.find_max) == (7, 9)
