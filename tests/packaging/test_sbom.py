"""The bill of materials keeps to its schema and names all that is locked, with licence and hash."""

import importlib.resources
import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import sbom
from locked import PACKAGES, closure, needs
from vendored import vendored

SCHEMAS = importlib.resources.files("cyclonedx.schema") / "_res"
REFERRED = ("spdx", "jsf-0.82")
INSTALLATION = closure([*needs("runtime"), *needs("otel")])


@pytest.fixture(scope="module")
def bill(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    built = tmp_path_factory.mktemp("dist") / "some.whl"
    built.write_bytes(b"wheel")
    return sbom.bill([built])


def schema(name: str) -> Any:
    return json.loads((SCHEMAS / f"{name}.SNAPSHOT.schema.json").read_text())


def test_it_is_valid(bill: dict[str, Any]) -> None:
    wanted = schema("bom-1.6")
    others = [(f"http://cyclonedx.org/schema/{name}.SNAPSHOT.schema.json", schema(name)) for name in REFERRED]
    rules = jsonschema_rs.validator_for(wanted, registry=jsonschema_rs.Registry(others), validate_formats=True)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert [str(error) for error in rules.iter_errors(bill)] == []
    assert not rules.is_valid(bill | {"serialNumber": "1"})
    assert not rules.is_valid(bill | {"components": [{"type": "library", "licenses": [{"license": {"id": "Mine"}}]}]})


def test_it_names_all_that_is_locked(bill: dict[str, Any]) -> None:
    components = {one["name"]: one for one in bill["components"]}
    assert {name: one["version"] for name, one in components.items()} == {
        name: PACKAGES[name]["version"] for name in INSTALLATION
    }
    assert all(one["licenses"] and one["purl"] and one["externalReferences"] for one in components.values())
    assert {name for name, one in components.items() if one["scope"] == "required"} == closure(needs("runtime"))


def test_it_tells_who_needs_whom(bill: dict[str, Any]) -> None:
    names = {one["bom-ref"]: one["name"] for one in [*bill["components"], bill["metadata"]["component"]]}
    needed = {names[one["ref"]]: {names[ref] for ref in one["dependsOn"]} for one in bill["dependencies"]}
    assert needed["jinja2"] == {"markupsafe"}
    assert needed["ml-connector"] == {one["name"] for one in [*needs("runtime"), *needs("otel")]}


def test_it_names_what_was_built_and_what_is_in_it(bill: dict[str, Any]) -> None:
    main = bill["metadata"]["component"]
    assert [one["url"] for one in main["externalReferences"]] == ["some.whl"]
    assert {one["name"]: one["hashes"][0]["content"] for one in main["components"]} == {
        one.file: one.digest for one in vendored()
    }


def test_the_same_is_told_each_time(
    bill: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    built = tmp_path / "some.whl"
    built.write_bytes(b"wheel")
    sbom.main(str(tmp_path), str(built))
    assert json.loads(Path(capsys.readouterr().out.strip()).read_text()) == bill
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1800000000")
    later = sbom.bill([built])
    assert later["metadata"]["timestamp"] == "2027-01-15T08:00:00Z"
    assert later["serialNumber"] != bill["serialNumber"]
