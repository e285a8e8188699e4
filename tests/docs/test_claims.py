"""The page of claims: each claim says what it means, and names tests that are there and that `make test` runs."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PAGE = (TESTS.parent / "docs" / "explanation" / "claims.md").read_text()
PROOF = re.compile(r"`([a-z0-9_]+/[a-z0-9_/]+\.py)::(\w+)`(?: \((thorough)\))?")
CLAIMED = PAGE.partition("## What is not claimed")[0]
ROWS = [re.split(r"\s*\|\s*", line.strip()[1:-1].strip()) for line in CLAIMED.splitlines() if line.startswith("| ")]
CLAIMS = [row for row in ROWS if row[0] != "Claim"]
USUAL = {(file, name) for file, name, when in PROOF.findall(PAGE) if not when}


@pytest.mark.parametrize(("file", "name"), sorted({found[:2] for found in PROOF.findall(PAGE)}))
def test_each_named_test_is_there(file: str, name: str) -> None:
    source = (TESTS / file).read_text()
    assert re.search(rf"^(def {name}\(|{name} = )", source, re.MULTILINE), f"{file} has no {name}"


def test_each_named_test_is_run_with_the_others(request: pytest.FixtureRequest) -> None:
    nodes = [one.nodeid.removeprefix("tests/").split("[")[0].split("::") for one in request.session.items]
    running = {(file, name) for file, name, *_ in nodes}
    files = {file for file, _ in running}
    if request.config.option.keyword or not files >= {file for file, _ in USUAL}:
        pytest.skip("only where all tests are run it can be seen which are")
    assert running >= USUAL, f"`make test` does not run {sorted(USUAL - running)}"


@pytest.mark.parametrize("row", CLAIMS, ids=lambda row: row[0])
def test_each_claim_says_what_it_means_and_has_its_proof(row: list[str]) -> None:
    assert len(row) == 4, "claim | meaning | limits | proof"
    assert row[1].strip()
    assert PROOF.search(row[3]), "no test proves it"
    assert not PROOF.sub("", row[3]).strip(), "only tests stand in the last column"


def test_the_page_claims_a_lot() -> None:
    assert len(CLAIMS) >= 30
