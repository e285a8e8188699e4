"""Which order is next: one of a flow at a time, needs first, nobody starves."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_connector.sync.orders import AT_ONCE, Cause, Order, State, following, needed_by

DIRECT = {"suppliers": (), "orders": ("suppliers",), "requests": ("suppliers",), "told": ("requests",)}
NEEDS = needed_by(DIRECT)
AT = datetime(2026, 11, 26, tzinfo=UTC)
FLOWS = st.sampled_from(sorted(NEEDS))


@st.composite
def open_ones(draw: st.DrawFn) -> Order:
    running = draw(st.booleans())
    state = State.RUNNING if running else State.QUEUED
    number, connection = draw(st.integers(0, 10**6)), draw(st.integers(1, 2))
    return Order(str(number), connection, draw(FLOWS), state=state, waits=draw(st.booleans()) and not running)


ORDERS = st.lists(open_ones(), max_size=12)


def test_needs_reach_through() -> None:
    assert needed_by(DIRECT) == {name: set(direct) for name, direct in DIRECT.items()} | {
        "told": {"requests", "suppliers"}
    }


@given(ORDERS)
def test_what_is_next_may_run(open_orders: list[Order]) -> None:
    chosen = following(open_orders, NEEDS)
    if chosen is None:
        return
    assert chosen.state is State.QUEUED
    assert not chosen.waits
    at = open_orders.index(chosen)
    same = [one for one in open_orders if one.connection_id == chosen.connection_id and one is not chosen]
    blocking = {one.flow for one in same if one.state is State.RUNNING}
    blocking |= {one.flow for one in open_orders[:at] if one in same and not one.waits}
    assert not blocking & {chosen.flow, *NEEDS[chosen.flow]}


@given(ORDERS)
def test_all_are_carried_out_in_the_end_and_connections_do_not_wait_for_each_other(open_orders: list[Order]) -> None:
    left = [one for one in open_orders if not one.waits]
    running = [one for one in left if one.state is State.RUNNING]
    if queued := [one for one in left if one.state is State.QUEUED]:
        free = {one.connection_id for one in queued} - {one.connection_id for one in running}
        chosen = following(left, NEEDS)
        assert chosen or not free
    while queued := [one for one in left if one.state is State.QUEUED]:
        left = queued  # what runs has ended
        chosen = following(left, NEEDS)
        assert chosen is not None
        left.remove(chosen)


@pytest.mark.parametrize(
    ("rank", "placed_at", "first"),
    [(1, AT + AT_ONCE, "suppliers"), (1, AT + 2 * AT_ONCE, "requests"), (2, AT, "requests"), (1, None, "requests")],
)
def test_what_is_ordered_at_once_waits_for_what_it_needs(rank: int, placed_at: datetime | None, first: str) -> None:
    requests = Order("1", 1, "requests", placed_at=AT)
    chosen = following([requests, Order("2", 1, "suppliers", rank=rank, placed_at=placed_at)], NEEDS)
    assert chosen is not None
    assert chosen.flow == first


def test_a_connection_of_which_less_is_running_goes_first() -> None:
    running = Order("1", 1, "suppliers", state=State.RUNNING)
    chosen = following([running, Order("2", 1, "payments"), Order("3", 2, "payments")], NEEDS)
    assert chosen is not None
    assert chosen.id == "3"


def test_a_webhook_does_not_wait_for_what_is_running() -> None:
    running = Order("census", 1, "suppliers", state=State.RUNNING)
    assert following([running, Order("event", 1, "requests", cause=Cause.WEBHOOK)], NEEDS) is not None
    assert following([running, Order("slot", 1, "requests")], NEEDS) is None
    assert following([Order("first", 1, "suppliers"), Order("event", 1, "requests", cause=Cause.WEBHOOK)], NEEDS) == (
        Order("first", 1, "suppliers")
    )


def test_the_last_thread_is_for_a_connection_that_has_none() -> None:
    running = Order("long", 1, "suppliers", state=State.RUNNING)
    assert following([running, Order("more", 1, "payments")], NEEDS, spare=True) is None
    chosen = following([running, Order("more", 1, "payments"), Order("other", 2, "payments")], NEEDS, spare=True)
    assert chosen is not None
    assert chosen.connection_id == 2
