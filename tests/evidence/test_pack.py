"""Evidence as it is made: whole, without a secret, checked by common tools and by nothing but the program."""

import csv
import hashlib
import os
import shutil
import stat
import subprocess
import sys
import tomllib
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from evidence_story import DOCUMENTS, PERIOD, fill, tie_out

from ml_connector import wiring
from ml_connector.compare.tieout.shapes import Line, TieOut
from ml_connector.errors import SettingsError, StoreError
from ml_connector.evidence import checking, layout, signature
from ml_connector.evidence.entries import Entry
from ml_connector.evidence.exceptions import ACTS, COLUMNS, NOW, Followed
from ml_connector.evidence.findings import Findings
from ml_connector.evidence.folder import Folder
from ml_connector.evidence.held import Waited
from ml_connector.evidence.manifest import Manifest
from ml_connector.records import keys, sheet
from ml_connector.settings import Installation
from ml_connector.store import tie_outs as kept_in
from ml_connector.store.tie_outs import TieOuts
from ml_connector.wiring import gathering

SECRETS = (b"hush", b"no-body", b"BEGIN PRIVATE")


def rows(pack: Path, name: str) -> list[dict[str, str]]:
    with (pack / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("key", ["P2", "-Nx1", "=P5", "a;=b", "@a\x1fb"])
def test_what_became_of_a_record_is_made_again_whatever_its_key_looks_like(tmp_path: Path, key: str) -> None:
    """A table writes one that looks like a formula otherwise than the journal and the documents do."""
    facts = msgspec.Raw(b'{"person":"ann","event":"commented"}')
    entry = Entry(1, "2026-10-02", "", "payments", key, "noted", facts, None, "", "")
    line = Line("payments", key, "1", "10", PERIOD, "NOK", Decimal(1), state="held")
    record, found = ("payments", keys.shown(key)), Findings()
    kept = Followed([record])
    kept.entry(entry)
    kept.document(line)
    row: dict[str, str] = dict(zip(("flow", "record", ACTS, NOW), (*record, *kept.told(record)), strict=True))
    table = sheet.line(COLUMNS) + sheet.line([row.get(name, "") for name in COLUMNS])
    (tmp_path / layout.EXCEPTIONS).write_text(table, newline="")
    x = "x"
    manifest = Manifest(x, x, x, x, x, x, x, x, x, ("10",), "1", "2026-10-01", "2026-11-01")
    waited = Waited(Folder(tmp_path), found, manifest)
    waited.entry(entry)
    waited.document(line)
    waited.check()
    assert row[ACTS]
    assert row[NOW]
    assert found.told == []


def test_what_was_made_is_sound(made: Path) -> None:
    verdict = checking.check(made)
    assert verdict.findings == ()
    assert (verdict.documents, verdict.trusted) == (DOCUMENTS + 1, False)
    assert verdict.entries > 40
    assert set(layout.NEEDED) <= {file.relative_to(made).as_posix() for file in made.rglob("*")}


def test_nobody_else_may_look_and_nothing_is_left_over(made: Path) -> None:
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert [one.name for one in made.parent.iterdir()] == [made.name]


def test_no_secret_and_no_body_is_in_it(made: Path) -> None:
    content = b"".join(file.read_bytes() for file in made.rglob("*") if file.is_file())
    assert [one for one in SECRETS if one in content] == []


def test_tables_are_for_people(made: Path) -> None:
    documents = rows(made, layout.DOCUMENTS)
    assert len(documents) == DOCUMENTS + 1
    assert documents[1]["number"] == "'-N1"  # no formula
    assert [one["number"] for one in rows(made, layout.DIFFERENCES)] == ["X1"]
    assert rows(made, layout.TOTALS)[0]["read_amount"] == documents_total(documents)
    assert {one["event"] for one in rows(made, layout.ACCESS)} == {"invited"}
    changed = rows(made, layout.CHANGES)[-1]
    assert (changed["author"], changed["name"], changed["before"], changed["after"]) == (
        "ann",
        "requests_max",
        "",
        "100",
    )
    assert tomllib.loads((made / "configuration" / "version-00002.toml").read_text())["ifs"]["requests_max"] == 100
    resolved = {one["record"]: one for one in rows(made, layout.EXCEPTIONS)}
    assert "ann commented" in resolved["P2"]["what people did"]
    assert resolved["P2"]["now"] == "held"


def documents_total(documents: list[dict[str, str]]) -> str:
    return str(sum((Decimal(one["amount"]) for one in documents if one["state"]), Decimal(0)))


@pytest.mark.skipif(shutil.which("openssl") is None or shutil.which("sha256sum") is None, reason="no such tools here")
def test_common_tools_check_it(made: Path) -> None:
    said = (made / layout.README).read_text()
    commands = [line.strip() for line in said.splitlines() if line.startswith("     ") and "ml-connector" not in line]
    checks = [one for one in commands if one.startswith(("sha256sum", "openssl"))]
    assert len(checks) == 2
    for command in checks:
        subprocess.run(command, shell=True, cwd=made, check=True, capture_output=True)  # noqa: S602 - as it stands
    fingerprint = "openssl pkey -pubin -in public-key.pem -outform DER | tail -c 32 | sha256sum"
    assert fingerprint in said
    told = subprocess.run(fingerprint, shell=True, cwd=made, check=True, capture_output=True, text=True)  # noqa: S602
    assert told.stdout.split()[0] == checking.check(made).fingerprint.replace(" ", "")


def test_it_is_checked_with_the_program_alone(made: Path, tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("ml-connector")
    command = [str(program), "evidence", "verify", str(made), "--key", str(made / layout.PUBLIC_KEY)]
    done = subprocess.run(command, cwd=tmp_path, env={"PATH": os.defpath}, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "whole" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_another_key_is_told(made: Path) -> None:
    other = signature.pem(signature.public_of(signature.made()))
    assert {one.file for one in checking.check(made, other).findings} >= {layout.SIGNATURE}
    with pytest.raises(SettingsError, match="no Ed25519 public key"):
        checking.check(made, b"no key")


def test_it_says_itself_what_only_its_signature_bears_out(made: Path) -> None:
    said = " ".join((made / layout.README).read_text().split())
    assert "the figures of runs, and what configuration/ says" in said


def test_a_folder_that_is_there_is_not_touched(store: wiring.Opened, made: Path) -> None:
    with pytest.raises(SettingsError, match="is there already"):
        gathering.gather(store, "demo", PERIOD, made, "ann")
    with pytest.raises(SettingsError, match="has no tie-out yet"):
        gathering.gather(store, "demo", "2020-01", made.parent / "other", "ann")
    with pytest.raises(SettingsError, match="can't be written"):
        gathering.gather(store, "demo", PERIOD, made / "missing" / "other", "ann")


def test_the_journal_knows_what_was_made(store: wiring.Opened, made: Path) -> None:
    told = [one.facts for one in wiring.journal(store, "demo").timeline("", "") if one.kind == "evidence"]
    (mine,) = [one for one in told if one["sums"] == sums_digest(made)]
    assert (mine["event"], mine["period"], mine["person"]) == ("made", PERIOD, "ann")


def sums_digest(pack: Path) -> str:
    return hashlib.sha256((pack / layout.SUMS).read_bytes()).hexdigest()


def test_a_period_may_be_written_shortly(store: wiring.Opened, tmp_path: Path) -> None:
    tie_outs = TieOuts(store.database, store.vault, store.connections.get("demo").id)
    kept = tie_outs.begin("2026-09", "ann").keep(msgspec.structs.replace(tie_out(0), period="2026-09", totals=()))
    made = gathering.gather(store, "demo", "2026-9", tmp_path / "pack", "ann")
    assert (made.period, made.tie_out) == ("2026-09", kept.digest)


def test_what_is_signed_before_its_period_begins_is_sound(tmp_path: Path) -> None:
    opened = wiring.open_store(Installation(store=f"sqlite:///{tmp_path / 'store.db'}"))
    try:
        number = fill(opened, count=3, entries=5)
        tie_outs = TieOuts(opened.database, opened.vault, number)
        to_come = {"period": "2199-01", "from_on": "2199-01-01", "until_on": "2199-01-31", "totals": ()}
        kept = tie_outs.begin("2199-01", "ann").keep(msgspec.structs.replace(tie_out(0), **to_come))
        tie_outs.sign(kept.number, kept.digest, "bob", "nothing yet")
        gathering.gather(opened, "demo", "2199-01", tmp_path / "pack", "ann")
        verdict = checking.check(tmp_path / "pack")
        assert verdict.sound, verdict.findings
    finally:
        opened.close()


def test_it_says_first_what_it_comes_to_and_whether_something_else_was_found_later(tmp_path: Path) -> None:
    opened = wiring.open_store(Installation(store=f"sqlite:///{tmp_path / 'store.db'}"))
    try:
        number = fill(opened, count=3, entries=5)
        gathering.gather(opened, "demo", PERIOD, tmp_path / "pack", "ann")
        said = (tmp_path / "pack" / layout.README).read_text()
        assert f"in period {PERIOD}, EUR 5.00 unexplained." in said
        assert "Its tie-out was signed off by bob" in said
        assert "“one voucher is a stray”." in said
        assert "A later one" not in said
        TieOuts(opened.database, opened.vault, number).begin(PERIOD, "eve").keep(tie_out(3))
        gathering.gather(opened, "demo", PERIOD, tmp_path / "again", "ann")
        again = (tmp_path / "again" / layout.README).read_text()
        assert "by eve, differs and is not signed off." in again
    finally:
        opened.close()


def test_what_an_earlier_program_made_and_signed_is_packed_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def earlier(one: TieOut | Line) -> bytes:
        """As a program told it that did not know all of the fields."""
        told = {name: value for name, value in msgspec.to_builtins(one).items() if name not in ("flows", "ifs_url")}
        return msgspec.json.encode(told, order="sorted")

    opened = wiring.open_store(Installation(store=f"sqlite:///{tmp_path / 'store.db'}"))
    try:
        with monkeypatch.context() as patch:
            patch.setattr(kept_in, "canonical", earlier)
            patch.setattr(kept_in, "canonical_line", lambda line: earlier(line) + b"\n")  # pyright: ignore[reportUnknownArgumentType, reportUnknownLambdaType]
            fill(opened, count=3, entries=5)
        gathering.gather(opened, "demo", PERIOD, tmp_path / "pack", "ann")
        verdict = checking.check(tmp_path / "pack")
        assert verdict.sound, verdict.findings
    finally:
        opened.close()


def test_a_broken_journal_is_no_evidence(tmp_path: Path) -> None:
    opened = wiring.open_store(Installation(store=f"sqlite:///{tmp_path / 'store.db'}"))
    try:
        fill(opened, count=3, entries=5)
        with opened.database.write() as connection:
            connection.exec_driver_sql("UPDATE journal SET facts = '{}' WHERE seq = 3 AND connection_id <> 0")
        with pytest.raises(StoreError, match="entry 3 was altered in the journal"):
            gathering.gather(opened, "demo", PERIOD, tmp_path / "pack", "ann")
        assert not (tmp_path / "pack").exists()
    finally:
        opened.close()


@pytest.mark.parametrize(
    "altered", ["signed_by = 'eve'", "note = 'all well'", "signed_at = '2026-01-02T03:04:05.000000Z'"]
)
def test_a_sign_off_that_was_altered_in_the_store_is_no_evidence(tmp_path: Path, altered: str) -> None:
    opened = wiring.open_store(Installation(store=f"sqlite:///{tmp_path / 'store.db'}"))
    try:
        fill(opened, count=3, entries=5)
        gathering.gather(opened, "demo", PERIOD, tmp_path / "before", "ann")
        with opened.database.write() as connection:
            connection.exec_driver_sql(f"UPDATE tie_outs SET {altered}")  # noqa: S608 - our own
        with pytest.raises(StoreError, match="not as the journal tells"):
            gathering.gather(opened, "demo", PERIOD, tmp_path / "pack", "ann")
        assert not (tmp_path / "pack").exists()
    finally:
        opened.close()


def test_a_signed_tie_out_that_is_gone_is_missed(tmp_path: Path) -> None:
    opened = wiring.open_store(Installation(store=f"sqlite:///{tmp_path / 'store.db'}"))
    try:
        number = fill(opened, count=3, entries=5)
        TieOuts(opened.database, opened.vault, number).begin(PERIOD, "eve").keep(tie_out(3))
        with opened.database.write() as connection:
            connection.exec_driver_sql("DELETE FROM tie_out_lines WHERE tie_out_id = 1")
            connection.exec_driver_sql("DELETE FROM tie_outs WHERE id = 1")
        with pytest.raises(StoreError, match="tie-out 1, which the journal says was signed off, is gone"):
            gathering.gather(opened, "demo", PERIOD, tmp_path / "pack", "ann")
        assert not (tmp_path / "pack").exists()
    finally:
        opened.close()


def test_the_key_stays_the_same_until_it_is_renewed(store: wiring.Opened, made: Path) -> None:
    first = gathering.signing_key(store, "ann")
    assert signature.pem(first.public) == (made / layout.PUBLIC_KEY).read_bytes()
    second = gathering.signing_key(store, "ann", renew=True)
    assert gathering.signing_key(store, "ann") == second
    assert gathering.keys(store).listed() == [second, first]
    assert checking.check(made, signature.pem(first.public)).sound
