"""The store as one flow of one connection sees it: `sync.ports.Store`.

Rule: each method that writes is one transaction; the journal is written in the same one, last.
Must not know: SQL; each noun has its module.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime
from typing import Any

from ml_connector.store import changes as change_rows
from ml_connector.store import cursors as cursor_rows
from ml_connector.store import edits as edit_rows
from ml_connector.store import exceptions as exception_rows
from ml_connector.store import finds as find_rows
from ml_connector.store import links as link_rows
from ml_connector.store import marks as mark_rows
from ml_connector.store import runs as run_rows
from ml_connector.store import settling
from ml_connector.store.db import Database
from ml_connector.store.journal import Journal, Kind, Line
from ml_connector.store.scope import Clock, Scope
from ml_connector.store.terms import Terms
from ml_connector.store.vault import Vault
from ml_connector.sync.change import Event, State
from ml_connector.sync.edits import Edit
from ml_connector.sync.gate import Population
from ml_connector.sync.plan import Found, Link
from ml_connector.sync.ports import Alike, Change, Entry, Noted, Settlement
from ml_connector.sync.words import of_target

LINKS_PAGE = 1000
_EDITS = "edits"  # the cursor up to which entry of the journal edits have been looked at
_VOID = "its file is said to be void"
_LEFT = "the run that promised it ended before an answer came"


class FlowStore:
    """See `sync.ports.Store`."""

    def __init__(
        self,
        db: Database,
        vault: Vault,
        connection_id: int,
        flow_name: str,
        source_kind: type[Any],
        target_kind: type[Any],
        clock: Clock = lambda: datetime.now(UTC),
    ) -> None:
        self._db = db
        self._scope = Scope(vault, connection_id, flow_name, source_kind, target_kind, clock)
        self._journal = Journal(db, vault, connection_id, clock)
        self._terms = Terms(vault, connection_id)
        self._run_id = ""
        self._edited, self._edits_upto = False, 0

    def turn(self) -> AbstractContextManager[None]:
        """See `Store`."""
        return self._db.lock(f"flow {self._scope.flow} of connection {self._scope.connection_id}", 0.0)

    def begin(self, kind: str) -> str:
        """See `Store`; what earlier runs planned and never promised goes."""
        with self._db.write() as connection:
            died = run_rows.bury(connection, self._scope)
            change_rows.drop_planned(connection, self._scope)
            find_rows.forget(connection, self._scope)
            run_id = run_rows.begin(connection, self._scope, kind)
            # Who edits holds the flow's turn: what is in force now stays so until this run ends.
            self._edited = edit_rows.any_in_force(connection, self._scope)
            self._edits_upto = self._journal.length(connection)
            self._journal.append(connection, [self._run_line(one, {"state": run_rows.DIED}) for one in died])
        self._run_id = run_id
        return run_id

    def finish(self, run_id: str, state: str, report: Any) -> None:
        """See `Store`."""
        with self._db.write() as connection:
            run_rows.finish(connection, self._scope, run_id, state, report)
            change_rows.drop_planned(connection, self._scope, run_id)
            find_rows.forget(connection, self._scope)
            facts = {"state": state, "report": run_rows.report_digest(report)}
            self._journal.append(connection, [self._run_line(run_id, facts)])

    def cursor(self, name: str) -> str:
        """See `Store`."""
        with self._db.read() as connection:
            return cursor_rows.read(connection, self._scope, name)

    def keep_cursors(self, cursors: dict[str, str]) -> None:
        """See `Store`."""
        with self._db.write() as connection:
            cursor_rows.keep(connection, self._scope, cursors | {_EDITS: str(self._edits_upto)})

    def marks(self, part: str, after: str, upto: str | None) -> dict[str, str]:
        """See `Store`."""
        with self._db.read() as connection:
            return mark_rows.between(connection, self._scope, part, after, upto)

    def marks_of(self, part: str, keys: Sequence[str]) -> dict[str, str]:
        """See `Store`."""
        with self._db.read() as connection:
            return mark_rows.of(connection, self._scope, part, keys)

    def rows_known(self) -> int:
        """See `Store`."""
        with self._db.read() as connection:
            return mark_rows.count(connection, self._scope)

    def links(self, flow: str, keys: Sequence[str]) -> dict[str, Link]:
        """See `Store`; of another flow without `agreed`."""
        with self._db.read() as connection:
            return link_rows.read(connection, self._scope, flow, keys)

    def linked(self) -> Population:
        """See `Store`."""
        with self._db.read() as connection:
            return link_rows.count(connection, self._scope)

    def waiting(self, today: date) -> set[str]:
        """See `Store`."""
        with self._db.read() as connection:
            held = exception_rows.waiting(connection, self._scope)
            looked = cursor_rows.read(connection, self._scope, _EDITS)
            edited = edit_rows.touched(connection, self._scope, int(looked or 0))
            return held | edited | link_rows.waking(connection, self._scope, today)

    def edits(self, keys: Sequence[str]) -> dict[str, Edit]:
        """See `Store`."""
        if not self._edited:
            return {}
        with self._db.read() as connection:
            return edit_rows.of(connection, self._scope, keys)

    def lapse(self, run_id: str, why: Mapping[int, str]) -> None:
        """See `Store`."""
        with self._db.write() as connection:
            self._journal.append(connection, edit_rows.lapse(connection, self._scope, run_id, why))

    def alike(self, names: Sequence[str]) -> list[Alike]:
        """See `Store`."""
        with self._db.read() as connection:
            return link_rows.alike(connection, self._scope, names)

    def handed(self, keys: Sequence[str]) -> dict[str, Change]:
        """See `Store`."""
        with self._db.read() as connection:
            return {change.key: change for change in change_rows.handed(connection, self._scope, keys)}

    def let_go(self, keys: Sequence[str]) -> int:
        """Say that what was handed over for these will never be taken; how many there were. They are decided anew."""
        with self._db.write() as connection:
            held = change_rows.handed(connection, self._scope, keys)
            change_rows.advance(connection, self._scope, [(change, Event.LACK) for change in held])
            lines = [
                settling.settled(self._scope, "", Settlement(one, Event.LACK, note=_VOID), State.DROPPED, None)
                for one in held
            ]
            self._journal.append(connection, lines)
        return len(held)

    def told(self) -> Iterator[tuple[str, Link]]:
        """All links of the flow in key order, each with its story."""
        after = ""
        while True:
            with self._db.read() as connection:
                page = link_rows.told(connection, self._scope, after, LINKS_PAGE)
            yield from page
            if len(page) < LINKS_PAGE:
                return
            after = page[-1][1].key

    def held_for(self, causes: Sequence[str]) -> set[str]:
        """See `Store`."""
        with self._db.read() as connection:
            return exception_rows.waiting(connection, self._scope, causes)

    def open_changes(self, limit: int) -> list[Change]:
        """See `Store`; each is uncertain from here on, as whoever promised it is gone."""
        with self._db.write() as connection:
            opened = change_rows.open_ones(connection, self._scope, self._run_id, limit)
            lost = [Settlement(change, Event.LOSE, note=_LEFT) for change in opened if change.state == State.INTENDED]
            states = change_rows.advance(connection, self._scope, [(one.change, one.event) for one in lost])
            told = zip(lost, states, strict=True)
            lines = [settling.settled(self._scope, self._run_id, one, state, None) for one, state in told]
            self._journal.append(connection, lines)
        return [Change(change.id, State.UNCERTAIN, change.entry, change.packed) for change in opened]

    def stage(self, run_id: str, entries: Sequence[Entry]) -> None:
        """See `Store`."""
        with self._db.write() as connection:
            change_rows.stage(connection, self._scope, run_id, entries)
            self._terms.add(connection, self._scope.flow, {one.decision.key: one.words for one in entries})

    def linking(self, flow: str, keys: Sequence[str]) -> dict[str, bool]:
        """See `Store`."""
        with self._db.read() as connection:
            plans = run_rows.planning(connection, self._scope, flow)
            return change_rows.linking(connection, self._scope, flow, plans, keys)

    def staged(self, run_id: str, limit: int) -> list[Change]:
        """See `Store`; what only makes links comes last, in lists of its own."""
        with self._db.read() as connection:
            return change_rows.staged(connection, self._scope, run_id, limit)

    def remember(self, run_id: str, found: Sequence[Found]) -> None:
        """See `Store`."""
        with self._db.write() as connection:
            find_rows.remember(connection, self._scope, run_id, found)

    def found(self, run_id: str, keys: Sequence[str]) -> list[Found]:
        """See `Store`."""
        with self._db.read() as connection:
            return find_rows.of(connection, self._scope, run_id, keys)

    def note(self, run_id: str, noted: Sequence[Noted]) -> None:
        """See `Store`."""
        with self._db.write() as connection:
            fresh = [one for one in noted if not one.known]
            mark_rows.replace(connection, self._scope, [(one.key, one.rows) for one in fresh])
            self._terms.add(connection, self._scope.flow, {one.key: one.words for one in fresh})
            held, said = [(one.key, one.held) for one in noted], {one.key: one.source for one in noted}
            told = exception_rows.note(connection, self._scope, run_id, held, said)
            self._journal.append(connection, told)

    def intend(self, run_id: str, changes: Sequence[Change]) -> None:
        """See `Store`. Raises: StoreError also when a later run has taken over; then nothing may be sent."""
        with self._db.write() as connection:
            run_rows.check_alive(connection, self._scope, run_id)
            change_rows.advance(connection, self._scope, [(change, Event.INTEND) for change in changes], run_id)
            link_rows.doubt(connection, self._scope, [change.key for change in changes])
            lines = [settling.intended(self._scope, run_id, change) for change in changes]
            self._journal.append(connection, lines)

    def settle(self, run_id: str, settlements: Sequence[Settlement]) -> None:
        """See `Store`; what certainly did not happen is looked at again by the next run."""
        with self._db.write() as connection:
            moved = [(one.change, one.event) for one in settlements]
            states = change_rows.advance(connection, self._scope, moved)
            outcomes = list(zip(settlements, states, strict=True))
            made = {one.change.id: settling.link(one) for one, state in outcomes if state is State.SETTLED}
            link_rows.put(connection, self._scope, list(made.values()))
            settling.mark(connection, self._scope, settlements)
            named = {one.link.key: of_target(one.link.target_id) for one in made.values()}
            self._terms.add(connection, self._scope.flow, named)
            told = exception_rows.note(connection, self._scope, run_id, settling.exceptions(settlements))
            lines = [settling.settled(self._scope, run_id, one, st, made.get(one.change.id)) for one, st in outcomes]
            self._journal.append(connection, [*lines, *told])

    def _run_line(self, run_id: str, facts: dict[str, Any]) -> Line:
        return Line(Kind.RUN, facts, flow=self._scope.flow, run_id=run_id)
