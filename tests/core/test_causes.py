"""Every cause for which the code holds a record has a title."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import ml_connector
from ml_connector.sync.causes import RETRIED
from ml_connector.wiring.causes import CAUSES, At, title

SOURCE = Path(ml_connector.__file__).parent
HOLDING = ("Held", "hold", "held", "_held", "_holding")
CAUSE = re.compile(r"[a-z]+(_[a-z]+)+")
ROLES = {"fee_account_missing", "exchange_account_missing", "rounding_account_missing"}  # put together when it happens


def named() -> set[str]:
    """What stands where a cause does, in every call that makes a hold, and in constants that stand there."""
    found = set[str]()
    for folder in ("flows", "sync", "systems", "store", "run"):
        for file in (SOURCE / folder).rglob("*.py"):
            tree = ast.parse(file.read_text())
            constants = dict(_constants(tree))
            for call in (one for one in ast.walk(tree) if isinstance(one, ast.Call) and _name(one.func) in HOLDING):
                for place in call.args[:2]:
                    found |= set(_texts(place, constants))
    return found


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for one in tree.body:
        if isinstance(one, ast.Assign) and isinstance(one.value, ast.Constant) and isinstance(one.value.value, str):
            yield from ((name.id, one.value.value) for name in one.targets if isinstance(name, ast.Name))


def _name(called: ast.expr) -> str:
    return called.id if isinstance(called, ast.Name) else called.attr if isinstance(called, ast.Attribute) else ""


def _texts(place: ast.expr, constants: dict[str, str]) -> Iterator[str]:
    for one in ast.walk(place):
        text = (
            constants.get(one.id) if isinstance(one, ast.Name) else one.value if isinstance(one, ast.Constant) else ""
        )
        if isinstance(text, str) and CAUSE.fullmatch(text):
            yield text


def test_every_cause_has_a_title() -> None:
    found = named() | ROLES | set(RETRIED)
    assert len(found) > 50, "they were found at all"
    assert found <= CAUSES.keys()


def test_titles_are_short_and_tables_are_of_the_mapping() -> None:
    for name, cause in CAUSES.items():
        assert len(cause.title) <= 50, name
        assert cause.title[0].isupper(), name
        assert not cause.title.endswith("."), name
        assert bool(cause.table) == (cause.at is At.MAPPING), name


def test_a_cause_of_another_release_is_called_as_it_is_written() -> None:
    assert title("brand_new_cause") == "Brand new cause"
