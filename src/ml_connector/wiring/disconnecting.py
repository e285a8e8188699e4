"""Removing a connection that came to nothing, such as one under a wrong name.

Rule: what linked records stays, as those would be made twice under another name; nothing of it runs meanwhile.
Must not know: how anything is shown.
"""

from contextlib import ExitStack

from ml_connector.flows import FLOWS
from ml_connector.store.flow_store import FlowStore
from ml_connector.wiring.opened import Opened


def disconnect(opened: Opened, name: str, person: str) -> None:
    """Remove a connection; its journal stays. Raises: SettingsError when records are linked, BusyError in a run."""
    number = opened.connections.get(name).id
    with ExitStack() as held:
        for flow in FLOWS.values():
            store = FlowStore(opened.database, opened.vault, number, flow.name, flow.source_kind, flow.target_kind)
            held.enter_context(store.turn())
        opened.connections.remove(name, person)
