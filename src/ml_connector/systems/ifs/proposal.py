"""A proposal of names for the profile: what differs from the usual names, how sure it is, and what was not found.

Rule: only a name that is sure or likely is proposed as it stands; a guess is a comment until a person takes it.
Must not know: how the names were searched for.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from ml_connector.systems.ifs.csdl import Metadata
from ml_connector.systems.ifs.fit import Confidence, Fit, Match, match_worth, wants
from ml_connector.systems.ifs.likeness import likeness
from ml_connector.systems.ifs.profile import Part

_WHERE = re.compile(r"\b([A-Za-z_]\w*)(\s+eq\s+)[\w.]+'([^']*)'")
_ACTION_FROM = 0.6
SHARE_FROM = 0.7  # of the properties that a likely set has
SAME_FROM = 4


class Name(msgspec.Struct, frozen=True):
    """A name of the profile: where it stands, as in "fields.name" or "key.0", the usual one, the one found."""

    where: str
    usual: str
    found: str
    confidence: Confidence
    why: str = ""


class PartFound(msgspec.Struct, frozen=True):
    """What was found of a part: its names, and those that were not found; `there`: whether a set was found at all."""

    there: bool
    names: tuple[Name, ...] = ()
    missing: tuple[tuple[str, str], ...] = ()

    @property
    def changed(self) -> tuple[Name, ...]:
        """The names that differ from the usual ones."""
        return tuple(name for name in self.names if name.found != name.usual)

    def overrides(self, usual: Part, *, guesses: bool) -> dict[str, Any]:
        """The differences as the profile takes them."""
        taken = {name.where: name.found for name in self.changed if guesses or name.confidence is not Confidence.GUESS}
        table: dict[str, Any] = {where: found for where, found in taken.items() if "." not in where}
        for group in ("fields", "actions"):
            inner = {where.partition(".")[2]: found for where, found in taken.items() if where.startswith(f"{group}.")}
            table |= {group: inner} if inner else {}
        columns = [f"key.{place}" for place in range(len(usual.key))]
        if all(one.where in taken for one in self.changed if one.where in columns):
            key = [taken.get(where, column) for where, column in zip(columns, usual.key, strict=True)]
            table |= {"key": key} if key != list(usual.key) else {}
        return table


def part_found(name: str, part: Part, found: Fit | None, metadata: Metadata | None, root: str) -> PartFound:
    """What a fit says of the names of a part."""
    if found is None or metadata is None:
        return PartFound(there=False)
    names = [*_place(name, part, found, root), *_properties(part, found), *_actions(part, found, metadata)]
    where = _fixed(part, found, metadata)
    there = {one.where for one in names}
    listed = [*(f"key.{place}" for place in range(len(part.key))), *_optional(part)]
    missing = [(one, _usual(part, one)) for one in listed if one not in there]
    return PartFound(True, (*names, *where), tuple(missing))


def _place(name: str, part: Part, found: Fit, root: str) -> Iterator[Name]:
    same = (part.service, part.set) == (found.service, found.set)
    read = [found.matches.get(want.name) for want in wants(name, part)]
    sure = Confidence.SURE if same else _place_sureness(part, found, read)
    why = "" if same else f"it has {sum(one is not None for one in read)} of the {len(read)} properties"
    yield Name("service", part.service, found.service, sure, why)
    yield Name("set", part.set, found.set, sure, why)
    if root:
        yield Name("root", part.root, root, sure, why)


def _place_sureness(part: Part, found: Fit, read: Sequence[Match | None]) -> Confidence:
    """Few properties say little: then the names of the set or of the service must say something too."""
    share = sum(map(match_worth, read)) / len(read)
    same = sum(one is not None and one.confidence is Confidence.SURE for one in read)
    named = max(likeness(part.set, found.set), likeness(part.service, found.service))
    return Confidence.LIKELY if share >= SHARE_FROM and (same >= SAME_FROM or named >= 0.5) else Confidence.GUESS


def _properties(part: Part, found: Fit) -> Iterator[Name]:
    at = {f"key.{place}": column for place, column in enumerate(part.key)}
    fields = {f"fields.{field}": column for field, column in part.fields.items() if column}
    company = {"company": part.company} if part.company else {}
    for where, usual in {**at, **company, **fields}.items():
        if match := found.matches.get(usual):
            yield Name(where, usual, match.name, match.confidence, match.why)


def _actions(part: Part, found: Fit, metadata: Metadata) -> Iterator[Name]:
    entity_set = metadata.sets[found.set]
    for field, usual in part.actions.items():
        known = (*entity_set.actions, *entity_set.links)
        if usual in known:
            yield Name(f"actions.{field}", usual, usual, Confidence.SURE)
            continue
        near = max(known, key=lambda other: _act_likeness(field, usual, other), default="")
        if near and _act_likeness(field, usual, near) >= _ACTION_FROM:
            yield Name(f"actions.{field}", usual, near, Confidence.GUESS, f"its name is like {usual}")


def _act_likeness(field: str, usual: str, other: str) -> float:
    """The last word says what an action does: Release is not Cancel."""
    said = 0.5 * likeness(field, other.rpartition("_")[2])
    return max(likeness(usual, other) * (1.0 if field.lower() in other.lower() else 0.5), said + 0.3 if said else 0.0)


def _fixed(part: Part, found: Fit, metadata: Metadata) -> Iterator[Name]:
    """The fixed filter, with the tenant's names in it."""
    if not part.where:
        return
    unsure: list[Confidence] = []

    def translated(hit: re.Match[str]) -> str:
        column, operator, member = hit.groups()
        match = found.matches.get(column)
        kind = metadata.sets[found.set].properties.get(match.name if match else column, "")
        unsure.append(match.confidence if match and member in metadata.enums.get(kind, ()) else Confidence.GUESS)
        return f"{match.name if match else column}{operator}{kind}'{member}'"

    where = _WHERE.sub(translated, part.where)
    sure = next((one for one in reversed(Confidence) if one in unsure), Confidence.SURE)
    yield Name("where", part.where, where, sure)


