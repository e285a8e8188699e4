"""Planted secrets are nowhere: not in logs, output, tracebacks, process lines, journal or database files."""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import rig as rigs
from rig import Rig, rig, sqlite_url

from ml_connector import wiring
from ml_connector.sandbox.faults import Fault

IFS_SECRET = "canary-ifs-7f3a9"
AIRBASE_TOKEN = "canary-airbase-51c02"
NAME = "Canary Supplies 88d1e"
TOKEN_HEAD = b"eyJhbGciOiJSUzI1NiIs"  # how every access token of the stand-in begins
COMMAND = Path(sys.executable).with_name("ml-connector")


def lines_of(process: int) -> bytes:
    """What `ps` shows of a process: its command line; the environment is the owner's alone."""
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


def call(joined: Rig, *arguments: str) -> bytes:
    """A command with all its logs, and what `ps` showed meanwhile."""
    command = [str(COMMAND), "--store", joined.url, "--verbose", *arguments]
    environment = {"IFS_SECRET": IFS_SECRET, "AIRBASE_TOKEN": AIRBASE_TOKEN, "PATH": "/usr/bin", "HOME": "/nonexistent"}
    seen: list[bytes] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment) as process:
        watcher = threading.Thread(target=_watch, args=(process, seen))
        watcher.start()
        out, _ = process.communicate(timeout=240)
        watcher.join()
    assert process.returncode in (0, 1, 2, 3), out[-3000:]
    assert b"Traceback" not in out, out[-3000:]
    return out + b"".join(seen)


def _watch(process: subprocess.Popen[bytes], seen: list[bytes]) -> None:
    while process.poll() is None:
        seen.append(lines_of(process.pid))
        time.sleep(0.05)


def test_no_secret_leaves_the_vault(tmp_path: Path) -> None:
    options = rigs.generous()
    options.ifs.client_secret = IFS_SECRET
    options.airbase.token = AIRBASE_TOKEN
    store = tmp_path / "store"
    store.mkdir()
    with rig(sqlite_url(store), options) as joined:
        key = joined.box.world.rows("SupplierInfoGeneralSet")[0]["SupplierId"]
        joined.box.world.update("SupplierInfoGeneralSet", key, {"Name": NAME})
        connect = ["connect", rigs.NAME, "--ifs-url", joined.box.ifs_url, "--ifs-realm", "acme-prod"]
        connect += ["--ifs-client-id", "mlc", "--ifs-secret-env", "IFS_SECRET", "--ifs-company", "10"]
        connect += ["--ifs-company", "20", "--subsidiary", "10=SUB-10", "--subsidiary", "20=SUB-20"]
        connect += ["--airbase-url", joined.box.airbase_url, "--airbase-token-env", "AIRBASE_TOKEN"]
        said = call(joined, *connect)
        kinds: tuple[Any, ...] = ("html", "reset_after", "malformed_json", "token_revoked", "truncated")
        for kind in kinds:
            joined.box.faults.add(Fault(kind, count=2, after=2))
        for command in (["check"], ["plan"], ["run"], ["run", "--json"], ["exceptions"], ["record"]):
            said += call(joined, command[0], rigs.NAME, *([key] if command[0] == "record" else command[1:]))
        joined.box.airbase.options.token = "another"
        said += call(joined, "run", rigs.NAME, "--census")
        joined.box.ifs.options.client_secret = "another"
        joined.box.ifs.revoke_tokens()
        said += call(joined, "run", rigs.NAME)
        entries = wiring.journal(joined.store, rigs.NAME).timeline(None, key)
        assert entries, "the record has a timeline"
        said += json.dumps([repr(entry.facts) + repr(entry.body) for entry in entries]).encode()
        assert len([one for one in joined.box.ifs_log.entries("POST", "/token") if one.status == 200]) > 1
        files = b"".join(path.read_bytes() for path in store.rglob("*") if path.is_file())
    assert len(files) > 100_000
    for canary in (IFS_SECRET.encode(), AIRBASE_TOKEN.encode(), TOKEN_HEAD):
        assert canary not in said
        assert canary not in files
    assert NAME.encode() not in files, "record bodies are sealed"
