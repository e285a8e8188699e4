"""The page of assumptions says of each name what the profiles say: where it is, if it was seen, how to confirm it."""

import re
from pathlib import Path

import pytest

from ml_connector.console.views.elsewhere import ASSUMED
from ml_connector.flows.purchase_orders import STATUS
from ml_connector.systems import signature
from ml_connector.systems.airbase import webhooks
from ml_connector.systems.airbase.profile import DEFAULT as AIRBASE
from ml_connector.systems.airbase.profile import RESOURCES
from ml_connector.systems.airbase.resource import Resource
from ml_connector.systems.ifs import hints
from ml_connector.systems.ifs.check import GROUPS
from ml_connector.systems.ifs.profile import Part
from ml_connector.systems.ifs.standard import DEFAULT as IFS

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "assumed.md").read_text()
ROOTS = {"projection": "main", "projection-int": "int", "entity": "entity"}
RANGE = re.compile(r"(\b\w*)B … \1J\b")


def cells(start: str) -> list[str]:
    """The row of a table that begins so."""
    line = next(line for line in PAGE.splitlines() if line.startswith(f"| `{start}]`"))
    return [cell.strip() for cell in line.strip("| ").replace("| |", "|  |").split("|")]


def names(cell: str) -> set[str]:
    """The names in a cell; `CodeB … CodeJ` is all of them."""
    spelt = RANGE.sub(lambda found: " ".join(found[1] + letter for letter in "BCDEFGHIJ"), cell)
    return set(re.findall(r"\w+", spelt))


@pytest.mark.parametrize(("name", "part"), IFS.parts.items(), ids=IFS.parts)
def test_a_part_of_ifs_is_told_as_the_profile_has_it(name: str, part: Part) -> None:
    title = re.sub(r"^code_[c-j]$", "code_b", name)
    _, place, keys, seen, assumed, step = cells(f"[ifs.{title}")
    assert place.startswith(f"{ROOTS[part.root]}, ")
    assert {part.service, part.set} <= names(place)
    assert set(part.key) <= names(keys)
    known = {part.fields[field] for field in part.seen}
    assert known <= names(seen)
    assert set(part.fields.values()) - known <= names(assumed)
    assert not (set(part.fields.values()) - known) & names(seen)
    assert set(part.actions.values()) <= names(assumed)
    group = next(one for one in GROUPS if name in one.parts)
    assert step == f"names of {group.title}"


@pytest.mark.parametrize("name", [name for name, part in IFS.parts.items() if part.confidence == "seen"])
def test_a_set_that_was_seen_is_said_to_be(name: str) -> None:
    assert cells(f"[ifs.{re.sub(r'^code_[c-j]$', 'code_b', name)}")[1].endswith(", seen")


@pytest.mark.parametrize("name", RESOURCES)
def test_a_resource_of_airbase_is_told_as_the_profile_has_it(name: str) -> None:
    resource: Resource = getattr(AIRBASE, name)
    _, place, seen, assumed, step = cells(f"[airbase.{name}")
    assert place.startswith(f"`{resource.path}`, {resource.confidence}")
    told = seen, assumed
    if name == "bills":  # as purchase requests, and more
        told = tuple(
            f"{more} {cell}" for more, cell in zip(cells("[airbase.purchase_requests")[2:], told, strict=False)
        )
    known = {resource.fields[field] for field in resource.seen}
    assert known <= names(told[0])
    assert set(resource.fields.values()) - known <= names(told[1])
    assert not (set(resource.fields.values()) - known) & names(told[0])
    assert step == name.replace("_", " ")


def test_what_is_assumed_of_webhooks_is_told() -> None:
    told = names(PAGE.partition("### Webhooks")[2])
    assert set(webhooks.FLOWS) | set(webhooks.KEYS) | set(hints.FLOWS) <= told
    for header in (signature.Scheme().header, hints.SHARED_SECRET.header):
        assert f"`{header}`" in PAGE


def test_every_habit_says_how_to_confirm_it_and_what_else_to_do() -> None:
    habits = [table for table in PAGE.split("\n\n") if table.startswith("| Assumed | Confirm it |")]
    rows = [line for table in habits for line in table.splitlines()[2:]]
    assert len(rows) >= 25
    assert [row for row in rows if row.count("|") != 4] == []


def test_what_is_assumed_of_states_and_of_pages_for_people_is_told() -> None:
    assert set(STATUS) <= names(PAGE)
    for template in ASSUMED.values():
        page, column = re.findall(r"page/(\w+)/Form;%24filter=(\w+)%20", template)[0]
        assert f"{page}/Form;$filter={column} eq" in PAGE
