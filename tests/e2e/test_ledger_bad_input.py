"""Bad input of all kinds: a clear sentence for that document, and the rest goes on."""

from pathlib import Path
from typing import Any

import expected_ledger as ledger
import ledger_rig as rigs
import pytest
from ledger_rig import DOCUMENTS, LANDINGS, Kind, LedgerRig, ledger_rig
from rig import sqlite_url

from ml_connector.errors import SettingsError
from ml_connector.store.exceptions import OpenException


def only_held(joined: LedgerRig, flow: str, key: str) -> OpenException:
    """The exception of the one document that is held; all others are posted."""
    held = joined.held(flow)
    assert held.keys() == {key}, held
    assert joined.links(flow).keys() == ledger.documents(joined.box, flow).keys() - {key}
    assert_clear(held[key])
    return held[key]


def assert_clear(one: OpenException) -> None:
    """A sentence and a remedy that a clerk can read: no names of classes, no braces, no tracebacks."""
    for text in (one.held.sentence, one.held.remedy):
        assert len(text.split()) > 3
        assert not any(word in text for word in ("Error", "Traceback", "None", "{'", "Decimal("))


def some(folder: Path, landing: Kind = "external", **settings: Any) -> Any:
    """Four requests and four payments that nothing is wrong with."""
    options = rigs.plain_world(requests=4, payments=4, expense_reports=0.0, cards=0.0)
    return ledger_rig(sqlite_url(folder), options, folder, landing=landing, **settings)


def first(joined: LedgerRig, flow: str) -> str:
    return sorted(ledger.documents(joined.box, flow))[0]


SPOILT: dict[str, tuple[str, dict[str, Any], str]] = {
    "zero amount": ("payments", {"amount": "0"}, "zero"),
    "amount that is no number": ("payments", {"amount": "12,50"}, ""),
    "amount that is no number at all": ("payments", {"amount": "NaN"}, ""),
    "infinite amount": ("payments", {"amount": "Infinity"}, ""),
    "amount missing": ("payments", {"amount": None}, ""),
    "amount with an exponent beyond reason": ("payments", {"amount": "1E+999999"}, ""),
    "negative amount": ("payments", {"amount": "-10.00"}, "negative"),
    "no currency": ("payments", {"currency": None}, ""),
    "no such currency": ("payments", {"currency": {"iso_code": "EURO"}}, "currency"),
    "no subsidiary": ("payments", {"subsidiary": None}, ""),
    "no date": ("payments", {"paid_at": None}, "date"),
    "date that is none": ("payments", {"paid_at": "31.12.2026"}, "date"),
    "date that does not exist": ("payments", {"paid_at": "2026-02-30T00:00:00"}, "date"),
    "date before any period": ("payments", {"paid_at": "2010-01-01T00:00:00"}, "period"),
    "unknown status": ("payments", {"status": "teleported"}, "unknown_status"),
    "status missing": ("payments", {"status": None}, ""),
    "lines missing": ("purchase_requests", {"lines": []}, ""),
    "lines null": ("purchase_requests", {"lines": None}, ""),
    "lines that do not add up": (
        "purchase_requests",
        {
            "total_amount": "999999.00",
            "subsidiary_amount": None,
            "exchange_rate": None,
            "currency": {"iso_code": "EUR"},
        },
        "",
    ),
    "vendor without number": (
        "payments",
        {
            "request_id": None,
            "vendor": {"id": "v", "airbase_id": "v", "name": "Corner Bakery", "erp_reference_id": None},
        },
        "supplier",
    ),
    "vendor unknown to IFS": (
        "payments",
        {"vendor": {"id": "v", "airbase_id": "v", "name": "Ghost", "erp_reference_id": "S999999"}},
        "supplier",
    ),
    "bank account unknown to IFS": (
        "payments",
        {"bank_account": {"erp_reference_id": "1999", "name": "?"}},
        "account_validity",
    ),
}


