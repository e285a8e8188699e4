"""Every address of the application, from its route table, so that a new one is tested and measured by itself.

Rule: an address with a parameter that nobody gave a value for is an error, never left out.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute, iter_route_contexts

from ml_connector.console.auth import Guarded
from ml_connector.console.person import PersonRoute

LOOKS = ("GET", "HEAD")


class Address(NamedTuple):
    """A method and a path with its parameters; `kind`: for people, for programs with a token, or for anybody."""

    method: str
    path: str
    kind: str
    route: APIRoute

    @property
    def looks(self) -> bool:
        """Whether it only looks."""
        return self.method in LOOKS

    @property
    def parameters(self) -> tuple[str, ...]:
        """What has to be given."""
        return tuple(self.route.param_convertors)

    @property
    def asked(self) -> frozenset[str]:
        """What may be asked besides, whether declared field by field or as a whole."""
        told: list[Any] = get_flat_params(self.route.dependant)
        return frozenset(one.alias for one in told) - {*self.parameters}

    def filled(self, values: Mapping[str, str]) -> str:
        """With values. Raises: KeyError for a parameter without one."""
        given = {name: quote(values[name], safe="/" if self._whole(name) else "") for name in self.parameters}
        return self.path.format_map(given)

    def _whole(self, name: str) -> bool:
        return "{" + name + ":path}" in self.route.path


def table(app: FastAPI) -> list[Address]:
    """All addresses."""
    found: list[Address] = []
    for one in iter_route_contexts(app.routes):
        route: Any = one.original_route
        if isinstance(route, APIRoute) and one.path_format:
            found += [Address(method, one.path_format, _kind(route), route) for method in sorted(one.methods or ())]
    return found


def _kind(route: APIRoute) -> str:
    kinds = ((PersonRoute, "person"), (Guarded, "program"))
    return next((name for kind, name in kinds if isinstance(route, kind)), "anybody")
