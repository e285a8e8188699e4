"""The profile says what is wrong with it; the token never shows itself."""

import copy
import pickle
from typing import Any

import pytest

from ml_connector.errors import SettingsError
from ml_connector.systems.airbase.auth import StaticToken
from ml_connector.systems.airbase.profile import DEFAULT, load


def test_nothing_given_is_the_default() -> None:
    assert load({}) == DEFAULT


def test_a_correction_leaves_the_rest() -> None:
    profile = load({"page_size": 100, "vendors": {"bulk_path": "", "fields": {"active": "enabled"}}})
    assert (profile.page_size, profile.vendors.bulk_path) == (100, "")
    assert profile.vendors.fields == DEFAULT.vendors.fields | {"active": "enabled"}
    assert profile.vendors.path == DEFAULT.vendors.path
    assert profile.purchase_orders == DEFAULT.purchase_orders


def test_a_renamed_field_was_not_seen() -> None:
    assert "active" in DEFAULT.vendors.seen
    assert "active" not in load({"vendors": {"fields": {"active": "enabled"}}}).vendors.seen


def test_a_document_of_spend_is_corrected_like_any_other() -> None:
    profile = load({"payments": {"path": "/v2/payments/", "fields": {"paid_at": "paid_on", "fee": ""}}})
    assert profile.payments.path == "/v2/payments/"
    assert profile.payments.fields == DEFAULT.payments.fields | {"paid_at": "paid_on", "fee": ""}
    assert profile.bills == DEFAULT.bills
    assert "status" in DEFAULT.ledger_entries.seen
    assert not DEFAULT.payments.seen


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"vendor": {}}, r"vendor is not known; the nearest is vendors"),
        ({"vendors": {"paht": "/v1/"}}, r"vendors\.paht is not known; the nearest is vendors\.path"),
        ({"vendors": {"fields": {"curency": "c"}}}, r"vendors\.fields\.curency .* vendors\.fields\.currency"),
        ({"vendors": {"path": "/v1/vendors"}}, r"vendors\.path"),
        ({"vendors": {"path": ""}}, r"vendors\.path"),
        ({"vendors": {"fields": {"reference": ""}}}, r"vendors\.fields\.reference"),
        ({"vendors": {"fields": {"name": 5}}}, r"vendors\.fields\.name"),
        ({"vendors": {"bulk_max": 0}}, r"vendors\.bulk_max"),
        ({"page_size": True}, r"page_size"),
        ({"payments": {"fields": {"payed_at": "p"}}}, r"payments\.fields\.payed_at .* payments\.fields\.paid_at"),
        ({"payments": {"fields": {"amount": ""}}}, r"payments\.fields\.amount may not be"),
        ({"tags": {"fields": {"label": ""}}}, r"tags\.fields\.label"),
        ({"paymets": {}}, r"paymets is not known; the nearest is payments"),
        ({"vendors": "x"}, r"vendors must be a table"),
    ],
)
def test_what_can_not_be_used_is_named(given: dict[str, Any], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        load(given)


@pytest.mark.parametrize(("scheme", "header"), [("bearer", "Bearer s3cret"), ("token", "Token s3cret")])
def test_both_schemes(scheme: Any, header: str) -> None:
    token = StaticToken(scheme, "s3cret")
    assert token.header() == header
    assert not token.renew(header)


def test_the_token_is_in_no_text() -> None:
    token = StaticToken("bearer", "s3cret")
    assert "s3cret" not in f"{token} {token!r} {[token]}"
    assert not hasattr(token, "__dict__")
    for leave in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError):
            leave(token)


@pytest.mark.parametrize("secret", ["", "with space", "line\nbreak", "ümlaut"])
def test_what_can_not_stand_in_a_header_is_refused_without_being_shown(secret: str) -> None:
    with pytest.raises(SettingsError) as refused:
        StaticToken("bearer", secret)
    assert not secret or secret not in str(refused.value)


def test_an_unknown_scheme_is_refused() -> None:
    scheme: Any = "basic"
    with pytest.raises(SettingsError, match="basic"):
        StaticToken(scheme, "s3cret")
