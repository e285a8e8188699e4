"""What the command sets for the whole of its process."""

import gc
from collections.abc import Callable
from pathlib import Path

from ml_connector.wiring import garbage


def test_a_command_collects_garbage_rarely(tmp_path: Path, command: Callable[..., tuple[int, str, str]]) -> None:
    gc.set_threshold(700)
    code, _, _ = command(f"sqlite:///{tmp_path / 'store.db'}", "flows", "--help")
    assert (code, gc.get_threshold()[0]) == (0, garbage.OBJECTS)
