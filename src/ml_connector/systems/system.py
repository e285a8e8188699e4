"""A system beside IFS and Airbase, as a value: its names, how it lets us in, which ends it has.

Rule: what the rest of the program knows of such a system is here, and nowhere else.
Must not know: flows, which systems there are.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar

import msgspec

from ml_connector.sync.ports import Source, Target
from ml_connector.systems.http import Authorise, Explain, Wire
from ml_connector.systems.step import Step
from ml_connector.systems.verdict import unexplained

P = TypeVar("P")
C = TypeVar("C")


class System(msgspec.Struct, Generic[P, C], frozen=True):
    """One kind of system.

    `name`: what the ends of flows and the settings call it; `title`: what people do. `load`: its names in a tenant,
    from the profile's table. `authorise`: how a request bears its secret. `client`: its calls, over the way to it.
    `sources` and `targets`: by resource. `check`: whether it is there, step by step; it writes nothing.
    Raises: `load` and `authorise` SettingsError.
    """

    name: str
    title: str
    load: Callable[[Mapping[str, Any]], P]
    authorise: Callable[[str], Authorise]
    client: Callable[[Wire, P], C]
    sources: Mapping[str, Callable[[C], Source]]
    targets: Mapping[str, Callable[[C], Target]]
    check: Callable[[C], Iterator[Step]]
    explain: Explain = unexplained


AnySystem = System[Any, Any]
