"""Tables for spreadsheets: whichever sign ends a cell where they are opened, none of them is computed."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_connector.records.sheet import FORMULA, line

HARMFUL = ("=1+1", "+1", "-1+2", "@SUM(A1)", "|calc", "%0")
TEXTS = st.text(st.sampled_from("=+-@;,\t\r\n\"' a1|%"), max_size=12)


@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_what_was_text_comes_back_as_text(cells: list[str]) -> None:
    (read,) = csv.reader(io.StringIO(line(cells), newline=""))
    assert [one.replace("'", "") for one in read] == [one.replace("'", "") for one in cells]
    assert not [one for one in read if one.lstrip(" ").startswith(FORMULA) and not re.fullmatch(r"-?[0-9.]+", one)]


@pytest.mark.parametrize("formula", HARMFUL)
@pytest.mark.parametrize("before", ["", "a;", "a; ", "a\n", "a\t", 'a";', ";"])
def test_no_cell_is_a_formula_where_another_sign_ends_it(formula: str, before: str) -> None:
    text = line([f"{before}{formula}", "b"])
    for cell in re.split("[;\t\r\n]", text):
        assert not cell.strip(' "').startswith(tuple("=+-@|%")), text


def test_an_amount_stays_a_number() -> None:
    assert line(["-12.50", "a; b; c", "tel; 47"]) == "-12.50,a; b; c,tel; 47\r\n"
