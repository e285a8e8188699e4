"""The demo, as somebody without a terminal runs it."""

import subprocess
import sys
from pathlib import Path

COMMAND = str(Path(sys.executable).with_name("ml-connector"))


def test_it_ends_with_the_console_s_first_page() -> None:
    done = subprocess.run([COMMAND, "demo"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    last = " ".join(done.stdout.rpartition("The console is open")[2].split())
    assert "need you" in last
    assert last.endswith("1 plan waits for approval.")
    assert done.stderr == ""
