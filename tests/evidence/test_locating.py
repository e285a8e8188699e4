"""A change is located to the blocks that it touches, whatever it did to the length of the file."""

import hashlib
import io

from hypothesis import given
from hypothesis import strategies as st

from ml_connector.evidence import locating, sums
from ml_connector.evidence.layout import BLOCK_BYTES

LINE = 64  # bytes, of which each is told apart from the others
LINES = 40 * BLOCK_BYTES // LINE
NEAR = 2 * BLOCK_BYTES // LINE  # how many lines a place may be told too many


def content() -> bytes:
    numbered = (hashlib.sha256(b"%d" % number).hexdigest()[: LINE - 1] for number in range(LINES))
    return "".join(f"{line}\n" for line in numbered).encode()


WHOLE = content()
BLOCKS = locating.listed(sums.block_lines("a.csv", io.BytesIO(WHOLE)), ["a.csv"])["a.csv"]


def found(changed: bytes) -> list[tuple[int, int]]:
    return locating.changed(io.BytesIO(changed), len(changed), BLOCKS)


def test_what_is_as_it_was_has_no_place() -> None:
    assert found(WHOLE) == []


@given(place=st.integers(0, len(WHOLE)), more=st.binary(min_size=1, max_size=3 * BLOCK_BYTES))
def test_what_was_put_in_is_near(place: int, more: bytes) -> None:
    ((first, last),) = found(WHOLE[:place] + more + WHOLE[place:])
    line = WHOLE[:place].count(b"\n") + 1
    assert line - NEAR <= first <= line
    assert last <= line + more.count(b"\n") + NEAR


@given(place=st.integers(0, len(WHOLE) - 1), length=st.integers(1, 3 * BLOCK_BYTES))
def test_what_was_taken_out_is_near(place: int, length: int) -> None:
    ((first, last),) = found(WHOLE[:place] + WHOLE[place + length :])
    line = WHOLE[:place].count(b"\n") + 1
    assert line - NEAR <= first <= line + 1
    assert last <= line + NEAR


@given(places=st.lists(st.integers(0, len(WHOLE) - 1), min_size=1, max_size=5))
def test_each_of_several_is_told(places: list[int]) -> None:
    changed = bytearray(WHOLE)
    for place in places:
        changed[place] = 0
    told = found(bytes(changed))
    for place in places:
        line = WHOLE[:place].count(b"\n") + 1
        assert any(first <= line <= last + 1 for first, last in told)
    assert sum(last - first + 1 for first, last in told) <= len(places) * NEAR
