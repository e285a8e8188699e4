"""`check` through the command line: 3 where a system is out of reach, 2 where settings are wrong."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import rig as rigs
from rig import Rig, rig, sqlite_url

from ml_connector import wiring
from ml_connector.cli import main
from ml_connector.sandbox.faults import Fault

NOWHERE = "http://127.0.0.1:9"  # the port "discard", where nobody listens
RIGHT = wiring.Secrets("sandbox-secret", "sandbox-token")
Checked = Callable[[], tuple[int, dict[str, dict[str, Any]]]]


@pytest.fixture
def joined(tmp_path: Path) -> Iterator[Rig]:
    with rig(sqlite_url(tmp_path)) as made:
        yield made


@pytest.fixture
def check(joined: Rig, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Checked:
    """The exit code, and the failed steps by name."""

    def call() -> tuple[int, dict[str, dict[str, Any]]]:
        monkeypatch.setattr("sys.argv", ["ml-connector", "--store", joined.url, "check", rigs.NAME, "--json"])
        with pytest.raises(SystemExit) as ended:
            main()
        said = json.loads(capsys.readouterr().out)
        code = ended.value.code
        assert said["ok"] is (code == 0)
        return int(code or 0), {step["name"]: step for step in said["steps"] if not step["ok"]}

    return call


def connect(joined: Rig, secrets: wiring.Secrets = RIGHT, **urls: str) -> None:
    made = rigs.connection(joined.box)
    moved = {side: msgspec.structs.replace(getattr(made, side), url=url) for side, url in urls.items()}
    options: dict[str, Any] = {"same_tenants": True}
    wiring.connect(
        joined.store,
        rigs.NAME,
        msgspec.structs.replace(made, **moved),
        secrets,
        **options,
    )


def test_all_is_well(check: Checked) -> None:
    assert check() == (0, {})


@pytest.mark.parametrize(("side", "step"), [("ifs", "IFS host"), ("airbase", "Airbase host")])
def test_a_host_that_is_not_there_is_out_of_reach(joined: Rig, check: Checked, side: str, step: str) -> None:
    connect(joined, RIGHT, **{side: NOWHERE})
    code, failed = check()
    assert (code, list(failed)) == (3, [step])
    assert failed[step]["unreachable"] is True


@pytest.mark.parametrize("fault", ["throttled", "broken", "html"])
@pytest.mark.parametrize(
    ("site", "path", "step"),
    [("airbase", "/v1/purchase_orders/", "Airbase purchase orders"), ("ifs", "*openid-configuration", "IFS realm")],
)
def test_a_step_that_gets_no_proper_answer_is_out_of_reach(
    joined: Rig, check: Checked, fault: str, site: Any, path: str, step: str
) -> None:
    told: dict[str, Any] = {
        "throttled": {"kind": "status", "options": {"status": 429, "retry_after": 0}},
        "broken": {"kind": "status", "options": {"status": 502}},
        "html": {"kind": "html"},
    }[fault]
    joined.box.faults.add(Fault(site=site, path=path, count=None, **told))
    code, failed = check()
    assert (code, list(failed)) == (3, [step])


def test_wrong_settings_are_wrong_use(joined: Rig, check: Checked) -> None:
    connect(joined, wiring.Secrets("wrong", "wrong"))
    code, failed = check()
    assert (code, list(failed)) == (2, ["IFS token", "Airbase token"])
    assert not any(step["unreachable"] for step in failed.values())


def test_out_of_reach_outweighs_wrong_settings(joined: Rig, check: Checked) -> None:
    connect(joined, wiring.Secrets("wrong", "sandbox-token"), airbase=NOWHERE)
    code, failed = check()
    assert (code, list(failed)) == (3, ["IFS token", "Airbase host"])
