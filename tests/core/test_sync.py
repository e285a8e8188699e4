from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_connector.records import codec
from ml_connector.records.money import Money
from ml_connector.records.supplier import Vendor
from ml_connector.sync import change, detect, gate
from ml_connector.sync.change import Event, State
from ml_connector.sync.flow import End, Flow, Setting, in_order
from ml_connector.sync.orders import figures
from ml_connector.sync.outcome import Held, Mapped
from ml_connector.sync.plan import WRITES, Action, Decision, Found, Link, Tally, decide
from ml_connector.sync.policy import Policy
from ml_connector.sync.report import COUNTED, Report


def vendor(name: str = "Acme", active: bool = True) -> Vendor:
    return Vendor("S1", name, active, ("SUB",))


def link(record: Vendor, wake_on: date | None = None) -> Link:
    return Link("S1", "v-1", codec.digest(record), record.active, record, wake_on)


HELD = Held("c", "s", "r")
IDLE = Held("c", "s", "r", idle=True)
DOUBTED = Link("S1", "v-1", "", True, vendor())
DAY = date(2026, 10, 1)


@dataclass
class Case:
    mapped: Mapped[Vendor] | Held | None
    link: Link | None
    found: Found | None
    action: Action


CASES = {
    "new": Case(Mapped(vendor()), None, None, Action.CREATE),
    "new but off": Case(Mapped(vendor(active=False), active=False), None, None, Action.NOT_DUE),
    "new, with a wake-up day": Case(Mapped(vendor(), wake_on=DAY), None, None, Action.CREATE),
    "new but not due": Case(Mapped(vendor(), due=False), None, None, Action.NOT_DUE),
    "there and equal": Case(Mapped(vendor()), None, Found("S1", "v-9", vendor()), Action.ADOPT),
    "there and different": Case(Mapped(vendor()), None, Found("S1", "v-9", vendor("Old")), Action.UPDATE),
    "there, to be off": Case(
        Mapped(vendor(active=False), active=False), None, Found("S1", "v-9", vendor()), Action.DEACTIVATE
    ),
    "linked and equal": Case(Mapped(vendor()), link(vendor()), None, Action.UNCHANGED),
    "linked, not due, equal": Case(Mapped(vendor(), due=False), link(vendor()), None, Action.UNCHANGED),
    "linked and different": Case(Mapped(vendor("New")), link(vendor()), None, Action.UPDATE),
    "linked, to be off": Case(Mapped(vendor(active=False), active=False), link(vendor()), None, Action.DEACTIVATE),
    "linked, off already": Case(
        Mapped(vendor(active=False), active=False), link(vendor(active=False)), None, Action.UNCHANGED
    ),
    "linked, on again": Case(Mapped(vendor()), link(vendor(active=False)), None, Action.UPDATE),
    "linked, drifted there": Case(Mapped(vendor()), link(vendor()), Found("S1", "v-1", vendor("X")), Action.UPDATE),
    "linked, set right by hand": Case(
        Mapped(vendor("New")), link(vendor()), Found("S1", "v-1", vendor("New")), Action.RELINK
    ),
    "linked, other wake-up day": Case(Mapped(vendor(), wake_on=DAY), link(vendor()), None, Action.RELINK),
    "linked, in doubt": Case(Mapped(vendor()), DOUBTED, None, Action.UPDATE),
    "linked, in doubt, looked up": Case(Mapped(vendor()), DOUBTED, Found("S1", "v-1", vendor()), Action.RELINK),
    "linked and off, changed": Case(
        Mapped(vendor("New", active=False), active=False), link(vendor(active=False)), None, Action.UPDATE
    ),
    "held, but need not be there": Case(IDLE, None, None, Action.NOT_DUE),
    "held, need not be there, but is": Case(IDLE, link(vendor()), None, Action.HELD),
    "held, need not be there, but was found": Case(IDLE, None, Found("S1", "v-9", vendor()), Action.HELD),
    "held": Case(HELD, link(vendor()), None, Action.HELD),
    "held and new": Case(HELD, None, None, Action.HELD),
    "linked, and nothing to say": Case(None, link(vendor()), None, Action.UNCHANGED),
    "neither here nor there": Case(None, None, None, Action.NOT_DUE),
    "found, but the source never had it": Case(None, None, Found("S1", "v-9", vendor()), Action.NOT_DUE),
}


@pytest.mark.parametrize("name", CASES)
def test_the_decision_table(name: str) -> None:
    case = CASES[name]
    decision = decide("S1", case.mapped, case.link, case.found)
    assert decision.action is case.action
    assert decision.held is (case.mapped if case.action is Action.HELD else None)
    if isinstance(case.mapped, Mapped):
        there, agreed = case.found, case.link.agreed if case.link else None
        before = (decision.before, decision.target_id)
        assert before == ((there.record, there.target_id) if there else (agreed, "v-1" if case.link else ""))
        wanted = case.mapped
        assert (decision.after, decision.active, decision.wake_on) == (wanted.record, wanted.active, wanted.wake_on)


