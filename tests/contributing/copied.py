"""A copy of the project to which something is added as a stranger would: new files, and lines in files that are there.

Rule: what is counted is what differs from the project, not what was meant.
Must not know: what is added.
"""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import msgspec
from steps import ROOT

TOYS = Path(__file__).parent / "toys"
COPIED = ("src", "tests", "docs/reference")
FILES = ("pyproject.toml", "README.md", "CHANGELOG.md", "CONTRIBUTING.md")
HERE = "tests/contributing"
SUFFIX = ".txt"  # of a toy's files, so that nobody takes them for the project's


class Copy:
    """The copy in a folder, with these toys added."""

    def __init__(self, root: Path, *toys: str) -> None:
        self.root = root
        self.added: set[str] = set()
        for name in COPIED:
            shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("toys"))
        for name in FILES:
            shutil.copy2(ROOT / name, root / name)
        for toy in toys:
            self._add(TOYS / toy)

    def touched(self) -> set[str]:
        """Every file that is not as it is in the project."""
        files = [path for path in self.root.rglob("*") if path.is_file() and path.suffix not in (".pyc", ".db")]
        names = {str(path.relative_to(self.root)) for path in files}
        return {name for name in names if not name.startswith(".") and not _same(self.root / name, ROOT / name)}

    def tell(self) -> dict[str, Any]:
        """What the stories come to that are run in the copy."""
        script = str(ROOT / HERE / "stories.py")
        return msgspec.json.decode(self.run(sys.executable, "-W", "error", script, str(self.root / ".work")))

    def judge(self, *tests: str) -> None:
        """Have the copy's own linters and tests judge what was added."""
        tools = Path(sys.executable).parent
        self.run(str(tools / "lint-imports"), "--no-cache")
        python = [name for name in self.touched() if name.endswith(".py")]
        self.run(str(tools / "ruff"), "check", "--no-cache", *python)
        self.run(str(tools / "pyright"), "--pythonpath", sys.executable, *python)
        self.run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests)

    def run(self, *command: str) -> str:
        """What a command says that is run in the copy; it has to end well."""
        paths = [self.root / one for one in ("src", "tests/e2e", "tests/contributing")]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths)), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(command, cwd=self.root, env=environment, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, f"{command}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
        return done.stdout

    def _add(self, toy: Path) -> None:
        for path in toy.rglob(f"*{SUFFIX}"):
            made = self.root / path.relative_to(toy).with_suffix("")
            assert not made.exists(), f"{made} is there already"
            made.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, made)
            self.added.add(str(made.relative_to(self.root)))
        for name, lines in tomllib.loads((toy / "lines.toml").read_text()).items():
            for there, further in lines.items():
                _extend(self.root / name, there, further)


def _extend(path: Path, there: str, further: str) -> None:
    """Put more after a line: on lines of their own, or, when it goes on, in its place."""
    lines = path.read_text().splitlines()
    assert lines.count(there) == 1, f"{path}: {there!r} is there {lines.count(there)} times"
    at = lines.index(there)
    lines[at : at + 1] = [further.removeprefix("= ")] if further.startswith("= ") else [there, further]
    path.write_text("\n".join(lines) + "\n")


def _same(path: Path, other: Path) -> bool:
    return other.is_file() and path.read_bytes() == other.read_bytes()
