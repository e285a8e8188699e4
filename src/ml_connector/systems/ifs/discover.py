"""The names that a tenant uses, searched for by the shape of what it has.

Rule: it reads and proposes; a person decides. It reads a bounded number of services, the most promising first.
Must not know: rows, settings, how a proposal is kept.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

import msgspec

from ml_connector.errors import AuthError, MalformedError, RefusedError, UnreachableError
from ml_connector.systems.ifs import fit, proposal
from ml_connector.systems.ifs.client import IfsClient
from ml_connector.systems.ifs.csdl import Metadata
from ml_connector.systems.ifs.fit import Fit
from ml_connector.systems.ifs.likeness import likeness
from ml_connector.systems.ifs.pager import Plan
from ml_connector.systems.ifs.profile import Part
from ml_connector.systems.ifs.proposal import PartFound
from ml_connector.systems.ifs.standard import DEFAULT

READS_MAX = 400
FAILING_MAX = 3
GOOD_FROM = 0.72  # a set that fits so well is not looked for elsewhere
FOUND_FROM = 0.55
PLAUSIBLE_FROM = 0.4

Watch = Callable[[int, str], None]  # services read so far, and the one to be read now


class Discovery(msgspec.Struct, frozen=True):
    """What was found of each part.

    `denied`: services that this user may not read; `failed`: those that gave no answer; `read`: how many were asked.
    """

    parts: dict[str, PartFound]
    denied: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    read: int = 0

    def overrides(self, *, guesses: bool = False) -> dict[str, Any]:
        """The differences from the default profile, as `loading.load` takes them; guesses only when asked for."""
        found = {name: part.overrides(DEFAULT.parts[name], guesses=guesses) for name, part in self.parts.items()}
        return {name: part for name, part in found.items() if part}


def unwatched(read: int, service: str) -> None:
    """Nobody watches."""


def discover(client: IfsClient, *, reads_max: int = READS_MAX, watch: Watch = unwatched) -> Discovery:
    """Look for every part of the profile in a tenant.

    Raises: RemoteError when the tenant is out of reach.
    """
    shelf = _Shelf(client, reads_max, watch)
    groups = [_Group(members) for members in _by_service().values()]
    for group in groups:
        group.try_all(shelf, group.first(client))
    missing = [group for group in groups if not group.settled and shelf.denied.isdisjoint(group.first(client))]
    for group in missing:
        group.taken = _places(other for other in groups if other is not group)
    _widen(shelf, missing, _catalogue(client) if missing else ())
    fits = _once(groups)
    return Discovery(
        {name: proposal.part_found(name, part, fits.get(name), shelf.of(fits.get(name)), shelf.root(fits.get(name)))
         for name, part in DEFAULT.parts.items()},
        tuple(sorted(shelf.denied)),
        tuple(sorted(shelf.failed)),
        shelf.reads,
    )  # fmt: skip


def _places(groups: Iterable["_Group"]) -> set[tuple[str, str]]:
    """The sets that fit parts of these groups well, by service and name: no other part can be in them."""
    fits = (one for group in groups for one in group.chosen().values())
    return {(one.service, one.set) for one in fits if one.score >= GOOD_FROM}


def _once(groups: Sequence["_Group"]) -> dict[str, Fit]:
    """The fits, each set for the part that it fits best."""
    chosen = {name: one for group in groups for name, one in group.chosen().items()}
    best: dict[tuple[str, str], str] = {}
    for name in sorted(chosen, key=lambda name: (-chosen[name].score, name)):
        best.setdefault((chosen[name].service, chosen[name].set), name)
    return {name: chosen[name] for name in best.values()}


def as_toml(discovery: Discovery) -> str:
    """The proposal as a profile file to be reviewed; guesses, and what was not found, are comments."""
    return proposal.as_toml(discovery.parts, discovery.denied, discovery.failed, discovery.read)


def _by_service() -> dict[str, dict[str, Part]]:
    groups: dict[str, dict[str, Part]] = {}
    for name, part in DEFAULT.parts.items():
        groups.setdefault(part.service, {})[name] = part
    return groups


def _catalogue(client: IfsClient) -> tuple[str, ...]:
    """All services that the tenant lists; none when it may not be read: the usual names are then all there is.

    It is read by row number, since tenants sort names in their own ways, and nothing is lost for good here.
    """
    reader = IfsClient(client.wire, msgspec.structs.replace(client.profile, parts={"catalogue": _CATALOGUE}), ())
    plan = Plan(_CATALOGUE.key, _CATALOGUE.key, skip=True)
    try:
        pages = reader.pages("catalogue", plan, prefetch=False)
        return tuple(dict.fromkeys(str(row[_CATALOGUE.key[0]]) for page in pages for row in page.rows))
    except (RefusedError, MalformedError):
        return ()


class _Shelf:
    """The metadata read so far, within a bound."""

    def __init__(self, client: IfsClient, reads_max: int, watch: Watch) -> None:
        self._client = client
        self._reads_max = reads_max
        self._watch = watch
        self._read: dict[str, tuple[str, Metadata | None]] = {}
        self._failing = 0
        self.denied: set[str] = set()
        self.failed: set[str] = set()

    @property
    def reads(self) -> int:
        return len(self._read)

    @property
    def full(self) -> bool:
        return self.reads >= self._reads_max

    def get(self, service: str, roots: Sequence[str]) -> Metadata | None:
        if service not in self._read and not self.full:
            self._watch(self.reads, service)
            self._read[service] = self._first(service, roots)
        return self._read.get(service, ("", None))[1]

    def of(self, found: Fit | None) -> Metadata | None:
        return self._read[found.service][1] if found else None

    def root(self, found: Fit | None) -> str:
        return self._read[found.service][0] if found else ""

    def _first(self, service: str, roots: Sequence[str]) -> tuple[str, Metadata | None]:
        """From the first root that has the service."""
        for root in roots:
            where = msgspec.structs.replace(_ANY, service=service, root=root)
            if metadata := self._asked(where):
                return root, metadata
        return "", None

    def _asked(self, where: Part) -> Metadata | None:
        """What a service says of itself; none for one that won't say. Several that fail in a row are too many."""
        try:
            metadata = self._client.metadata(where)
        except AuthError as error:
            if error.status == 401:
                raise
            self.denied.add(where.service)
        except (RefusedError, MalformedError):
            pass
        except UnreachableError:
            self._failing += 1
            if self._failing >= FAILING_MAX:
                raise
            self.failed.add(where.service)
        else:
            self._failing = 0
            return metadata
        return None