@pytest.mark.parametrize("name", SPOILT)
def test_one_spoilt_document_stops_only_itself(tmp_path: Path, name: str) -> None:
    flow, fields, group = SPOILT[name]
    with some(tmp_path) as joined:
        key = first(joined, flow)
        joined.edit("update", flow, key, **fields)
        joined.run()
        one = only_held(joined, flow, key)
        assert not group or rigs.group_of(one.held.cause) == group
        number = ledger.documents(joined.box, flow)[key]["number"]
        assert number in one.held.sentence or key in one.held.sentence
        joined.run()
        only_held(joined, flow, key)


@pytest.mark.parametrize("landing", LANDINGS)
def test_texts_of_any_length_and_kind_are_posted(tmp_path: Path, landing: Kind) -> None:
    odd = "Ü\t\r\n\x0b;;\"'<&>\\ 漢字 🧾 ‮" + "x" * 6000
    with some(tmp_path, landing) as joined:
        key = first(joined, "purchase_requests")
        row = ledger.documents(joined.box, "purchase_requests")[key]
        lines = [{**line, "description": odd} for line in row["lines"]]
        vendor = {**row["vendor"], "name": odd}
        fields: dict[str, Any] = {"description": odd, "lines": lines, "vendor": vendor, "number": "PR;1\n2"}
        joined.edit("update", "purchase_requests", key, **fields)
        joined.done()
        assert joined.held("purchase_requests") == {}
        (one,) = ledger.ours(joined.box)[key]
        assert len(one.voucher["text"]) <= 200
        rigs.assert_stands(joined, "purchase_requests")
        rigs.assert_quiet(joined)
        rigs.assert_quiet(joined, census=True)


@pytest.mark.parametrize(
    ("text", "zone", "day"),
    [
        ("2026-02-28T23:30:00", "Europe/Oslo", "2026-02-28"),
        ("2026-02-28T23:30:00Z", "Europe/Oslo", "2026-03-01"),
        ("2026-02-28T23:30:00+00:00", "UTC", "2026-02-28"),
        ("2026-03-01T01:30:00+09:00", "America/New_York", "2026-02-28"),
        ("2026-02-28", "UTC", "2026-02-28"),
        ("2026-02-28T23:30:00.123456", "UTC", "2026-02-28"),
    ],
)
def test_a_day_is_the_one_of_the_connections_zone(tmp_path: Path, text: str, zone: str, day: str) -> None:
    with some(tmp_path, calendar_zone=zone) as joined:
        key = first(joined, "payments")
        joined.edit("update", "payments", key, paid_at=text)
        joined.run()
        (one,) = ledger.ours(joined.box)[key]
        assert one.voucher["date"].isoformat() == day
        assert one.voucher["period"] == int(day[5:7])


def many_lines(joined: LedgerRig, count: int) -> str:
    """A request of many lines of one unit each."""
    key = first(joined, "purchase_requests")
    row = ledger.documents(joined.box, "purchase_requests")[key]
    line = {**row["lines"][0], "amount": "1"}
    total: dict[str, Any] = {"total_amount": str(count), "currency": {"iso_code": "EUR"}, "exchange_rate": None}
    own = {"amount": str(count), "currency": {"iso_code": "EUR"}}
    subsidiary = {"erp_reference_id": "SUB-10", "name": "Ten"}
    lines = [{**line, "line_number": at} for at in range(1, count + 1)]
    joined.edit("update", "purchase_requests", key, **total, subsidiary_amount=own, subsidiary=subsidiary, lines=lines)
    return key


@pytest.mark.parametrize("landing", LANDINGS)
def test_a_voucher_of_ten_thousand_rows_is_held(tmp_path: Path, landing: Kind) -> None:
    with some(tmp_path, landing) as joined:
        key = many_lines(joined, 10_000)
        joined.done()
        one = only_held(joined, "purchase_requests", key)
        assert "10,001" in one.held.sentence or "10001" in one.held.sentence


