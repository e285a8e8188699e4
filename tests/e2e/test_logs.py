"""Logs of runs: every line says whose it is, none says what a record holds."""

import io
import logging
from pathlib import Path
from typing import Any

import msgspec
import pytest
import rig as rigs
import structlog
from rig import Rig, rig, sqlite_url

from ml_connector.cli import logs
from ml_connector.errors import StoreError
from ml_connector.sandbox.faults import Fault
from ml_connector.sync.orders import Order, State
from ml_connector.wiring.performing import Performing
from ml_connector.wiring.unattended import Logged

SECRETS = ("sandbox-secret", "sandbox-token", "eyJhbGciOiJSUzI1NiIs")  # the last: how each access token begins
NAME = "Canary Supplies 88d1e"


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Everything that is logged, as JSON."""
    out = io.StringIO()
    monkeypatch.setattr("sys.stderr", out)
    before = structlog.get_config()
    logs.set_up_logs("debug", "json")
    yield lambda: [msgspec.json.decode(line) for line in out.getvalue().splitlines()]
    structlog.configure(**before)


def perform(joined: Rig, number: str, flow: str) -> State:
    order = Order(number, 1, flow)
    performing = Performing(joined.store)
    try:
        ending = performing(order, lambda: False)
    finally:
        performing.close()
    Logged().ended(order, ending, kept=True)
    return ending.state


def test_words_that_nobody_wrote_for_a_log_are_not_in_it(lines: Any) -> None:
    for error in (KeyError(NAME), StoreError("the disk is full")):
        Logged().troubled("alerts", error)
    assert [(line["error"], line["said"]) for line in lines()] == [("KeyError", ""), ("StoreError", "the disk is full")]


def test_every_line_of_a_run_says_whose_it_is(tmp_path: Path, lines: Any) -> None:
    with rig(sqlite_url(tmp_path), rigs.generous(suppliers=8, orders=4)) as joined:
        assert perform(joined, "o-1", "suppliers") is State.DONE
    told = lines()
    requests = [line for line in told if line["event"] == "http"]
    assert len(requests) > 5
    for line in requests:
        assert (line["connection"], line["flow"], line["order"]) == (rigs.NAME, "suppliers", "o-1")
        assert line["timestamp"].endswith("Z")
    within = {line["run"] for line in requests if "run" in line}
    ended = [line for line in told if line["event"] == "order ended"]
    assert within == {ended[0]["run"]}
    assert "run" not in structlog.contextvars.get_contextvars()


def test_no_secret_and_no_record_is_logged_whatever_goes_wrong(
    tmp_path: Path, lines: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with rig(sqlite_url(tmp_path), rigs.generous(suppliers=8, orders=4)) as joined:
        supplier = joined.box.world.rows("SupplierInfoGeneralSet")[0]["SupplierId"]
        joined.box.world.update("SupplierInfoGeneralSet", supplier, {"Name": NAME})
        kinds: tuple[Any, ...] = ("html", "reset_after", "malformed_json", "token_revoked", "truncated")
        for kind in kinds:
            joined.box.faults.add(Fault(kind, count=2, after=2))
        for number in range(3):
            perform(joined, f"o-{number}", "suppliers")

        def broken(*_: Any, **__: Any) -> None:
            record = NAME
            raise ValueError(f"no such thing: {record}")

        joined.box.world.update("SupplierInfoGeneralSet", supplier, {"Name": NAME + " 2"})
        with monkeypatch.context() as patched:
            patched.setattr("ml_connector.run.apply", broken)
            assert perform(joined, "o-9", "suppliers") is State.FAILED
        joined.box.airbase.options.token = "another"
        perform(joined, "o-10", "suppliers")
    told = lines()
    failed = [line for line in told if "exception" in line]
    assert len(failed) == 1
    assert failed[0]["exception"].endswith("ValueError"), "where and what, in no words of its own"
    assert "in broken" in failed[0]["exception"]
    said = msgspec.json.encode(told).decode()
    assert len(said) > 10_000
    for canary in (*SECRETS, NAME.split()[2]):
        assert canary not in said


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_trace_tells_places_and_types(form: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr("sys.stderr", out)
    before = structlog.get_config()
    logs.set_up_logs("info", form)
    canary = NAME
    try:
        try:
            raise KeyError(canary)
        except KeyError as error:
            raise ValueError(canary) from error
    except ValueError:
        structlog.get_logger().exception("failed")
    finally:
        structlog.configure(**before)
    said = out.getvalue()
    assert "ValueError" in said
    assert "KeyError" in said
    assert "88d1e" not in said


def test_what_libraries_log_looks_the_same(lines: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    logs.adopt_others()
    logs.adopt_others()
    try:
        raise ValueError(NAME)
    except ValueError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application\n")
    (line,) = lines()
    assert (line["logger"], line["level"]) == ("uvicorn.error", "error")
    assert "88d1e" not in str(line)
