"""Setting fields of records that are there, one record at a time.

Rule: what is set twice is set once; an answer that never came is asked for again, and believed only when it shows them.
Must not know: which fields, or why.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ml_connector.errors import AuthError, MalformedError, NotFoundError, RefusedError, RemoteError, UnconfirmedError
from ml_connector.sync.outcome import Held, Owner
from ml_connector.sync.ports import Done, Refused, Result, Unknown, Write
from ml_connector.systems.airbase.client import NO_ID, AirbaseClient, Raw, id_of, is_odd
from ml_connector.systems.airbase.refusals import CAUSE
from ml_connector.systems.airbase.resource import Resource


class Setting:
    """Sets fields of one kind of record.

    `noun`: what it is called. `gone`: why a write waits whose record is not there, from its key.
    """

    def __init__(self, client: AirbaseClient, resource: Resource, noun: str, gone: Callable[[str], Held]) -> None:
        self._client = client
        self._resource = resource
        self._noun = noun
        self._gone = gone

    def set(self, key: str, target_id: str, fields: Mapping[str, Any]) -> Result:
        """Set fields of a record; it is done when the answer shows them.

        Raises: RemoteError when nothing was delivered.
        """
        if is_odd(target_id):
            return Refused(key, self._refused(key, NO_ID))
        try:
            row = self._delivered(target_id, fields)
        except (UnconfirmedError, MalformedError) as error:
            return Unknown(key, said(error))
        except NotFoundError:
            return Refused(key, self._gone(key))
        except AuthError:
            raise
        except RefusedError as error:
            return Refused(key, self._refused(key, error.detail.removeprefix(f"answered {error.status}: ")))
        return self._judged(key, target_id, fields, row)

    def _delivered(self, target_id: str, fields: Mapping[str, Any]) -> Raw:
        try:
            return self._client.update(self._resource, target_id, fields, repeatable=False)
        except UnconfirmedError as first:
            try:
                return self._client.update(self._resource, target_id, fields, repeatable=True)
            except RemoteError:  # whatever this says, the first one may have arrived
                raise first from None

    def _judged(self, key: str, target_id: str, fields: Mapping[str, Any], row: Raw) -> Result:
        if id_of(row) != target_id:
            return Unknown(key, "the answer shows another record")
        lost = [name for name, value in fields.items() if (row.get(name) or None) != (value or None)]
        return Refused(key, self._not_kept(key, lost)) if lost else Done(key, target_id)

    def _refused(self, key: str, said: str) -> Held:
        return Held(
            CAUSE,
            f"Airbase did not accept {self._noun} {key}: {said.rstrip('. ') or 'it gave no reason'}.",
            f"Correct what it names at the {self._noun} in Airbase, then run again.",
            Owner.CLERK,
        )

    def _not_kept(self, key: str, lost: Sequence[str]) -> Held:
        return Held(
            CAUSE,
            f"Airbase took the change of {self._noun} {key}, but did not keep {', '.join(lost)}.",
            "Correct the field's name in the profile as this tenant has it.",
            Owner.ADMINISTRATOR,
        )


def each(writes: Sequence[Write], act: Callable[[Write], Result]) -> tuple[Result, ...]:
    """One result each; what stops them all leaves the rest for a look-up, once one was delivered.

    Raises: RemoteError when nothing was delivered.
    """
    results: list[Result] = []
    for place, write in enumerate(writes):
        try:
            results.append(act(write))
        except RemoteError as error:
            if all(isinstance(result, Refused) for result in results):
                raise
            return (*results, *(Unknown(left.key, f"not sent: {said(error)}") for left in writes[place:]))
    return tuple(results)


def said(error: RemoteError) -> str:
    """What an error says, without whose it is."""
    return error.detail or "no answer"
