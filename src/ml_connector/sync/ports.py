"""What the pipeline needs from the world: a source, a target, a store.

Rule: protocols and the values that cross them, nothing else.
Must not know: who implements them.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import Any, Protocol

import msgspec

from ml_connector.sync.change import Event
from ml_connector.sync.detect import Page, Row
from ml_connector.sync.edits import Edit
from ml_connector.sync.gate import Population
from ml_connector.sync.outcome import Held
from ml_connector.sync.plan import Decision, Found, Link


class Sight(msgspec.Struct, frozen=True):
    """One record as read, with all source rows that it was made of.

    `record` None and `unreadable` None: the source does not have it. `rows` may still hold stray child rows. `known`:
    they are exactly those that are marked already.
    """

    key: str
    record: Any = None
    rows: tuple[Row, ...] = ()
    unreadable: Held | None = None
    known: bool = False

    @property
    def there(self) -> bool:
        """Whether the source has the record."""
        return self.record is not None or self.unreadable is not None


class SightPage(msgspec.Struct, frozen=True):
    """A stretch of records in key order, from after the last page's end up to `upto` (None: to the end)."""

    sights: tuple[Sight, ...]
    upto: str | None


class Source(Protocol):
    """Where records come from.

    Raises (all methods): RemoteError.
    """

    @property
    def parts(self) -> tuple[str, ...]:
        """The sets that a record is made of."""
        ...

    @property
    def heads(self) -> tuple[str, ...]:
        """The parts of which each record has a row, or rows, in exactly one."""
        ...

    @property
    def depth(self) -> int:
        """How many parts of a row's key, the first ones, are the key of its record."""
        ...

    @property
    def keys_per_request(self) -> int:
        """How many records `read` asks for in one request."""
        ...

    @property
    def rows_per_request(self) -> int:
        """How many rows a page holds."""
        ...

    def sweep(self, part: str, cursor: str) -> Iterator[Page]:
        """Rows of a part: those modified since the cursor where the part has a modified time, else all."""
        ...

    def read_all(self) -> Iterator[SightPage]:
        """Every record, in key order."""
        ...

    def read(self, keys: Sequence[str]) -> Iterator[tuple[Sight, ...]]:
        """These records, each exactly once, those that are not there included; any number of keys."""
        ...


class Write(msgspec.Struct, frozen=True):
    """What to put into the target: create when `target_id` is empty, else set the fields of that record.

    `effective_on`: the day a document takes effect; None: its own.
    """

    key: str
    target_id: str
    after: Any
    before: Any = None
    effective_on: date | None = None


class Told(msgspec.Struct, frozen=True):
    """A request that was about a record and its answer, as far as they may be kept; status 0: no answer came.

    `records`: how many records were in it; `sent`, `answered`: the parts that are about this one.
    """

    system: str
    method: str
    path: str
    status: int
    request_id: str
    at: datetime
    records: int
    sent: str
    answered: str


class Done(msgspec.Struct, frozen=True):
    """The target confirmed the write."""

    key: str
    target_id: str
    told: tuple[Told, ...] = ()


class Refused(msgspec.Struct, frozen=True):
    """The target said no to this one record."""

    key: str
    held: Held
    told: tuple[Told, ...] = ()


class Unknown(msgspec.Struct, frozen=True):
    """No trustworthy answer: it may or may not have happened."""

    key: str
    reason: str
    told: tuple[Told, ...] = ()


class Handed(msgspec.Struct, frozen=True):
    """The write is in a file that the target takes later; until it shows there, somebody may have to see to that."""

    key: str
    held: Held
    told: tuple[Told, ...] = ()


Result = Done | Refused | Unknown | Handed


class Target(Protocol):
    """Where records go.

    Raises (all methods): RemoteError. `send` raises only when it is certain that nothing was delivered.
    """

    @property
    def batch_max(self) -> int:
        """How many writes go in one `send`."""
        ...

    @property
    def find_max(self) -> int:
        """Up to how many keys `find` is cheaper than `walk`."""
        ...

    def trim(self, record: Any) -> Any:
        """The record with only the fields that this tenant takes; the rest None."""
        ...

    def walk(self) -> Iterator[tuple[Found, ...]] | None:
        """Every record that carries a key of ours, trimmed; None: only `find` can tell."""
        ...

    def find(self, keys: Sequence[str]) -> tuple[Found, ...]:
        """The records that carry these keys, trimmed; a key may be found twice."""
        ...

    def send(self, writes: Sequence[Write]) -> tuple[Result, ...]:
        """Write up to `batch_max` records, all creates or all updates; one result each."""
        ...


class Entry(msgspec.Struct, frozen=True):
    """A decision to be staged, with the source record and rows it was made from, and the words it is found by."""

    decision: Decision
    source: Any = None
    rows: tuple[Row, ...] = ()
    words: frozenset[str] = frozenset()


