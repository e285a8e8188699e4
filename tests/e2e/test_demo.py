"""The demo, as somebody without a terminal runs it."""

import subprocess
import sys
from pathlib import Path

COMMAND = str(Path(sys.executable).with_name("ml-connector"))
STEPS = [
    "made up",
    "check",
    "plan",
    "run",
    "run again",
    "change",
    "run again",
    "a voucher",
    "held",
    "journal",
    "console",
]


def test_it_says_in_a_dozen_lines_what_was_done_and_ends_with_the_console_s_first_page() -> None:
    done = subprocess.run([COMMAND, "demo"], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert len(lines) <= 15
    assert [line.removeprefix("▸ ")[:10].strip() for line in lines if line.startswith("▸")] == STEPS
    assert "purchase orders 127, purchase requests 35, payments 28; held 32" in done.stdout
    assert "nothing to write; held 32; 0 writes counted by Airbase" in done.stdout
    assert "purchase orders 1; held 32; 1 write counted by Airbase" in done.stdout
    assert "need you" in lines[-1]
    assert lines[-1].endswith("1 plan waits for approval.")
