"""`evidence make`, `evidence verify` and `evidence key` as somebody types them."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from evidence_story import PERIOD

from ml_connector import wiring
from ml_connector.evidence import layout

Typed = Callable[..., tuple[int, str, str]]


@pytest.fixture
def typed(store: wiring.Opened, command: Typed) -> Typed:
    """Runs a command on evidence."""
    return partial(command, f"sqlite:///{store.database.file}", "evidence")


def test_evidence_is_made_and_checked(typed: Typed, tmp_path: Path) -> None:
    code, out, _ = typed("make", "demo", PERIOD, str(tmp_path / "pack"))
    assert (code, "signed off by bob" in out) == (0, True)
    _, pem, said = typed("key")
    (tmp_path / "key.pem").write_text(pem)
    assert said.startswith("Fingerprint ")
    code, out, _ = typed("verify", str(tmp_path / "pack"), "--key", str(tmp_path / "key.pem"))
    assert (code, "nothing was changed" in out, "with the key that you gave" in out) == (0, True, True)
    assert json.loads(typed("key", "--json")[1])["key"]["pem"] == pem


def test_what_was_changed_is_told_with_its_place(typed: Typed, pack: Path) -> None:
    lines = (pack / layout.DOCUMENTS).read_bytes().splitlines(keepends=True)
    lines[7] = lines[7].replace(b"106.10", b"106.20")
    (pack / layout.DOCUMENTS).write_bytes(b"".join(lines))
    code, out, _ = typed("verify", str(pack))
    assert code == 1
    assert "population.csv, line 8: does not follow from what it was made of" in out
    assert "compare its fingerprint" in " ".join(out.split())
    told = json.loads(typed("verify", str(pack), "--json")[1])
    assert told["ok"] is False
    assert {one["file"] for one in told["verdict"]["findings"]} == {layout.DOCUMENTS}


def test_what_can_not_be_checked_is_told(typed: Typed, tmp_path: Path, pack: Path) -> None:
    assert typed("verify", str(tmp_path / "nothing"))[0] == 2
    assert typed("verify", str(pack), "--key", str(tmp_path / "nothing"))[0] == 2
    code, _, said = typed("make", "demo", "2020-01", str(tmp_path / "other"))
    assert (code, "make it first: ml-connector tie-out demo 2020-01" in said) == (2, True)
