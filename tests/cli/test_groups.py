"""The commands as `--help` lists them."""

from collections import Counter
from typing import Any, cast

from typer.main import get_command

from ml_connector.cli.app import app
from ml_connector.cli.groups import GROUPS, grouped


def test_each_command_is_in_one_group() -> None:
    counted = Counter(name for group in GROUPS.values() for name in group)
    assert set(counted.values()) == {1}
    assert set(counted) == set(cast(Any, get_command(app)).commands)


def test_a_command_that_nobody_grouped_is_listed_too() -> None:
    assert grouped(["demo", "mend"])["Further"] == ["mend"]
