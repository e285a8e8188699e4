"""Changesets in batches: each is done wholly or not at all, and each gets its own answer.

Rule: a batch is sent once; what was not answered is never sent again from here.
Must not know: what the changes are.
"""

from collections.abc import Iterator, Sequence

import msgspec

from ml_connector.errors import MalformedError, RemoteError, UnconfirmedError, UnreachableError
from ml_connector.systems.http import Answer
from ml_connector.systems.ifs.client import IfsClient
from ml_connector.systems.ifs.odata import answers
from ml_connector.systems.ifs.odata.batch import Reply
from ml_connector.systems.ifs.odata.writes import Write as Change
from ml_connector.systems.verdict import cleaned

BATCH_MAX = 200  # requests; IFS takes no more


class Changeset(msgspec.Struct, frozen=True):
    """Changes that belong together, and the key to tell their answer by."""

    key: str
    changes: tuple[Change, ...]


Outcome = list[Reply] | RemoteError


def deliver(client: IfsClient, operation: str, place: str, sets: Sequence[Changeset]) -> dict[str, Outcome]:
    """The replies to each changeset, or what stood in the way; after an error nothing more is sent."""
    outcomes: dict[str, Outcome] = {}
    failed: RemoteError | None = None
    for stretch in batches(sets):
        if failed:
            outcomes |= {one.key: UnreachableError(failed.system, operation, "not sent") for one in stretch}
            continue
        try:
            replies = client.batch(operation, place, [one.changes for one in stretch])
        except RemoteError as error:
            failed = error
            outcomes |= {one.key: error for one in stretch}
        else:
            outcomes |= {one.key: found for one, found in zip(stretch, replies, strict=True)}
    return outcomes


def batches(sets: Sequence[Changeset]) -> Iterator[list[Changeset]]:
    """The changesets in stretches that a batch holds; one that is too large goes alone."""
    stretch: list[Changeset] = []
    size = 0
    for one in sets:
        if stretch and size + len(one.changes) > BATCH_MAX:
            yield stretch
            stretch, size = [], 0
        stretch.append(one)
        size += len(one.changes)
    if stretch:
        yield stretch


def lost(error: RemoteError) -> bool:
    """Whether what met this error may have happened all the same."""
    return isinstance(error, UnconfirmedError | MalformedError)


def refusal(replies: Sequence[Reply]) -> Reply | None:
    """The reply that says no, if one does."""
    return next((reply for reply in replies if reply.status >= 300), None)


def said(reply: Reply) -> str:
    """What a refusal says."""
    _, message = answers.explain(Answer(reply.status, reply.headers, reply.body, 0))
    return cleaned(message) or f"answered {reply.status}"
