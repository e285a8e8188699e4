"""Finding vouchers by their reference: folded tests and the index agree with a plain scan."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ml_connector.sandbox.ifs.filter import Compiler, boolean, row_test
from ml_connector.sandbox.ifs.folding import STARTS, folded
from ml_connector.sandbox.ifs.lookup import looked_up
from ml_connector.sandbox.ifs.moment import Moments
from ml_connector.sandbox.ifs.options import IfsOptions
from ml_connector.sandbox.ifs.syntax import Call, Literal, Name, parse
from ml_connector.sandbox.ifs.view import View
from ml_connector.sandbox.world import seeded

TEXTS = ("a", "a/1", "a/10", "a/2", "b", "b/1", "", "å/1", "a\U0001f529")
WORLD = seeded(1, 1, 1)
WORLD.insert("ExtLoadInfoSet", {"Company": "10", "LoadId": "1", "LoadType": "AIRBASE"})
for at, text in enumerate(TEXTS * 3):
    fields = {"Company": "10", "LoadId": "1", "RecordNo": at, "Text": text, "ReferenceNumber": text}
    WORLD.insert("ExtTransactionSet", fields)
VIEW = View(WORLD.tables["ExtTransactionSet"], "ExternalVoucherHandling", WORLD, IfsOptions())
UTC_TIME = Moments("UTC")

NAMES = st.sampled_from(["ReferenceNumber", "ReferenceNumber", "Text"])
LITERALS = st.sampled_from([f"'{text}'" for text in TEXTS])
ONES = st.one_of(
    st.builds("{} eq {}".format, NAMES, LITERALS),
    st.builds("startswith({},{})".format, NAMES, LITERALS),
    st.builds("{} in ({},{})".format, NAMES, LITERALS, LITERALS),
    st.builds("{} ne {}".format, NAMES, LITERALS),
    st.builds("RecordNo lt {}".format, st.integers(0, 27)),
)
FILTERS = st.recursive(
    ONES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=5).map(" or ".join).map("({})".format),
        st.lists(inner, min_size=2, max_size=3).map(" and ".join).map("({})".format),
        inner.map("not ({})".format),
    ),
    max_leaves=12,
)


def scanned(text: str) -> list[Any]:
    test = boolean(Compiler(VIEW, UTC_TIME).term(parse(text))).read
    return [row for row in WORLD.heap("ExtTransactionSet") if test(row)]


@given(FILTERS)
@settings(max_examples=400, deadline=None)
def test_a_folded_filter_and_the_index_lose_and_add_no_row(text: str) -> None:
    tree = parse(text)
    test, expected = row_test(tree, VIEW, UTC_TIME), scanned(text)
    found = looked_up(WORLD, VIEW, folded(tree))
    rows = WORLD.heap("ExtTransactionSet") if found is None else found
    assert [row for row in rows if test(row)] == expected, text


def test_many_prefixes_become_one_test_and_few_rows() -> None:
    text = "ReferenceSerie eq 'AIRBASE' and (startswith(ReferenceNumber,'a/') or startswith(ReferenceNumber,'b/'))"
    tree = folded(parse(text))
    prefixes = (Literal("string", "a/"), Literal("string", "b/"))
    assert isinstance(tree, Call)
    assert tree.parts[1] == Call(STARTS, (Name("ReferenceNumber"), *prefixes))
    assert len(looked_up(WORLD, VIEW, tree) or []) == 12
    assert looked_up(WORLD, VIEW, folded(parse("Text eq 'a'"))) is None
