"""All that an installation consists of may be passed on with ours, and what is others' is marked as such."""

import hashlib

import pytest
from licences import ALLOWED, ELSEWHERE, EXCEPTIONS, READ, licence, refusal
from locked import PACKAGES, PROJECT, ROOT, asked, closure, needs
from vendored import STATIC, vendored

INSTALLATION = closure([*needs("runtime"), *needs("otel")])
OURS = {"app.js", "style.css", "mark.svg"}


@pytest.mark.parametrize("name", sorted(INSTALLATION))
def test_it_may_be_passed_on(name: str) -> None:
    assert refusal(name, licence(name)) == ""


@pytest.mark.parametrize(
    "expression", ["", "GPL-3.0-only", "MIT AND GPL-3.0-only", "(MIT AND GPL-2.0-only)", "MPL-2.0", "UNKNOWN"]
)
def test_what_is_not_known_to_be_allowed_is_refused(expression: str) -> None:
    assert refusal("some-package", expression)


def test_a_choice_of_licences_is_ours() -> None:
    assert refusal("some-package", "GPL-3.0-only OR MIT") == ""


def test_an_exception_is_for_one_licence_of_one_package_that_is_there() -> None:
    assert refusal("psycopg", "GPL-3.0-only")
    assert set(EXCEPTIONS) | set(ELSEWHERE) <= INSTALLATION
    assert set(READ) <= set(PACKAGES)
    page = (ROOT / "docs" / "reference" / "dependencies.md").read_text()
    assert all(f"`{name}`" in page for name in EXCEPTIONS)


def test_files_of_others_are_those_that_the_table_tells() -> None:
    assert {one.file: one.digest for one in vendored()} == {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in STATIC.iterdir()
        if file.is_file() and file.name not in OURS and not file.name.endswith((".py", ".LICENSE.txt"))
    }
    assert {one.licence for one in vendored()} <= ALLOWED


def test_files_of_others_lie_beside_their_licence() -> None:
    licences = {file.name.removesuffix(".LICENSE.txt") for file in STATIC.glob("*.LICENSE.txt")}
    assert {one.what.partition(",")[0].lower() for one in vendored()} == licences


def test_the_version_of_htmx_is_what_it_says_itself() -> None:
    htmx = next(one for one in vendored() if one.what == "htmx")
    assert f'version:"{htmx.version}"' in (STATIC / htmx.file).read_text()


def test_the_package_says_under_which_licences_it_is() -> None:
    assert PROJECT["project"]["license"].split(" AND ") == ["Apache-2.0", *sorted({one.licence for one in vendored()})]


def test_all_lists_are_told() -> None:
    assert set(asked()) >= {"runtime", "otel", "dev"}