def test_of_what_stays_as_it_is_nobody_opens_what_was_agreed() -> None:
    def opened() -> Vendor:
        raise AssertionError

    closed = Link("S1", "v-1", codec.digest(vendor()), True, opened)
    assert decide("S1", Mapped(vendor()), closed, None).before == vendor()


vendors = st.builds(vendor, st.sampled_from("ab"), st.booleans())


def mapped_as(record: Vendor, due: bool) -> Mapped[Vendor]:
    return Mapped(record, active=record.active, due=due)


mapped = st.one_of(st.builds(mapped_as, vendors, st.booleans()), st.just(HELD), st.none())
links = st.none() | vendors.map(link)


@given(mapped, links)
def test_once_settled_the_same_record_needs_no_further_write(
    m: Mapped[Vendor] | Held | None, known: Link | None
) -> None:
    first = decide("S1", m, known, None)
    if first.action in WRITES:
        assert isinstance(first.after, Vendor)
        settled = Link("S1", "v-1", first.digest, first.active, first.after, first.wake_on)
        assert decide("S1", m, settled, None).action is Action.UNCHANGED


@given(mapped, links)
def test_no_link_and_nothing_found_never_updates_and_a_link_never_creates(
    m: Mapped[Vendor] | Held | None, known: Link | None
) -> None:
    action = decide("S1", m, known, None).action
    assert not (known and action is Action.CREATE)
    assert known or action not in (Action.UPDATE, Action.DEACTIVATE, Action.ADOPT)


def test_every_action_is_counted_somewhere() -> None:
    report = Report("f")
    for action in Action:
        report.count(action)
    assert set(COUNTED) == set(Action)
    report.count(Action.ADOPT, 2)
    assert (report.created, report.updated, report.deactivated, report.posted) == (1, 1, 1, 0)
    assert report.unchanged == 5
    assert report.adopted == 3
    posting = Report("f", posting=True)
    for action in Action:
        posting.count(action)
    assert (posting.posted, posting.corrected, posting.held, posting.created) == (1, 2, 1, 0)


def test_of_each_kind_the_first_few_decisions_are_kept_and_the_first_warnings() -> None:
    report = Report("f")
    for number in range(8):
        report.sample(Decision(f"c{number}", Action.CREATE, late=number < 3, warnings=("w",) * 7 * (number % 2)))
        report.sample(Decision(f"u{number}", Action.UPDATE))
    kept = [one.key for one in report.samples]
    assert kept == ["c0", "u0", "c1", "u1", "c2", "u2", "c3", "u3", "c4", "u4"]
    assert (report.late, report.warned, len(report.warnings)) == (3, 4, 20)
    assert figures(report) == {"late": 3}


@st.composite
def some_decisions(draw: st.DrawFn) -> list[Decision]:
    pairs = draw(
        st.lists(st.tuples(st.sampled_from("klm"), st.sampled_from(WRITES), st.sampled_from("xyz")), max_size=6)
    )
    return [Decision(k, a, vendor(n), target_id="" if a is Action.CREATE else "t") for k, a, n in pairs]


decisions = some_decisions()


def tally(of: list[Decision]) -> Tally:
    result = Tally()
    for one in of:
        result.add(one)
    return result


def test_a_plan_is_counted() -> None:
    counted = tally([Decision("a", Action.CREATE, late=True), Decision("b", Action.CREATE, late=True)])
    counted.add(Decision("c", Action.UPDATE))
    assert (counted.counts, counted.late) == ({"create": 2, "update": 1}, 2)
    assert counted.of(Action.CREATE, Action.UPDATE, Action.HELD) == 3


@given(decisions, st.randoms())
def test_a_plan_is_the_same_plan_in_any_order(some: list[Decision], random: Random) -> None:
    shuffled = list(some)
    random.shuffle(shuffled)
    assert tally(some).plan_id == tally(shuffled).plan_id


@given(decisions, decisions)
def test_plans_that_change_different_things_are_different(left: list[Decision], right: list[Decision]) -> None:
    def gated(of: list[Decision]) -> list[str]:
        return sorted(repr(one) for one in of if one.action is not Action.CREATE)

    assert (tally(left).plan_id == tally(right).plan_id) == (gated(left) == gated(right))


@pytest.mark.parametrize(
    ("updates", "offs", "known", "active", "objections"),
    [
        (0, 0, 0, 0, 0),
        (20, 0, 40, 40, 0),  # few enough to go unasked
        (11, 0, 20, 20, 1),  # few, but most of what is there
        (21, 0, 40, 40, 1),
        (50, 0, 100, 100, 0),
        (51, 0, 100, 100, 1),
        (0, 20, 1000, 1000, 0),
        (0, 15, 1000, 30, 0),
        (0, 16, 1000, 30, 1),
        (0, 51, 1000, 1000, 1),
        (0, 600, 1000, 1000, 2),
        (1, 0, 1, 1, 1),
    ],
)
def test_the_gate(updates: int, offs: int, known: int, active: int, objections: int) -> None:
    all_of = {Action.UPDATE: updates, Action.DEACTIVATE: offs, Action.CREATE: 10_000}
    some = Tally({str(action): count for action, count in all_of.items() if count})
    assert len(gate.objections(some, gate.Population(known, active), Policy())) == objections


