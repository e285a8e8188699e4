"""Single rows of a set, to be read and written.

Rule: a row is written under the ETag that was read just before, and what was written is compared with what came of it.
A write without an answer is followed by a look, never by the same write again.
Must not know: which records, or why.
"""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from functools import cached_property
from typing import Any

import msgspec

from ml_connector.errors import (
    AuthError,
    ConflictError,
    MalformedError,
    RefusedError,
    RemoteError,
    UnconfirmedError,
)
from ml_connector.records import money
from ml_connector.sync.outcome import Held, Owner
from ml_connector.sync.ports import Done, Refused, Result, Unknown
from ml_connector.systems.ifs.client import IfsClient
from ml_connector.systems.ifs.csdl import EntitySet, Metadata
from ml_connector.systems.ifs.odata import literals
from ml_connector.systems.ifs.odata.answers import ETAG
from ml_connector.systems.ifs.odata.query import any_of, stretches
from ml_connector.systems.ifs.odata.writes import Act, ETag, Insert, Update
from ml_connector.systems.ifs.pager import Plan

ATTEMPTS_MAX = 2  # a row that changed under our hands is read and written again once
REFUSED = "refused_by_ifs"

Raw = dict[str, Any]


class Entities:
    """The rows of one part of the profile, addressed by the key that the tenant's `$metadata` says."""

    def __init__(self, client: IfsClient, name: str) -> None:
        self.client = client
        self.name = name
        self.part = client.profile.parts[name]

    @cached_property
    def metadata(self) -> Metadata:
        """What the tenant says of the service. Raises: RemoteError."""
        return self.client.metadata(self.part)

    @property
    def shape(self) -> EntitySet:
        """What the tenant says of the set. Raises: RemoteError."""
        found = self.metadata.sets.get(self.part.set)
        if found is None:
            detail = f"{self.part.service} has no set {self.part.set} in this tenant"
            raise MalformedError(self.client.wire.system, f"read $metadata of {self.part.service}", detail)
        return found

    def literal(self, column: str, value: Any) -> str:
        """A value of a column as it stands in a filter or a key. Raises: ValueError when it can't be one."""
        kind = self.shape.properties.get(column, "Edm.String")
        if kind in self.metadata.enums:
            return literals.enum(kind, str(value))
        if kind == "Edm.String":
            return literals.literal(str(value))
        return literals.literal(money.exact(value) if isinstance(value, str | int | Decimal) else value)

    def equal(self, columns: Sequence[tuple[str, Any]]) -> str:
        """The filter for rows with exactly these values."""
        return " and ".join(f"{literals.name(column)} eq {self.literal(column, value)}" for column, value in columns)

    def rows(self, wanted: str, *, more: Sequence[str] = (), most: int = 0) -> list[Raw]:
        """The rows that a filter takes; `most`: there are no more than so many. Raises: RemoteError."""
        select = tuple(dict.fromkeys((*self.part.properties, *self.shape.key, *more)))
        plan = Plan(select, self.part.key, wanted, skip=self.part.paging == "skip")
        found: list[Raw] = []
        for page in self.client.pages(self.name, plan, prefetch=False):
            found += page.rows
            if most and len(found) >= most:
                break
        return found

    def rows_of(self, filters: Sequence[str], *, more: Sequence[str] = ()) -> Iterator[Raw]:
        """The rows that one of these filters takes, in as few requests as their length allows. Raises: RemoteError."""
        for stretch in stretches(filters, self.client.profile.keys_per_request):
            yield from self.rows(any_of(stretch), more=more)

    def path(self, row: Raw) -> str:
        """Where a row is."""
        parts = {column: self.literal(column, row[column]) for column in self.shape.key}
        return f"{self.part.place}/{self.part.set}{literals.key(parts)}"

    def patch(self, row: Raw, fields: Raw) -> Raw | None:
        """Set fields of the row that was read; the row as it is now, if the answer says. Raises: RemoteError."""
        return self._written(f"update {self.name}", Update(self.path(row), self._etag(row), fields))

    def act(self, row: Raw, action: str) -> Raw | None:
        """Call an action bound to the row that was read; the row as it is now, if the answer says.

        Raises: RemoteError.
        """
        qualified = f"IfsApp.{self.part.service}.{action}"
        return self._written(f"{action} of {self.name}", Act(self.path(row), qualified, self._etag(row)))

    def insert(self, fields: Raw) -> Raw:
        """Create a row; the row as the answer shows it. Raises: RemoteError."""
        return self.client.write(f"create {self.name}", Insert(f"{self.part.place}/{self.part.set}", fields))

    def _written(self, operation: str, write: Update | Act) -> Raw | None:
        found = self.client.write(operation, write)
        return found if ETAG in found else None

    def _etag(self, row: Raw) -> ETag:
        try:
            return ETag.of(row)
        except ValueError:
            detail = "the row has no ETag, so it can't be changed safely"
            raise RefusedError(self.client.wire.system, f"read {self.name}", detail, 0) from None


