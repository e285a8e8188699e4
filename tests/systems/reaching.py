"""The connector's own clients of the stand-ins, in one process: nobody waits, nothing is shared.

Rule: what a test doesn't name is as in a connection, but for waits.
Must not know: what is asked.
"""

import threading
from collections.abc import Iterable
from typing import Any

from ml_connector.sandbox.airbase import AirbaseOptions
from ml_connector.systems.airbase.auth import StaticToken
from ml_connector.systems.airbase.client import SYSTEM, AirbaseClient
from ml_connector.systems.airbase.profile import load as airbase_profile
from ml_connector.systems.airbase.refusals import Refusals
from ml_connector.systems.http import Anonymous, Patience, Reach, Wire
from ml_connector.systems.ifs import auth
from ml_connector.systems.ifs.client import IfsClient
from ml_connector.systems.ifs.loading import load as ifs_profile
from ml_connector.systems.ifs.odata.answers import explain
from ml_connector.systems.limits import Limiter


class Unhurried:
    """Reservations that make nobody wait but for what is given, and note for how long they were asked to."""

    def __init__(self, waits: Iterable[float] = ()) -> None:
        self._waits = iter(waits)
        self.pauses: list[float] = []

    def reserve(self, name: str, interval_s: float, burst_s: float) -> float:
        return next(self._waits, 0.0)

    def defer(self, name: str, wait_s: float) -> None:
        self.pauses.append(wait_s)


class Shelf:
    """One token, fetched by one thread at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: tuple[str, float] | None = None

    def get(self) -> tuple[str, float] | None:
        return self._held

    def renew(self, stale: str | None, fetch: auth.Fetch) -> tuple[str, float]:
        with self._lock:
            if self._held is None or self._held[0] == stale:
                self._held = fetch()
            return self._held


def unhurried() -> Limiter:
    """A limiter that lets everything go."""
    return Limiter(Unhurried(), "unhurried")


def awake(_: float) -> None:
    """Sleep not at all."""


def laid_out(options: dict[str, Any]) -> dict[str, Any]:
    """What a wire takes, from the names of its patience and its reach among others."""
    left = dict(options)
    patience = {name: left.pop(name) for name in Patience.__struct_fields__ if name in left}
    reach = {name: left.pop(name) for name in Reach.__struct_fields__ if name in left}
    return {"patience": Patience(**patience), "reach": Reach(**reach), **left}


def airbase_client(
    url: str,
    secret: str = AirbaseOptions().token,
    scheme: Any = "bearer",
    profile: dict[str, Any] | None = None,
    **wire: Any,
) -> AirbaseClient:
    """A client of an Airbase; what is left over goes to its wire."""
    refusals, limiter = Refusals(), wire.pop("limiter", None) or unhurried()
    options = laid_out({"pause_s": 0.001, "sleep": awake, **wire})
    line = Wire(SYSTEM, url, StaticToken(scheme, secret), limiter, explain=refusals.explain, **options)
    return AirbaseClient(line, airbase_profile(profile or {}), refusals, limiter)


def ifs_client(
    sandbox: Any,
    profile: dict[str, Any] | None = None,
    companies: tuple[str, ...] = ("10", "20"),
    url: str = "",
    secret: str = "",
    **wire: Any,
) -> IfsClient:
    """A client of a sandbox's IFS; what is left over goes to its wire."""
    told, limiter = sandbox.told()["ifs"], unhurried()
    origin = url or sandbox.ifs_url
    door = Wire("IFS", origin, Anonymous(), limiter, explain=auth.explain)
    login = auth.ClientCredentials(door, told["realm"], told["client_id"], secret or told["client_secret"], Shelf())
    options = laid_out({"pause_s": 0.001, **wire})
    line = Wire("IFS", origin, login, limiter, explain=explain, **options)
    return IfsClient(line, ifs_profile(profile or {}), companies, login)
