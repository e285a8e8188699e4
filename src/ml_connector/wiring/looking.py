"""Looks at a connection's systems in the background: the checks, the fit report, a tie-out; kept as they grow.

Rule: nothing is written to the systems; one look of a kind at a time for a connection, few at once in a process; what
was found is kept sealed, so that every process and a reload show the same.
Must not know: how anything is shown.
"""

import threading
import time
from contextlib import suppress
from datetime import datetime
from enum import StrEnum

import msgspec
import structlog

from ml_connector.errors import BusyError, ConnectorError, StoppedError
from ml_connector.settings import Installation
from ml_connector.store.findings import Findings
from ml_connector.systems.step import Step
from ml_connector.wiring import checking, tie_outs
from ml_connector.wiring.fit import Fit, fit
from ml_connector.wiring.joined import Joined
from ml_connector.wiring.opened import Opened

AT_ONCE_MAX = 4
KEEP_EVERY_S = 0.5
STOP_S = 10.0
TURN_S = 1.0
_LOG = structlog.get_logger("ml_connector.looks")


class Kind(StrEnum):
    """What is looked at."""

    CHECK = "check"
    FIT = "fit"
    TIE_OUT = "tie_out"


class State(StrEnum):
    """How a look stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    BROKEN_OFF = "broken off"


class Look(msgspec.Struct, frozen=True):
    """A look as far as it has come. `doing`: what is being read, with how many. Units: seconds.

    `period`: the one that is tied out, `number`: of the tie-out that was made.
    """

    state: State
    steps: tuple[Step, ...] = ()
    fit: Fit | None = None
    doing: str = ""
    seconds: float = 0.0
    error: str = ""
    period: str = ""
    number: int = 0


class Seen(msgspec.Struct, frozen=True):
    """A look, when it was last heard of, and on whose behalf it was made."""

    look: Look
    at: datetime
    person: str


class Looks:
    """The looks of one process."""

    def __init__(self, opened: Opened, installation: Installation) -> None:
        self._opened = opened
        self._installation = installation
        self._lock = threading.Lock()
        self._running: dict[tuple[int, Kind], _Run] = {}
        self._stopping = False

    def start(self, name: str, kind: Kind, person: str, period: str = "") -> None:
        """Begin a look, unless one is under way; `period`: to tie out. Raises: SettingsError, BusyError."""
        connection = self._opened.connections.get(name)
        place = (connection.id, kind)
        with self._lock:
            if place in self._running or self._stopping:
                return
            if len(self._running) >= AT_ONCE_MAX:
                raise BusyError(f"{AT_ONCE_MAX} connections are being looked at already; try again in a moment")
            findings = self._findings(connection.id)
            run = _Run(self._opened, self._installation, name, kind, person, findings, period)
            self._running[place] = run
        try:
            run.keep(Look(State.RUNNING))
        except BaseException:
            self._forget(place, run)
            raise
        threading.Thread(target=self._work, args=(place, run), name=f"look {kind}", daemon=True).start()

    def latest(self, connection_id: int, kind: Kind) -> Seen | None:
        """The latest look; one whose process has ended is broken off. Raises: StoreError."""
        seen = self._seen(connection_id, kind)
        if seen and seen.look.state is State.RUNNING and self._is_over(connection_id, kind):
            seen = self._seen(connection_id, kind)  # it may have ended since it was read
            if seen and seen.look.state is State.RUNNING:
                return msgspec.structs.replace(seen, look=msgspec.structs.replace(seen.look, state=State.BROKEN_OFF))
        return seen

    def stop(self) -> None:
        """End all looks; what they found until then is kept."""
        with self._lock:
            self._stopping, running = True, list(self._running.values())
        for run in running:
            run.stop()
        until = time.monotonic() + STOP_S
        for run in running:
            run.over.wait(max(0.0, until - time.monotonic()))

    def _seen(self, connection_id: int, kind: Kind) -> Seen | None:
        found = self._findings(connection_id).get(kind)
        return Seen(msgspec.json.decode(found.content, type=Look), found.at, found.person) if found else None

    def _findings(self, connection_id: int) -> Findings:
        return Findings(self._opened.database, self._opened.vault, connection_id)

    def _is_over(self, connection_id: int, kind: Kind) -> bool:
        with self._lock:
            if (connection_id, kind) in self._running:
                return False
        try:
            with self._opened.database.lock(_lock_name(connection_id, kind), 0):
                return True
        except BusyError:  # another process has it
            return False

    def _work(self, place: tuple[int, Kind], run: "_Run") -> None:
        try:
            with self._opened.database.lock(_lock_name(*place), TURN_S):
                run.work()
        except BusyError:
            pass  # another process looks already, and tells of it
        finally:
            self._forget(place, run)

    def _forget(self, place: tuple[int, Kind], run: "_Run") -> None:
        with self._lock:
            self._running.pop(place, None)
        run.over.set()


class _Run:
    """One look."""

    def __init__(
        self,
        opened: Opened,
        installation: Installation,
        name: str,
        kind: Kind,
        person: str,
        findings: Findings,
        period: str,
    ) -> None:
        self._opened = opened
        self._installation = installation
        self._name = name
        self._kind = kind
        self._person = person
        self._findings = findings
        self._period = period
        self._both: Joined | None = None
        self._stopped = threading.Event()
        self._began, self._kept = time.monotonic(), 0.0
        self.over = threading.Event()

    def stop(self) -> None:
        """End it as soon as what it asks is answered."""
        self._stopped.set()
        if self._both:
            self._both.close()

    def keep(self, look: Look) -> None:
        """Keep how far it is."""
        self._kept = time.monotonic()
        timed = msgspec.structs.replace(look, seconds=round(self._kept - self._began, 3), period=self._period)
        self._findings.keep(self._kind, self._person, msgspec.json.encode(timed))

    def work(self) -> None:
        """Look, and keep what is found; whatever goes wrong is kept too."""
        try:
            self._both = Joined(self._opened, self._name, person=self._person)
            try:
                self.keep(self._looked())
            finally:
                self._both.close()
        except StoppedError:
            self._end(Look(State.BROKEN_OFF))
        except ConnectorError as error:
            self._end(Look(State.FAILED, error=str(error)))
        except Exception as error:
            _LOG.error("failed", look=str(self._kind), error=type(error).__name__)
            self._end(Look(State.FAILED, error="something went wrong here; the log of this process says what"))

    def _end(self, look: Look) -> None:
        with suppress(ConnectorError):  # the store may be what went wrong
            self.keep(look)

    def _looked(self) -> Look:
        """What was found."""
        if self._kind is Kind.CHECK:
            return self._check()
        if self._kind is Kind.FIT:
            return Look(State.DONE, fit=fit(self._joined, self._watch))
        return Look(State.DONE, number=tie_outs.make(self._joined, self._period, self._watch).number)

    def _check(self) -> Look:
        done: list[Step] = []
        for step in checking.steps(self._joined, self._installation):
            self._go_on()
            done.append(step)
            self._maybe(Look(State.RUNNING, steps=tuple(done)))
        return Look(State.DONE, steps=tuple(done))

    def _watch(self, flow: str, stage: str, done: int) -> None:
        self._go_on()
        self._maybe(Look(State.RUNNING, doing=f"{_WORDS.get(stage, stage)} {flow.replace('_', ' ')}: {done:,}"))

    @property
    def _joined(self) -> Joined:
        if self._both is None:
            raise StoppedError("nothing is joined")
        return self._both

    def _go_on(self) -> None:
        if self._stopped.is_set():
            raise StoppedError("asked to stop")

    def _maybe(self, look: Look) -> None:
        if time.monotonic() - self._kept >= KEEP_EVERY_S:
            self.keep(look)


_WORDS = {"look": "looking at the target of", "read": "reading", "compare": "comparing", "wait": "waiting for"}


def _lock_name(connection_id: int, kind: Kind) -> str:
    return f"look/{connection_id}/{kind}"
