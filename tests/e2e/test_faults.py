"""Each fault on each side: the end is that of a world without faults, or a clear error in time."""

import time
from pathlib import Path
from typing import Any

import expected
import pytest
from rig import NAME, Rig, connection, rig, sqlite_url

from ml_connector import wiring
from ml_connector.errors import ConnectorError
from ml_connector.sandbox.faults import Fault

RUNS_MAX = 12
SLOW = ("stalled_body", "slow_body")
LIMIT_S = 240  # on a busy machine; what never ends is ended by the suite's own limit

PASSING: dict[str, dict[str, Any]] = {
    "429 with Retry-After": {"kind": "status", "options": {"status": 429, "retry_after": 1}, "count": 3},
    "429 without": {"kind": "status", "options": {"status": 429}, "count": 3},
    "500": {"kind": "status", "options": {"status": 500}, "count": 4},
    "502": {"kind": "status", "options": {"status": 502}, "count": 4},
    "503": {"kind": "status", "options": {"status": 503}, "count": 4},
    "504": {"kind": "status", "options": {"status": 504}, "count": 4},
    "504 after the effect": {"kind": "status", "options": {"status": 504, "effect": True}, "count": 4},
    "reset before": {"kind": "reset_before", "count": 4},
    "reset after the effect": {"kind": "reset_after", "count": 4},
    "slow body": {"kind": "slow_body", "options": {"chunk": 200, "pause_s": 0.001}, "count": 4},
    "stalled body": {"kind": "stalled_body", "options": {"hold_s": 5.0}, "count": 2},
    "truncated body": {"kind": "truncated", "count": 4},
    "truncated JSON": {"kind": "truncated_json", "count": 4},
    "malformed JSON": {"kind": "malformed_json", "count": 4},
    "HTML with 200": {"kind": "html", "count": 4},
    "looping nextLink": {"kind": "next_link_loop", "count": 4},
    "foreign nextLink": {"kind": "next_link_foreign", "count": 4},
    "rows twice": {"kind": "duplicate_rows", "count": 8},
    "token revoked": {"kind": "token_revoked", "count": 3},
    "wrong shape": {"kind": "wrong_shape", "count": 4},
    "redirect to another host": {"kind": "redirect_foreign", "count": 2},
}


def settle(joined: Rig) -> None:
    """Run, as a schedule would, until a run goes through and nothing is left open."""
    errors: list[ConnectorError] = []
    for _ in range(RUNS_MAX):
        reports, errors = joined.try_run()
        if not errors and not any(report.uncertain or report.refused for report in reports.values()):
            return
    raise AssertionError(f"not settled after {RUNS_MAX} runs: {errors}")


@pytest.mark.parametrize(
    ("site", "after"),
    [
        ("ifs", 3),
        ("airbase", 0),
        *(pytest.param(*one, marks=pytest.mark.thorough) for one in (("ifs", 0), ("airbase", 3))),
    ],
)
@pytest.mark.parametrize("name", PASSING)
def test_after_a_passing_fault_both_sides_agree(tmp_path: Path, name: str, site: Any, after: int) -> None:
    with rig(sqlite_url(tmp_path), timeout_s=1.0) as joined:
        number = joined.box.faults.add(Fault(site=site, after=after, **PASSING[name]))
        started = time.monotonic()
        settle(joined)
        fired = joined.box.faults.fired(number)
        joined.box.faults.clear()
        if name not in ("looping nextLink", "foreign nextLink") and (site, name) != ("airbase", "token revoked"):
            assert fired or site == "airbase", "the fault never struck"
        settle(joined)
        expected.assert_agree(joined.box, joined.today())
        assert all(not r.created and not r.updated and not r.deactivated for r in joined.plan().values())
        assert time.monotonic() - started < LIMIT_S


@pytest.mark.parametrize("kind", ["reset_after", "truncated", "malformed_json", "html", "stalled_body"])
@pytest.mark.parametrize("after", [0, 1])
def test_a_write_whose_answer_is_lost_is_not_done_twice(tmp_path: Path, kind: Any, after: int) -> None:
    with rig(sqlite_url(tmp_path), timeout_s=1.0) as joined:
        fault = Fault(kind, site="airbase", method="POST", after=after, count=2)
        number = joined.box.faults.add(fault)
        settle(joined)
        assert joined.box.faults.fired(number) >= 1
        expected.assert_agree(joined.box, joined.today())


@pytest.mark.parametrize("seed", [0, 2, *(pytest.param(one, marks=pytest.mark.thorough) for one in (1, 3, 4, 5))])
def test_a_mix_of_faults_loses_and_doubles_nothing(tmp_path: Path, seed: int) -> None:
    with rig(sqlite_url(tmp_path), timeout_s=1.0) as joined:
        mix = ("reset_before", "reset_after", "truncated", "malformed_json", "html", "duplicate_rows", "token_revoked")
        for number, kind in enumerate(mix):
            fault: Any = kind
            joined.box.faults.add(Fault(fault, percent=3 + (seed + number) % 4))
        for status in (429, 500, 503, 504):
            joined.box.faults.add(Fault("status", percent=2 + seed % 3, options={"status": status}))
        for key in list(expected.vendors(joined.box, joined.today()))[:5]:
            joined.try_run()
            values = {"Name": f"{key} renamed {seed}"}
            joined.box.edit_ifs(
                {"op": "update", "set": "SupplierInfoGeneralSet", "key": {"SupplierId": key}, "values": values}
            )
        joined.try_run()
        joined.box.faults.clear()
        settle(joined)
        expected.assert_agree(joined.box, joined.today())


@pytest.mark.parametrize("site", ["ifs", "airbase"])
@pytest.mark.parametrize("kind", ["html", "stalled_body", "huge_body", "wrong_shape", "reset_before", "slow_body"])
def test_a_system_that_never_answers_well_ends_in_a_clear_error_in_time(tmp_path: Path, kind: Any, site: Any) -> None:
    with rig(sqlite_url(tmp_path), timeout_s=0.25 if kind in SLOW else 30.0) as joined:
        options: dict[str, Any] = {"huge_body": {"size": 80 * 2**20}, "slow_body": {"chunk": 1, "pause_s": 0.2}}
        joined.box.faults.add(Fault(kind, site=site, path="/", options=options.get(kind, {})))
        started = time.monotonic()
        _, errors = joined.try_run()
        assert errors
        assert str(errors[0]).lower().startswith(site)
        assert time.monotonic() - started < LIMIT_S
        joined.box.faults.clear()
        wiring.connect(joined.store, NAME, connection(joined.box), wiring.Secrets("", ""))  # with time enough
        settle(joined)
        expected.assert_agree(joined.box, joined.today())
