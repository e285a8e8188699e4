"""What the lock holds: which packages in which version, and which of them needs which.

Rule: read from uv.lock and pyproject.toml alone; no network. What is so only elsewhere (another operating system,
another Python) is told apart by its marker.
Must not know: what is installed.
"""

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from packaging.markers import Marker

ROOT = Path(__file__).parents[2]
ME = "ml-connector"
# Where figures are measured: CPython 3.11 on Linux.
HERE = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": "3.11.9",
    "python_version": "3.11",
    "sys_platform": "linux",
    "extra": "",
}
Needs = list[dict[str, Any]]

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES: dict[str, dict[str, Any]] = {
    package["name"]: package for package in tomllib.loads((ROOT / "uv.lock").read_text())["package"]
}


def asked() -> dict[str, list[str]]:
    """The names in pyproject.toml, by what for: runtime, an extra, a group."""
    lists = {"runtime": PROJECT["project"]["dependencies"], **PROJECT["project"]["optional-dependencies"]}
    lists |= PROJECT["dependency-groups"]
    return {why: [_name(line) for line in lines] for why, lines in lists.items()}


def needs(why: str) -> Needs:
    """What the lock holds of a list of pyproject.toml."""
    me = PACKAGES[ME]
    if why == "runtime":
        return me["dependencies"]
    return {**me["optional-dependencies"], **me["dev-dependencies"]}[why]


def closure(wanted: Needs, *, here: bool = False) -> set[str]:
    """All that is installed for these; `here`: only what is installed on Linux."""
    found: set[str] = set()
    seen: set[tuple[str, tuple[str, ...]]] = set()
    left = list(wanted)
    while left:
        one = left.pop()
        key = (one["name"], tuple(one.get("extra", ())))
        if key in seen or (here and not _holds(one)):
            continue
        seen.add(key)
        found.add(one["name"])
        left += _below(one)
    return found


def below(name: str, *, of: Iterable[dict[str, Any]]) -> set[str]:
    """What a package needs, itself not counted."""
    return closure([one for one in of if one["name"] == name], here=True) - {name}


def gone(name: str, *, of: Needs) -> set[str]:
    """What would not be installed without it."""
    return closure(of, here=True) - closure([one for one in of if one["name"] != name], here=True)


def _below(one: dict[str, Any]) -> Needs:
    package = PACKAGES[one["name"]]
    extras = package.get("optional-dependencies", {})
    return [
        *package.get("dependencies", []),
        *(need for extra in one.get("extra", []) for need in extras.get(extra, [])),
    ]


def _holds(one: dict[str, Any]) -> bool:
    return "marker" not in one or Marker(one["marker"]).evaluate(HERE)


def _name(line: str) -> str:
    return re.split(r"[\[<>=~!;\s]", line, maxsplit=1)[0]
