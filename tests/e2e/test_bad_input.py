"""What goes wrong in an administrator's hands: a clear message, the right exit code, nothing lost."""

import base64
import json
import os
import stat
from pathlib import Path
from typing import Any

import expected
import pytest
import rig as rigs
from rig import Rig, rig, sqlite_url

from ml_connector import wiring
from ml_connector.cli import main
from ml_connector.sandbox.faults import Fault

TOKEN, SECRET = "sandbox-token", "sandbox-secret"


@pytest.fixture
def joined(tmp_path: Path):
    with rig(sqlite_url(tmp_path)) as made:
        yield made


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory):
    """For what is refused before anything is read or kept."""
    with rig(sqlite_url(tmp_path_factory.mktemp("untouched"))) as made:
        yield made


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Call the command line as a shell would: exit code, standard output, standard error."""

    def call(*arguments: str, store: str = "") -> tuple[int, str, str]:
        chosen = ["--store", store] if store else []
        monkeypatch.setattr("sys.argv", ["ml-connector", *chosen, *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        code = ended.value.code
        return (code if isinstance(code, int) else 0 if code is None else 1), said.out, said.err.replace("\n", " ")

    return call


def connect_arguments(joined: Rig, **changed: str) -> list[str]:
    told = {
        "--ifs-url": joined.box.ifs_url,
        "--ifs-realm": "acme-prod",
        "--ifs-client-id": "mlc",
        "--ifs-secret-env": "IFS_SECRET",
        "--ifs-company": "10",
        "--airbase-url": joined.box.airbase_url,
        "--airbase-token-env": "AIRBASE_TOKEN",
        "--subsidiary": "10=SUB-10",
        **{f"--{name.replace('_', '-')}": value for name, value in changed.items()},
    }
    return ["connect", "other", *(word for pair in told.items() for word in pair)]


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IFS_SECRET", SECRET)
    monkeypatch.setenv("AIRBASE_TOKEN", TOKEN)


def test_unknown_connection_flow_and_record(joined: Rig, cli: Any) -> None:
    code, _, err = cli("run", "acmee", store=joined.url)
    assert (code, "acmee" in err, "acme" in err) == (2, True, True)
    code, _, err = cli("run", "acme", "supplier", store=joined.url)
    assert (code, "accounts, dimensions" in err) == (2, True)
    code, _, err = cli("record", "acme", "NOPE", store=joined.url)
    assert (code, "NOPE" in err) == (2, True)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"ifs_url": "http://acme.ifs.cloud"}, "https"),
        ({"ifs_url": "acme"}, "https://"),
        ({"ifs_url": "https://acme.ifs.cloud/main/x"}, "path"),
        ({"airbase_auth": "basic"}, "basic"),
        ({"ifs_secret_env": "NOT_SET"}, "NOT_SET"),
        ({"subsidiary": "10"}, "COMPANY=AIRBASE_REFERENCE"),
        ({"profile": "/nowhere.toml"}, "No such file"),
    ],
)
def test_a_connection_that_can_not_be(untouched: Rig, cli: Any, changed: dict[str, str], said: str) -> None:
    code, _, err = cli(*connect_arguments(untouched, **changed), store=untouched.url)
    assert code == 2
    assert said in err
    assert "other" not in json.loads(cli("connections", "--json", store=untouched.url)[1])["connections"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mapping = 3", "mapping: expected a table, got a number"),
        ("[maping.subsidiaries]\n'10' = 'X'", "nearest: mapping"),
        ("[ifs.supplier]\nservice = 'X'", "suppliers"),
        ("[ifs.suppliers.fields]\nnam = 'X'", "name"),
        ("[airbase.vendors.fields]\ncurency = 'X'", "currency"),
        ("[gate.supliers]\nfree_max = 3", "supliers"),
        ("calendar_zone = 'Europe/Olso'", "Europe/Olso"),
        ("not toml at all", "not TOML"),
    ],
)
def test_a_profile_with_a_mistake(untouched: Rig, cli: Any, tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "profile.toml"
    path.write_text(text)
    code, _, err = cli(*connect_arguments(untouched, profile=str(path)), store=untouched.url)
    assert code == 2
    assert said in err


def test_wrong_secret_realm_token_and_host(joined: Rig, cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    cases: list[tuple[dict[str, str], dict[str, str], int, str]] = [
        ({"ifs_realm": "acme"}, {}, 2, "no realm"),
        ({"ifs_url": "http://127.0.0.1:9"}, {}, 3, "ifs"),
        ({}, {"IFS_SECRET": "wrong"}, 2, "secret is not accepted"),
        ({}, {"AIRBASE_TOKEN": "wrong"}, 2, "airbase"),
        ({"airbase_url": "http://127.0.0.1:9"}, {}, 3, "airbase"),
    ]
    for changed, environment, code, said in cases:
        with monkeypatch.context() as patched:
            for name, value in environment.items():
                patched.setenv(name, value)
            assert cli(*connect_arguments(joined, **changed), store=joined.url)[0] == 0
            got, _, err = cli("run", "other", store=joined.url)
            out = cli("run", "other", "--json", store=joined.url)[1]
            assert got == code, (changed, environment, err)
            assert said in out.lower()
            assert cli("check", "other", store=joined.url)[0] != 0
    assert joined.writes() == 0


def test_a_company_that_the_client_may_not_see_is_said(joined: Rig, cli: Any) -> None:
    joined.box.ifs.options.companies = ("10",)
    code, out, _ = cli("check", "acme", store=joined.url)
    assert code != 0
    assert "20" in next(line for line in out.splitlines() if line.startswith("FAIL IFS companies"))


def test_losing_sight_of_a_company_does_not_switch_its_suppliers_off(tmp_path: Path) -> None:
    with rig(sqlite_url(tmp_path), rigs.generous(suppliers=200), gate={}) as joined:
        joined.run("suppliers")
        joined.box.ifs.options.companies = ()
        stopped = joined.run("suppliers", census=True)["suppliers"]
        assert stopped.state == "blocked"
        assert "switch off" in " ".join(stopped.objections)
        joined.box.ifs.options.companies = ("10", "20")
        joined.run(census=True)
        expected.assert_agree(joined.box, joined.today())


def test_a_property_that_the_tenant_lacks_is_named_with_the_nearest(joined: Rig, cli: Any) -> None:
    joined.box.ifs.options.renamed = ("SupplierHandling.Name=SupplierName",)
    code, out, _ = cli("check", "acme", store=joined.url)
    assert code != 0
    assert "SupplierHandling has no property Name" in out
    assert "nearest: SupplierName" in out
    code, out, _ = cli("run", "acme", store=joined.url)
    assert code == 2
    assert "'Name'" in out
    assert "ml-connector check acme" in out


def test_one_json_object_on_standard_output(joined: Rig, cli: Any) -> None:
    for command in (("plan",), ("run",), ("exceptions",), ("check",)):
        _, out, _ = cli(*command, "acme", "--json", store=joined.url)
        assert isinstance(json.loads(out), dict)
    figures = json.loads(cli("run", "acme", "--json", store=joined.url)[1])["flows"]["suppliers"]
    promised = "read unchanged created updated deactivated posted corrected held refused uncertain requests seconds"
    assert set(promised.split()) <= figures.keys()
    assert figures["requests"].keys() == {"ifs", "airbase"}


def test_a_locked_store_and_a_key_that_others_can_read(joined: Rig, cli: Any, tmp_path: Path) -> None:
    from ml_connector.store.db import Database

    key = tmp_path / "store.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    key.chmod(0o644)
    code, _, err = cli("connections", store=joined.url)
    assert code == 2
    assert "store.key" in err
    key.chmod(0o600)
    database = Database.open(joined.url)
    with database.lock("flow suppliers of connection 1", 0):
        code, out, _ = cli("run", "acme", "suppliers", store=joined.url)
    database.close()
    assert code == 3
    assert "in use by another run" in out


def test_a_wrong_key_opens_nothing(joined: Rig, cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ML_CONNECTOR_KEY", base64.b64encode(os.urandom(32)).decode())
    code, _, err = cli("run", "acme", store=joined.url)
    assert code == 2
    assert "key" in err
    monkeypatch.setenv("ML_CONNECTOR_KEY", "short")
    assert cli("run", "acme", store=joined.url)[0] == 2


def test_connecting_again_changes_only_what_is_named(joined: Rig, cli: Any) -> None:
    assert cli(*connect_arguments(joined), store=joined.url)[0] == 0
    code, _, err = cli("connect", "other", "--subsidiary", "20=SUB-20", "--ifs-company", "10,20", store=joined.url)
    assert (code, "changed" in err) == (0, True)
    kept = wiring.kept(joined.store, "other")
    assert kept is not None
    assert kept.ifs.companies == ("10", "20")
    assert kept.profile.mapping.subsidiaries == {"10": "SUB-10", "20": "SUB-20"}
    assert cli("check", "other", store=joined.url)[0] == 0


def test_a_company_without_subsidiary_fails_the_check(joined: Rig, cli: Any) -> None:
    assert cli(*connect_arguments(joined, subsidiary="77=SUB-10"), store=joined.url)[0] == 0
    code, out, _ = cli("check", "other", store=joined.url)
    assert code == 2
    assert "without a subsidiary: 10; 77 is mapped, but not connected" in out


def test_an_error_is_an_object_too(joined: Rig, cli: Any) -> None:
    code, out, err = cli("run", "nobody", "--json", store=joined.url)
    assert json.loads(out) == {"error": json.loads(out)["error"], "exit_code": 2}
    assert (code, "nobody" in json.loads(out)["error"], "nobody" in err) == (2, True, True)


def test_only_connect_makes_a_store(cli: Any, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'typo.db'}"
    code, _, err = cli("run", "acme", store=url)
    assert (code, "typo.db" in err) == (2, True)
    assert not (tmp_path / "typo.db").exists()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///a%20b.db", "mysql:///x"])
def test_a_store_that_can_not_be(cli: Any, url: str) -> None:
    assert cli("connections", store=url)[0] == 2


def test_a_record_of_any_name_is_looked_for(joined: Rig, cli: Any) -> None:
    joined.run()
    for key in ("", "/", "S1/", "a\nb", "S000013/A&B'C"):
        code, _, err = cli("record", "acme", key, store=joined.url)
        assert (key, code, "Traceback" in err) == (key, 0 if "A&B" in key else 2, False)


def test_a_full_disk_is_said_and_nothing_is_sent(joined: Rig) -> None:
    from sqlalchemy import text

    from ml_connector.errors import StoreError

    joined.run()
    with joined.store.database.engine.connect() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()

    def limit(raw: Any, _record: Any) -> None:
        raw.execute(f"PRAGMA max_page_count={pages}")

    from sqlalchemy import event

    joined.store.database.close()
    event.listen(joined.store.database.engine, "connect", limit)
    for row in joined.box.world.rows("SupplierInfoGeneralSet"):
        joined.box.world.update("SupplierInfoGeneralSet", row["SupplierId"], {"Name": "n" * 90})
    _, errors = joined.try_run()
    assert errors
    assert isinstance(errors[0], StoreError)
    assert "full" in str(errors[0])
    event.remove(joined.store.database.engine, "connect", limit)
    joined.store.database.close()
    joined.run()
    expected.assert_agree(joined.box, joined.today())


def test_an_answer_too_large_is_refused_in_bounded_memory(joined: Rig) -> None:
    joined.box.faults.add(Fault("huge_body", site="ifs", path="/main", options={"size": 70 * 2**20}))
    _, errors = joined.try_run()
    assert errors
    assert "larger" in str(errors[0]) or "large" in str(errors[0])
