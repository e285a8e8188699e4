"""What a reader has lost, holds as it was or holds twice after something went wrong, against what the source holds.

Rule: every reader meets the same mishaps; then it is looked at twice: after its next ordinary run, also where the one
before failed, and after a night in which everything is read.
Must not know: how any reader works.

Usage: python bench/reading_faults.py [TOOL...] prints a line each; `bench/reading.py` keeps them.
"""

import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import kept
from feed import SETS, Feed, Options
from readers import TOLD_BY, Part, Reader, Rows, parts, read, readers, rows_of

SMALL = Options(suppliers=400, orders=200, page_rows=100)
SUPPLIERS = SETS["suppliers"][1]
NAMED = 5  # records that each mishap befalls


@dataclass
class Mishap:
    """What goes wrong: `first` before anything was read, `then` after a first whole read, with runs in between.

    `modified`: whether rows tell when they were changed; without, they are read in the order of their keys.
    """

    name: str
    first: Callable[["Trial"], None] | None = None
    then: Callable[["Trial"], None] | None = None
    modified: bool = True


@dataclass
class Difference:
    """How what a reader holds differs from what the source has, in records."""

    lost: int
    stale: int
    doubled: int


class Trial:
    """One reader and one mishap."""

    def __init__(self, feed: Feed, reader: Reader, folder: Path) -> None:
        self.feed, self.reader, self.folder = feed, reader, folder
        self.errors: list[str] = []
        self.keys = sorted(row["SupplierId"] for row in feed.rows(SUPPLIERS))
        self.gone: set[str] = set()
        folder.mkdir()

    def run(self, **how: Any) -> None:
        """Run the reader; an error is what happened, not the end."""
        took, _ = read(self.feed, self.reader, self.folder, keep=True, **how)
        if took["error"]:
            self.errors.append(took["error"].split(":")[0])

    def rename(self, keys: list[str], name: str, stamp: str | None = None) -> None:
        """Change suppliers, as if at that time."""
        self.feed.edit(*(_op("update", key, {"Name": f"{name} {key}"}, stamp) for key in keys))

    def difference(self, truth: Rows) -> Difference:
        """Compare what is held with what should be."""
        file = self.folder / "rows.json"
        held: Rows = json.loads(file.read_text()) if file.exists() else {}
        found = [_difference(held.get(name, []), dict(truth[name]), self.gone) for name in TOLD_BY]
        return Difference(*(sum(getattr(one, name) for one in found) for name in ("lost", "stale", "doubled")))


def _op(op: str, key: str, values: dict[str, Any] | None = None, stamp: str | None = None) -> dict[str, Any]:
    made: dict[str, Any] = {"op": op, "set": SUPPLIERS, "key": [key]}
    return made | ({"values": values} if values else {}) | ({"stamp": stamp} if stamp else {})


def _difference(held: list[tuple[str, str]], truth: dict[str, str], gone: set[str]) -> Difference:
    counts = Counter(key for key, _ in held)
    old = {key for key, value in held if truth.get(key) != value and key not in gone}
    return Difference(len(truth.keys() - counts.keys() - gone), len(old), sum(count - 1 for count in counts.values()))


