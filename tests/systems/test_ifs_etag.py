"""Marks: a row that was written in the second of its reading is looked at again, whatever its zone."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_connector.systems.ifs.etag import Marker, version

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def mark(tag: str, answered_at: datetime | None, span_s: float = 0.0) -> str:
    return Marker(answered_at, span_s).mark(tag)


CALM = settings(deadline=None)


def etag(objversion: str) -> str:
    inner = f'W/"AAAbAIAAYAADoAHAAH:{objversion}"'
    return f'W/"{base64.b64encode(inner.encode()).decode()}"'


def at(moment: datetime) -> str:
    return etag(moment.strftime("%Y%m%d%H%M%S"))


def test_version_of_the_documented_sample() -> None:
    assert version('W/"Vy8iQUFBYkFJQUFZQUFEb0FIQUFIOjIwMjUwNzE2MDY0MzE0Ig=="') == "20250716064314"


@pytest.mark.parametrize("tag", ["", "x", '"abc"', 'W/"////"', 'W/"' + base64.b64encode(b"no").decode() + '"'])
def test_odd_etags_have_no_version_but_a_mark(tag: str) -> None:
    assert version(tag) == ""
    assert bool(mark(tag, NOW)) == bool(tag)


ZONES = st.integers(-12 * 4, 14 * 4)


@CALM
@given(ZONES, st.integers(-3, 3))
def test_just_written_in_any_zone_has_no_mark(quarters: int, off_s: int) -> None:
    assert mark(at(NOW + timedelta(minutes=15 * quarters, seconds=off_s)), NOW) == ""


@CALM
@given(ZONES, st.integers(4, 896))
def test_written_at_another_time_of_the_quarter_has_a_mark(quarters: int, off_s: int) -> None:
    assert mark(at(NOW + timedelta(minutes=15 * quarters, seconds=off_s)), NOW) != ""


@CALM
@given(st.integers(27 * 3600, 10**8))
def test_long_ago_has_a_mark(off_s: int) -> None:
    assert mark(at(NOW - timedelta(seconds=off_s)), NOW) != ""


@CALM
@given(ZONES, st.integers(0, 40))
def test_written_while_the_answer_was_made_has_no_mark(quarters: int, ago_s: int) -> None:
    assert mark(at(NOW + timedelta(minutes=15 * quarters, seconds=-ago_s)), NOW, span_s=40.0) == ""


def test_without_a_date_no_time_can_be_trusted() -> None:
    assert mark(at(NOW - timedelta(days=999)), None) == ""
    assert mark(etag("3"), None) != ""


def test_counters_are_always_marked_and_differ() -> None:
    assert mark(etag("3"), NOW) != mark(etag("4"), NOW) != ""
    assert mark(etag("20261399999999"), NOW) != ""


def test_mark_is_short_and_stable() -> None:
    assert mark(etag("3"), NOW) == mark(etag("3"), None)
    assert len(mark(etag("3"), NOW)) < 40


def test_a_long_version_has_a_mark_of_its_own_that_is_short() -> None:
    marks = {mark(etag(str(number) * 400), NOW) for number in range(9)}
    assert len(marks) == 9
    assert {len(one) for one in marks} == {40}
