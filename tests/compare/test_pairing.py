"""Pairing one to one."""

from hypothesis import given
from hypothesis import strategies as st

from ml_connector.compare.pairing import Measure, paired

Thing = tuple[int, int]

MEASURES = (
    Measure[Thing, Thing](lambda one: one, lambda one: one),
    Measure[Thing, Thing](lambda one: one[0] or None, lambda one: one[0] or None),
)


def test_the_stronger_likeness_comes_first_whatever_the_order() -> None:
    pairs, left, right = paired([(1, 1), (1, 2)], [(1, 2), (1, 3)], MEASURES)
    assert sorted(pairs) == [((1, 1), (1, 3)), ((1, 2), (1, 2))]
    assert (left, right) == ([], [])


def test_nothing_is_alike_to_nothing() -> None:
    assert paired([(0, 1)], [(0, 2)], MEASURES) == ([], [(0, 1)], [(0, 2)])


things = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), max_size=9)


@given(things, things)
def test_each_is_in_one_pair_or_left_over(left: list[Thing], right: list[Thing]) -> None:
    pairs, left_over, right_over = paired(left, right, MEASURES)
    assert sorted([one for one, _ in pairs] + left_over) == sorted(left)
    assert sorted([one for _, one in pairs] + right_over) == sorted(right)
    assert all(one[0] == other[0] for one, other in pairs)
    assert not {one for one in left_over if one[0]} & set(right_over)