def _now(minus_s: float = 0) -> str:
    return (datetime.now(UTC) - timedelta(seconds=minus_s)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _same_second(trial: Trial) -> None:
    """The same rows and others change again within the second in which they were read."""
    trial.feed.clock(freeze=True)
    trial.rename(trial.keys[:NAMED], "First")
    trial.run(whole=False)
    trial.rename(trial.keys[2 : 2 + NAMED], "Second")
    trial.feed.clock(freeze=False)
    trial.run(whole=False)


def _late(minutes: float) -> Callable[[Trial], None]:
    """Rows show up with a time that is older than the last one that was read."""

    def happens(trial: Trial) -> None:
        trial.rename(trial.keys[-1:], "Newest")
        trial.run(whole=False)
        trial.rename(trial.keys[:NAMED], "Late", _now(minutes * 60))
        trial.run(whole=False)

    return happens


def _deleted(trial: Trial) -> None:
    trial.feed.edit(*(_op("delete", key) for key in trial.keys[10 : 10 + NAMED]))
    trial.run(whole=False)


def _deleted_while_paging(trial: Trial) -> None:
    """Rows of the first page go once it was read, so that all others move up."""
    trial.feed.edit_after(SUPPLIERS, 1, *({"op": "delete", "set": SUPPLIERS} for _ in range(NAMED)))
    trial.run()
    trial.gone = set(trial.keys) - {row["SupplierId"] for row in trial.feed.rows(SUPPLIERS)}


def _added_while_paging(trial: Trial) -> None:
    """Rows come to the front once the first page was read, so that all others move down."""
    trial.gone = {f"A{number:05}" for number in range(NAMED)}
    values = {"Name": "Added", "Country": "NO"}
    added = [{"op": "insert", "set": SUPPLIERS, "values": {"SupplierId": key, **values}} for key in sorted(trial.gone)]
    trial.feed.edit_after(SUPPLIERS, 1, *added)
    trial.run()


def _spoilt(count: int = 3, **fault: Any) -> Callable[[Trial], None]:
    """Some answers for one set are spoilt while everything is read."""

    def happens(trial: Trial) -> None:
        trial.feed.fault(site="ifs", path=f"*/{SUPPLIERS}", count=count, after=1, **fault)
        trial.run()
        trial.feed.mend()

    return happens


MISHAPS = (
    Mishap("changed again within a second", then=_same_second),
    Mishap("committed 10 minutes late", then=_late(10)),
    Mishap("committed 3 hours late", then=_late(180)),
    Mishap("deleted", then=_deleted),
    Mishap("rows deleted while paging", first=_deleted_while_paging, modified=False),
    Mishap("rows added while paging", first=_added_while_paging, modified=False),
    Mishap("429, wait a second", first=_spoilt(kind="status", options={"status": 429, "retry_after": 1})),
    Mishap("answers cut off", first=_spoilt(kind="truncated", options={"stop_at": 2000})),
    Mishap("cut off, but said to be whole", first=_spoilt(kind="truncated_json")),
)


def tried(reader: Reader, mishap: Mishap, folder: Path) -> dict[str, Any]:
    """What came of one mishap for one reader."""
    with Feed(replace(SMALL, modified=mishap.modified)) as feed:
        trial = Trial(feed, reader, folder)
        if mishap.first:
            mishap.first(trial)
        else:
            trial.run()
        failed = trial.errors.copy()
        if failed:
            trial.run(whole=False)  # as whoever schedules it would
        if mishap.then:
            mishap.then(trial)
        truth = _truth(feed, reader, folder.with_name(folder.name + "-truth"))
        after = trial.difference(truth)
        trial.run(census=True, whole=True, round=1)
        night = trial.difference(truth)
    note = f"the run failed ({failed[0]}) and was made again" if failed else ""
    found = {"lost": after.lost, "stale": after.stale, "doubled": after.doubled, "note": note}
    return {"tool": reader.name, "fault": mishap.name, **found, "night": vars(night)}


def _truth(feed: Feed, reader: Reader, folder: Path) -> Rows:
    """What the reader should hold: what the source has; of the connector, what it holds after an undisturbed run."""
    if reader.name == "ours":
        fresh = Trial(feed, reader, folder)
        fresh.run()
        return json.loads((folder / "rows.json").read_text())
    return {part.name: rows_of(part, feed.rows(SETS[part.name][1])) for part in _compared()}


def _compared() -> list[Part]:
    return [part for part in parts(modified=True) if part.name in TOLD_BY]


def trials(tools: list[Reader]) -> Iterator[dict[str, Any]]:
    """Every mishap for every reader; two at a time, since nothing is timed."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        pending = [
            pool.submit(tried, reader, mishap, Path(folder) / f"{reader.name}-{number}")
            for reader in tools
            for number, mishap in enumerate(MISHAPS)
        ]
        for done in pending:
            yield done.result()


def main() -> None:
    """Try all, and print."""
    for found in trials(
        [readers()[name] for name in sys.argv[1:]] or [one for one in readers().values() if one.there and not one.way]
    ):
        kept.say(json.dumps(found))


if __name__ == "__main__":
    main()