@pytest.mark.parametrize("landing", LANDINGS)
def test_a_voucher_of_many_requests_worth_of_rows_is_posted(tmp_path: Path, landing: Kind) -> None:
    """More rows than one batch may hold, fewer than a voucher may have."""
    with some(tmp_path, landing) as joined:
        key = many_lines(joined, 450)
        joined.done()
        if landing == "manual":  # a manual voucher goes in one changeset, and a batch is bounded
            held = joined.held("purchase_requests")
            assert key in joined.links("purchase_requests") or key in held
            assert not held or assert_clear(held[key]) is None
        else:
            (one,) = ledger.ours(joined.box)[key]
            assert len(one.voucher["rows"]) == 451
            rigs.assert_stands(joined, "purchase_requests")


@pytest.mark.parametrize("landing", ["external", "manual"])
def test_a_voucher_type_that_ifs_does_not_number_is_refused_in_its_own_words(tmp_path: Path, landing: Kind) -> None:
    rules = rigs.posting(landing={"voucher_types": {"10": "Q"}})
    options = rigs.plain_world(requests=8, payments=8, expense_reports=0.0)
    with ledger_rig(sqlite_url(tmp_path), options, tmp_path, rules, landing=landing) as joined:
        joined.run()
        for flow in DOCUMENTS:
            wanted = {key for key, one in joined.wanted(flow).items() if one.company == "10"}
            assert wanted
            held = joined.held(flow)
            assert held.keys() == wanted, {key: one.held for key, one in held.items()}
            assert joined.links(flow).keys() == joined.wanted(flow).keys() - wanted
            for one in held.values():
                assert_clear(one)
                assert "Q" in one.held.sentence
        joined.connect(rigs.posting())
        joined.run()
        assert joined.held("payments") == joined.held("purchase_requests") == {}
        for flow in DOCUMENTS:
            rigs.assert_stands(joined, flow)


def test_a_voucher_type_that_the_rules_name_is_checked_before_anything_is_sent(tmp_path: Path) -> None:
    rules = rigs.posting(voucher_types={"*": "Q"})
    options = rigs.plain_world(requests=3, payments=3)
    with ledger_rig(sqlite_url(tmp_path), options, tmp_path, rules) as joined:
        before = joined.box.ifs_log.writes
        joined.run()
        assert joined.box.ifs_log.writes == before
        assert {one.held.cause for one in joined.held("payments").values()} == {"voucher_type_by_hand"}


def test_unknown_types_of_ledger_entries_are_held_never_guessed(tmp_path: Path) -> None:
    options = rigs.plain_world(entries=30, unknown_type=0.2)
    with ledger_rig(sqlite_url(tmp_path), options, tmp_path, rigs.entries_posting()) as joined:
        joined.run()
        odd = {row["id"] for row in joined.box.airbase_rows("ledger_entries") if row["type"] == "mystery_type"}
        assert odd
        assert joined.held("ledger_entries").keys() == odd
        for one in joined.held("ledger_entries").values():
            assert_clear(one)
            assert "mystery" in one.held.sentence.casefold()
        rigs.assert_acknowledged(joined)


MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "an account that is a number": ({"accounts": {**rigs.ACCOUNTS, "bank": 1930}}, "bank"),
    "an amount that is a float": ({"rounding_max": 0.05}, "rounding_max"),
    "a comma in an amount": ({"amount_max": {"*": "90000,00"}}, "amount_max"),
    "a circle of names": ({"accounts": {**rigs.ACCOUNTS, "money": "bank"}}, "bank"),
    "a name that does not exist": (
        {"rule": [{**rigs.RULES[0], "credit": "acrual"}, *rigs.RULES[1:]]},
        "accrual",
    ),
    "an unknown key": ({"closed_periods": "hold"}, "closed_period"),
    "documents that post the same twice": ({"documents": ["payments", "ledger_entries"]}, "ledger_entries"),
    "no such document": ({"documents": ["payment"]}, "payments"),
    "an unknown landing": ({"landing": {"serie": "AIR BASE"}}, "serie"),
}


def test_a_mistake_in_the_profile_is_named_when_it_is_connected(tmp_path: Path) -> None:
    with some(tmp_path) as joined:
        for changed, said in MISTAKES.values():
            with pytest.raises(SettingsError, match=said):
                joined.connect(rigs.posting(**changed))
        joined.connect(rigs.posting())
        assert joined.run()["payments"].posted == 4
