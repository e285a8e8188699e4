"""Folders that somebody made to do harm: a clear sentence, bounded work, nothing outside of them touched."""

import os
import tracemalloc
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ml_connector.errors import SettingsError
from ml_connector.evidence import checking, entries, exceptions, folder, held, layout, manifest, sealing, signature
from ml_connector.evidence.findings import FINDINGS_MAX, OF_A_FILE_MAX
from ml_connector.evidence.frozen import Signed

HUGE = 10**12  # a file with a hole takes no room


def findings(pack: Path) -> list[str]:
    return [str(one) for one in checking.check(pack).findings]


def sealed_anew(pack: Path, **more: Any) -> None:
    """Sign it all by a key of one's own, as whoever forges evidence would."""
    said = msgspec.structs.replace(manifest.read((pack / layout.MANIFEST).read_bytes()), **more)
    for name in (layout.MANIFEST, *layout.UNBLOCKED):
        (pack / name).unlink()
    private = signature.made()
    sealing.seal(pack, said, signature.public_of(private), lambda content: signature.signed(private, content))


@pytest.mark.parametrize("name", ["nothing", "MANIFEST.json"])
def test_what_is_no_folder_is_told(pack: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="is no folder"):
        checking.check(pack / name)


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    assert "SHA256SUMS is missing, or too large to be one" in findings(tmp_path)


def test_too_many_files_are_refused(pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "NAMES_MAX", 50)
    for number in range(100):
        (pack / f"f{number}").touch()
    with pytest.raises(SettingsError, match="holds more than 50 files"):
        checking.check(pack)


def test_links_pipes_and_depths_are_not_followed(pack: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hush")
    (pack / "link").symlink_to(tmp_path / "secret")
    (pack / "loop").symlink_to(pack)
    os.mkfifo(pack / "pipe")
    (pack / "a" / "b" / "c" / "d").mkdir(parents=True)
    os.mkfifo(pack / "configuration" / "pipe")
    told = findings(pack)
    assert "link is a link; links are not followed" in told
    assert "loop is a link; links are not followed" in told
    assert "pipe is no plain file, or lies too deep" in told
    assert "configuration/pipe is no plain file, or lies too deep" in told
    assert len([one for one in told if one.startswith("a/b/c")]) == 1


@pytest.mark.parametrize("name", [b"\xff\xfe", "öl".encode(), b"a\nb", b"-rf", b".hidden", b"x" * 200])
def test_a_name_can_do_no_harm(pack: Path, name: bytes) -> None:
    (Path(os.fsdecode(os.fsencode(pack) + b"/" + name))).touch()
    told = findings(pack)
    assert len(told) == 1
    assert "has a name that no file of evidence has" in told[0]
    assert told[0].isprintable()


@pytest.mark.parametrize(
    "name", [layout.SUMS, layout.SIGNATURE, layout.MANIFEST, layout.PUBLIC_KEY, layout.TIE_OUT, layout.JOURNAL, "new"]
)
def test_a_huge_file_is_not_read(pack: Path, name: str) -> None:
    with (pack / name).open("ab") as file:
        file.truncate(HUGE)
    tracemalloc.start()
    told = findings(pack)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert any(name in one for one in told)
    assert peak < 20_000_000


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (f"{'0' * 64}  ../../etc/passwd", "can't be read: line"),
        (f"{'0' * 64}  /etc/passwd", "can't be read: line"),
        (f"{'0' * 64} *a", "can't be read: line"),
    ],
)
def test_a_list_leads_nowhere_else(pack: Path, line: str, what: str) -> None:
    content = (pack / layout.SUMS).read_text() + line + "\n"
    (pack / layout.SUMS).write_text(content)
    (pack / layout.SIGNATURE).write_bytes(b"0" * 64)
    assert any(what in one for one in findings(pack))


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe\x00" * 50,
        b"[" * 100_000 + b"\n",
        b'{"seq":1}\n',
        b'{"seq":"x","at":1}\n' * 500,
        b"\x00" * 10_000 + b"\n",
    ],
)
@pytest.mark.parametrize("name", [layout.JOURNAL, layout.POPULATION, layout.TIE_OUT, layout.DOCUMENTS, layout.TOTALS])
def test_nonsense_in_a_signed_file_is_found(pack: Path, name: str, content: bytes) -> None:
    (pack / name).write_bytes(content)
    sealed_anew(pack)
    verdict = checking.check(pack)
    assert any(one.file == name for one in verdict.findings)
    assert len(verdict.findings) <= FINDINGS_MAX
    assert len([one for one in verdict.findings if one.file == name]) <= OF_A_FILE_MAX


