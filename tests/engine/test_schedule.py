"""Schedules: each slot once, whatever clocks and workers do."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise, takewhile
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from ml_connector.engine import schedule
from ml_connector.engine.schedule import (
    Blackout,
    covering,
    due,
    in_words,
    latest,
    parse,
    slots,
    upcoming,
)
from ml_connector.errors import SettingsError

OSLO, NEW_YORK = ZoneInfo("Europe/Oslo"), ZoneInfo("America/New_York")
ZONES = st.sampled_from([OSLO, NEW_YORK, ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Asia/Kathmandu"), ZoneInfo("UTC")])
SPECS = st.sampled_from(
    [
        "*/15 * * * *",
        "0 * * * *",
        "30 2 * * *",
        "30 1 * * *",
        "0 2 * * MON-FRI",
        "5,35 */2 * * *",
        "0 18 L * *",
        "every 15m",
        "every 7h",
        "every 30s",
    ]
)
YEAR = 365 * 24 * 3600
START = datetime(2025, 1, 1, tzinfo=UTC)
# Around the changes of clocks, where it is hard.
CHANGES = (
    datetime(2026, 3, 29, 1, tzinfo=UTC),
    datetime(2026, 10, 25, 1, tzinfo=UTC),
    datetime(2026, 11, 1, 6, tzinfo=UTC),
    datetime(2026, 4, 4, 15, tzinfo=UTC),
)


@st.composite
def instants(draw: st.DrawFn) -> datetime:
    if draw(st.booleans()):
        return START + timedelta(seconds=draw(st.integers(0, 3 * YEAR)))
    return draw(st.sampled_from(CHANGES)) + timedelta(minutes=draw(st.integers(-600, 600)))


TIMES = instants()


def local(spec: str, zone: ZoneInfo, day: str, hours: int = 5) -> list[str]:
    """The slots of the first hours of a local day, as UTC times of the day."""
    start = datetime.fromisoformat(day).replace(tzinfo=zone).astimezone(UTC) - timedelta(seconds=1)
    found = takewhile(lambda slot: slot < start + timedelta(hours=hours), slots(parse(spec), zone, start))
    return [f"{slot:%H:%M}" for slot in found]


@pytest.mark.parametrize(
    ("spec", "zone", "day", "wanted"),
    [
        # Oslo, spring: 02:00 becomes 03:00 at 01:00 UTC.
        ("30 2 * * *", OSLO, "2026-03-29", ["01:00"]),
        ("0 2 * * *", OSLO, "2026-03-29", ["01:00"]),
        ("0 * * * *", OSLO, "2026-03-29", ["23:00", "00:00", "01:00", "02:00", "03:00"]),
        ("*/30 1-3 * * *", OSLO, "2026-03-29", ["00:00", "00:30", "01:00", "01:30"]),
        ("*/15 2 * * *", OSLO, "2026-03-29", []),
        # Oslo, autumn: 03:00 becomes 02:00 at 01:00 UTC.
        ("30 2 * * *", OSLO, "2026-10-25", ["00:30"]),
        ("0 * * * *", OSLO, "2026-10-25", ["22:00", "23:00", "00:00", "01:00", "02:00"]),
        ("*/30 2 * * *", OSLO, "2026-10-25", ["00:00", "00:30", "01:00", "01:30"]),
        # New York: 02:00 becomes 03:00 at 07:00 UTC, and 02:00 becomes 01:00 at 06:00 UTC.
        ("30 2 * * *", NEW_YORK, "2026-03-08", ["07:00"]),
        ("0 * * * *", NEW_YORK, "2026-03-08", ["05:00", "06:00", "07:00", "08:00", "09:00"]),
        ("30 1 * * *", NEW_YORK, "2026-03-08", ["06:30"]),
        ("30 1 * * *", NEW_YORK, "2026-11-01", ["05:30"]),
        ("30 2 * * *", NEW_YORK, "2026-11-01", ["07:30"]),
        ("*/15 1 * * *", NEW_YORK, "2026-11-01", [f"0{h}:{m:02}" for h in (5, 6) for m in (0, 15, 30, 45)]),
        ("30 * * * *", NEW_YORK, "2026-11-01", ["04:30", "05:30", "06:30", "07:30", "08:30"]),
    ],
)
def test_when_the_clocks_change(spec: str, zone: ZoneInfo, day: str, wanted: list[str]) -> None:
    assert local(spec, zone, day) == wanted


# What the expressions below mean, said a second time: minutes, hours.
CLOCK: dict[str, tuple[range, range]] = {
    "*/15 * * * *": (range(0, 60, 15), range(24)),
    "10 * * * *": (range(10, 11), range(24)),
    "0 */3 * * *": (range(1), range(0, 24, 3)),
    "*/10 1-3 * * *": (range(0, 60, 10), range(1, 4)),
    "30 2 * * *": (range(30, 31), range(2, 3)),
    "15,45 1-3 * * *": (range(15, 46, 30), range(1, 4)),
    "0 0 * * *": (range(1), range(1)),
}
MINUTE = timedelta(minutes=1)


def by_hand(spec: str, zone: ZoneInfo, after: datetime, until: datetime) -> list[datetime]:
    """The slots, found by looking at the clock each minute."""
    minutes, hours = CLOCK[spec]
    wild = any(field.startswith("*") for field in spec.split()[:2])
    at = after - timedelta(hours=4)  # fixed times that the clock has shown before do not come again
    seen, found = at.astimezone(zone).replace(tzinfo=None), list[datetime]()
    while (at := at + MINUTE) <= until:
        wall = at.astimezone(zone).replace(tzinfo=None)
        times = [wall] if wild else passed(seen, wall)
        seen = max(seen, wall)
        if any(time.minute in minutes and time.hour in hours for time in times):
            found.append(at)
    return [at for at in found if at > after]


def passed(seen: datetime, wall: datetime) -> list[datetime]:
    """The times of day that the clock has come to or jumped over since."""
    return [seen + n * MINUTE for n in range(1, max(0, int((wall - seen) / MINUTE)) + 1)]


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(sorted(CLOCK)), ZONES, st.sampled_from(CHANGES), st.integers(-300, 120))
@example("0 */3 * * *", ZoneInfo("Australia/Lord_Howe"), CHANGES[3], -60)
@example("*/10 1-3 * * *", OSLO, CHANGES[1], -15)
@example("*/10 1-3 * * *", OSLO, CHANGES[1], 15)
def test_slots_are_what_the_clock_on_the_wall_shows(spec: str, zone: ZoneInfo, change: datetime, minutes: int) -> None:
    after = change + timedelta(minutes=minutes)
    until = after + timedelta(hours=8)
    found = list(takewhile(lambda slot: slot <= until, slots(parse(spec), zone, after)))
    assert found == by_hand(spec, zone, after, until)


@settings(deadline=None)
@given(SPECS, ZONES, TIMES)
def test_slots_only_go_forward(spec: str, zone: ZoneInfo, after: datetime) -> None:
    found = upcoming(parse(spec), zone, after, 40)
    assert found[0] > after
    assert all(one < other for one, other in pairwise(found))


@settings(deadline=None)
@given(SPECS, ZONES, TIMES, st.integers(0, 4 * 24 * 3600))
def test_the_newest_slot_is_the_last_of_the_list(spec: str, zone: ZoneInfo, after: datetime, seconds: int) -> None:
    until = after + timedelta(seconds=min(seconds, 3600 if spec == "every 30s" else seconds))
    listed = list(takewhile(lambda slot: slot <= until, slots(parse(spec), zone, after)))
    assert latest(parse(spec), zone, after, until) == (listed[-1] if listed else None)


@settings(deadline=None)
@given(SPECS, ZONES, TIMES, st.lists(st.integers(-3600, 5 * 3600), min_size=1, max_size=40))
@example("30 2 * * *", OSLO, datetime(2026, 10, 25, 0, 10, tzinfo=UTC), [600, 600, 600, 3600, 3600])
def test_each_slot_is_run_at_most_once_whatever_the_ticks(
    spec: str, zone: ZoneInfo, start: datetime, steps: list[int]
) -> None:
    last_slot = now = start
    ran: list[datetime] = []
    for step in steps:
        now += timedelta(seconds=step)  # also back: clocks do that
        if found := due(parse(spec), zone, [], last_slot, now, catch_up=True):
            assert found.run
            assert last_slot < found.slot <= now
            ran.append(found.slot)
            last_slot = found.slot
    assert all(one < other for one, other in pairwise(ran))
    possible = set(takewhile(lambda slot: slot <= max(now, last_slot), slots(parse(spec), zone, start)))
    assert set(ran) <= possible


@settings(deadline=None, max_examples=20)
@given(SPECS.filter(lambda spec: spec != "every 30s"), ZONES, TIMES)
@example("30 * * * *", OSLO, datetime(2026, 10, 24, 22, tzinfo=UTC))
@example("30 2 * * *", NEW_YORK, datetime(2026, 3, 8, 5, tzinfo=UTC))
def test_looked_at_often_every_slot_is_run_in_time(spec: str, zone: ZoneInfo, start: datetime) -> None:
    last_slot, ran = start, list[datetime]()
    for tick in range(0, 6 * 3600, 20):
        found = due(parse(spec), zone, [], last_slot, start + timedelta(seconds=tick), catch_up=False)
        if found:
            assert found.run
            assert not found.late
            ran.append(found.slot)
            last_slot = found.slot
    end = start + timedelta(seconds=6 * 3600 - 20)
    assert ran == list(takewhile(lambda slot: slot <= end, slots(parse(spec), zone, start)))


@settings(deadline=None)
@given(SPECS, ZONES, TIMES, st.integers(2 * 24, 40 * 24))
def test_after_a_downtime_it_is_made_up_for_once(spec: str, zone: ZoneInfo, start: datetime, hours: int) -> None:
    now = start + timedelta(hours=hours)
    found = due(parse(spec), zone, [], start, now, catch_up=True)
    if found is None:
        assert latest(parse(spec), zone, start, now) is None
        return
    assert found.run
    assert due(parse(spec), zone, [], found.slot, now, catch_up=True) is None
    without = due(parse(spec), zone, [], start, now, catch_up=False)
    assert without is not None
    assert without.run is ((now - without.slot).total_seconds() <= 90)


@settings(deadline=None)
@given(SPECS, ZONES, TIMES, st.integers(1, 60))
def test_nothing_in_a_blackout_and_one_run_after_it(spec: str, zone: ZoneInfo, start: datetime, hours: int) -> None:
    begin = start.astimezone(zone).replace(tzinfo=None, microsecond=0)
    end = begin + timedelta(hours=hours)
    black = [Blackout.parse(f"{begin.isoformat()}/{end.isoformat()}")]
    until = covering(black, zone, start)
    assume(until is not None)
    assert until is not None
    tick = start
    while tick < until:
        assert due(parse(spec), zone, black, start, tick, catch_up=True) is None
        tick += max((until - start) / 7, timedelta(seconds=1))
    missed = latest(parse(spec), zone, start, until)
    after = due(parse(spec), zone, black, start, until, catch_up=True)
    assert (after.slot if after else None) == missed


def test_a_year_of_downtime_is_no_work() -> None:
    after, now = datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
    assert latest(parse("* * * * *"), OSLO, after, now) == now
    assert latest(parse("every 30s"), OSLO, after, now) == now
    assert latest(parse("0 0 29 2 *"), OSLO, after, now) is None
    found = due(parse("every 30s"), OSLO, [], after, now, catch_up=True)
    assert found is not None
    assert (found.slot, found.late) == (now, True)


def test_a_slot_is_late_when_one_before_it_was_missed() -> None:
    last, now = datetime(2026, 5, 1, 0, tzinfo=UTC), datetime(2026, 5, 4, 0, 31, tzinfo=UTC)
    found = due(parse("30 0 * * *"), ZoneInfo("UTC"), [], last, now, catch_up=True)
    assert found is not None
    assert (found.slot, found.late) == (datetime(2026, 5, 4, 0, 30, tzinfo=UTC), True)
    on_time = due(parse("30 0 * * *"), ZoneInfo("UTC"), [], found.slot, found.slot + timedelta(days=1), catch_up=False)
    assert on_time is not None
    assert (on_time.late, on_time.run) == (False, True)


def test_blackouts_that_touch_are_one() -> None:
    month_end = Blackout.parse("0 18 L * * for 60h")
    holiday = Blackout.parse("2026-11-03T06:00/2026-11-04T06:00")
    now = datetime(2026, 10, 31, 20, tzinfo=UTC)
    assert covering([month_end, holiday], OSLO, now) == datetime(2026, 11, 4, 5, tzinfo=UTC)
    assert covering([holiday], OSLO, now) is None
    assert covering([month_end], OSLO, datetime(2026, 10, 31, 16, 59, tzinfo=UTC)) is None
    assert covering([month_end], OSLO, datetime(2026, 10, 31, 17, 0, tzinfo=UTC)) is not None
    endless = covering([Blackout.parse("* * * * * for 2d")], OSLO, now)
    assert endless is not None, "and it is found in finite time"


def test_windows_without_end_are_not_all_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = list[datetime]()

    def counted(*given: Any) -> datetime | None:
        looks.append(given[-1])
        return latest(*given)

    monkeypatch.setattr(schedule, "latest", counted)
    assert covering([Blackout.parse("* * * * * for 1m")], OSLO, START) is not None
    assert len(looks) <= schedule.JOINED_MAX


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("every 15m", "every 15 minutes"),
        ("EVERY  1 H", "every hour"),
        ("every 90s", "every 90 seconds"),
        ("0 2 * * *", "at 02:00 every day"),
        ("*/15 * * * *", "every 15th minute"),
    ],
)
def test_in_words(spec: str, said: str) -> None:
    assert said in in_words(parse(spec)).lower()


@pytest.mark.parametrize(
    "text", ["", "soon", "* * * *", "* * * * * *", "60 * * * *", "every 5s", "every 8d", "0 0 30 2 *", "x" * 300]
)
def test_nonsense_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(SettingsError, match=r"looks like|at the least|never comes"):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-03T06:00",
        "2026-11-03T06:00/2026-11-02T06:00",
        "2026-11-03T06:00Z/2026-11-04",
        "0 18 L * * for 99d",
        "0001-01-01/0001-01-02",
        "9999-12-31T00:00/9999-12-31T23:00",
    ],
)
def test_no_blackout(text: str) -> None:
    with pytest.raises(SettingsError):
        Blackout.parse(text)


@settings(deadline=None)
@given(st.text(max_size=60))
def test_whatever_is_typed_is_read_or_refused(text: str) -> None:
    for read in (parse, Blackout.parse):
        with suppress(SettingsError):
            read(text)
