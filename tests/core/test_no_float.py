"""The lint rule against floats finds what it should, and spares seconds and shares."""

import subprocess
import sys
from pathlib import Path

import pytest

RULE = Path(__file__).parents[2] / ".ci" / "no_float.py"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("amount = 1.5", True),
        ("amount = float(text)", True),
        ("def pay(amount: float) -> None: ...", True),
        ("class Row:\n    amount: float | None = None", True),
        ("wait_s: float = 1.5", False),
        ("deactivate_share_max: float = 0.05", False),
        ("Policy(change_share_max=1.0)", False),
        ("amount = Decimal('1.5')", False),
        ("if isinstance(value, float): raise ValueError", False),
    ],
)
def test_the_rule(tmp_path: Path, line: str, found: bool) -> None:
    (tmp_path / "sample.py").write_text(line + "\n")
    done = subprocess.run([sys.executable, str(RULE), str(tmp_path)], capture_output=True, text=True, check=False)
    assert (done.returncode == 1) is found, done.stdout
