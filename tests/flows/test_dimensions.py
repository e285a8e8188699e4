"""One case for each way a code part value can map."""

from datetime import date

import pytest

from ml_connector.flows.dimensions import by_label, labels, map_dimension, retire
from ml_connector.records import keys
from ml_connector.records.ledger import Dimension, Validity, ValueTerms
from ml_connector.records.spend_chart import ChartTag
from ml_connector.sync.flow import Context, Tables
from ml_connector.sync.outcome import Held, Mapped

TODAY = date(2026, 11, 22)
TABLES = Tables({"10": "SUB-10", "20": "SUB-20"}, dimensions={"department": "B", "dept": "B", "project": "F"})
CONTEXT = Context(TODAY, TABLES)


def test_the_first_label_of_a_code_part_counts() -> None:
    assert labels(TABLES.dimensions) == {"B": "department", "F": "project"}


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ((ValueTerms("10", "Sales"),), ChartTag("department", "100", "Sales", True, ("SUB-10",))),
        ((ValueTerms("10", ""),), ChartTag("department", "100", "100", True, ("SUB-10",))),
        (
            (ValueTerms("10", "Sales", Validity(until_on=date(2026, 1, 1))), ValueTerms("20", "Salg")),
            ChartTag("department", "100", "Salg", True, ("SUB-20",)),
        ),
        (
            (ValueTerms("10", "Sales", Validity(until_on=date(2026, 1, 1))),),
            ChartTag("department", "100", "Sales", False, ("SUB-10",)),
        ),
    ],
)
def test_a_value_is_a_tag(terms: tuple[ValueTerms, ...], expected: ChartTag) -> None:
    result = map_dimension(Dimension("B", "100", terms), CONTEXT)
    assert isinstance(result, Mapped)
    assert result.record == expected
    assert (result.active, result.due) == (expected.active, expected.active)


def test_a_code_part_without_a_label_is_held_only_where_it_is_linked() -> None:
    result = map_dimension(Dimension("C", "100", (ValueTerms("10", "Oslo"),)), CONTEXT)
    assert isinstance(result, Held)
    assert (result.cause, result.idle, result.lacks) == ("dimension_not_mapped", True, "C")
    assert "code part C" in result.sentence


def test_a_value_that_vanished_is_switched_off_and_nothing_else() -> None:
    assert retire(ChartTag("department", "100", "Sales", True)) == ChartTag("department", "100", "Sales", False)


def test_the_day_on_which_a_value_expires_is_remembered() -> None:
    terms = (ValueTerms("10", "Sales", Validity(until_on=date(2026, 12, 31))),)
    result = map_dimension(Dimension("B", "100", terms), CONTEXT)
    assert isinstance(result, Mapped)
    assert result.wake_on == date(2027, 1, 1)


def test_ifs_and_airbase_find_a_value_under_their_own_names() -> None:
    named = by_label(Tables(dimensions={"team": "B", "department": "B", "project": "F"}))
    ours, theirs = keys.join(["B", "100"]), keys.join(["department", "100"])
    assert (named.inward(ours), named.outward(theirs)) == (theirs, ours)
    assert named.inward(keys.join(["C", "100"])) == named.outward(keys.join(["team", "100"])) == ""
