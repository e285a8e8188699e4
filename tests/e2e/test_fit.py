"""The fit report over a real sandbox: what would map, what is missing and what it may stand for; nothing is written."""

import json
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from rig import NAME, USUAL, Rig, generous, rig, sqlite_url

from ml_connector import wiring
from ml_connector.cli import main
from ml_connector.sandbox.faults import Fault
from ml_connector.settings import Mapping
from ml_connector.wiring import fit, switching
from ml_connector.wiring.suggesting import suggestions


def report(joined: Rig) -> fit.Fit:
    with wiring.joined(joined.store, NAME) as both:
        return fit.fit(both, lambda _flow, _stage, _done: None)


def small(tmp_path: Path, **more: Any) -> AbstractContextManager[Rig]:
    return rig(sqlite_url(tmp_path), generous(suppliers=12, orders=12), **more)


def test_all_fits_and_the_run_does_what_was_said(tmp_path: Path) -> None:
    with small(tmp_path) as joined:
        found = report(joined)
        assert joined.writes() == 0
        assert found.fits
        assert found.unposted  # nothing is posted, and Airbase has no documents
        ran = joined.run()
    numbers = {one.flow: one for one in found.flows}
    for name in ("suppliers", "purchase_orders"):
        assert numbers[name].read == ran[name].read
        assert numbers[name].writes == {"created": ran[name].created}
        assert [one.becomes for one in found.samples if one.flow == name] == ["new"] * 5
    lines = next(one.value for one in found.samples[-1].fields if one.name == "lines")
    assert "1-1" in lines
    assert found.requests["ifs"] > 0


def test_once_all_is_there_it_says_so(tmp_path: Path) -> None:
    with small(tmp_path) as joined:
        joined.run()
        found = report(joined)
    assert found.fits
    assert all(one.there == one.maps > 0 for one in found.flows)


def test_what_is_missing_comes_with_what_it_may_stand_for(tmp_path: Path) -> None:
    with small(tmp_path, mapping=Mapping({"10": "SUB-10"}, {"X": "y"})) as joined:
        found = report(joined)
    assert not found.fits
    company = next(one for one in found.lacks if one.table == "subsidiaries")
    assert (company.value, company.suggestions[0].value) == ("20", "SUB-20")
    assert company.count > 0
    assert {one.value for one in found.lacks if one.table == "payment_terms"}
    held = next(one for one in found.samples if one.becomes == "held")
    assert held.sentence
    assert held.remedy


def test_a_flow_that_is_switched_off_is_planned_too(tmp_path: Path) -> None:
    with small(tmp_path) as joined:
        for name in ("suppliers", "purchase_orders"):
            switching.switch(joined.store, NAME, name, on=False, person="kari")
        assert {one.flow for one in report(joined).flows} == {*USUAL}


def test_what_can_not_be_read_is_left_out_with_what_needs_it(tmp_path: Path) -> None:
    with small(tmp_path) as joined:
        joined.box.faults.add(Fault("status", "ifs", path="*SupplierInfoGeneralSet*", options={"status": 400}))
        found = report(joined)
    told = {one.flow: one.error for one in found.flows}
    assert "400" in told["suppliers"]
    assert told["purchase_orders"] == "needs suppliers, which can't be read"
    assert not found.fits


def test_spend_that_nothing_posts_yet_shows_its_categories(tmp_path: Path) -> None:
    options = generous(suppliers=12, orders=12)
    options.airbase.documents = 30
    with rig(sqlite_url(tmp_path), options) as joined:
        found = report(joined)
    wanted = [one for one in found.lacks if one.table == "account"]
    assert wanted
    assert any(one.suggestions for one in wanted)
    assert sum(one.flow == "purchase_requests" for one in found.samples) == 5


@pytest.mark.parametrize(("mapped", "code"), [({"10": "SUB-10", "20": "SUB-20"}, 0), ({"10": "SUB-10"}, 1)])
def test_the_command_says_the_same(
    mapped: dict[str, str],
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with small(tmp_path, mapping=Mapping(mapped)) as joined:
        for given in (("--json",), ()):
            monkeypatch.setattr("sys.argv", ["ml-connector", "--store", joined.url, "fit", NAME, *given])
            with pytest.raises(SystemExit) as ended:
                main()
            said = capsys.readouterr().out
            assert ended.value.code == code
            if given:
                assert json.loads(said)["fits"] is (code == 0)
            else:
                assert ("perhaps SUB-20" in said) is bool(code)
                assert ("\nFITS" in said) is (code == 0)


def test_a_likeness_is_of_words_or_numbers() -> None:
    accounts = {"5300": "Software licences", "5400": "Travel", "5410": "Hotels"}
    assert suggestions("Software", "", accounts)[0].value == "5300"
    assert suggestions("5410x 5410", "", accounts)[0].why == "same number"
    assert suggestions("Zebra", "", accounts) == ()
    assert suggestions("30", "30 days", {"Net 30": "", "Net 60": ""})[0].value == "Net 30"
    assert suggestions("", "", {}) == ()
