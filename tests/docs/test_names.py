"""The names that pages use in passing are there: settings of the environment, causes, targets of make."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ml_connector import settings
from ml_connector.wiring.causes import CAUSES

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
CODE = re.compile(r"^```\w*\n.*?^```|`[^`\n]+`", re.DOTALL | re.MULTILINE)
ELSEWHERE = {"LOG"}  # read by the command line itself


def named(find: str) -> dict[str, str]:
    """What all pages have of something, in code; and a page that has it."""
    found: dict[str, str] = {}
    for page in PAGES:
        for code in CODE.findall(page.read_text()):
            found |= dict.fromkeys(re.findall(find, code), page.name)
    return found


def variables() -> set[str]:
    return {name.upper() for name in settings.Installation.model_fields} | ELSEWHERE


def targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize(
    ("find", "there", "least"),
    [(r"\bML_CONNECTOR_([A-Z_]+)\b", variables, 15), (r"[\n`]make ([a-z][a-z-]*)", targets, 6)],
    ids=["variables", "targets"],
)
def test_what_is_named_in_passing_is_there(find: str, there: Callable[[], set[str]], least: int) -> None:
    found = named(find)
    assert len(found) >= least
    assert {name: page for name, page in found.items() if name not in there()} == {}


def test_each_cause_that_holds_a_document_is_one() -> None:
    page = (ROOT / "docs" / "how-to" / "post-to-the-ledger.md").read_text()
    rows = page.partition("## What holds a document")[2].partition("\n## ")[0]
    found = {name for row in re.findall(r"^\| ([^|]+) \|", rows, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    assert len(found) > 10
    assert found - set(CAUSES) == set()
