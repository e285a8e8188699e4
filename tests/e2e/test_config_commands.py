"""`config` as somebody types it: out, in, who agrees, back."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rig import NAME, Rig, connection, rig, sqlite_url
from sqlalchemy import update
from typer.testing import CliRunner

from ml_connector import settings, wiring
from ml_connector.cli import config
from ml_connector.cli.app import app
from ml_connector.errors import SettingsError
from ml_connector.store import schema
from ml_connector.store.schema_people import versions as kept_versions
from ml_connector.wiring import foreseeing, versions


@pytest.fixture
def joined(tmp_path: Path) -> Iterator[Rig]:
    with rig(sqlite_url(tmp_path)) as one:
        yield one


def typed(joined: Rig, *words: str, person: str = "", fails: type[Exception] | None = None) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        if person:
            patch.setattr(settings, "person", lambda: person)
        done = CliRunner().invoke(app, ["--store", joined.url, "config", *words])
    if fails:
        assert isinstance(done.exception, fails), done.output
        return str(done.exception)
    assert done.exit_code == 0, (done.output, done.exception)
    return json.loads(done.stdout) if "--json" in words else done.stdout


def test_out_changed_and_in_again(joined: Rig, tmp_path: Path) -> None:
    text = typed(joined, "export", NAME)
    file = tmp_path / "acme.toml"
    file.write_text(text)
    assert typed(joined, "import", NAME, str(file), "--json")["made"] is None, "nothing differs"
    file.write_text(text + '\n[mapping.payment_terms]\n30 = "Net 30"\n')
    dry = typed(joined, "import", NAME, str(file), "--dry-run", "--json")
    assert dry["differences"] == [{"table": "Payment terms", "name": "30", "before": "", "after": "Net 30"}]
    assert typed(joined, "export", NAME) == text
    made = typed(joined, "import", NAME, str(file), "--note", "terms", "--json")["made"]
    assert (made["number"], made["state"], made["note"]) == (2, "in force", "terms")
    assert "Net 30" in typed(joined, "export", NAME)
    assert "Net 30" not in typed(joined, "export", NAME, "--version", "1")
    typed(joined, "rollback", NAME, "1")
    assert "Net 30" not in typed(joined, "export", NAME)
    listed = typed(joined, "versions", NAME, "--json")["versions"]
    assert [(one["number"], one["state"]) for one in listed] == [(3, "in force"), (2, "past"), (1, "past")]
    assert typed(joined, "diff", NAME, "3", "--json")["differences"][0]["before"] == "Net 30"
    assert "has it already" in typed(joined, "rollback", NAME, "3", fails=SettingsError)


def test_a_short_file_takes_nothing_away_unless_told_so(joined: Rig, tmp_path: Path) -> None:
    before, file = typed(joined, "export", NAME), tmp_path / "short.toml"
    file.write_text("quiet_s = 3.0\n")
    said = typed(joined, "import", NAME, str(file), fails=SettingsError)
    assert "leaves out what is set, or sets it back to what is usual: Companies 10, Companies 20" in said
    assert "--yes" in said
    assert typed(joined, "export", NAME) == before
    assert "20: SUB-20 → –" in typed(joined, "import", NAME, str(file), "--dry-run")
    assert typed(joined, "import", NAME, str(file), "--yes", "--json")["made"]["state"] == "in force"
    assert typed(joined, "export", NAME).endswith("quiet_s = 3.0\n")


def test_a_terminal_is_asked(joined: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "_at_a_terminal", lambda: True)
    file = tmp_path / "short.toml"
    file.write_text("quiet_s = 3.0\n")
    words = ["--store", joined.url, "connect", NAME, "--profile", str(file)]
    own = versions.present(joined.store, NAME)
    with_terms = msgspec.structs.replace(own.profile.mapping, payment_terms={"30": "Net 30"})
    wish = msgspec.structs.replace(own, profile=msgspec.structs.replace(own.profile, mapping=with_terms))
    wiring.connect(joined.store, NAME, wish, wiring.Secrets("", ""), person="kari")
    no = CliRunner().invoke(app, words, input="n\n")
    assert "would be gone: Payment terms 30, Gates" in no.stderr
    assert "nothing is changed" in str(no.exception)
    assert versions.present(joined.store, NAME) == wish
    yes = CliRunner().invoke(app, words, input="y\n")
    assert yes.exit_code == 0, yes.output
    assert versions.present(joined.store, NAME).profile.mapping == own.profile.mapping, "companies stay with `connect`"


@pytest.mark.parametrize("words", [["connect", NAME, "--profile"], ["config", "import", NAME]])
def test_what_comes_in_force_while_somebody_is_asked_is_not_taken_away(
    joined: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    own, file = versions.present(joined.store, NAME).profile, tmp_path / "short.toml"

    def meanwhile() -> bool:
        mapping = msgspec.structs.replace(own.mapping, payment_terms={"30": "Net 30"})
        return bool(versions.change(joined.store, NAME, msgspec.structs.replace(own, mapping=mapping), person="kari"))

    monkeypatch.setattr(config, "_at_a_terminal", meanwhile)
    file.write_text("quiet_s = 3.0\n")
    done = CliRunner().invoke(app, ["--store", joined.url, *words, str(file)], input="y\n")
    assert "came in force after you looked" in str(done.exception)
    assert versions.present(joined.store, NAME).profile.mapping.payment_terms == {"30": "Net 30"}


def test_a_change_waits_for_its_day(joined: Rig, tmp_path: Path) -> None:
    file = tmp_path / "acme.toml"
    file.write_text(typed(joined, "export", NAME) + "\n[payment_terms]\nboth_ways = true\n")
    made = typed(joined, "import", NAME, str(file), "--from", "2029-01-01", "--json")["made"]
    assert (made["state"], made["effective_at"]) == ("approved", "2029-01-01T00:00:00Z")
    assert not versions.due(joined.store)
    assert versions.number_in_force(joined.store, NAME) == 1
    assert "no day" in typed(joined, "import", NAME, str(file), "--from", "soon", fails=SettingsError)
    assert "within 5 years" in typed(joined, "import", NAME, str(file), "--from", "9000-01-01", fails=SettingsError)


def test_with_two_persons_nobody_changes_settings_alone_not_even_that(joined: Rig, tmp_path: Path) -> None:
    own = versions.present(joined.store, NAME)
    two = msgspec.structs.replace(own, profile=msgspec.structs.replace(own.profile, two_persons=True))
    none = wiring.Secrets("", "")
    on = wiring.connect(joined.store, NAME, two, none, person="kari")
    assert on
    assert not on.waits
    off = wiring.connect(joined.store, NAME, own, none, person="kari")
    assert off
    assert off.waits
    moved = wiring.connect(
        joined.store, NAME, connection(joined.box, quiet_s=3.0, two_persons=True), none, person="ola"
    )
    assert moved
    assert versions.present(joined.store, NAME) == two
    assert "somebody else" in typed(joined, "approve", NAME, str(off.number), person="kari", fails=SettingsError)
    assert typed(joined, "approve", NAME, str(off.number), "--json", person="per")["made"]["state"] == "in force"
    assert versions.present(joined.store, NAME) == own
    assert "rebase" in typed(joined, "approve", NAME, str(moved.number), person="per", fails=SettingsError)
    again = typed(joined, "rebase", NAME, str(moved.number), "--json", person="ola")["made"]
    assert versions.of(joined.store, NAME).get(moved.number).state == "withdrawn"
    assert again["state"] == "in force", "two persons are not asked for any more"
    assert versions.present(joined.store, NAME).profile.quiet_s == 3.0
    assert not versions.present(joined.store, NAME).profile.two_persons


def test_what_an_earlier_program_kept_is_no_change(joined: Rig) -> None:
    """It knew fewer settings, and what it did not know is as usual."""
    store, own = joined.store, versions.present(joined.store, NAME)
    kept = store.connections.get(NAME).settings
    older = {**kept, "profile": {name: value for name, value in kept["profile"].items() if name != "web"}}
    store.connections.save(NAME, older, {})
    assert versions.present(store, NAME) == own
    number = versions.number_in_force(store, NAME)
    assert versions.change(store, NAME, own.profile, person="kari") is None
    made = versions.change(store, NAME, msgspec.structs.replace(own.profile, timeout_s=9.0), person="kari")
    assert made
    assert made.number == number + 1
    assert [one.name for one in versions.differences(store, NAME, made.number)] == ["timeout_s"]


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        ({"gate": {"suppliers": {"change_share_max": 7.0}}}, "is no share"),
        ({"web": {"ifs": {"suppliers": "erp.example.com"}}}, "is no address"),
        ({"ifs": {"page_rows": 9000}}, "should be from 1 to 5000"),
    ],
)
def test_what_an_earlier_program_let_be_said_runs_nothing_and_is_put_right(
    joined: Rig, tmp_path: Path, odd: dict[str, Any], said: str
) -> None:
    joined.run("suppliers")
    kept, file = joined.store.connections.get(NAME).settings, tmp_path / "acme.toml"
    file.write_text(typed(joined, "export", NAME))
    joined.store.connections.save(NAME, {**kept, "profile": {**kept["profile"], **odd}}, {})
    with pytest.raises(SettingsError, match=said):
        joined.run()
    assert typed(joined, "import", NAME, str(file), "--yes", "--json")["made"]["state"] == "in force"
    joined.run()


def test_nobody_agrees_to_their_own_change_because_somebody_else_rebased_it(joined: Rig) -> None:
    own = versions.present(joined.store, NAME)
    two = msgspec.structs.replace(own, profile=msgspec.structs.replace(own.profile, two_persons=True))
    wiring.connect(joined.store, NAME, two, wiring.Secrets("", ""), person="kari")
    wish = msgspec.structs.replace(two.profile, quiet_s=3.0)
    made = versions.change(joined.store, NAME, wish, person="kari")
    assert made
    wiring.connect(
        joined.store, NAME, msgspec.structs.replace(two, off=("suppliers",)), wiring.Secrets("", ""), person="kari"
    )
    said = typed(joined, "rebase", NAME, str(made.number), person="ola", fails=SettingsError)
    assert "kari made version" in said
    again = versions.rebase(joined.store, NAME, made.number, "kari")
    assert again.waits
    with pytest.raises(SettingsError, match="somebody else"):
        versions.approve(joined.store, NAME, again.number, "kari")


def test_to_stop_a_flow_takes_nobody_else(joined: Rig) -> None:
    own = versions.present(joined.store, NAME)
    two = msgspec.structs.replace(own, profile=msgspec.structs.replace(own.profile, two_persons=True))
    none = wiring.Secrets("", "")
    wiring.connect(joined.store, NAME, two, none, person="kari")
    stopped = msgspec.structs.replace(two, off=("suppliers",))
    made = wiring.connect(joined.store, NAME, stopped, none, person="kari")
    assert made
    assert not made.waits
    begun = wiring.connect(joined.store, NAME, two, none, person="kari")
    assert begun
    assert begun.waits


def test_an_overtaken_or_broken_version_lapses_at_its_time(joined: Rig) -> None:
    store, own = joined.store, versions.present(joined.store, NAME).profile
    later = datetime.now(UTC) + timedelta(days=1)
    first = versions.change(store, NAME, msgspec.structs.replace(own, quiet_s=1.0), person="kari", effective_at=later)
    versions.change(store, NAME, msgspec.structs.replace(own, timeout_s=9.0), person="kari")
    assert first
    assert not versions.due(store)
    with store.database.write() as connection:  # a day goes by
        connection.execute(update(kept_versions).values(effective_at=schema.stamp(later - timedelta(days=1))))
    assert versions.due(store)
    assert versions.of(store, NAME).get(first.number).state == "lapsed"
    assert versions.present(store, NAME).profile.timeout_s == 9.0
    again = versions.rebase(store, NAME, first.number, "kari")
    assert again.state == "in force"
    now = versions.present(store, NAME).profile
    assert (now.quiet_s, now.timeout_s) == (1.0, 9.0)


def test_what_it_would_change_is_foreseen_without_a_write(joined: Rig) -> None:
    joined.run()
    before = joined.writes()
    own = versions.present(joined.store, NAME).profile
    fewer = msgspec.structs.replace(own, mapping=settings.Mapping({"10": "SUB-10"}))
    seen = foreseeing.foresee(joined.store, NAME, fewer, "kari")
    assert 0 < seen.changed["suppliers"] <= seen.looked_at["suppliers"]
    assert {one.then for one in seen.first} == {"hold"}
    same = foreseeing.foresee(joined.store, NAME, msgspec.structs.replace(own, quiet_s=5.0), "kari")
    assert (same.changed, same.first) == ({}, [])
    terms = msgspec.structs.replace(own, mapping=msgspec.structs.replace(own.mapping, payment_terms={"nothing": "x"}))
    assert "suppliers" in foreseeing.foresee(joined.store, NAME, terms, "kari").looked_at
    assert joined.writes() == before


def test_who_agrees_at_a_terminal_is_told_where_a_secret_goes(joined: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    own = versions.present(joined.store, NAME)
    two = msgspec.structs.replace(own, profile=msgspec.structs.replace(own.profile, two_persons=True))
    wiring.connect(joined.store, NAME, two, wiring.Secrets("", ""), person="kari")
    made = wiring.connect(joined.store, NAME, two, wiring.Secrets("", "a new one"), person="kari")
    assert made
    monkeypatch.setattr(settings, "person", lambda: "per")
    monkeypatch.setattr(config, "_at_a_terminal", lambda: True)
    words = ["--store", joined.url, "config", "approve", NAME, str(made.number)]
    no = CliRunner().invoke(app, words, input="n\n")
    assert f"Airbase: a new secret, given with this version, goes to {joined.box.airbase_url}." in no.stderr
    assert versions.of(joined.store, NAME).get(made.number).waits
    assert CliRunner().invoke(app, words, input="y\n").exit_code == 0
    assert joined.store.connections.secret(NAME, "airbase") == "a new one"