_ENDING = re.compile("(Handling|Entity|Set)$")
_ANY = Part("Any", "Any", ("Any",), {})
_CATALOGUE = Part("AllProjections", "Projections", ("ProjectionName",), {})


class _Group:
    """Parts that are in one service by default, and the sets that fit them best in each service tried."""

    def __init__(self, parts: Mapping[str, Part]) -> None:
        self._parts = parts
        self._fits: dict[str, dict[str, Fit]] = {}  # by service, then by part
        self.taken: set[tuple[str, str]] = set()  # sets that are those of other groups

    def first(self, client: IfsClient) -> list[str]:
        """The services to try first: those of the profile in use, and the usual ones."""
        own = [client.profile.parts[name].service for name in self._parts]
        return list(dict.fromkeys([*own, *(part.service for part in self._parts.values())]))

    def plausible(self, catalogue: Sequence[str]) -> list[str]:
        """Services whose names are like the usual one, or those of its sets; the likest first."""
        usual = {name for part in self._parts.values() for name in (part.service, part.set)}
        bare = {_bare(name) for name in usual}
        names = {*catalogue, *_unlisted(usual)}
        scored = {name: max(likeness(one, _bare(name)) for one in bare) for name in names}
        near = [name for name, score in scored.items() if score >= PLAUSIBLE_FROM]
        return sorted(near, key=lambda name: (-scored[name], name))

    @property
    def settled(self) -> bool:
        """Whether every part has a set that fits well."""
        chosen = self.chosen()
        return all(name in chosen and chosen[name].score >= GOOD_FROM for name in self._parts)

    def try_all(self, shelf: _Shelf, services: Sequence[str]) -> None:
        """Look into services until every part has a set that fits well."""
        for service in services:
            if self.settled:
                return
            if service not in self._fits:
                self.look(service, shelf.get(service, _roots(service, self._parts)))

    def look(self, service: str, metadata: Metadata | None) -> None:
        """See which sets of a service fit which parts: each set fits one part only, the best fit goes first."""
        if service in self._fits:
            return
        ranked = sorted(self._ranked(service, metadata), key=lambda item: (-item[1].score, item[0], item[1].set))
        found: dict[str, Fit] = {}
        for name, one in ranked:
            if name not in found and one.set not in {other.set for other in found.values()}:
                found[name] = one
        self._fits[service] = found

    def chosen(self) -> dict[str, Fit]:
        """The fits of the service that suits the parts best together, and of others for what it lacks."""
        ranked = sorted(self._fits.values(), key=lambda fits: -sum(one.score for one in fits.values()))
        found: dict[str, Fit] = {}
        for fits in ranked[:1]:
            found = {name: one for name, one in fits.items() if one.score >= GOOD_FROM}
        for name in self._parts.keys() - found.keys():
            others = [fits[name] for fits in self._fits.values() if name in fits and fits[name].score >= FOUND_FROM]
            if others:
                found[name] = max(others, key=lambda one: one.score)
        return found

    def _ranked(self, service: str, metadata: Metadata | None) -> Iterator[tuple[str, Fit]]:
        if metadata is None:
            return
        for name, part in self._parts.items():
            for set_name, entity_set in metadata.sets.items():
                if (service, set_name) in self.taken:
                    continue
                if set_name == part.set or fit.could_fit(name, part, entity_set):
                    yield name, fit.fit(name, part, service, set_name, metadata)


