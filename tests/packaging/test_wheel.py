"""What is built can be built again, holds all it should, and works where nothing else is.

The environment is as an operator's: the packages of the lock, from uv's cache and without a network, and the wheel. No
path leads from it to these sources.
"""

import configparser
import email
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import httpx2
import pytest
from locked import PROJECT, ROOT

UV = ROOT / ".tools" / "bin" / "uv"
HATCHLING = Path(sys.executable).with_name("hatchling")
VERSION = PROJECT["project"]["version"]
DISTRIBUTED = ["pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "THIRD_PARTY.md", "uv.lock", ".gitignore"]
STATIC = "ml_connector/console/static/"
LINKED = re.compile(r'(?:href|src)="(/static/[^"]+)"|url\("(/static/[^"]+)"\)')
BUILT_AT = 1_800_000_000  # any moment; the commit's, when released


@dataclass(frozen=True)
class Built:
    """What came of building a folder."""

    folder: Path

    @property
    def wheel(self) -> Path:
        return next((self.folder / "dist").glob("*.whl"))

    @property
    def sdist(self) -> Path:
        return next((self.folder / "dist").glob("*.tar.gz"))

    @cached_property
    def files(self) -> dict[str, bytes]:
        with zipfile.ZipFile(self.wheel) as wheel:
            return {name: wheel.read(name) for name in wheel.namelist()}

    def told(self, name: str) -> str:
        """A file of what the wheel tells of itself."""
        return self.files[f"ml_connector-{VERSION}.dist-info/{name}"].decode()


def build(folder: Path) -> Built:
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(BUILT_AT)}
    subprocess.run([HATCHLING, "build"], cwd=folder, env=environment, check=True, capture_output=True)
    return Built(folder)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Built from a copy, so that it stays as it is meanwhile."""
    folder = tmp_path_factory.mktemp("sources")
    for name in ("src", "deploy"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in DISTRIBUTED:
        shutil.copy2(ROOT / name, folder / name)
    return build(folder)


@pytest.fixture(scope="module")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the packages of the lock and the wheel, and nothing else."""
    place = tmp_path_factory.mktemp("installed") / "venv"
    environment = {**os.environ, "UV_PROJECT_ENVIRONMENT": str(place), "UV_OFFLINE": "1"}
    environment.pop("VIRTUAL_ENV", None)

    def uv(*words: str | Path) -> None:
        done = subprocess.run([UV, *words], cwd=ROOT, env=environment, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    uv("sync", "--frozen", "--no-default-groups", "--no-install-project", "--python", sys.executable)
    uv("pip", "install", "--no-deps", "--python", place, built.wheel)
    uv("pip", "check", "--python", place)
    return place


def test_the_same_bytes_come_of_what_is_distributed(built: Built, tmp_path: Path) -> None:
    with tarfile.open(built.sdist) as sdist:
        sdist.extractall(tmp_path, filter="data")
    again = build(tmp_path / f"ml_connector-{VERSION}")
    assert again.wheel.read_bytes() == built.wheel.read_bytes()
    assert again.sdist.read_bytes() == built.sdist.read_bytes()


def test_all_files_are_in_the_wheel_and_no_others(built: Built) -> None:
    source = built.folder / "src"
    there = {str(file.relative_to(source)): file.read_bytes() for file in source.rglob("*") if file.is_file()}
    assert {name for name in there if not name.endswith(".py")} > {f"{STATIC}app.js", "ml_connector/py.typed"}
    assert {name: content for name, content in built.files.items() if ".dist-info/" not in name} == there


def test_what_the_wheel_tells_of_itself(built: Built) -> None:
    told = email.message_from_string(built.told("METADATA"))
    assert told["License-Expression"] == PROJECT["project"]["license"]
    licences = told.get_all("License-File") or []
    assert len(licences) == 4
    assert all(built.told(f"licenses/{name}") == (built.folder / name).read_text() for name in licences)
    needed = [line for line in told.get_all("Requires-Dist") or [] if "extra ==" not in line]
    assert len(needed) == len(PROJECT["project"]["dependencies"])
    scripts = configparser.ConfigParser()
    scripts.read_string(built.told("entry_points.txt"))
    assert dict(scripts["console_scripts"]) == PROJECT["project"]["scripts"]


@contextmanager
def running(installed: Path, home: Path, *words: str) -> Generator[subprocess.Popen[str]]:
    """A command of the installation, with nothing of this environment around it."""
    home.mkdir()
    environment = {"HOME": str(home), "PATH": str(installed / "bin"), "LANG": "C.UTF-8"}
    command = [installed / "bin" / "ml-connector", *words]
    with subprocess.Popen(
        command, cwd=home, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[str], pattern: str) -> str:
    """The first line with this."""
    assert process.stdout is not None
    heard: list[str] = []
    for line in process.stdout:
        heard.append(line)
        if found := re.search(pattern, line):
            return found[0]
    raise AssertionError("".join(heard))


def got(url: str) -> bytes:
    return httpx2.get(url, timeout=30, trust_env=False).raise_for_status().content


def test_it_works_where_nothing_else_is(built: Built, installed: Path, tmp_path: Path) -> None:
    with running(installed, tmp_path / "version", "--version") as version:
        assert version.communicate()[0] == f"ml-connector {VERSION}\n"
    with running(installed, tmp_path / "serve", "serve", "--port", "0") as serve:
        the_console_is_whole(built, said(serve, r"http://127\.0\.0\.1:\d+"))
        serve.send_signal(signal.SIGTERM)
        assert serve.wait(60) == 0
    with running(installed, tmp_path / "demo", "demo", "--once") as demo:
        told = demo.communicate(timeout=240)[0]
        assert demo.returncode == 0, told
        assert "each in its place and unchanged" in told


def the_console_is_whole(built: Built, url: str) -> None:
    """Its first page, what that links, and all else that it should serve."""
    page = got(f"{url}/sign-in").decode()
    assert "Welcome" in page
    sheet = got(url + next(one for one in links(page) if ".css" in one)).decode()
    linked = links(page) | links(sheet)
    assert len(linked) >= 6
    assert {name_of(one) for one in linked} <= {name.removeprefix(STATIC) for name in built.files}
    for name, content in built.files.items():
        if name.startswith(STATIC) and not name.endswith(".py"):
            assert digest(got(f"{url}/static/{name.removeprefix(STATIC)}")) == digest(content), name
    for one in linked:
        assert got(url + one)


def links(text: str) -> set[str]:
    return {one or other for one, other in LINKED.findall(text)}


def name_of(link: str) -> str:
    return link.removeprefix("/static/").partition("?")[0]


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
