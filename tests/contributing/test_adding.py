"""Toys added as CONTRIBUTING says touch what it says, and nothing else; and they work everywhere."""

import tomllib
from typing import Any

import pytest
from copied import Copy
from steps import ROOT, places, within

ADDED = {
    "tags": ("Add a flow", "supplier_tags"),
    "bills": ("Add documents that post", "bills"),
    "planner": ("Add a system", "planner"),
}
pytestmark = pytest.mark.xdist_group("contributing")  # one copy for all
SYSTEMS = ROOT / "src" / "ml_connector" / "systems"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    return Copy(tmp_path_factory.mktemp("copy"), *ADDED, "planner_flows")


@pytest.fixture(scope="module")
def told(made: Copy) -> dict[str, Any]:
    return made.tell()


@pytest.mark.parametrize("toy", ADDED)
def test_what_is_touched_is_what_the_text_says(tmp_path_factory: pytest.TempPathFactory, toy: str) -> None:
    said = places(*ADDED[toy])
    touched = Copy(tmp_path_factory.mktemp(toy), toy).touched()
    assert {within(path, said): path for path in touched}.keys() == said, touched


def test_the_linters_and_tests_of_the_project_take_them(made: Copy) -> None:
    own = [path for path in made.added if path.startswith("tests/")]
    told = "tests/docs/test_reference.py::test_every_flow_is_named"
    counted = "tests/e2e/test_switching.py::test_nothing_runs_a_flow_that_is_off_but_it_can_be_planned"
    made.judge("tests/core/test_causes.py", told, counted, "tests/contributing/test_registries.py", *own)


def test_a_flow_is_planned_run_listed_and_shown(made: Copy, told: dict[str, Any]) -> None:
    seen = told["tags"]
    assert seen["from"] == str(made.root / "src" / "ml_connector")
    assert seen["planned"]["created"] == seen["first"]["created"] == len(seen["tags"]) > 0
    assert seen["first"]["read"] == seen["suppliers"]
    assert seen["again"]["created"] == seen["again"]["held"] == 0
    assert {"flow": "supplier_tags", "title": "Suppliers to Airbase tags", "state": "on", "how": ""} in seen["listed"]
    assert "Supplier tags" in seen["shown"]
    assert seen["switched"]["off"] == ["supplier_tags"]


def test_documents_post_like_others(told: dict[str, Any]) -> None:
    seen = told["bills"]
    assert seen["posted"] == seen["links"] == seen["vouchers"] == seen["bills"] > 0
    assert seen["held"] == []
    assert seen["again"] == 0


def test_a_flow_is_off_while_its_system_is_not_connected(told: dict[str, Any]) -> None:
    assert "--system planner=" in told["planner"]["before"]


def test_flows_read_from_a_system_and_write_to_it(told: dict[str, Any]) -> None:
    seen = told["planner"]
    assert seen["connected"] == 0
    assert "changed" in seen["renewed"]  # its secret, be it the only thing that was given
    assert {"Planner DNS", "Planner projects", "Planner partners"} <= set(seen["checked"])
    created, not_due, refused = seen["done"]["partners"]
    assert created == seen["partners"] == seen["suppliers"] - not_due - refused
    assert refused == 1  # a name is too long for it, which stops no other
    assert seen["done"]["projects"] == [2, 0, 0]
    assert seen["again"] == 0
    assert (seen["tags"]["P-1"], seen["tags"]["P-2"]) == (True, False)  # one is gone from its source by then
    assert seen["requests"]["planner"] > 0


def test_a_system_is_shown_by_its_name(told: dict[str, Any]) -> None:
    flows, home = told["planner"]["shown"]
    assert "IFS → Planner" in flows
    assert "Planner → Airbase" in flows
    assert "Planner" in home


def test_every_system_is_in_the_contract() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    modules = next(one["modules"] for one in contracts if one["name"] == "Systems never meet")
    there = [path.parent.name for path in SYSTEMS.glob("*/__init__.py")]
    assert sorted(modules) == sorted(f"ml_connector.systems.{name}" for name in there)
