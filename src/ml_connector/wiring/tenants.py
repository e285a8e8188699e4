"""Both tenants of a connection: its settings as read, a client for each tenant, and how many requests there were.

Rule: nothing is asked of anyone yet; secrets go to whoever signs in with them and nowhere else.
Must not know: flows, records.
"""

from dataclasses import dataclass
from typing import Any

from ml_connector import settings
from ml_connector.settings import Airbase, Connection, Further, Ifs
from ml_connector.store.connections import Connection as Stored
from ml_connector.store.limits import Reservations
from ml_connector.store.tokens import TokenShelf
from ml_connector.systems.airbase.auth import StaticToken
from ml_connector.systems.airbase.client import AirbaseClient
from ml_connector.systems.airbase.refusals import Refusals
from ml_connector.systems.http import Anonymous, Reach, Wire
from ml_connector.systems.ifs import auth as ifs_auth
from ml_connector.systems.ifs.auth import ClientCredentials
from ml_connector.systems.ifs.client import IfsClient
from ml_connector.systems.ifs.odata import answers
from ml_connector.systems.limits import Limiter
from ml_connector.systems.taping import Tape
from ml_connector.wiring import further
from ml_connector.wiring.further import Side
from ml_connector.wiring.opened import Opened
from ml_connector.wiring.profile import Read, read


@dataclass(frozen=True)
class Tenants:
    """A connection and its tenants; close it after use.

    `read`: what the profile comes to. `tape`: what is written to any is heard on it.
    `sides`: the systems beside both.
    """

    opened: Opened
    stored: Stored
    settings: Connection
    read: Read
    ifs: IfsClient
    airbase: AirbaseClient
    tape: Tape
    wires: dict[str, tuple[Wire, ...]]
    sides: dict[str, Side]

    def requests(self) -> dict[str, int]:
        """How many were made so far, by system."""
        return {system: sum(wire.requests for wire in wires) for system, wires in self.wires.items()}

    def throttled(self) -> dict[str, int]:
        """How many of them had to wait, by system."""
        return {system: sum(wire.throttled for wire in wires) for system, wires in self.wires.items()}

    def close(self) -> None:
        """Let go of the network connections."""
        self.ifs.close()
        for name in ("airbase", *self.sides):
            self.wires[name][0].close()


def tenants(opened: Opened, name: str, instead: Connection | None = None) -> Tenants:
    """The tenants of the connection of this name; `instead`: of the settings in force. Raises: SettingsError."""
    stored = opened.connections.get(name)
    own = instead or settings.connection(stored.settings)
    return _Making(opened, stored, own, read(own)).tenants()


class _Making:
    def __init__(self, opened: Opened, stored: Stored, own: Connection, profile: Read) -> None:
        self._opened, self._stored, self._own, self._profile = opened, stored, own, profile
        self._tape = Tape()

    def tenants(self) -> Tenants:
        (ifs, door), airbase = self._ifs(), self._airbase()
        sides = {name: self._side(name) for name in self._own.systems}
        wires = {
            "ifs": (ifs.wire, door),
            "airbase": (airbase.wire,),
            **{name: (one.wire,) for name, one in sides.items()},
        }
        return Tenants(self._opened, self._stored, self._own, self._profile, ifs, airbase, self._tape, wires, sides)

    def _ifs(self) -> tuple[IfsClient, Wire]:
        """The client, and the wire by which it signs in."""
        own, limiter = self._own.ifs, self._limiter("ifs", self._own.ifs)
        door = Wire("IFS", own.url, Anonymous(), limiter, explain=ifs_auth.explain, **self._limits(own))
        shelf = TokenShelf(self._opened.database, self._opened.vault, self._stored.id)
        login = ClientCredentials(door, own.realm, own.client_id, self._secret("ifs"), shelf)
        wire = Wire("IFS", own.url, login, limiter, explain=answers.explain, tape=self._tape, **self._limits(own))
        return IfsClient(wire, self._profile.ifs, own.companies, login), door

    def _airbase(self) -> AirbaseClient:
        own, limiter, refusals = self._own.airbase, self._limiter("airbase", self._own.airbase), Refusals()
        token = StaticToken(own.auth, self._secret("airbase"))
        wire = Wire("Airbase", own.url, token, limiter, explain=refusals.explain, tape=self._tape, **self._limits(own))
        return AirbaseClient(wire, self._profile.airbase, refusals, limiter)

    def _side(self, name: str) -> Side:
        own, system = self._own.systems[name], further.SYSTEMS[name]
        login = system.authorise(self._secret(name))
        limiter, limits = self._limiter(name, own), self._limits(own)
        wire = Wire(system.title, own.url, login, limiter, explain=system.explain, tape=self._tape, **limits)
        return Side(system, wire, system.client(wire, self._profile.further[name]))

    def _secret(self, system: str) -> str:
        return self._opened.connections.secret(self._stored.name, system)

    def _limiter(self, system: str, side: Ifs | Airbase | Further) -> Limiter:
        return Limiter(Reservations(self._opened.database), f"{system}/{self._stored.id}", side.requests_max)

    def _limits(self, side: Ifs | Airbase | Further) -> dict[str, Any]:
        total_s = self._own.profile.timeout_s
        return {"total_s": total_s, "reach": Reach(side.ca_file or True, side.public_only)}
