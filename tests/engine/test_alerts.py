"""Each change of state is told once, by every way that works, and nothing while it is silenced or only flickers."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from msgspec.structs import replace

from ml_connector.engine import alerts
from ml_connector.sync.alerts import Condition, Standing

START = datetime(2026, 3, 5, 12, tzinfo=UTC)
WAYS = ("email", "webhook")
FOR_S = 60.0


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def moved(known: Standing | None, firing: bool, seconds: float, for_s: float = FOR_S) -> Standing | None:
    stood = {} if known is None else {"a": known}
    return alerts.advance(stood, [Condition("a", firing, "It burns.")], WAYS, for_s, after(seconds)).get("a")


def fired(*told: str) -> Standing:
    return Standing("a", START, firing=True, sentence="It burns.", told=frozenset(told))


def test_what_holds_is_told_once_and_its_end_once() -> None:
    first = moved(None, True, 0)
    assert first is not None
    assert not alerts.to_tell(first, WAYS, after(0))
    held = moved(first, True, 60)
    assert held is not None
    assert (held.since, alerts.to_tell(held, WAYS, after(60))) == (START, {*WAYS})
    known = alerts.told(alerts.told(held, "email"), "webhook")
    assert not alerts.to_tell(known, WAYS, after(61))
    turning = moved(known, False, 70)
    assert turning is not None
    over = moved(turning, False, 130)
    assert over is not None
    assert alerts.to_tell(over, WAYS, after(130)) == {*WAYS}
    assert moved(alerts.told(alerts.told(over, "email"), "webhook"), False, 131) is None


def test_flickering_is_not_told() -> None:
    known: Standing | None = None
    for seconds in range(0, 600, 30):
        known = moved(known, seconds % 60 == 0, seconds)
        assert known is None or not alerts.to_tell(known, WAYS, after(seconds))


def test_what_was_never_told_is_not_told_to_be_over() -> None:
    turning = moved(fired(), False, 10)
    assert moved(turning, False, 70) is None


def test_what_is_silenced_is_told_after_if_it_still_fires() -> None:
    silenced = replace(fired(), silenced_until=after(3600))
    assert not alerts.to_tell(silenced, WAYS, after(3599))
    assert alerts.to_tell(silenced, WAYS, after(3600)) == {*WAYS}


def test_a_failed_way_is_tried_again_ever_later_and_the_other_not_at_all() -> None:
    known, waits = alerts.told(fired(), "email"), list[float]()
    for _ in range(12):
        known = alerts.failed(known, START)
        at = next(s for s in range(0, 7200, 5) if alerts.to_tell(known, WAYS, after(s)))
        waits.append(at)
        assert alerts.to_tell(known, WAYS, after(at)) == {"webhook"}
    assert waits[:3] == [15, 30, 60]
    assert waits[-1] == alerts.AGAIN_MAX_S


def test_that_it_is_over_is_not_tried_for_ever() -> None:
    over = Standing("a", START, told=frozenset(WAYS), tries=alerts.OVER_TRIES_MAX, tried_at=START)
    assert moved(over, False, 1) is None


def test_each_state_has_its_own_tries() -> None:
    weary = replace(fired("email"), tries=alerts.OVER_TRIES_MAX, tried_at=after(60))
    over = moved(moved(weary, False, 0), False, 60)
    assert over is not None
    assert alerts.to_tell(over, WAYS, after(60)) == {"email"}


def test_a_way_that_was_taken_out_and_put_back_is_told_anew() -> None:
    stood = {"a": fired(*WAYS)}
    without = alerts.advance(stood, [Condition("a", True)], ["email"], FOR_S, START)
    again = alerts.advance(without, [Condition("a", True)], WAYS, FOR_S, START)
    assert alerts.to_tell(again["a"], WAYS, START) == {"webhook"}


def test_a_condition_that_is_no_longer_watched_is_over() -> None:
    gone = alerts.advance({"a": fired(*WAYS)}, [], WAYS, 0, after(1))
    assert not gone["a"].firing


OSLO = ZoneInfo("Europe/Oslo")


@pytest.mark.parametrize(
    ("at", "now", "slot"),
    [
        ("07:00", "2026-03-05T05:59+00:00", "2026-03-04T06:00+00:00"),
        ("07:00", "2026-03-05T06:00+00:00", "2026-03-05T06:00+00:00"),
        ("07:00", "2026-07-05T05:00+00:00", "2026-07-05T05:00+00:00"),
        ("02:30", "2026-03-29T12:00+00:00", "2026-03-29T01:30+00:00"),  # skipped: half past three
        ("02:30", "2026-10-25T00:45+00:00", "2026-10-25T00:30+00:00"),  # twice: the first
        ("02:30", "2026-10-25T12:00+00:00", "2026-10-25T00:30+00:00"),
    ],
)
def test_the_digest_has_a_time_of_the_zone(at: str, now: str, slot: str) -> None:
    known = Standing(alerts.DIGEST, START - timedelta(days=90), firing=True, told=frozenset(WAYS))
    stands = alerts.digest(known, WAYS, time.fromisoformat(at), OSLO, datetime.fromisoformat(now))
    assert stands.since == datetime.fromisoformat(slot)


@pytest.mark.parametrize("day", ["2026-03-28", "2026-10-24", "2026-06-10"])
@pytest.mark.parametrize("at", ["00:00", "02:30", "07:00", "23:59"])
def test_one_digest_a_day_whatever_the_clocks_do(day: str, at: str) -> None:
    now, sent = datetime.fromisoformat(f"{day}T00:00+00:00"), list[datetime]()
    known = alerts.digest(None, WAYS, time.fromisoformat(at), OSLO, now)
    assert not alerts.to_tell(known, WAYS, now), "the first comes at its time, not with the settings"
    for _ in range(4 * 24 * 4):
        now += timedelta(minutes=15)
        known = alerts.digest(known, WAYS, time.fromisoformat(at), OSLO, now)
        for way in alerts.to_tell(known, WAYS, now):
            sent += [now] if way == "email" else []
            known = alerts.told(known, way)
    days = [one.astimezone(OSLO).date() for one in sent]
    assert len(days) == len(set(days)) == 4


def test_a_digest_that_was_missed_is_sent_once_when_it_can_be() -> None:
    known = alerts.digest(None, WAYS, time(7), OSLO, START)
    late = alerts.digest(known, WAYS, time(7), OSLO, START + timedelta(days=5))
    assert alerts.to_tell(late, WAYS, START + timedelta(days=5)) == {*WAYS}
    assert late.since == START.replace(hour=6) + timedelta(days=5)


class Watched(RuleBasedStateMachine):
    """One condition, two ways, a world in which both may fail at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.firing = False
        self.since = START  # since when the condition has been seen as it is
        self.works: dict[str, bool] = dict.fromkeys(WAYS, True)
        self.known: dict[str, Standing] = {}
        self.heard: dict[str, list[bool]] = {way: [] for way in WAYS}
        self.silent_until = START

    @rule(firing=st.booleans())
    def change(self, firing: bool) -> None:
        if firing != self.firing:
            self.firing, self.since = firing, self.now
            self.look()

    @rule(seconds=st.sampled_from((1, 15, 45, 60, 600, 4000)))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        self.look()

    @rule(way=st.sampled_from(WAYS), works=st.booleans())
    def mend_or_break(self, way: str, works: bool) -> None:
        self.works[way] = works

    @rule(seconds=st.sampled_from((0, 100, 1000)))
    def silence(self, seconds: int) -> None:
        self.silent_until = self.now + timedelta(seconds=seconds)
        known = self.known.get("a") or Standing("a", self.now)
        self.known["a"] = replace(known, silenced_until=self.silent_until)

    @property
    def stands(self) -> Standing:
        return self.known.get("a") or Standing("a", self.now)

    def look(self) -> None:
        before = self.stands
        self.known = alerts.advance(self.known, [Condition("a", self.firing, "It burns.")], WAYS, FOR_S, self.now)
        for way in before.told - self.stands.told:  # nobody will tell them that it is over
            assert before.tries >= alerts.OVER_TRIES_MAX
            self.heard[way].append(False)
        for way in sorted(alerts.to_tell(self.known["a"], WAYS, self.now)) if self.known else ():
            self.tell(way)

    def tell(self, way: str) -> None:
        stands = self.known["a"]
        if not self.works[way]:
            self.known["a"] = alerts.failed(stands, self.now)
            return
        assert self.now >= self.silent_until
        assert stands.firing != self.firing or self.now - self.since >= timedelta(seconds=FOR_S), "only what holds"
        self.heard[way].append(stands.firing)
        self.known["a"] = alerts.told(stands, way)

    @invariant()
    def each_change_is_told_once(self) -> None:
        for heard in self.heard.values():
            assert heard == [n % 2 == 0 for n in range(len(heard))]

    @invariant()
    def what_is_remembered_is_what_was_heard(self) -> None:
        assert self.stands.told == {way for way, heard in self.heard.items() if heard and heard[-1]}

    def teardown(self) -> None:
        """In a calm world everybody ends up knowing how it is."""
        self.works = dict.fromkeys(WAYS, True)
        for _ in range(3):
            self.now += timedelta(hours=2)
            self.look()
        assert {bool(heard and heard[-1]) for heard in self.heard.values()} == {self.firing}


Watched.TestCase.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
TestWatched = Watched.TestCase
