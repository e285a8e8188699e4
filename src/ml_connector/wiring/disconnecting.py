"""Removing a connection that came to nothing, such as one under a wrong name.

Rule: what linked records stays, as those would be made twice under another name; nothing of it runs meanwhile. Nor
does one go that takes two persons: made anew, it would be another one by one person alone.
Must not know: how anything is shown.
"""

from contextlib import ExitStack

from ml_connector.errors import SettingsError
from ml_connector.flows import FLOWS
from ml_connector.store.flow_store import FlowStore
from ml_connector.wiring.opened import Opened


def disconnect(opened: Opened, name: str, person: str) -> None:
    """Remove a connection; its journal stays.

    Raises: SettingsError when records are linked or it takes two persons, BusyError in a run.
    """
    kept = opened.connections.get(name)
    if kept.settings.get("profile", {}).get("two_persons", False):  # as it is kept, whichever program did
        raise SettingsError(
            f"{name} takes two persons: first set two_persons = false, to which somebody else has to agree"
        )
    with ExitStack() as held:
        for flow in FLOWS.values():
            store = FlowStore(opened.database, opened.vault, kept.id, flow.name, flow.source_kind, flow.target_kind)
            held.enter_context(store.turn())
        opened.connections.remove(name, person)
