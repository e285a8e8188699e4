"""Which open documents use which part of the chart.

Rule: a document is counted once for each thing that it uses, however many of its lines do.
Must not know: what is wrong with any of it.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec

from ml_connector.records.spend import Document

K = TypeVar("K", bound=Hashable)


class Usage(msgspec.Struct, frozen=True):
    """The documents by account, by tag (label and reference), and by subsidiary."""

    accounts: Mapping[str, Sequence[Document]]
    tags: Mapping[tuple[str, str], Sequence[Document]]
    subsidiaries: Mapping[str, Sequence[Document]]


def usage(documents: Iterable[Document]) -> Usage:
    """What these documents use; a tag without a reference is told by its name."""
    accounts: dict[str, list[Document]] = {}
    tags: dict[tuple[str, str], list[Document]] = {}
    subsidiaries: dict[str, list[Document]] = {}
    for document in documents:
        given = [*document.tags, *(tag for line in document.lines for tag in line.tags)]
        _note(accounts, {line.account for line in document.lines if line.account}, document)
        _note(tags, {(tag.label, tag.reference or tag.name) for tag in given}, document)
        _note(subsidiaries, {document.subsidiary}, document)
    return Usage(accounts, tags, subsidiaries)


def _note(by: dict[K, list[Document]], names: Iterable[K], document: Document) -> None:
    for name in names:
        by.setdefault(name, []).append(document)
