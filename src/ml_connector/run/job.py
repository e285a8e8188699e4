"""One run of one flow: what it needs, and how far it is.

Rule: data only; the stages read and fill it.
Must not know: IFS, Airbase, SQL, HTTP.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from ml_connector.records.ledger import Books
from ml_connector.sync.flow import AnyFlow, Tables
from ml_connector.sync.orders import WHOLE, Extent
from ml_connector.sync.outcome import Held, Mapped
from ml_connector.sync.plan import WRITES, Action, Decision, Tally
from ml_connector.sync.ports import Alike, Sight, Source, Store, Target
from ml_connector.sync.report import Report

STAGED = (*WRITES, Action.ADOPT, Action.RELINK)
Outcome = Mapped[Any] | Held | None  # of mapping a record; None: there is nothing to say of it


@dataclass(frozen=True)
class Job:
    """Everything that one run of one flow needs.

    `basis` changes whenever the same source record may map differently. `books` is what documents are checked against,
    asked for when there is one to check. `tell` is told each decision as it is made; `spend` puts into the report what
    was spent so far. Units: quiet_s is how long an unanswered request gets to take effect before it is looked up.
    """

    flow: AnyFlow
    source: Source
    target: Target
    store: Store
    tables: Tables
    today: date
    basis: str
    extent: Extent = WHOLE
    approved: tuple[str, ...] = ()
    books: Callable[[], Books] = Books
    quiet_s: float = 10.0
    watch: Callable[[str, int], None] = lambda _stage, _done: None
    tell: Callable[[Sight, Decision], None] = lambda _sight, _decision: None
    spend: Callable[[], None] = lambda: None


@dataclass
class Pass:
    """One run in progress."""

    job: Job
    run_id: str
    report: Report
    dry: bool = False
    walked: bool = False
    rows_known: int = 0  # rows of the source seen by earlier runs
    there: int = 0  # records that the source has, of those read
    due: set[str] = field(default_factory=set[str])  # keys to read, whatever else is
    suspects: set[str] = field(default_factory=set[str])  # keys of which the target may hold something else than linked
    spurned: set[str] = field(default_factory=set[str])  # keys whose creation was answered with something else
    ours: set[str] = field(default_factory=set[str])  # keys that were handed over in a file
    likes: dict[str, list[Alike]] = field(default_factory=dict[str, list[Alike]])  # about to be posted by this run
    met: int = 0  # records that were in the target before there was a link to them
    tally: Tally = field(default_factory=Tally)
    cursors: dict[str, str] = field(default_factory=dict[str, str])