@pytest.mark.parametrize("amount", ["1E+999999999", "NaN", "sNaN", "Infinity", "-1E-999999999"])
def test_an_amount_can_do_no_harm(pack: Path, amount: str) -> None:
    for name in (layout.POPULATION, layout.TIE_OUT):
        content = (pack / name).read_text()
        (pack / name).write_text(content.replace('"100.10"', f'"{amount}"').replace('"5.00"', f'"{amount}"'))
    sealed_anew(pack)
    assert any("no document" in one for one in findings(pack))


def test_what_was_forged_and_signed_anew_is_found_by_what_it_says(pack: Path) -> None:
    """Totals, tables and chains hold together only as they were made, whoever signed."""
    for name in (layout.POPULATION, layout.DOCUMENTS):
        content = (pack / name).read_text()
        assert "101.10" in content
        (pack / name).write_text(content.replace("101.10", "901.10"))
    sealed_anew(pack)
    told = findings(pack)
    assert any("has other documents than the 61 that the tie-out is of" in one for one in told)
    assert any("tie-out.json says posted 40 with" in one for one in told)


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ("payments,P2,no_account", "payments,P2,period_closed", "does not tell of what the journal says was held"),
        ("payments,P2,no_account", "payments,P2,period_closed", "line 2: says held: payments, P2, period_closed;"),
        ("payments,P2,no_account", "payments,P3,no_account", "line 2: says held: payments, P3, no_account; the"),
        (" ann commented", " eve commented", "line 2: says otherwise what people did, or what became of it"),
        (",held\r\n", ",posted\r\n", "line 2: says otherwise what people did, or what became of it"),
        ("number,flow", "number,float", "line 1: has other columns than it should have"),
    ],
)
def test_an_exception_that_was_forged_is_found_by_the_journal(pack: Path, before: str, after: str, what: str) -> None:
    content = (pack / layout.EXCEPTIONS).read_bytes().decode()
    (pack / layout.EXCEPTIONS).write_bytes(content.replace(before, after).encode())
    sealed_anew(pack)
    told = findings(pack)
    assert before in content
    assert any(one.startswith("exceptions.csv") and what in one for one in told), told


def test_an_exception_that_was_left_out_is_found_by_the_journal(pack: Path) -> None:
    lines = (pack / layout.EXCEPTIONS).read_bytes().splitlines(keepends=True)
    (pack / layout.EXCEPTIONS).write_bytes(b"".join([*lines[:1], *lines[2:]]))
    sealed_anew(pack)
    (told,) = findings(pack)
    assert told == "exceptions.csv does not tell of what the journal says was held: payments, P2, no_account"


def test_one_that_was_not_solved_is_found_by_the_journal(pack: Path) -> None:
    lines = (pack / layout.EXCEPTIONS).read_text().splitlines()
    waits, solved = (line.split(",") for line in lines[1:3])
    at = exceptions.COLUMNS.index("resolved_at")
    waits[at] = solved[at]
    (pack / layout.EXCEPTIONS).write_bytes(
        "".join(f"{line}\r\n" for line in (lines[0], ",".join(waits), lines[2])).encode()
    )
    sealed_anew(pack)
    (told,) = findings(pack)
    assert "line 2: says released: payments, P2, no_account; the journal does not tell of that" in told


def test_a_run_that_there_never_was_is_found_by_the_journal(pack: Path) -> None:
    solved = (pack / layout.EXCEPTIONS).read_text().splitlines()[2].split(",")
    at = solved[exceptions.COLUMNS.index("opened_at")]
    with (pack / layout.RUNS).open("a", newline="") as file:
        file.write(f"r-1,payments,usual,done,{at},{at}\r\n")
    sealed_anew(pack)
    (told,) = findings(pack)
    assert told == "runs.csv, line 2: says run: payments, r-1, done; the journal does not tell of that"


@pytest.mark.parametrize(
    ("field", "value", "what"),
    [
        ("signed_by", "eve", "tells of no such sign-off"),
        ("note", "all well", "tells of no such sign-off"),
        ("signed_at", "2026-01-02T03:04:05.000000Z", "tells of no such sign-off"),
        ("signed_by", "", "is not signed off, but the journal tells"),
    ],
)
def test_a_forged_sign_off_is_found_by_the_journal(pack: Path, field: str, value: str, what: str) -> None:
    file = pack / layout.TIE_OUT
    signed = msgspec.json.decode(file.read_bytes(), type=Signed)
    file.write_bytes(msgspec.json.encode(msgspec.structs.replace(signed, **{field: value})))
    sealed_anew(pack)
    (told,) = findings(pack)
    assert what in told


