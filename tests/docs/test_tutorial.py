"""The commands of the tutorial for the terminal, run as they stand, but for their ports."""

import json
import re
import subprocess
from collections.abc import Generator
from pathlib import Path

import pytest
from ports import free_port

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "tutorial-terminal.md").read_text()
OURS = ".venv/bin/ml-connector"

pytestmark = pytest.mark.skipif(not (ROOT / OURS).exists(), reason="made by `make`, in the checkout itself")


@pytest.fixture(scope="module")
def blocks() -> list[str]:
    """The page's blocks, with ports that are free here."""
    text = PAGE
    for port in ("8101", "8102", "8103"):
        text = text.replace(port, str(free_port()))
    return re.findall(r"```sh\n(.*?)```", text, re.DOTALL)


@pytest.fixture(scope="module")
def sandbox(blocks: list[str]) -> Generator[dict[str, str]]:
    command = next(block for block in blocks if "ml-connector sandbox" in block).split()
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield json.loads(process.stdout.readline())
        process.terminate()


@pytest.mark.xdist_group("tutorial")
def test_the_tutorial_works_as_it_stands(blocks: list[str], sandbox: dict[str, str], tmp_path: Path) -> None:
    shown = [block for block in blocks if "make demo" not in block and "ml-connector sandbox" not in block]
    script = "\n".join(shown).replace("$PWD/.demo/tutorial.db", str(tmp_path / "tutorial.db"))
    waiting = subprocess.run(["/bin/bash", "-uc", script], cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert waiting.stderr.count("error:") == 0, waiting.stderr
    out = waiting.stdout
    assert "FAIL" not in out
    assert "purchase_orders 100030" in out
    assert "S000276" in out
    assert '"kind": "reset_after"' in script
    created = [line.split() for line in out.splitlines() if line.startswith("suppliers ") and "requests" not in line]
    assert [(line[4], line[5]) for line in created] == [("268", "0"), ("1", "0"), ("1", "0")], created
    assert "uncertain" in out
    assert "whole:" in out
