"""What stands in deploy/: it parses, names commands that there are, and holds no password."""

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
import typer

from ml_connector.cli.app import app

yaml: Any = pytest.importorskip("yaml")

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = sorted((DEPLOY / "systemd").iterdir())
SERVICES = [file for file in UNITS if file.suffix == ".service"]
PROGRAM = "/opt/ml-connector/bin/ml-connector"
CONTAINERFILE = (DEPLOY / "Containerfile").read_text()


def compose() -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def unit(file: Path) -> ConfigParser:
    parser = ConfigParser(strict=False, interpolation=None, delimiters=("=",), comment_prefixes=("#",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(file.read_text())
    return parser


def instruction(name: str) -> list[str]:
    return json.loads(re.findall(rf"^{name} (\[.*\])$", CONTAINERFILE, re.MULTILINE)[-1])


def commands() -> Iterator[tuple[str, list[str]]]:
    """Every command line of ours, as words."""
    yield "Containerfile", [*instruction("ENTRYPOINT"), *instruction("CMD")][1:]
    for name, service in compose()["services"].items():
        if service["image"] == "ml-connector":
            yield f"compose {name}", [str(word) for word in service["command"]]
    for file in SERVICES:
        words = shlex.split(unit(file)["Service"]["ExecStart"])
        yield file.name, words[1:] if words[0] == PROGRAM else shlex.split(words[-1].partition(PROGRAM)[2])


@pytest.mark.parametrize("words", [words for _, words in commands()], ids=[where for where, _ in commands()])
def test_each_command_is_one_of_ours(words: list[str]) -> None:
    command: Any = typer.main.get_command(app)
    with command.make_context("ml-connector", list(words)) as context:
        _, found, rest = command.resolve_command(context, list(words))
        found.make_context(words[0], rest, parent=context).close()


@pytest.mark.parametrize("file", SERVICES, ids=lambda file: file.name)
def test_a_unit_is_hardened(file: Path) -> None:
    service = unit(file)["Service"]
    wanted = {"ProtectSystem": "strict", "NoNewPrivileges": "yes", "PrivateTmp": "yes", "UMask": "0077"}
    assert {name: service[name] for name in wanted} == wanted
    assert service["User"] == "ml-connector"
    assert "ml-connector" in service["StateDirectory"].split()


def test_what_runs_for_ever_is_started_again_and_given_time_to_end() -> None:
    grace = re.compile(r"--grace-s (\d+)")
    for name in ("ml-connector.service", "ml-connector-worker@.service"):
        service = unit(DEPLOY / "systemd" / name)["Service"]
        assert service["Restart"] == "always"
        given = grace.search(service["ExecStart"])
        assert int(service["TimeoutStopSec"]) > (int(given[1]) if given else 30)
    for name in ("serve", "worker"):
        service = compose()["services"][name]
        assert service["restart"] == "unless-stopped"
        assert int(service["stop_grace_period"].removesuffix("s")) > 30


def test_units_are_what_systemd_takes(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("no systemd-analyze here")
    for file in UNITS:  # it looks whether the program is there
        (tmp_path / file.name).write_text(file.read_text().replace(PROGRAM, "/bin/true"))
    names = [str(tmp_path / file.name) for file in UNITS]
    done = subprocess.run([analyze, "verify", *names], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "Unknown" not in done.stderr


def test_the_timer_runs_what_there_is() -> None:
    timer = unit(DEPLOY / "systemd" / "ml-connector-backup.timer")
    assert timer["Timer"]["Persistent"] == "true"
    assert (DEPLOY / "systemd" / "ml-connector-backup.service").exists()


def test_no_password_stands_in_any_file() -> None:
    services = compose()["services"]
    variables = {name: value for one in services.values() for name, value in one["environment"].items()}
    assert variables["POSTGRES_PASSWORD_FILE"].startswith("/run/secrets/")
    assert "POSTGRES_PASSWORD" not in variables
    assert re.fullmatch(r"postgresql://\w+@database/\w+\?passfile=/run/secrets/\w+", variables["ML_CONNECTOR_STORE"])
    assert {name for one in services.values() for name in one["secrets"]} == set(compose()["secrets"])
    for file in (*UNITS, DEPLOY / "compose.yaml", DEPLOY / "Containerfile"):
        assert not re.search(r"postgres(ql)?://[^/\s@]*:[^/\s@]+@", file.read_text()), file


def test_only_the_proxy_of_this_machine_reaches_it() -> None:
    assert compose()["services"]["serve"]["ports"] == ["127.0.0.1:8600:8600"]
    assert "ports" not in compose()["services"]["database"]


def test_the_container_is_nobodys_root_and_says_whether_it_is_well() -> None:
    lines = CONTAINERFILE.splitlines()
    assert lines.index("USER ml-connector") > max(at for at, line in enumerate(lines) if line.startswith("RUN"))
    assert "VOLUME /data" in lines
    assert "/healthz" in CONTAINERFILE
    assert "ARG PYTHON=python:3.11-slim" in lines
    assert sum(line.startswith("FROM ${PYTHON}") for line in lines) == 2
