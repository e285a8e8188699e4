"""A tie-out as people make it: in the console while it is watched, and on the command line down to its sign-off."""

import csv
import io
import json
import sys
import time
import zipfile
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

import expected_ledger as ledger
import httpx2
import pytest
from ledger_rig import LedgerRig, ledger_rig, plain_world
from rig import NAME, sqlite_url
from serving import API, answering, looking

from ml_connector.sandbox.posting import tamper
from ml_connector.store.api_tokens import ApiTokens, Right
from ml_connector.store.rights import Role
from ml_connector.wiring import tie_outs

PERIOD = "2026-02"
PLACE = f"/c/{NAME}/tie-out"
PATIENCE_S = 60.0
Call = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> Generator[LedgerRig]:
    folder = tmp_path_factory.mktemp("tied")
    with ledger_rig(sqlite_url(folder), plain_world(requests=20, payments=20), folder) as made:
        made.run()
        made.post_in_ifs()
        yield made


@pytest.fixture
def call(joined: LedgerRig, command: Call) -> Call:
    return partial(command, joined.url)


def told(call: Call, *arguments: str) -> Any:
    return json.loads(call("tie-out", NAME, *arguments, "--json")[1])


def test_it_is_made_in_the_console_and_watched(joined: LedgerRig) -> None:
    with answering(joined.store) as url, looking(url, joined.store, Role.CLERK) as clerk:
        with running(joined):
            assert clerk.post(PLACE, data={"period": PERIOD}).headers["location"] == f"{PLACE}/{PERIOD}"
            _shown(clerk, f"{PLACE}/{PERIOD}", "waiting for runs")
            other = clerk.post(PLACE, data={"period": "2026-03"}).headers["location"]
            assert other == f"{PLACE}/{PERIOD}"
            assert "is being tied out just now" in clerk.get(other).text
        page = _ended(clerk, f"{PLACE}/{PERIOD}")
        assert f"Period {PERIOD} ties out:" in page
        clerk.post(PLACE, data={"period": "1999-01"})
        failed = _ended(clerk, f"{PLACE}/1999-01")
        assert "The tie-out of 1999-01 could not be made: " in failed
        token = ApiTokens(joined.store.database).create("program", Right.OPERATE, "kari")
        with httpx2.Client(headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=60) as program:
            there = f"{url}{API}/connections/{NAME}/tie-outs"
            assert program.post(f"{there}/{PERIOD}").json()["making"]["state"] == "running"
            until = time.monotonic() + PATIENCE_S
            while program.get(there).json()["making"]["state"] == "running" and time.monotonic() < until:
                time.sleep(0.05)
            made = program.get(there).json()
        assert made["making"]["number"] == made["tie_outs"][0]["number"]
        assert made["tie_outs"][0]["made_by"] == "token:program"


def running(joined: LedgerRig) -> AbstractContextManager[None]:
    """A run of payments that goes on."""
    owner = joined.store.connections.get(NAME).id
    return joined.store.database.lock(f"flow payments of connection {owner}", 0.0)


def _shown(client: httpx2.Client, place: str, said: str) -> None:
    """The page says it before long."""
    until = time.monotonic() + PATIENCE_S
    while said not in (page := client.get(place).text) and time.monotonic() < until:
        time.sleep(0.05)
    assert said in page


def _ended(client: httpx2.Client, place: str) -> str:
    """The page when nothing more comes."""
    until = time.monotonic() + PATIENCE_S
    while 'hx-trigger="every 1s"' in (page := client.get(place).text) and time.monotonic() < until:
        time.sleep(0.05)
    return page


def test_the_command_line_tells_all_and_signs_off(joined: LedgerRig, call: Call, tmp_path: Path) -> None:
    table, book = tmp_path / "tied.csv", tmp_path / "tied.xlsx"
    code, out, _ = call("tie-out", NAME, PERIOD, "--csv", str(table), "--xlsx", str(book))
    assert (code, f"Period {PERIOD} ties out:" in out, "Should be in IFS" in out) == (0, True, True)
    assert "Documents of: purchase_requests, payments" in out
    made = told(call, "--list")["tie_outs"][0]
    found = told(call, "--number", str(made["number"]))
    rows = list(csv.DictReader(io.StringIO(table.read_text("utf-8"))))
    assert len(rows) == found["tie_out"]["lines"] > 0
    assert zipfile.ZipFile(book).testzip() is None
    code, _, said = call("tie-out", NAME, PERIOD, "--sign-off")
    assert (code, "--digest" in said) == (2, True)
    code, _, said = call("tie-out", NAME, PERIOD.replace("-0", "-"), "--sign-off", "--digest", "0" * 12)
    assert (code, "not the digest" in said) == (2, True)
    code, out, _ = call("tie-out", NAME, PERIOD, "--sign-off", "--digest", made["digest"][:12], "--note", "all well")
    assert (code, "signed off by" in out) == (0, True)
    (signed,) = [one for one in told(call, "--list")["tie_outs"] if one["signed_at"]]
    assert (signed["digest"], signed["note"]) == (made["digest"], "all well")


def test_what_differs_ends_with_one(joined: LedgerRig, call: Call) -> None:
    call("tie-out", NAME, PERIOD)
    kept = tie_outs.of(joined.store, NAME)
    posted = (line for line in kept.lines(kept.listed(PERIOD)[0].number) if line.place == "ledger")
    key = next(line.key for line in posted if line.period == line.ifs_period == PERIOD)
    (one,) = ledger.ours(joined.box)[key]
    tamper.lose(joined.box.world, tuple(one.voucher[name] for name in ("company", "type", "year", "no")))
    code, out, _ = call("tie-out", NAME, PERIOD)
    assert (code, "1 difference in period" in out, "missing in IFS" in out) == (1, True, True)


def test_what_makes_no_sense_is_refused(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    call("tie-out", NAME, PERIOD)
    assert call("tie-out", NAME)[0] == 2
    assert call("tie-out", NAME, "1999-01")[0] == 2
    assert call("tie-out", NAME, "2026-03", "--sign-off")[0] == 2
    assert call("tie-out", NAME, "--number", "999")[0] == 2
    number = str(told(call, "--list")["tie_outs"][0]["number"])
    code, _, said = call("tie-out", NAME, "--number", number, "--csv", str(tmp_path / "none" / "x.csv"))
    assert (code, "can be written" in said) == (2, True)
