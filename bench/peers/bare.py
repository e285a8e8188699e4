"""The limit: pages fetched and parsed by hand, nothing mapped, nothing kept.

Rule: no more than fetching by key and parsing; nothing that reads these rows in Python can do much less.
Must not know: the connector.
"""

import sys
from pathlib import Path
from typing import Any

import httpx2
import msgspec

sys.path.insert(0, str(Path(__file__).parent))

import measuring


class Page(msgspec.Struct):
    """A page, with rows as they come."""

    value: list[dict[str, Any]]


def main() -> None:
    """Read everything and count it."""
    given = measuring.task()
    decode, kept = msgspec.json.Decoder(Page).decode, {part.name: [] for part in given.parts}
    headers = measuring.headers(given)
    with measuring.measured() as took, httpx2.Client(headers=headers, timeout=60) as client:
        for part in given.parts:
            after = ""
            while rows := decode(_got(client, given, part, after)).value:
                took.rows += len(rows)
                after = _after([(column, rows[-1][column]) for column in part.key])
                if given.keep:
                    kept[part.name] += rows
    if given.keep:
        measuring.hold(given, {part.name: measuring.rows_of(part, kept[part.name]) for part in given.parts})


def _got(client: httpx2.Client, given: measuring.Task, part: measuring.Part, after: str) -> bytes:
    where = measuring.address(given, part, after, top=measuring.ROWS_MAX)
    return client.get(where).raise_for_status().content


def _after(columns: list[tuple[str, str]]) -> str:
    (column, value), *rest = columns
    text = "'" + value.replace("'", "''") + "'"
    return f"{column} gt {text}" + (f" or ({column} eq {text} and ({_after(rest)}))" if rest else "")


main()
