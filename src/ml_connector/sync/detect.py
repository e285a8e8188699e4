"""What changed in a source: rows compared with what was last seen of them.

Rule: a mark is compared for equality only, never for order. An empty mark is never equal to anything: "look again".
Must not know: what a mark is made of (ETag), where rows come from.
"""

from collections.abc import Iterable, Mapping

import msgspec


class Row(msgspec.Struct, frozen=True, omit_defaults=True):
    """One source row as seen: part of which record, its key (parent first), and a mark that changes with it.

    `modified` is the row's modified time as the source wrote it, where it has one.
    """

    part: str
    key: str
    mark: str
    modified: str = ""


class Page(msgspec.Struct, frozen=True):
    """A stretch of rows of one part, in key order, from after the last page's end up to `upto`.

    `upto` None: to the end of the part. `complete` False: rows in between were left out (only changes were asked for),
    so that a known row's absence means nothing.
    """

    part: str
    rows: tuple[Row, ...]
    upto: str | None
    complete: bool


def changed(page: Page, known: Mapping[str, str]) -> list[str]:
    """Keys of rows that are new, differ from what is known, or are known but gone; in key order."""
    seen = {row.key: row.mark for row in page.rows}
    differ = [key for key, mark in seen.items() if not mark or known.get(key) != mark]
    gone = [key for key in known if key not in seen] if page.complete else []
    return sorted([*differ, *gone])


def by_key_is_cheaper(dirty: int, rows: int, *, keys_per_request: int, rows_per_request: int, parts: int) -> bool:
    """Whether reading the changed records by key takes fewer requests than reading everything."""
    by_key = -(-dirty // keys_per_request) * parts
    whole = -(-rows // rows_per_request) + parts
    return by_key <= whole


def latest(cursors: dict[str, str], rows: Iterable[Row]) -> dict[str, str]:
    """The cursors moved on to the latest modified text seen of each part."""
    moved = dict(cursors)
    for row in rows:
        if row.modified > moved.get(row.part, ""):
            moved[row.part] = row.modified
    return moved
