"""Airbase's events: the five fields, what is made of them, and whatever else may come."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_connector.flows import FLOWS as KNOWN
from ml_connector.systems.airbase.webhooks import FLOWS, Event, event
from ml_connector.systems.notices import Unreadable

CALM = settings(deadline=None)
GOOD: dict[str, Any] = {
    "id": "evt_1",
    "object": "event",
    "type": "purchase_request_approved",
    "created_date": "2026-07-01T12:00:00+02:00",
    "data": {"id": "pr-1", "status": "approved", "lines": [{"amount": "1.00"}]},
}


def read(**changed: Any) -> Event | Unreadable:
    return event(json.dumps({**GOOD, **changed}).encode())


def understood(**changed: Any) -> Event:
    found = read(**changed)
    assert isinstance(found, Event)
    return found


def test_an_event_hints_at_a_record() -> None:
    at = datetime(2026, 7, 1, 10, tzinfo=UTC)
    expected = Event("evt_1", GOOD["type"], GOOD["created_date"], at, "pr-1", "purchase_requests")
    assert read(more={"deep": [1]}) == expected


@pytest.mark.parametrize("name", sorted(GOOD))
@pytest.mark.parametrize("value", [None, 1, True, [], "absent"])
def test_each_of_the_five_fields_is_needed(name: str, value: Any) -> None:
    body = {**GOOD, name: value}
    if value == "absent":
        del body[name]
    found = event(json.dumps(body).encode())
    assert isinstance(found, Unreadable)
    assert name in found.sentence


@pytest.mark.parametrize(
    "written",
    ["purchase_request_approved", "purchase_request.approved", "Purchase-Request Approved", "purchaseRequest.approved"],
)
def test_a_type_is_known_however_it_is_written(written: str) -> None:
    assert understood(type=written).flow == "purchase_requests"
    assert understood(type=written).type == written


@pytest.mark.parametrize("kind", ["mystery", "...", "purchase_request", "purchase_request_approved_x"])
def test_an_unknown_type_is_kept_without_a_flow(kind: str) -> None:
    assert understood(type=kind).flow == ""


def test_what_they_are_for_are_flows() -> None:
    assert set(FLOWS.values()) <= KNOWN.keys()


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ({"airbase_id": "a"}, "a"),
        ({"airbase_id": "a", "id": "b"}, "a"),  # as the client tells a record's id
        ({"airbase_id": None, "id": "b"}, "b"),
        ({"id": 7}, None),
        ({"id": ""}, None),
        ({"id": "a\u0000b"}, None),
        ({"id": "x" * 201}, None),
        ({"id": {"id": "a"}}, None),
        ({}, None),
    ],
)
def test_the_key_is_the_id_of_the_record_or_none(data: Any, key: str | None) -> None:
    assert understood(data=data).key == key


@pytest.mark.parametrize(
    "text", ["2026-07-01T12:00:00", "2026-07-01T12:00:00.123456", "yesterday", "", "0001-01-01T00:00:00+23:00"]
)
def test_without_a_zone_there_is_no_instant_but_the_text_is_kept(text: str) -> None:
    found = understood(created_date=text)
    assert (found.created_at, found.created_date) == (None, text)


@pytest.mark.parametrize("changed", [{"id": ""}, {"id": "a\nb"}, {"id": "x" * 201}, {"type": ""}, {"type": "\u0000"}])
def test_an_id_or_type_that_cant_be_kept_is_unreadable(changed: Any) -> None:
    assert isinstance(read(**changed), Unreadable)


def test_what_is_too_large_or_too_deep_is_unreadable() -> None:
    assert isinstance(read(data={"id": "a", "more": "x" * 2**20}), Unreadable)
    deep = json.dumps(GOOD).replace('"pr-1"', "[" * 100_000 + "]" * 100_000).encode()
    assert isinstance(event(deep), Unreadable)


@CALM
@given(st.binary(max_size=200))
def test_random_bytes_never_raise(body: bytes) -> None:
    assert isinstance(event(body), Unreadable)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.just("id"), inner, max_size=4),
    max_leaves=10,
)


@CALM
@given(st.fixed_dictionaries({name: JSON | st.just(value) for name, value in GOOD.items()}))
def test_any_json_is_an_event_or_a_sentence_without_its_values(told: dict[str, Any]) -> None:
    found = event(json.dumps(told).encode())
    if isinstance(found, Event):
        assert (found.id, found.type) == (told["id"], told["type"])
        assert found.key in (None, told["data"].get("airbase_id"), told["data"].get("id"))
    else:
        assert found.sentence


def test_a_sentence_holds_no_value() -> None:
    found = read(data="4111 1111 1111 1111", id="secret-id")
    assert isinstance(found, Unreadable)
    assert "4111" not in found.sentence
    assert "secret-id" not in found.sentence