def test_an_entry_that_was_forged_or_left_out_is_found_by_its_number(pack: Path) -> None:
    lines = (pack / layout.JOURNAL).read_bytes().splitlines(keepends=True)
    lines[9] = lines[9].replace(b'"settled"', b'"dropped"')
    del lines[20:22]
    (pack / layout.JOURNAL).write_bytes(b"".join(lines))
    sealed_anew(pack)
    told = findings(pack)
    assert "journal.jsonl, line 10: entry 10 was altered" in told
    assert "journal.jsonl, line 21: entries 21 to 22 are missing" in told


@pytest.mark.parametrize(
    ("place", "what"),
    [(9, ", line 11: entry 11 does not follow the entry before it"), (-1, " entry {} is not the last one that")],
)
def test_an_entry_that_was_hashed_anew_is_found(pack: Path, place: int, what: str) -> None:
    file, said = pack / layout.JOURNAL, manifest.read((pack / layout.MANIFEST).read_bytes())
    lines = file.read_bytes().splitlines(keepends=True)
    forged = msgspec.structs.replace(entries.read(lines[place]), run_id="another")
    lines[place] = entries.written(msgspec.structs.replace(forged, hash=forged.computed(said.journal.number)))
    file.write_bytes(b"".join(lines))
    sealed_anew(pack)
    (told,) = findings(pack)
    assert told.startswith(f"journal.jsonl{what.format(len(lines))}")


def test_an_entry_that_can_stand_in_no_table_is_found(pack: Path) -> None:
    """Nor does it end the check of all others."""
    file = pack / layout.JOURNAL
    lines = file.read_bytes().splitlines(keepends=True)
    lines[9] = entries.written(msgspec.structs.replace(entries.read(lines[9]), kind="held", key="x" * 200_000))
    file.write_bytes(b"".join(lines))
    sealed_anew(pack)
    told = findings(pack)
    assert "journal.jsonl, line 10: is no entry of a journal" in told
    assert len(told) < 10


def test_a_journal_cut_at_its_end_is_found(pack: Path) -> None:
    lines = (pack / layout.JOURNAL).read_bytes().splitlines(keepends=True)
    signed = next(number for number, line in enumerate(lines) if b'"kind":"signed"' in line)
    (pack / layout.JOURNAL).write_bytes(b"".join(lines[:signed]))
    sealed_anew(pack)
    told = findings(pack)
    assert any(one.startswith("journal.jsonl entr") and one.endswith(" missing") for one in told)
    assert any("the journal tells of no such sign-off" in one for one in told)


def test_more_than_can_be_held_against_each_other_is_told_and_nothing_made_up(
    pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "ROWS_MAX", 1)
    told = findings(pack)
    assert any("exceptions.csv" in one and "has more than 1 rows" in one for one in told), told
    assert any("journal.jsonl tells of more than 1 held" in one for one in told), told
    assert all("more than 1" in one for one in told), told


@pytest.mark.parametrize("name", ["exceptions.csv", "runs.csv", "configuration/changes.csv", "README.txt"])
def test_a_file_that_was_left_out_with_its_line_is_missed(pack: Path, name: str) -> None:
    said = manifest.read((pack / layout.MANIFEST).read_bytes())
    (pack / name).unlink()
    sealed_anew(pack, files={one: filed for one, filed in said.files.items() if one != name})
    assert f"{name} is missing, and so is its line in the list; evidence always has one" in findings(pack)


@pytest.mark.parametrize("stretch", ["journal", "installation"])
def test_an_end_of_the_journal_that_can_not_be_is_found(pack: Path, stretch: str) -> None:
    said: manifest.Stretch = getattr(manifest.read((pack / layout.MANIFEST).read_bytes()), stretch)
    for otherwise in ({"newest": said.last - 1}, {"newest": said.last, "newest_head": "00" * 32}):
        sealed_anew(pack, **{stretch: msgspec.structs.replace(said, **otherwise)})
        assert any("ends otherwise than the manifest says" in one for one in findings(pack))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("connection", "other"),
        ("period", "2026-11"),
        ("until_on", "2026-10-01"),
        ("since", "9999-01-01T00:00:00Z"),
        ("until", "2000-01-01T00:00:00Z"),
        ("until", ""),
    ],
)
def test_what_the_manifest_says_otherwise_than_its_tie_out_is_found(pack: Path, field: str, value: str) -> None:
    """Else exceptions and runs would be held against the journal of no time at all."""
    sealed_anew(pack, **{field: value})
    assert any("another connection, period or time than the tie-out" in one for one in findings(pack))
