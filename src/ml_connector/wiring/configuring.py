"""Versions of a connection's settings as evidence: each as TOML, and what each changed.

Rule: what was in force or decided upon within the window is told; what may be a secret is not shown.
Must not know: how anything is shown.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import tomli_w

from ml_connector.evidence.layout import CHANGES, CONFIGURATION
from ml_connector.records import sheet
from ml_connector.store import schema
from ml_connector.store.extracts import Window
from ml_connector.store.versions import Version, Versions
from ml_connector.wiring import differing, versions
from ml_connector.wiring.opened import Opened

COLUMNS = (
    "version",
    "state",
    "author",
    "made_at",
    "approved_by",
    "approved_at",
    "effective_at",
    "in_force_at",
    "ended_by",
    "ended_at",
    "note",
    "table",
    "name",
    "before",
    "after",
)
TOLD = COLUMNS[1 : COLUMNS.index("table")]
UNTOLD = differing.Difference("", "nothing in the settings; of secrets the audit trail tells", "", "")
HIDDEN = "(not shown)"


def write_versions(opened: Opened, name: str, folder: Path, window: Window) -> None:
    """Write the settings that counted within the window, and what was changed in it."""
    (folder / CONFIGURATION).mkdir()
    kept = versions.of(opened, name)
    told = list(_counting(kept, window))
    for one in told:
        said = f"Version {one.number} of {name}: {one.state}, made by {one.author or 'nobody known'}"
        _write(folder / CONFIGURATION / f"version-{one.number:05}.toml", said, one.settings)
    if not any(one.in_force_at for one in told):
        said = f"The settings of {name}; they were not changed since versions are kept"
        _write(folder / CONFIGURATION / "settings.toml", said, opened.connections.get(name).settings)
    with (folder / CHANGES).open("w", encoding="utf-8", newline="") as file:
        file.write(sheet.line(COLUMNS))
        for one in told:
            if _decided(one, window):
                file.writelines(_changes(kept, one))


def _counting(kept: Versions, window: Window) -> Iterator[Version]:
    """Versions in force at some time of the window, or decided upon in it; the oldest first."""
    found: list[Version] = []
    followed_at: datetime | None = None
    for one in _all(kept):
        if _in_force(one, followed_at, window) or _decided(one, window):
            found.append(one)
        followed_at = one.in_force_at or followed_at
    return reversed(found)


def _in_force(one: Version, followed_at: datetime | None, window: Window) -> bool:
    """Whether a version was in force at some time of the window; `followed_at`: when another one came after it."""
    began_at = one.in_force_at
    return began_at is not None and began_at < window.until and (followed_at is None or followed_at >= window.since)


def _all(kept: Versions) -> Iterator[Version]:
    """All versions, the latest first."""
    part = kept.listed()
    while part:
        yield from part
        part = kept.listed(before=part[-1].number)


def _decided(one: Version, window: Window) -> bool:
    return any(window.holds(at) for at in (one.made_at, one.approved_at, one.in_force_at, one.ended_at))


def _changes(kept: Versions, one: Version) -> Iterator[str]:
    """What a version changed of the one that it was made upon."""
    told = [one.number, *(_shown(getattr(one, name)) for name in TOLD)]
    before = kept.get(one.base).settings if one.base else {}
    for place in differing.told(before, one.settings) or [UNTOLD]:
        yield sheet.line([*told, place.table, place.name, place.before, place.after])


def _shown(value: Any) -> str:
    return "" if value is None else schema.stamp(value) if isinstance(value, datetime) else str(value)


def _write(file: Path, said: str, settings: dict[str, Any]) -> None:
    head = said.encode("unicode_escape").decode()
    file.write_text(f"# {head}\n\n{tomli_w.dumps(_open(settings))}", encoding="utf-8")


def _open(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings as they may be shown, without what is not set."""
    plain = _set(settings)
    alerts = plain.get("profile", {}).get("alerts", {})
    if alerts.get(differing.SECRET[-1]):
        alerts[differing.SECRET[-1]] = HIDDEN
    return plain


def _set(value: Any) -> Any:
    if isinstance(value, dict):
        table = cast("dict[str, Any]", value)
        return {name: _set(one) for name, one in table.items() if one is not None}
    if isinstance(value, list):
        return [_set(one) for one in cast("list[Any]", value)]
    return value
