"""What a record says is shown on the terminal, and commands it nothing."""

import io
import json

import pytest
from rich.table import Table

from ml_connector.cli import show
from ml_connector.cli.terminal import Terminal, json_of

TITLE, COLOUR, CSI, TURN = "\x1b]0;pwn\x07", "\x1b[31m", "\x9b31m", "\u202e"
EVIL = f"Acme {TITLE}{COLOUR}{CSI}{TURN}\r\x08AS"


def test_a_text_commands_nothing_and_our_styles_do() -> None:
    shown = io.StringIO()
    terminal = Terminal(file=shown, force_terminal=True, color_system="standard", highlight=False, width=200)
    grid = Table("name")
    grid.add_row(EVIL)
    terminal.print(EVIL, "[red]ours[/]", grid)
    text = shown.getvalue()
    assert "\x1b[31mours\x1b[0m" in text
    assert "Acme" in text
    assert text.count("\x1b[31m") == 1
    assert not any(one in text for one in ("\x1b]", "\x07", "\x08", "\r", "\x9b", TURN))


def test_json_means_the_same_and_commands_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    show.data({"name": EVIL})
    out = capsys.readouterr().out
    assert json.loads(out) == {"name": EVIL}
    assert all(one.isprintable() or one == "\n" for one in out)
    assert json_of('{"a": "æ"}') == '{"a": "æ"}'
