"""Which projections and entity services there are, under which root, with which sets.

Rule: a service is what its tables say; only the option that refuses or hides things comes on top.
It must not know HTTP beyond the path of a service.
"""

import re
from dataclasses import dataclass, field

from ml_connector.sandbox.ifs.options import IfsOptions
from ml_connector.sandbox.ifs.view import View
from ml_connector.sandbox.world import Link, World

_ROOTS = re.compile(
    r"/(?P<root>main/ifsapplications/projection|int/ifsapplications/projection|int/ifsapplications/entity)"
    r"/v1/(?P<service>\w+)\.svc(?P<rest>/.*)?"
)


@dataclass
class Service:
    """One projection or entity service as one tenant shows it."""

    name: str
    entity_api: bool
    sets: dict[str, View] = field(default_factory=dict[str, View])
    contained: dict[str, View] = field(default_factory=dict[str, View])  # by the set of the nested rows

    @property
    def namespace(self) -> str:
        """The namespace of its types."""
        return f"IfsApp.{self.name}"

    def behind(self, link: Link) -> View | None:
        """The view that a reference or a nested collection leads to."""
        return self.sets.get(link.target) or self.contained.get(link.target)


def services(world: World, options: IfsOptions) -> dict[str, Service]:
    """All services by name."""
    found: dict[str, Service] = {}
    for table in (each for each in world.tables.values() if each.served):
        service = found.setdefault(table.service, Service(table.service, table.entity_api))
        service.sets[table.name] = View(table, service.name, world, options)
        for link in table.children:
            service.contained[link.target] = View(world.tables[link.target], service.name, world, options)
    return found


def split(path: str) -> tuple[str, str, str] | None:
    """The root, the service and the rest of a path; none for what is no data path."""
    match = _ROOTS.fullmatch(path)
    return (match["root"], match["service"], match["rest"] or "/") if match else None


def serves(service: Service, root: str) -> bool:
    """Whether a service is found under a root."""
    return service.entity_api == root.endswith("/entity")
