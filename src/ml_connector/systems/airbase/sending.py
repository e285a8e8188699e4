"""Writing records, with one result for each.

Rule: raises only when it is certain that nothing was delivered; after the first delivery every write gets a result.
A create is sent once. An update that got no answer may be sent again, because it sets the same fields.
Must not know: which records, or why.
"""

from collections.abc import Callable, Sequence

from ml_connector.errors import (
    AuthError,
    MalformedError,
    RefusedError,
    RemoteError,
    UnconfirmedError,
)
from ml_connector.sync.ports import Result, Write
from ml_connector.systems.airbase.client import AirbaseClient, Raw, Rejection
from ml_connector.systems.airbase.kinds import Kind
from ml_connector.systems.airbase.matching import confirmed, rejected, unknown
from ml_connector.systems.airbase.refusals import refused

_NOT_THERE = (404, 405, 415)  # about the path, not about a record (404 is, when one record is addressed)

Deliver = Callable[[Sequence[Write], bool], tuple[Result, ...]]


class Sender:
    """Writes records of one kind."""

    def __init__(self, client: AirbaseClient, kind: Kind) -> None:
        self._client = client
        self._kind = kind

    def send(self, writes: Sequence[Write]) -> tuple[Result, ...]:
        """Write records, all creates or all updates.

        Raises: RemoteError when nothing was delivered; ValueError when creates and updates are mixed.
        """
        if len({bool(write.target_id) for write in writes}) > 1:
            raise ValueError("creates and updates are not sent together")
        if not writes:
            return ()
        if not self._kind.resource.bulk_path:
            return self._each(writes, self._single)
        try:
            return self._delivered(writes, self._bulk)
        except RefusedError as error:
            if len(writes) > 1 and not _about_all(error, writes):
                return self._each(writes, self._bulk)
            raise

    def _each(self, writes: Sequence[Write], deliver: Deliver) -> tuple[Result, ...]:
        """One by one. What stops them all stops the rest, which are then left for a look-up."""
        results: list[Result] = []
        for place, write in enumerate(writes):
            try:
                results += self._delivered([write], deliver)
            except RemoteError as error:
                if not results:
                    raise
                return (*results, *unknown(writes[place:], f"not sent: {_said(error)}"))
        return tuple(results)

    def _delivered(self, writes: Sequence[Write], deliver: Deliver) -> tuple[Result, ...]:
        """The results; an update whose answer was lost is sent once more."""
        try:
            return self._judged(writes, deliver, repeatable=False)
        except UnconfirmedError as error:
            if not writes[0].target_id:
                return unknown(writes, _said(error))
        try:
            return self._judged(writes, deliver, repeatable=True)
        except RemoteError as error:  # whatever this says, the first one may have arrived
            return unknown(writes, _said(error))

    def _judged(self, writes: Sequence[Write], deliver: Deliver, *, repeatable: bool) -> tuple[Result, ...]:
        try:
            return deliver(writes, repeatable)
        except MalformedError as error:
            return unknown(writes, _said(error))
        except RefusedError as error:
            if len(writes) > 1 or _about_all(error, writes):
                raise
            message = error.detail.removeprefix(f"answered {error.status}: ")
            return (refused(writes[0], self._kind.name, message),)

    def _bulk(self, writes: Sequence[Write], repeatable: bool) -> tuple[Result, ...]:
        entities = [self._kind.entity(write) for write in writes]
        answer = self._client.bulk_upsert(self._kind.resource, entities, repeatable=repeatable)
        if isinstance(answer, Rejection):
            return rejected(self._kind, writes, answer)
        return confirmed(self._kind, writes, (*answer.created, *answer.updated))

    def _single(self, writes: Sequence[Write], repeatable: bool) -> tuple[Result, ...]:
        return confirmed(self._kind, writes, [self._one(writes[0], repeatable=repeatable)])

    def _one(self, write: Write, *, repeatable: bool) -> Raw:
        fields = self._kind.fields(write)
        if not write.target_id:
            return self._client.create(self._kind.resource, fields)
        return self._client.update(self._kind.resource, write.target_id, fields, repeatable=repeatable)


def _about_all(error: RefusedError, writes: Sequence[Write]) -> bool:
    """Whether a refusal is about the credentials or the path, so that every write would meet it."""
    if isinstance(error, AuthError) or error.status < 400:
        return True
    addressed = bool(writes[0].target_id)
    return error.status in _NOT_THERE and not (addressed and error.status == 404)


def _said(error: RemoteError) -> str:
    return error.detail or "no answer"