def test_the_gate_says_what_would_be_too_much() -> None:
    some, there = Tally({"deactivate": 600, "update": 1}, late=1200), gate.Population(1000, 900)
    changed, off = (
        "it would change 601 of 1,000 records in the target (limit 50%)",
        "it would switch off 600 of 900 records in the target (limit 5%)",
    )
    assert gate.objections(some, there, Policy()) == (changed, off)
    late = "it would post 1,200 documents later than their own date"
    assert gate.objections(some, there, Policy(late_waits=True)) == (changed, off, late)
    assert not gate.objections(Tally(), there, Policy(late_waits=True))


def test_changes_move_only_along_the_table() -> None:
    for state in State:
        for event in Event:
            if (state, event) in change.MOVES:
                assert change.move(state, event) is change.MOVES[state, event]
            else:
                with pytest.raises(ValueError, match="can't"):
                    change.move(state, event)


def test_nothing_is_sent_twice_without_a_look_up() -> None:
    """From a sent change of unknown fate, every way back to being sent passes LACK."""
    moves = [(state, event, to) for (state, event), to in change.MOVES.items()]
    assert {state for state, _, to in moves if to is State.INTENDED} == {State.PLANNED, State.DROPPED}
    assert {event for _, event, to in moves if to is State.DROPPED} == {Event.LACK, Event.MISS}
    assert {event for state, event, _ in moves if state is State.UNCERTAIN} == {
        Event.FIND,
        Event.LACK,
        Event.HAND,
    }


rows = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(["", "1", "2"]))


@given(rows, rows, st.booleans())
def test_changed_finds_each_new_different_or_gone_row(
    now: dict[str, str], known: dict[str, str], complete: bool
) -> None:
    page = detect.Page("p", tuple(detect.Row("p", k, m) for k, m in sorted(now.items())), None, complete)
    expected = {k for k, m in now.items() if m == "" or known.get(k) != m}
    if complete:
        expected |= set(known) - set(now)
    assert detect.changed(page, known) == sorted(expected)


@pytest.mark.parametrize(
    ("dirty", "rows", "cheaper"),
    [(40, 0, True), (41, 0, False), (41, 1000, False), (41, 1001, True), (81, 1001, False)],
)
def test_by_key_is_read_what_takes_no_more_requests_so(dirty: int, rows: int, cheaper: bool) -> None:
    by_key = detect.by_key_is_cheaper(dirty, rows, keys_per_request=40, rows_per_request=1000, parts=2)
    assert by_key is cheaper


def test_cursors_never_move_back() -> None:
    moved = detect.latest({"p": "5"}, [detect.Row("p", "a", "m", "3"), detect.Row("q", "b", "m", "1")])
    assert moved == {"p": "5", "q": "1"}


def test_flows_come_after_those_they_need() -> None:
    def flow(name: str, *needs: str) -> Flow[Vendor, Vendor]:
        end = End("s", "r")
        return Flow(name, name, end, end, Vendor, Vendor, lambda v, _: Mapped(v), lambda v: v, needs=needs)

    flows = {f.name: f for f in (flow("c", "b"), flow("b", "a"), flow("a"))}
    assert [f.name for f in in_order(flows, [])] == ["a", "b", "c"]
    assert [f.name for f in in_order(flows, ["c", "a"])] == ["a", "c"]
    with pytest.raises(ValueError, match=r"^flows need each other: a, b$"):
        in_order({f.name: f for f in (flow("a", "b"), flow("b", "a"))}, [])


def test_a_setting_turns_a_flow_on_by_one_of_its_values() -> None:
    one, listed = Setting(("a", "b"), ("x", "y")), Setting(("a",), ("x", "y"), listed=True)
    assert (one.turned_on("y"), one.turned_on("z"), one.turned_on(None)) == (True, False, False)
    assert (listed.turned_on(["z", "y"]), listed.turned_on(["z"]), listed.turned_on([])) == (True, False, False)
    assert (one.written, listed.written) == ('[a] b = "x"', 'a = ["x"]')
    assert Setting(("a",), (True,)).written == "a = true"


def test_money_is_shown_with_its_currency() -> None:
    assert str(Money(Decimal("1234567.80"), "EUR")) == "EUR 1,234,567.80"
    assert [str(Money(Decimal(one), "EUR")) for one in ("5", "0.5", "1.005")] == ["EUR 5.00", "EUR 0.50", "EUR 1.005"]
    assert str(Money(Decimal("1E+3"), "JPY")) == "JPY 1,000"


def test_a_field_that_is_not_ours_is_not_compared() -> None:
    there = Vendor("S1", "Acme", True, ("SUB",), payment_terms="Net 30")
    assert decide("S1", Mapped(vendor()), None, Found("S1", "v-1", there)).action is Action.ADOPT
    ours = Vendor("S1", "Acme", True, ("SUB",), payment_terms="Net 45")
    assert decide("S1", Mapped(ours), None, Found("S1", "v-1", there)).action is Action.UPDATE