class Change(msgspec.Struct, frozen=True):
    """A staged or intended decision as the store gives it back; `packed`: its records, as only the store reads them."""

    id: int
    state: str
    entry: Entry
    packed: bytes = b""

    @property
    def key(self) -> str:
        """The source key."""
        return self.entry.decision.key


class Settlement(msgspec.Struct, frozen=True):
    """What became of a change.

    `agreed` None: what was sent; else what the target was found to hold (then the rows stay unmarked, so that the next
    run compares again). `held`, always set on REFUSE, opens an exception; without it DONE and FIND resolve one.
    """

    change: Change
    event: Event
    target_id: str = ""
    agreed: Any = None
    held: Held | None = None
    note: str = ""
    told: tuple[Told, ...] = ()


class Noted(msgspec.Struct, frozen=True):
    """A record that needs nothing (`held` None) or a person; its rows are marked as seen.

    `words`: it is found by. `source`: of one that needs a person, what its source says. `known`: rows and words are
    kept already.
    """

    key: str
    rows: tuple[Row, ...] = ()
    held: Held | None = None
    words: frozenset[str] = frozenset()
    source: Any = None
    known: bool = False


class Alike(msgspec.Struct, frozen=True):
    """A posted document that is alike to one that is about to be."""

    alike: str
    key: str
    target_id: str
    agreed: Any


class Store(Protocol):
    """The store as one flow of one connection sees it.

    Raises (all methods): StoreError.
    """

    def turn(self) -> AbstractContextManager[None]:
        """Hold the flow for one run; released when the process dies. Raises: BusyError."""
        ...

    def begin(self, kind: str) -> str:
        """Start a run ("run", "some" when it covers some records only, or "plan"); its id."""
        ...

    def finish(self, run_id: str, state: str, report: Any) -> None:
        """End a run: its state ("done", "blocked", "failed") and report; its staged rows go."""
        ...

    def cursor(self, name: str) -> str:
        """A remembered text; "" when there is none."""
        ...

    def keep_cursors(self, cursors: dict[str, str]) -> None:
        """Remember texts by name."""
        ...

    def marks(self, part: str, after: str, upto: str | None) -> dict[str, str]:
        """The marks of rows with after < key <= upto."""
        ...

    def marks_of(self, part: str, keys: Sequence[str]) -> dict[str, str]:
        """The marks of these rows."""
        ...

    def rows_known(self) -> int:
        """How many rows are marked, all parts together."""
        ...

    def links(self, flow: str, keys: Sequence[str]) -> dict[str, Link]:
        """The links of these keys, of this or another flow of the connection."""
        ...

    def linked(self) -> Population:
        """How many links the flow has, and how many of them are active."""
        ...

    def waiting(self, today: date) -> set[str]:
        """Keys to look at whatever the source says: with an open exception, a link in doubt, or a wake-up day come, or
        edited since the last run of the whole flow.
        """
        ...

    def edits(self, keys: Sequence[str]) -> dict[str, Edit]:
        """The edits of these records that are in force."""
        ...

    def lapse(self, run_id: str, why: Mapping[int, str]) -> None:
        """End edits, by their numbers, and say why."""
        ...

    def handed(self, keys: Sequence[str]) -> dict[str, Change]:
        """What of these is in a file that the target has not taken yet, as far as known."""
        ...

    def alike(self, names: Sequence[str]) -> list[Alike]:
        """Linked documents of the flow that are alike to any of these, by `Trace.alike`."""
        ...

    def held_for(self, causes: Sequence[str]) -> set[str]:
        """Keys with an open exception of one of these causes."""
        ...

    def open_changes(self, limit: int) -> list[Change]:
        """Changes that an earlier run left intended or uncertain; those it dropped stay out."""
        ...

    def stage(self, run_id: str, entries: Sequence[Entry]) -> None:
        """Add planned changes; a key staged before in this run is replaced."""
        ...

    def linking(self, flow: str, keys: Sequence[str]) -> dict[str, bool]:
        """Which of these keys a plan in progress in this process would link, and whether they would be active."""
        ...

    def staged(self, run_id: str, limit: int) -> list[Change]:
        """The next planned changes: creates first, then in key order; creates and updates never in one list."""
        ...

    def remember(self, run_id: str, found: Sequence[Found]) -> None:
        """Keep what a walk of the target found, for the length of the run."""
        ...

    def found(self, run_id: str, keys: Sequence[str]) -> list[Found]:
        """What the walk found of these keys."""
        ...

    def note(self, run_id: str, noted: Sequence[Noted]) -> None:
        """Replace the marks of these records, open or resolve their exceptions; one transaction."""
        ...

    def intend(self, run_id: str, changes: Sequence[Change]) -> None:
        """Commit that these will be sent: state, attempt and journal in one transaction; their links are in doubt."""
        ...

    def settle(self, run_id: str, settlements: Sequence[Settlement]) -> None:
        """Commit what became of them: state, link, marks, exception and journal in one transaction."""
        ...