def _optional(part: Part) -> list[str]:
    fields = [f"fields.{field}" for field, column in part.fields.items() if column]
    return [*(["company"] if part.company else []), *fields, *(f"actions.{action}" for action in part.actions)]


def _usual(part: Part, where: str) -> str:
    group, _, inner = where.partition(".")
    if group == "key":
        return part.key[int(inner)]
    return part.company if group == "company" else getattr(part, group)[inner]


def as_toml(parts: Mapping[str, PartFound], denied: Sequence[str], failed: Sequence[str], read: int) -> str:
    """The names that differ as a profile file; guesses, and what was not found, are comments."""
    head = [
        f"# Names that differ from the usual ones, found in {read} services. Review them, then put them into the file",
        "# that `config export` gives, which `config import` takes back; for a new connection: connect --profile FILE",
    ]
    if denied:
        head.append(f"# This user may not read: {', '.join(denied)}. What is in there could not be found.")
    if failed:
        head.append(f"# These gave no answer: {', '.join(failed)}. Try again later.")
    lines = [line for name, part in parts.items() for line in _table(name, part)]
    return "\n".join([*head, *lines]) + "\n"


def _table(name: str, part: PartFound) -> Iterator[str]:
    if not part.there:
        yield from ("", f"# [ifs.{name}]: no set like it was found")
        return
    if not part.changed and not part.missing:
        return
    plain = [one for one in part.changed if "." not in one.where]
    yield from ("", f"[ifs.{name}]", *map(_line, plain), *_key(part), *_lost(part, "key"), *_lost(part, "company"))
    for group in ("fields", "actions"):
        inner = [one for one in part.changed if one.where.startswith(f"{group}.")]
        lost = list(_lost(part, group))
        if inner or lost:
            yield from (f"[ifs.{name}.{group}]", *map(_line, inner), *lost)


def _key(part: PartFound) -> Iterator[str]:
    """The key stands as a whole, and is as sure as the least sure of its columns."""
    columns = [one for one in part.names if one.where.startswith("key.")]
    whole = not any(where.startswith("key.") for where, _ in part.missing)
    if whole and any(one.found != one.usual for one in columns):
        sure = max((one.confidence for one in columns), key=list(Confidence).index)
        listed = ", ".join(f'"{one.found}"' for one in columns)
        yield _said(f"key = [{listed}]", sure, f"usually {', '.join(one.usual for one in columns)}")


def _line(one: Name) -> str:
    why = f"usually {one.usual}" + (f"; {one.why}" if one.why else "")
    return _said(f'{one.where.rpartition(".")[2]} = "{one.found}"', one.confidence, why)


def _said(line: str, sure: Confidence, why: str) -> str:
    return f"{'# ' if sure is Confidence.GUESS else ''}{line}  # {sure}: {why}"


def _lost(part: PartFound, group: str) -> Iterator[str]:
    for where, usual in part.missing:
        if where.partition(".")[0] == group:
            yield f'# {where.rpartition(".")[2]} = ""  # not found: {usual}'
