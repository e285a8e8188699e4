"""Tie-outs of a connection: made and kept, listed, signed off.

Rule: only one is made at a time for a connection; where two persons are asked for, who made one does not sign it off.
Must not know: how anything is shown, how the sides are compared.
"""

import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager

from ml_connector.compare.tieout import words
from ml_connector.compare.tieout.shapes import TieOut
from ml_connector.errors import BusyError, SettingsError
from ml_connector.flows import FLOWS
from ml_connector.store.tie_outs import Draft, Kept, TieOuts
from ml_connector.wiring import agreeing, versions
from ml_connector.wiring.comparing import tie_out
from ml_connector.wiring.joined import Joined, Watch, unwatched
from ml_connector.wiring.opened import Opened

WAIT_S, AGAIN_S = 60.0, 0.5  # for runs that are under way


def of(opened: Opened, name: str) -> TieOuts:
    """The tie-outs of a connection. Raises: SettingsError for an unknown name."""
    return TieOuts(opened.database, opened.vault, opened.connections.get(name).id)


def make(both: Joined, period: str, watch: Watch = unwatched) -> Kept:
    """Count and sum both sides of a period, and keep what was found. Raises: SettingsError, ConnectorError."""
    with _turn(both):
        draft = of(both.opened, both.stored.name).begin(period, both.person)
        try:
            return draft.keep(_in_turn(both, period, watch, draft))
        except BaseException:
            draft.drop()
            raise


def _in_turn(both: Joined, period: str, watch: Watch, draft: Draft) -> TieOut:
    """Compare as soon as no flow runs; a run that takes long is not waited for."""
    until = time.monotonic() + WAIT_S
    while True:
        while _running(both) and time.monotonic() < until:
            watch("runs", "wait", 0)
            time.sleep(AGAIN_S)
        try:
            return tie_out(both, period, watch=watch, each=draft.tell)
        except BusyError:
            if draft.count or time.monotonic() >= until:
                raise


def _running(both: Joined) -> bool:
    """Whether one of the flows runs."""
    try:
        for name in sorted(both.had):
            with both.store(FLOWS[name]).turn():
                pass
    except BusyError:
        return True
    return False


@contextmanager
def _turn(both: Joined) -> Generator[None]:
    with ExitStack() as held:
        try:
            held.enter_context(both.opened.database.lock(f"tie-out/{both.stored.id}", 0.0))
        except BusyError as error:
            raise BusyError(f"a tie-out of {both.stored.name} is being made already; wait for it") from error
        yield


def why_not(opened: Opened, name: str, one: Kept, person: str) -> str:
    """Why somebody can't sign a tie-out off; "" when they can."""
    if one.signed_at:
        return f"it is signed off already, by {one.signed_by}"
    if not versions.present(opened, name).profile.two_persons:
        return ""
    makers = agreeing.behind(opened, {one.made_by})
    return agreeing.why_not(person, "made it", one.made_by, makers, "sign it off")


def sign(opened: Opened, name: str, number: int, digest: str, person: str, note: str = "") -> Kept:
    """Sign a tie-out off, by the beginning of its digest; what is out of line is noted. Raises: SettingsError."""
    kept = of(opened, name)
    one = kept.get(number)
    if (why := why_not(opened, name, one, person)) and one.signed_by != person:
        raise SettingsError(why)
    found = kept.content(number)
    if not (found.in_line or one.signed_at or note.strip()):
        raise SettingsError(f"{words.out_of_line(found)} Say in a note why it is signed off all the same")
    return kept.sign(number, digest, person, note)
