"""Each dependency is there for a reason, told in the docs; what is installed is what is locked, by its hash."""

import ast
import importlib.metadata
import re
import sys

import dependencies
import pytest
from dependencies import UNSEEN, Row
from locked import ME, PACKAGES, PROJECT, ROOT, asked
from packaging.requirements import Requirement
from packaging.version import Version

SOURCE = ROOT / "src" / "ml_connector"
NOT_IMPORTED = {"python-multipart"}  # by FastAPI, where there is a form
OPTIONAL = {"opentelemetry"}
LISTS = {"runtime": PROJECT["project"]["dependencies"], **PROJECT["project"]["optional-dependencies"]}
LINES = [line for lines in (LISTS | PROJECT["dependency-groups"]).values() for line in lines]
ROWS = dependencies.rows()


def imported() -> set[str]:
    """The top names of all that is imported and neither ours nor Python's."""
    found: set[str] = set()
    for file in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                found |= {name.name.partition(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found - set(sys.stdlib_module_names) - {"ml_connector"}


def modules(name: str) -> set[str]:
    """What a package lets be imported."""
    tops = {file.parts[0].removesuffix(".py") for file in importlib.metadata.files(name) or [] if file.suffix == ".py"}
    return {top for top in tops if top.isidentifier()}


def test_what_is_imported_is_asked_for_and_nothing_else() -> None:
    there = imported() - OPTIONAL
    whose = {name: modules(name) & there for name in asked()["runtime"]}
    assert {name for name, used in whose.items() if not used} == NOT_IMPORTED
    assert there == set[str]().union(*whose.values())


def test_the_page_tells_each_of_them_and_why() -> None:
    assert {why: [row.name for row in rows] for why, rows in ROWS.items()} == asked()
    for row in (row for rows in ROWS.values() for row in rows):
        assert len(row.words) == 2, row
        assert all(len(words) >= 4 for words in row.words), row


@pytest.mark.parametrize(("why", "row"), [(why, row) for why, rows in ROWS.items() for row in rows])
def test_the_page_has_the_figures_of_today(why: str, row: Row) -> None:
    version, size, needed, alone, licence = row.figures
    now = dependencies.measured(why, row.name).figures
    assert (version, needed, licence) == (now[0], now[2], now[4]), "run .ci/supply/dependencies.py"
    for told, measured in ((size, now[1]), (alone, now[3])):
        if UNSEEN not in (told, measured):  # elsewhere, and on another Python, the same package is a little different
            assert float(told) == pytest.approx(float(measured), rel=0.5, abs=1), "run .ci/supply/dependencies.py"


@pytest.mark.parametrize("line", [line for lines in LISTS.values() for line in lines])
def test_no_version_is_promised_that_is_older_than_what_was_tested(line: str) -> None:
    wanted = Requirement(line)
    oldest = next(Version(one.version) for one in wanted.specifier if one.operator == ">=")
    tested = Version(PACKAGES[wanted.name]["version"])
    assert (oldest.major, oldest.minor) == (tested.major, tested.minor), "raise it in pyproject.toml"


@pytest.mark.parametrize("line", LINES)
def test_what_is_locked_is_what_is_asked_for(line: str) -> None:
    wanted = Requirement(line)
    assert wanted.specifier.contains(PACKAGES[wanted.name]["version"])


def test_all_that_is_locked_has_a_hash_and_comes_from_pypi() -> None:
    for name, package in PACKAGES.items():
        if name == ME:
            continue
        files = [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
        assert package["source"] == {"registry": "https://pypi.org/simple"}
        assert files
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", file["hash"]) for file in files), name


def test_who_installs_installs_what_is_locked() -> None:
    lines = [
        (file.name, line.strip())
        for file in (ROOT / "Makefile", ROOT / "deploy" / "Containerfile", *(ROOT / ".github").rglob("*.yml"))
        for line in file.read_text().splitlines()
        if re.search(r"(\buv|\$\(UV\)) (sync|pip sync|export|audit)\b|\bpip install\b", line)
    ]
    assert len(lines) >= 4
    for where, line in lines:
        assert re.search(r"--frozen|--locked|--require-hashes", line), (where, line)


def test_uv_itself_is_pinned() -> None:
    pinned = (ROOT / ".ci" / "uv.txt").read_text()
    assert re.search(r"^uv==[\d.]+ ", pinned, re.MULTILINE)
    assert pinned.count("--hash=sha256:") > 10
