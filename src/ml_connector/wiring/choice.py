"""Which flows a connection has, and in which order they run.

Rule: a flow says itself which setting turns it on; where that is off it is not run, and asking for it says how to turn
it on.
Must not know: what a flow does.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from operator import attrgetter
from typing import Any

from ml_connector import flows
from ml_connector.errors import SettingsError
from ml_connector.flows.posting.flow import POSTED
from ml_connector.settings import Connection
from ml_connector.sync import flow as flow_order
from ml_connector.sync.flow import AnyFlow, Place
from ml_connector.wiring import further

NEW_VENDORS = ("new_vendors",)


def known(names: Iterable[str]) -> None:
    """Make sure that there are such flows. Raises: SettingsError."""
    for name in names:
        if name not in flows.FLOWS:
            near = get_close_matches(name, flows.FLOWS, 1)
            hint = f"; nearest: {near[0]}" if near else ""
            raise SettingsError(f"there is no flow {name!r}; there are: {', '.join(flows.FLOWS)}{hint}")


def on(connection: Connection, documents: Sequence[str]) -> set[str]:
    """The flows that a connection turns on; `documents`: those that are posted."""
    profile = connection.profile
    vendors = profile.new_vendors or ("hold" if profile.posting else "off")
    told: Mapping[Place, Any] = {POSTED: documents, NEW_VENDORS: vendors}
    return {
        flow.name
        for flow in flows.FLOWS.values()
        if not further.unconnected(connection, flow)
        and (flow.setting is None or flow.setting.turned_on(_value(connection, flow.setting.place, told)))
    }


def chosen(names: Sequence[str], turned_on: set[str], switched: Collection[str] = ()) -> list[AnyFlow]:
    """The named flows, or all that are on, in the order that they need; `switched`: those switched off by hand.

    Raises: SettingsError.
    """
    known(names)
    for name in names:
        if name not in turned_on:
            raise SettingsError(off(name, switched))
    return [flow for flow in flow_order.in_order(flows.FLOWS, list(names)) if flow.name in turned_on]


def off(name: str, switched: Collection[str] = ()) -> str:
    """That a flow is off, and how to turn it on."""
    if name in switched:
        return f"{name} is switched off in this connection; switch it on: ml-connector flow NAME {name} on"
    return f"{name} is off in this connection; what turns it on: {how(name)}"


def how(name: str) -> str:
    """What turns a flow on: a setting of the profile, and the further systems that have to be connected."""
    flow = flows.FLOWS[name]
    told = (flow.setting.written if flow.setting else "", further.how_connected(flow))
    return ", and ".join(filter(None, told))


def _value(connection: Connection, place: Place, told: Mapping[Place, Any]) -> Any:
    return told[place] if place in told else attrgetter(".".join(place))(connection.profile)