class LostSightError(Exception):
    """Something may have been delivered, and what came of it could not be learnt."""


class Brought(msgspec.Struct, frozen=True):
    """Where a row was brought: as it was last seen (None: it is gone), and what stood in the way, if anything did."""

    row: Raw | None
    reached: bool
    obstacle: RemoteError | None = None


def bring(
    read: Callable[[], Raw | None], reached: Callable[[Raw], bool], write: Callable[[Raw], Raw | None]
) -> Brought:
    """Bring a row to where it should be.

    Raises: RemoteError when nothing was delivered; LostSightError.
    """
    row = read()
    obstacle: RemoteError | None = None
    for _ in range(ATTEMPTS_MAX):
        if row is None or reached(row):
            return Brought(row, row is not None)
        row, obstacle = _written(read, row, write, obstacle)
    return Brought(row, row is not None and reached(row), obstacle)


def _written(
    read: Callable[[], Raw | None],
    row: Raw,
    write: Callable[[Raw], Raw | None],
    before: RemoteError | None,
) -> tuple[Raw | None, RemoteError | None]:
    try:
        return write(row) or _again(read), None
    except (ConflictError, UnconfirmedError, MalformedError) as error:
        return _again(read), error
    except RemoteError as error:
        if isinstance(before, UnconfirmedError | MalformedError):
            raise LostSightError(said(before)) from error
        raise


def _again(read: Callable[[], Raw | None]) -> Raw | None:
    try:
        return read()
    except RemoteError as error:
        raise LostSightError(said(error)) from None


def result_of(key: str, target_id: str, brought: Brought) -> Result:
    """The result of bringing one row where it should be."""
    if brought.reached:
        return Done(key, target_id)
    if brought.row is None:
        return Refused(key, _held("It is no longer there in IFS.", "Check the record there, then run again."))
    if isinstance(brought.obstacle, ConflictError):
        return Refused(
            key, _held("It was changed in IFS at the same time, twice.", "Nothing, if the next run does it.")
        )
    if brought.obstacle:
        return Unknown(key, said(brought.obstacle))
    remedy = "Check that the service user may change the field, and that no event in IFS resets it."
    return Refused(key, _held("IFS took the change and did not keep it.", remedy, Owner.ADMINISTRATOR))


def said(error: RemoteError) -> str:
    """What an error says, without whose it is."""
    return error.detail or type(error).__name__


def refused(key: str, error: RemoteError) -> Refused:
    """The result for a record that IFS refused."""
    remedy = "Correct what IFS names, there or in the source, then run again."
    return Refused(key, _held(f"IFS refused it: {said(error)}.", remedy))


def _held(sentence: str, remedy: str, owner: Owner = Owner.CLERK) -> Held:
    return Held(REFUSED, sentence, remedy, owner)


def one_result(key: str, write: Callable[[], Result]) -> Result:
    """The result of one write; what IFS says of this record alone is a result, all else is raised.

    Raises: RemoteError when nothing was delivered.
    """
    try:
        return write()
    except AuthError:
        raise
    except RefusedError as error:
        return refused(key, error)
    except (UnconfirmedError, LostSightError) as error:
        return Unknown(key, said(error) if isinstance(error, RemoteError) else str(error))


def each_result(keys: Sequence[str], write: Callable[[int], Result]) -> tuple[Result, ...]:
    """One result each; what stops them all leaves the rest for a look-up, once one was sent.

    Raises: RemoteError when nothing was delivered.
    """
    results: list[Result] = []
    for place, key in enumerate(keys):
        try:
            results.append(one_result(key, lambda place=place: write(place)))
        except RemoteError as error:
            if not any(isinstance(result, Done | Unknown) for result in results):
                raise
            return (*results, *(Unknown(left, f"not sent: {said(error)}") for left in keys[place:]))
    return tuple(results)
