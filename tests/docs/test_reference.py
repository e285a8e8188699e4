"""The reference pages name everything there is: commands with their options, settings, tables of the profile; and every
relative link in README and docs leads somewhere.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer

from ml_connector import flows, settings
from ml_connector.cli.app import app

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
GENERAL = {"--json", "--help"}  # told of all commands at once


def commands(command: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Each command that can be called, with its path."""
    for name, one in getattr(command, "commands", {}).items():
        yield from commands(one, f"{path} {name}".strip())
    if path and not hasattr(command, "commands"):
        yield path, command


COMMANDS = dict(commands(typer.main.get_command(app)))


def rows() -> dict[str, str]:
    """Of each command that the reference tells, its row."""
    found: dict[str, str] = {}
    for line in (REFERENCE / "cli.md").read_text().splitlines():
        if line.startswith("| `"):
            words = line.removeprefix("| `").split("`")[0]
            name = next((one for one in COMMANDS if words == one or words.startswith(f"{one} ")), "")
            found |= {name: line} if name else {}
    return found


ROWS = rows()


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_told_with_all_its_options(name: str) -> None:
    assert name in ROWS, f"docs/reference/cli.md has no row for `{name}`"
    given = {option for one in COMMANDS[name].params for option in one.opts if option.startswith("--")}
    against = {option for one in COMMANDS[name].params for option in one.secondary_opts}
    told = set(re.findall(r"--[a-z][a-z-]*", ROWS[name]))
    switched_off = {option.replace("--no-", "--") for option in told & against}
    assert given - told - switched_off - GENERAL == set(), f"docs/reference/cli.md: `{name}` lacks options"
    assert told - given - against == set(), f"docs/reference/cli.md: `{name}` has no such options"


def test_the_general_options_are_told() -> None:
    head = (REFERENCE / "cli.md").read_text().split("## Connections")[0]
    command: Any = typer.main.get_command(app)
    assert {option for one in command.params for option in one.opts} <= set(re.findall(r"--[a-z-]+", head))


def test_the_commands_without_json_are_those_that_the_reference_excepts() -> None:
    said = re.search(r"All but (.*?) take `--json`", (REFERENCE / "cli.md").read_text(), re.DOTALL)
    assert said
    without = {name for name, one in COMMANDS.items() if not any("--json" in given.opts for given in one.params)}
    assert set(re.findall(r"`([a-z ]+)`", said[1])) == without


def test_every_flow_is_named() -> None:
    named = set(re.findall(r"`([a-z_]+)`", (REFERENCE / "cli.md").read_text().split("## Flows")[1].split("## ")[0]))
    assert named == set(flows.FLOWS)


def test_every_setting_of_an_installation_is_told() -> None:
    told = set(re.findall(r"^\| `ML_CONNECTOR_([A-Z_]+)`", (REFERENCE / "settings.md").read_text(), re.MULTILINE))
    command: Any = typer.main.get_command(app)
    variables = {str(one.envvar).removeprefix("ML_CONNECTOR_") for one in command.params if one.envvar}
    assert told == {name.upper() for name in settings.Installation.model_fields} | variables


@pytest.mark.parametrize("name", settings.Profile.__struct_fields__)
def test_every_setting_of_a_profile_is_told(name: str) -> None:
    text = (REFERENCE / "profile.md").read_text()
    kind: Any = msgspec.structs.fields(settings.Profile)[settings.Profile.__struct_fields__.index(name)].type
    fields = kind.__struct_fields__ if isinstance(kind, type) and issubclass(kind, msgspec.Struct) else ()
    if name == "gate":
        fields = settings.Gate.__struct_fields__
    assert re.search(rf"`\[?{name}\b", text), f"docs/reference/profile.md does not tell {name}"
    lines = "\n".join(line for line in text.splitlines() if re.search(rf"\[{name}\b", line))
    assert [field for field in fields if not re.search(rf"\b{field}\b", lines)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text()):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{link} leads nowhere"
        assert not anchor or anchor in anchors(target), f"{link}: there is no such heading"


def anchors(page: Path) -> set[str]:
    """The headings of a page, as GitHub links to them."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}


def test_every_fact_of_the_comparison_has_its_source() -> None:
    told = set(re.findall(r"\bS\d+\b", (ROOT / "docs" / "explanation" / "comparison.md").read_text()))
    sources = set(re.findall(r"^\| (S\d+) \|.*\| [^|]+ \|$", (ROOT / "docs" / "sources.md").read_text(), re.MULTILINE))
    assert told == sources


def test_the_modules_that_the_sources_name_are_there() -> None:
    named = set(re.findall(r"`([a-z]+/[\w/]+(?:\.py|/))`", (ROOT / "docs" / "sources.md").read_text()))
    there = [ROOT / "src" / "ml_connector", ROOT / "src" / "ml_connector" / "systems" / "ifs"]
    assert len(named) > 20
    assert [name for name in sorted(named) if not any((folder / name).exists() for folder in there)] == []


def test_readme_says_what_it_is_in_five_lines_and_connects_in_ten_steps_that_lead_on() -> None:
    text = (ROOT / "README.md").read_text()
    assert len(text.split("\n\n")[1].splitlines()) <= 5
    steps = re.split(r"^\d+\. ", text.partition("## Connect real systems")[2].partition("\n## ")[0], flags=re.MULTILINE)
    assert len(steps[1:]) == 10
    assert [step for step in steps[1:] if not re.search(r"\(docs/(how-to|reference)/", step)] == []