def _widen(shelf: _Shelf, groups: Sequence[_Group], catalogue: Sequence[str]) -> None:
    """Look into other services for what is missing: first into those with names like the usual, in turn, then all."""
    for group, service in _in_turn(groups, catalogue):
        missing = [one for one in groups if not one.settled]
        if shelf.full or not missing:
            return
        if group is None or group in missing:
            metadata = shelf.get(service, _roots(service, {}))
            for one in missing:
                one.look(service, metadata)


def _in_turn(groups: Sequence[_Group], catalogue: Sequence[str]) -> Iterator[tuple[_Group | None, str]]:
    turns = zip_longest(*(group.plausible(catalogue) for group in groups))
    for turn in turns:
        yield from ((group, service) for group, service in zip(groups, turn, strict=True) if service)
    yield from ((None, service) for service in catalogue)


def _roots(service: str, parts: Mapping[str, Part]) -> list[str]:
    """Under which roots a service may be, the likeliest first."""
    usual = [part.root for part in parts.values() if part.service == service]
    return list(dict.fromkeys([*usual, "entity"] if service.endswith("Entity") else [*usual, "projection"]))


def _bare(name: str) -> str:
    """A name without the ending that says only what kind of thing it is of."""
    return _ENDING.sub("", name)


def _unlisted(usual: set[str]) -> list[str]:
    """Entity services by the names that their sets suggest: no catalogue lists them."""
    bases = {name.removesuffix("Entity") for name in usual if name.endswith("Entity")}
    bases |= {name.removesuffix("Set") for name in usual} if bases else set()
    bare = {base.removeprefix("Man").removeprefix("Identity") for base in bases}
    return [f"{base}Entity" for base in sorted({*bases, *bare, *(base.replace("Supp", "Supplier") for base in bare)})]
