"""What every reader of the bench has in common: its task, and what it took.

Rule: the clock starts when everything is imported and ends when the reader's state is kept; the standard library only,
since each reader has an environment of its own.
Must not know: any reader.
"""

import json
import re
import resource
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROWS_MAX = 5000  # a page


@dataclass
class Part:
    """One set to read: where, its key, the properties wanted, a fixed filter, and the property that tells changes."""

    name: str
    path: str
    key: list[str]
    select: list[str]
    where: str = ""
    modified: str = ""


@dataclass
class Task:
    """What a reader shall do. `whole`: everything, whatever is known from before; `keep`: the rows, to be compared."""

    url: str
    realm: str
    client_id: str
    secret: str
    folder: str
    parts: list[Part]
    whole: bool = True
    keep: bool = False
    census: bool = False
    round: int = 0
    way: str = ""


@dataclass
class Took:
    """What a run took."""

    wall_s: float = 0.0
    cpu_s: float = 0.0
    peak_mb: float = 0.0
    rows: int = 0
    error: str = ""
    more: dict[str, Any] = field(default_factory=dict)


def task() -> Task:
    """The task that this process was given."""
    given = json.loads(sys.argv[1])
    return Task(**{**given, "parts": [Part(**part) for part in given["parts"]]})


@contextmanager
def measured() -> Iterator[Took]:
    """Measure what is done within, and tell it as the last line."""
    took, began, cpu_s = Took(), time.perf_counter(), _cpu_s()
    try:
        yield took
    except Exception as error:
        took.error = f"{type(error).__name__}: {error}"[:500]
    took.wall_s, took.cpu_s = time.perf_counter() - began, _cpu_s() - cpu_s
    took.peak_mb = peak_mb()
    tell(took)


def tell(took: Took) -> None:
    """Say what it took."""
    sys.__stdout__.write("\n" + json.dumps(vars(took), default=str) + "\n")
    sys.__stdout__.flush()


def peak_mb() -> float:
    """The most memory that this process and its largest child had."""
    with open("/proc/self/status") as status:
        own = int(re.search(r"VmHWM:\s+(\d+)", status.read())[1])  # type: ignore[index]
    return (own + _children().ru_maxrss * bool(_children().ru_utime)) / 1024


def token(task: Task) -> str:
    """A token of the feed."""
    form = {"grant_type": "client_credentials", "client_id": task.client_id, "client_secret": task.secret}
    address = f"{task.url}/auth/realms/{task.realm}/protocol/openid-connect/token"
    with urllib.request.urlopen(address, urllib.parse.urlencode(form).encode()) as answer:  # noqa: S310
        return json.loads(answer.read())["access_token"]


def headers(task: Task) -> dict[str, str]:
    """What every request says: who asks, and how many rows a page may have."""
    accept = "application/json;odata.metadata=minimal"
    return {"Authorization": f"Bearer {token(task)}", "Accept": accept, "Prefer": f"odata.maxpagesize={ROWS_MAX}"}


def address(task: Task, part: Part, after: str = "", since: str = "", top: int = 0) -> str:
    """Where the rows of a part are, by key, or by time of change from `since` on."""
    filters = [one for one in (part.where, after, f"{part.modified} ge {since}" if since else "") if one]
    joined = filters[0] if len(filters) == 1 else " and ".join(f"({one})" for one in filters)
    order = [part.modified, *part.key] if since else part.key
    asked = {"$select": ",".join(part.select), "$filter": joined, "$orderby": ",".join(order)}
    options = {**asked, "$top": str(top) if top else ""}
    query = "&".join(f"{name}={urllib.parse.quote(value, safe='')}" for name, value in options.items() if value)
    return f"{task.url}{part.path}?{query}"


TOLD_BY = {"suppliers": "Name", "order_lines": "Description"}  # what is compared of a set's rows
Rows = dict[str, list[tuple[str, str]]]  # set -> key, value; a key twice when the reader holds it twice


def rows_of(part: Part, rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Rows as they are compared."""
    told_by = TOLD_BY.get(part.name)
    return [("|".join(row[name] for name in part.key), row[told_by]) for row in rows] if told_by else []


def hold(task: Task, rows: Rows) -> None:
    """Say what the reader holds now."""
    (state(task) / "rows.json").write_text(json.dumps(rows))


def fold(task: Task, read: dict[str, list[dict[str, Any]]]) -> None:
    """Hold what a destination would make of these rows: replaced by a whole read, else put over by key."""
    file = state(task) / "rows.json"
    known: Rows = json.loads(file.read_text()) if file.exists() and not task.whole else {}
    parts = {part.name: part for part in task.parts}
    hold(
        task,
        {
            name: [*{**dict(known.get(name, [])), **dict(rows_of(parts[name], rows))}.items()]
            for name, rows in read.items()
        },
    )


def state(task: Task) -> Path:
    """Where a reader keeps its state between runs."""
    return Path(task.folder)


def _cpu_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _children() -> resource.struct_rusage:
    return resource.getrusage(resource.RUSAGE_CHILDREN)
