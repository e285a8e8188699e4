"""Switching a flow on or off by hand.

Rule: a flow that is off keeps its schedules, links and mapping; only nothing runs it. It can still be planned.
Must not know: how anything is shown.
"""

import msgspec

from ml_connector import flows
from ml_connector.errors import SettingsError
from ml_connector.store.versions import State
from ml_connector.wiring import choice, profile, ticking, versions
from ml_connector.wiring.opened import Opened


def switch(opened: Opened, name: str, flow: str, *, on: bool, person: str) -> str:
    """Switch a flow on or off; what came of it, in a sentence. Raises: SettingsError for one that is not to be had."""
    at = ticking.place(opened, name)
    choice.chosen([flow], {*at.flows, *at.off})
    base, present = versions.number_in_force(opened, name), versions.present(opened, name)
    off = tuple(one for one in present.off if one != flow) if on else tuple(dict.fromkeys((*present.off, flow)))
    word = "on" if on else "off"
    if off == present.off:
        return f"{flow} is {word} already."
    after = msgspec.structs.replace(present, off=off)
    said = f"{flow} switched {word}"
    made = versions.connect(opened, name, after, versions.NO_SECRETS, person=person, note=said, base=base)
    if made and made.state is State.PROPOSED:
        return f"To switch {flow} {word}, somebody else has to agree: it waits as version {made.number}."
    return f"{flow} is {word} now." if on else f"{flow} is off now; what it holds stays as it is."


def post(opened: Opened, name: str, flow: str, *, person: str) -> str:
    """Have documents of a flow among those that are posted; whatever that turns on stays switched off for now.

    What came of it, in a sentence. Raises: SettingsError.
    """
    base, present = versions.number_in_force(opened, name), versions.present(opened, name)
    rules = profile.read(present).rules
    documents = rules.documents if rules else ()
    if flow in documents:
        return f"{flow} is set up already."
    if flow not in flows.DOCUMENTS:
        raise SettingsError(f"{flow} has no documents to post; these have: {', '.join(flows.DOCUMENTS)}")
    wanted = (*documents, flow)
    own = msgspec.structs.replace(present.profile, posting=present.profile.posting | {"documents": list(wanted)})
    new = choice.on(msgspec.structs.replace(present, profile=own), wanted) - choice.on(present, documents)
    after = msgspec.structs.replace(present, profile=own, off=tuple(dict.fromkeys((*present.off, *sorted(new)))))
    said = f"{flow} set up"
    made = versions.connect(opened, name, after, versions.NO_SECRETS, person=person, note=said, base=base)
    if made and made.state is State.PROPOSED:
        return f"To set {flow} up, somebody else has to agree: it waits as version {made.number}."
    return f"{flow} is set up, and off until it goes live. See if it fits: the report says which accounts are missing."
