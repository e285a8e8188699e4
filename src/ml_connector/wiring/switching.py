"""Switching a flow on or off by hand.

Rule: a flow that is off keeps its schedules, links and mapping; only nothing runs it. It can still be planned.
Must not know: how anything is shown.
"""

import msgspec

from ml_connector.store.versions import State
from ml_connector.wiring import choice, ticking, versions
from ml_connector.wiring.opened import Opened


def switch(opened: Opened, name: str, flow: str, *, on: bool, person: str) -> str:
    """Switch a flow on or off; what came of it, in a sentence. Raises: SettingsError for one that is not to be had."""
    at = ticking.place(opened, name)
    choice.chosen([flow], {*at.flows, *at.off})
    present = versions.present(opened, name)
    off = tuple(one for one in present.off if one != flow) if on else tuple(dict.fromkeys((*present.off, flow)))
    word = "on" if on else "off"
    if off == present.off:
        return f"{flow} is {word} already."
    after = msgspec.structs.replace(present, off=off)
    made = versions.connect(opened, name, after, versions.NO_SECRETS, person=person, note=f"{flow} switched {word}")
    if made and made.state is State.PROPOSED:
        return f"To switch {flow} {word}, somebody else has to agree: it waits as version {made.number}."
    return f"{flow} is {word} now." if on else f"{flow} is off now; what it holds stays as it is."
