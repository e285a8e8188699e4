"""What `--help` says of values: what a person writes."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from typer.main import get_command

from ml_connector.cli.app import app
from ml_connector.cli.written import shortened

PYTHONS = re.compile(r"<(list|str|int|float|path)\b|range|<=|\[str\]")


def _every(command: Any, name: str = "ml-connector") -> Iterator[tuple[str, Any]]:
    yield name, command
    for below, one in getattr(command, "commands", {}).items():
        yield from _every(one, f"{name} {below}")


def test_no_help_speaks_of_types() -> None:
    told = {name: one.get_help(one.context_class(one, info_name=name)) for name, one in _every(get_command(app))}
    assert {name: found[0] for name, text in told.items() if (found := PYTHONS.search(text))} == {}
    assert "<file>" in told["ml-connector connect"]
    assert "<bearer|token>" in told["ml-connector connect"]
    assert "1 to 64" in told["ml-connector serve"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("The audit trail.", "The audit trail."),
        ("Find records: by supplier, order or voucher.", "Find records."),
        ("A stand-in, on this machine; prints where they are.", "A stand-in, on this machine."),
        ("Put values right, as long as their source, whatever it is.", "Put values right."),
        ("First. Second.", "First."),
    ],
)
def test_a_list_of_commands_ends_no_sentence_in_its_middle(text: str, told: str) -> None:
    assert shortened(text, 29) == told


@pytest.mark.parametrize(("group", "head"), [([], "Try:"), (["config"], "Commands:"), (["user"], "Commands:")])
def test_every_command_is_listed_whole(
    command: Callable[..., tuple[int, str, str]], group: list[str], head: str
) -> None:
    code, out, _ = command("sqlite:////nowhere/store.db", *group, "--help")
    assert code == 0
    listed = out.partition(head)[2]
    assert listed
    assert not re.search(r"\.\.\.|…\.$", listed)
