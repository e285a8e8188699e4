"""Who may agree to what somebody did: nobody to their own, be it by their name or by that of a token they made.

Rule: who stands behind a name is found here alone, and so is why somebody may not agree. A token orders runs and makes
tie-outs; settings and edits are made by people only, so that whoever asks about those names no makers.
Must not know: whether something takes two, or what is agreed to.
"""

from collections.abc import Collection

from ml_connector.store.api_tokens import ApiTokens
from ml_connector.wiring.opened import Opened

AGREE = "agree to it"


def makers(opened: Opened, names: Collection[str]) -> dict[str, set[str]]:
    """Who made the tokens among these names, by name."""
    return ApiTokens(opened.database).makers(names)


def behind(opened: Opened, names: Collection[str]) -> set[str]:
    """Who acts under these names: they themselves, and who made the tokens among them."""
    return set(names).union(*makers(opened, names).values())


def why_not(person: str, did: str, by: str, makers: Collection[str] = (), then: str = AGREE) -> str:
    """Why somebody can't agree; "" when they can.

    `did`, `by`: what was done, and under which name; `makers`: who is behind that name; `then`: what another has to do.
    """
    if person == by:
        return f"you {did}; somebody else has to {then}"
    return f"a token that you made {did}; somebody else has to {then}" if person in makers else ""
