"""The systems beside IFS and Airbase.

Rule: this list is the registry; a connection has those of them that it names an address of.
Must not know: what is in them.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from ml_connector.errors import SettingsError
from ml_connector.settings import Connection
from ml_connector.sync.flow import BOTH, AnyFlow, End
from ml_connector.sync.ports import Source, Target
from ml_connector.systems.http import Wire
from ml_connector.systems.system import AnySystem

_ALL: tuple[AnySystem, ...] = (
    # a line for each
)
SYSTEMS: dict[str, AnySystem] = {one.name: one for one in _ALL}
TITLES: dict[str, str] = {
    "ifs": "IFS",
    "airbase": "Airbase",
    "links": "the connector",
    BOTH: "both systems",
    **{one.name: one.title for one in _ALL},
}


class Side(msgspec.Struct, frozen=True):
    """A system of one connection, with the way to it and its calls."""

    system: AnySystem
    wire: Wire
    client: Any


def known(names: Iterable[str]) -> None:
    """Make sure that there are such systems. Raises: SettingsError."""
    for name in names:
        if name not in SYSTEMS:
            there = ", ".join(SYSTEMS) or "none beside IFS and Airbase"
            raise SettingsError(f"there is no system {name!r}; there are: {there}")


def title(system: str) -> str:
    """What people call a system, or what else stands at the end of a flow."""
    return TITLES.get(system, system)


def unconnected(connection: Connection, flow: AnyFlow) -> list[str]:
    """The further systems that a flow needs and a connection lacks."""
    return [
        end.system for end in (flow.source, flow.target) if end.system in SYSTEMS.keys() - connection.systems.keys()
    ]


def how_connected(flow: AnyFlow) -> str:
    """What connects the further systems of a flow; "" when it has none."""
    names = dict.fromkeys(end.system for end in (flow.source, flow.target) if end.system in SYSTEMS)
    return " ".join(["ml-connector connect NAME", *(f"--system {name}=https://…" for name in names)]) if names else ""


def source(sides: Mapping[str, Side], end: End) -> Source:
    """A resource that records are read from. Raises: SettingsError."""
    side = _side(sides, end)
    return _made(side, side.system.sources, end, "read from")


def target(sides: Mapping[str, Side], end: End) -> Target:
    """A resource that records are sent to. Raises: SettingsError."""
    side = _side(sides, end)
    return _made(side, side.system.targets, end, "sent to")


def _side(sides: Mapping[str, Side], end: End) -> Side:
    known([end.system])
    if end.system not in sides:
        raise SettingsError(
            f"{title(end.system)} is not connected: ml-connector connect NAME --system {end.system}=https://…"
        )
    return sides[end.system]


def _made(side: Side, makers: Mapping[str, Any], end: End, done: str) -> Any:
    if end.resource not in makers:
        there = ", ".join(makers) or "none"
        raise SettingsError(f"{side.system.title} has no {end.resource!r} that records are {done}; there are: {there}")
    return makers[end.resource](side.client)
