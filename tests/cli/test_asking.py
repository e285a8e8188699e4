"""What `connect` makes of its options, and of what is there already."""

from pathlib import Path

import msgspec
import pytest

from ml_connector.cli import asking
from ml_connector.cli.asking import Given
from ml_connector.errors import SettingsError
from ml_connector.settings import Connection, Further, check_move
from ml_connector.wiring import profile

NOTHING = Given("", "", "", (), "", "", (), None, "", 0, 0)
FIRST = Given("https://a.ifs.cloud", "realm", "client", ("10",), "https://a.io", "", ("10=S",), None, "", 0, 0)


def first() -> Connection:
    return asking.connection(FIRST, None)


def test_limits_are_the_usual_ones_unless_said_otherwise() -> None:
    assert (first().ifs.requests_max, first().airbase.requests_max) == (1000, 450)


def test_a_limit_stays_until_it_is_said_anew() -> None:
    given = Given("", "", "", (), "", "", (), None, "", 2000, 0)
    raised = asking.connection(given, first())
    assert (raised.ifs.requests_max, raised.airbase.requests_max) == (2000, 450)
    assert asking.connection(NOTHING, raised) == raised


def test_an_authority_is_found_wherever_the_program_is_started() -> None:
    given = msgspec.structs.replace(NOTHING, ca_file="own.pem")
    made = asking.connection(given, first())
    assert made.ifs.ca_file == made.airbase.ca_file == str(Path.cwd() / "own.pem")
    assert asking.connection(NOTHING, made) == made


def test_what_is_switched_off_stays_so() -> None:
    off = msgspec.structs.replace(first(), off=("suppliers",))
    assert asking.connection(NOTHING, off).off == ("suppliers",)


def test_a_further_system_is_named_with_its_address_and_stays() -> None:
    given = msgspec.structs.replace(NOTHING, systems=("planner=https://planner.example",))
    joined = asking.connection(given, first())
    assert joined.systems["planner"].url == "https://planner.example"
    assert asking.connection(NOTHING, joined) == joined


@pytest.mark.parametrize("pair", ["planner", "=https://planner.example", "planner="])
def test_what_is_no_pair_is_refused(pair: str) -> None:
    with pytest.raises(SettingsError, match="NAME=ADDRESS"):
        asking.connection(msgspec.structs.replace(NOTHING, systems=(pair,)), first())


def test_a_system_that_nobody_added_is_refused() -> None:
    given = msgspec.structs.replace(NOTHING, systems=("planner=https://planner.example",))
    with pytest.raises(SettingsError, match="there is no system 'planner'"):
        profile.read(asking.connection(given, first()))


def test_a_system_with_linked_records_stays_where_it_is() -> None:
    given = msgspec.structs.replace(NOTHING, systems=("planner=https://planner.example",))
    before = asking.connection(given, first())
    for after in (first(), msgspec.structs.replace(before, systems={"planner": Further("https://other.example")})):
        with pytest.raises(SettingsError, match="planner would be another system"):
            check_move("acme", before, after, same_tenants=False)
        check_move("acme", before, after, same_tenants=True)


def test_a_system_that_is_added_needs_its_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="secret of planner is missing: --system-secret-env"):
        asking.secrets((), ("planner",))
    monkeypatch.setenv("PLANNER_TOKEN", "told")
    assert asking.secrets(("planner=PLANNER_TOKEN",), ("planner",)) == {"planner": "told"}
    assert asking.secrets((), ()) == {}
