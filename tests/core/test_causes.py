"""Every cause for which the code holds a record has a title."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import ml_connector
from ml_connector.records import keys
from ml_connector.sync import causes
from ml_connector.sync.causes import RETRIED
from ml_connector.sync.outcome import Held, Owner
from ml_connector.sync.plan import Found, Link
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


def found(*ids: str) -> list[Found]:
    return [Found(KEY, one, None) for one in ids]


KEY = keys.join(["10", "S1"])
LINK = Link(KEY, "v-1", "", True, None)


def pipeline() -> Iterator[tuple[Held, str, Owner, str]]:
    yield from [
        (causes.doubled(KEY, found(*"abcdef")), "doubled_in_target", Owner.CLERK, "6 times: a, b, c, d, e."),
        (causes.gone(KEY, LINK), "gone_from_target", Owner.CLERK, "record v-1 "),
        (causes.answered_otherwise(KEY), "answered_otherwise", Owner.CLERK, "not sent again."),
        (causes.differs(KEY), "differs_in_target", Owner.ADMINISTRATOR, "not as it was sent."),
        (causes.unconfirmed(KEY, 3), "not_confirmed", Owner.ADMINISTRATOR, "sent 3 times "),
        (causes.unmappable(KEY, KeyError("secret")), "mapping_failed", Owner.ADMINISTRATOR, "(KeyError)"),
        (causes.handed_over(KEY, "F.txt"), "handed_over", Owner.CONTROLLER, " is in file F.txt, "),
        (causes.handed_over(KEY, ""), "handed_over", Owner.CONTROLLER, " is in a voucher file, "),
        (causes.posted_without_source(KEY, "10/M/1"), "gone_from_source", Owner.CONTROLLER, "posted as 10/M/1, "),
        (causes.posted_otherwise(KEY, "10/M/1"), "posted_otherwise", Owner.CONTROLLER, "already there as 10/M/1, "),
        (causes.held_as_double(causes.possibly_double(KEY, "B2", "10/M/1")), "possibly_double", Owner.CLERK,
         "may be B2, posted as 10/M/1 a second time"),
        (causes.held_as_double(causes.possibly_double(KEY, "B2", "")), "possibly_double", Owner.CLERK,
         "may be B2 a second time"),
    ]  # fmt: skip


def test_what_the_pipeline_holds_says_which_why_and_whose_it_is() -> None:
    for held, cause, owner, said in pipeline():
        assert (held.cause, held.owner) == (cause, owner)
        assert held.sentence.startswith("10 / S1 ")
        assert said in held.sentence
        assert "secret" not in held.sentence
        assert held.remedy.endswith(".")
        assert held.sentence != held.remedy
