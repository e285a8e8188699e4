"""The workflows do what a person would, with as few rights as that takes, and with nobody else's latest code."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from locked import ROOT

FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"uses: ([\w./-]+)@([0-9a-f]{40}) # v\d+\.\d+\.\d+")
READS = {"contents": "read"}
# Which job may more than read, and what.
WRITES = {
    ("release.yml", "attest"): {"id-token": "write", "attestations": "write"},
    ("release.yml", "publish"): {"id-token": "write"},
    ("release.yml", "release"): {"contents": "write"},
}


def parsed(file: Path) -> dict[str, Any]:
    workflow: Any = yaml.safe_load(file.read_text())
    return {("on" if key is True else str(key)): value for key, value in workflow.items()}


JOBS: dict[tuple[str, str], dict[str, Any]] = {
    (file.name, name): job for file in FILES for name, job in parsed(file)["jobs"].items()
}
STEPS: list[dict[str, Any]] = [step for job in JOBS.values() for step in job.get("steps", [])]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_it_may_nothing_unless_a_job_says_so(file: Path) -> None:
    assert parsed(file)["permissions"] == {}
    assert "secrets." not in file.read_text()


@pytest.mark.parametrize("where", JOBS, ids=" ".join)
def test_a_job_may_only_what_it_has_to_and_ends(where: tuple[str, str]) -> None:
    job = JOBS[where]
    assert job["permissions"] == WRITES.get(where, READS)
    assert "uses" in job or 0 < job["timeout-minutes"] <= 60
    if where in WRITES:
        runs = " ".join(step.get("run", "") for step in job["steps"])
        assert "checkout" not in str(job["steps"])
        assert not re.search(r"\bmake\b|\bpython\b|\bpip\b|\buv\b", runs)


def test_actions_are_of_one_commit_each() -> None:
    lines = [line for file in FILES for line in file.read_text().splitlines() if "uses: " in line and "./" not in line]
    found = [PINNED.search(line) for line in lines]
    assert all(found), lines
    commits: dict[str, set[str]] = {}
    for one in found:
        assert one is not None
        commits.setdefault(one[1], set()).add(one[2])
    assert all(len(each) == 1 for each in commits.values()), commits


def test_who_checks_out_keeps_no_token() -> None:
    checkouts = [step for step in STEPS if step.get("uses", "").startswith("actions/checkout@")]
    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_nothing_that_others_wrote_gets_into_a_command() -> None:
    assert not [step for step in STEPS if "${{" in step.get("run", "")]


def test_what_is_run_is_there() -> None:
    runs = "\n".join(step.get("run", "") for step in STEPS)
    makefile = (ROOT / "Makefile").read_text()
    targets = re.findall(r"^\s*make (\w+)", runs, re.MULTILINE)
    assert set(targets) == {"audit", "build", "sbom"}
    assert all(re.search(rf"^(\w+ )*{target}( \w+)*:", makefile, re.MULTILINE) for target in targets)
    assert ".ci/run" in runs
    assert "make test" in (ROOT / ".ci" / "run").read_text()


def test_nothing_is_published_that_was_not_tested_built_and_attested() -> None:
    jobs = parsed(ROOT / ".github" / "workflows" / "release.yml")["jobs"]
    assert [(name, job.get("needs")) for name, job in jobs.items()] == [
        ("test", None),
        ("build", "test"),
        ("attest", "build"),
        ("publish", "attest"),
        ("release", "publish"),
    ]
    assert jobs["publish"]["environment"]["name"] == "pypi"
    assert parsed(ROOT / ".github" / "workflows" / "release.yml")["on"] == {"push": {"tags": ["v*"]}}


def test_newer_ones_are_offered() -> None:
    offered: Any = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())
    assert {one["package-ecosystem"] for one in offered["updates"]} == {"uv", "github-actions", "pip"}
    assert all((ROOT / one["directory"].strip("/")).is_dir() for one in offered["updates"])
