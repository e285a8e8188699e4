"""A tenant's own names put in the place of the standard ones.

Rule: every name is a default that settings can change; a name nobody knows is refused with the nearest known one.
Must not know: requests, rows.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, cast
from zoneinfo import ZoneInfo

import msgspec

from ml_connector.errors import SettingsError
from ml_connector.systems.ifs.nearest import nearest
from ml_connector.systems.ifs.profile import UTC_AWARE, Part, Profile
from ml_connector.systems.ifs.standard import DEFAULT

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FIXED = ("confidence", "seen", "required", "depth")  # facts about the part, not names
_EXPECTED = re.compile("Expected `([a-z]+)")
_KINDS = {"int": "a whole number", "str": "a text", "bool": "true or false", "array": "a list", "object": "a table"}
_LIMITS = {"page_rows": (1, 5000), "keys_per_request": (1, 200), "overlap_s": (0, 7 * 86_400), "parallel": (1, 32)}


def load(overrides: Mapping[str, Any]) -> Profile:
    """The default profile with a tenant's own names.

    Shape: a table per part, `fields` in it, beside zone, page_rows, keys_per_request, overlap_s.
    Raises: SettingsError that names the key and the nearest known one.
    """
    own = [name for name in Profile.__struct_fields__ if name != "parts"]
    _known("ifs", overrides, [*DEFAULT.parts, *own])
    changed: dict[str, Any] = {
        name: _part(name, part, overrides[name]) if name in overrides else part for name, part in DEFAULT.parts.items()
    }
    profile = _convert("ifs", {**{name: overrides[name] for name in own if name in overrides}, "parts": changed})
    _check_habits(profile)
    return profile


def _part(name: str, default: Part, given: Any) -> dict[str, Any]:
    table = _table(f"ifs.{name}", given)
    _known(f"ifs.{name}", table, [field for field in Part.__struct_fields__ if field not in _FIXED])
    fields = _table(f"ifs.{name}.fields", table.get("fields", {}))
    _known(f"ifs.{name}.fields", fields, list(default.fields))
    actions = _table(f"ifs.{name}.actions", table.get("actions", {}))
    _known(f"ifs.{name}.actions", actions, list(default.actions))
    merged = {**default.fields, **fields}
    for field in sorted(default.required):
        if not merged[field]:
            raise SettingsError(f"ifs.{name}.fields.{field} can't be left out")
    moved = bool({"service", "set", "root"} & set(table))
    seen = {field for field in default.seen if not moved and merged[field] == default.fields[field]}
    part = cast("dict[str, Any]", msgspec.to_builtins(default))
    part.update(
        {
            **table,
            "fields": merged,
            "actions": {**default.actions, **actions},
            "seen": sorted(seen),
            "required": sorted(default.required),
        }
    )
    if not isinstance(part["key"], list | tuple) or len(cast("list[Any]", part["key"])) != len(default.key):
        raise SettingsError(f"ifs.{name}.key should name {len(default.key)} properties, those of the record first")
    _check_names(name, part)
    return {**part, "confidence": "assumed"} if moved else part


def _check_names(where: str, part: dict[str, Any]) -> None:
    single = {key: part[key] for key in ("service", "set", "modified", "company")}
    listed = {f"key[{number}]": item for number, item in enumerate(part["key"])}
    fields = {f"fields.{field}": item for field, item in part["fields"].items()}
    acts = {f"actions.{action}": item for action, item in part["actions"].items()}
    for key, item in {**single, **listed, **fields, **acts}.items():
        optional = key in ("modified", "company") or key in fields or key in acts
        if not isinstance(item, str) or not (_NAME.fullmatch(item) or (optional and not item)):
            raise SettingsError(f"ifs.{where}.{key}: {item!r} is not a name of IFS's")


def _convert(where: str, built: dict[str, Any]) -> Profile:
    parts = built["parts"]
    builtin = {**built, "parts": {name: msgspec.to_builtins(part) for name, part in parts.items()}}
    try:
        return msgspec.convert(builtin, Profile)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{where}{_in_words(str(error))}") from None


def _in_words(said: str) -> str:
    """What is wrong with the kind of a value, without the words of the library that found it."""
    place, kind = said.partition(" - at `$")[2].strip("`"), _EXPECTED.match(said)
    return f"{place}: should be {_KINDS.get(kind[1], 'otherwise') if kind else 'otherwise'}"


def _check_habits(profile: Profile) -> None:
    for name, (least, most) in _LIMITS.items():
        if not least <= getattr(profile, name) <= most:
            raise SettingsError(f"ifs.{name} should be from {least} to {most}")
    if profile.zone in ("", UTC_AWARE):
        return
    try:
        ZoneInfo(profile.zone)
    except (ValueError, OSError, KeyError):
        raise SettingsError(f"ifs.zone: {profile.zone!r} is no IANA zone such as Europe/Oslo") from None


def _table(where: str, given: Any) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise SettingsError(f"{where} should be a table")
    return dict(cast("Mapping[str, Any]", given))


def _known(where: str, given: Iterable[str], known: list[str]) -> None:
    for key in given:
        if key not in known:
            raise SettingsError(f"{where}.{key} is not known; nearest: {nearest(key, known)}")
