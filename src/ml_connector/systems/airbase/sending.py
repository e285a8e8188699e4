"""Writing records, with one result for each.

Rule: raises only when it is certain that nothing was delivered; after the first delivery every write gets a result.
A create is sent once, and again only when it was refused with others and is seen not to be there. An update that got no
answer may be sent again, because it sets the same fields.
Must not know: which records, or why.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from ml_connector.errors import (
    AuthError,
    MalformedError,
    RefusedError,
    RemoteError,
    UnconfirmedError,
)
from ml_connector.sync.plan import Found, same
from ml_connector.sync.ports import Done, Refused, Result, Unknown, Write
from ml_connector.systems.airbase.client import NO_ID, AirbaseClient, Raw, Rejection, is_odd
from ml_connector.systems.airbase.kinds import Kind
from ml_connector.systems.airbase.lookup import Lookup
from ml_connector.systems.airbase.matching import confirmed, rejected, unknown
from ml_connector.systems.airbase.refusals import refused

_NOT_THERE = (404, 405, 415)  # about the path, not about a record (404 is, when one record is addressed)

Deliver = Callable[[Sequence[Write], bool], tuple[Result, ...]]


class BatchRefusedError(Exception):
    """A batch was refused because of some of its writes; what was said of those that it named, by key."""

    def __init__(self, named: Mapping[str, Refused]) -> None:
        super().__init__()
        self.named = dict(named)


class Sender:
    """Writes records of one kind."""

    def __init__(self, client: AirbaseClient, kind: Kind, lookup: Lookup) -> None:
        self._client = client
        self._kind = kind
        self._lookup = lookup

    def send(self, writes: Sequence[Write]) -> tuple[Result, ...]:
        """Write records, all creates or all updates.

        Raises: RemoteError when nothing was delivered; ValueError when creates and updates are mixed.
        """
        if len({bool(write.target_id) for write in writes}) > 1:
            raise ValueError("creates and updates are not sent together")
        odd = {write.key: refused(write, self._kind.name, NO_ID) for write in writes if is_odd(write.target_id)}
        results = odd | _by_key(self._sent(_except(writes, odd)))
        return tuple(results[write.key] for write in writes)

    def _sent(self, writes: Sequence[Write]) -> tuple[Result, ...]:
        if not writes:
            return ()
        if not self._kind.resource.bulk_path:
            return self._each(writes, self._single)
        try:
            return self._delivered(writes, self._bulk)
        except BatchRefusedError as refusal:
            named = refusal.named
        except RefusedError as error:
            if len(writes) == 1 or _about_all(error, writes):
                raise
            named = {}
        results = named | self._others(_except(writes, named), together=bool(named))
        return tuple(results[write.key] for write in writes)

    def _others(self, writes: Sequence[Write], *, together: bool) -> dict[str, Result]:
        """The results of writes that were refused with others: sent without those, once as a batch, then one by one.

        Never raises: what stops them leaves them for a look-up.
        """
        results: dict[str, Result] = {}
        left = writes
        try:
            results = self._there(writes)
            left = _except(writes, results)
            return results | _by_key(self._delivered(left, self._bulk) if together else self._each(left, self._bulk))
        except BatchRefusedError as refusal:
            return results | refusal.named | self._others(_except(left, refusal.named), together=False)
        except RemoteError as error:
            return results | _by_key(unknown(left, f"not sent: {_said(error)}"))

    def _there(self, writes: Sequence[Write]) -> dict[str, Result]:
        """Creates that are there although their batch was refused: that none of it was written is only probable."""
        creates = {write.key: write for write in writes if not write.target_id}
        found: dict[str, list[Found]] = {}
        for one in self._lookup.find(list(creates)):
            found.setdefault(one.key, []).append(one)
        return {key: self._seen(creates[key], ones) for key, ones in found.items()}

    def _seen(self, write: Write, found: Sequence[Found]) -> Result:
        if len(found) == 1 and same(found[0].record, self._kind.trim(write.after)):
            return Done(write.key, found[0].target_id)
        return Unknown(write.key, "it is there although its batch was refused, but not once and as it was sent")

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
        if not writes:
            return ()
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
            named = rejected(self._kind, writes, answer)
            if len(named) < len(writes):
                raise BatchRefusedError(named)
            return tuple(named[write.key] for write in writes)
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


def _except(writes: Sequence[Write], settled: Mapping[str, Result]) -> list[Write]:
    return [write for write in writes if write.key not in settled]


def _by_key(results: Iterable[Result]) -> dict[str, Result]:
    return {result.key: result for result in results}


def _said(error: RemoteError) -> str:
    return error.detail or "no answer"
