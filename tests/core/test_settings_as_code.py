"""Profiles as text and as rows, and what two of them differ by: nothing is lost on the way there and back."""

import tomllib
from typing import Any

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given

from ml_connector import settings
from ml_connector.errors import SettingsError
from ml_connector.settings import Gate, Mapping, Profile
from ml_connector.wiring import differing, exporting, merging, tables
from ml_connector.wiring.profile import read as read_all
from ml_connector.wiring.profile_tables import BY_NAME, TABLES

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NAME = st.text("abcdefæ .-\"'", min_size=1, max_size=6)
SCALAR = TEXT | st.integers(-(2**63), 2**63 - 1) | st.booleans() | st.floats(allow_nan=False, allow_infinity=False)
RAW = st.dictionaries(
    NAME,
    st.recursive(SCALAR, lambda one: st.lists(one, max_size=3) | st.dictionaries(NAME, one, max_size=3)),
    max_size=4,
)
FLAT = st.dictionaries(NAME, TEXT, max_size=4)
SHARE = st.none() | st.floats(0, 1)
PROFILES = st.builds(
    Profile,
    ifs=RAW,
    airbase=RAW,
    posting=RAW,
    mapping=st.builds(Mapping, FLAT, FLAT, FLAT),
    gate=st.dictionaries(NAME, st.builds(Gate, SHARE, SHARE, st.none() | st.integers(0, 99)), max_size=3),
    writable=st.sampled_from([(), ("accounts",), ("accounts", "tags")]),
    two_persons=st.booleans(),
    quiet_s=st.floats(0, 600),
)
TABLE = st.dictionaries(
    st.sampled_from("abc"),
    st.recursive(st.integers(0, 3), lambda one: st.dictionaries(st.sampled_from("abc"), one, min_size=1, max_size=3)),
    max_size=3,
)
RULES: dict[str, Any] = {
    "posting": {
        "documents": ["payments"],
        "rounding_max": "0.05",
        "accounts": {"bank": "1920", "10": {"bank": "1921"}},
        "account": [{"category": "Rent", "account": "6300", "parts": {"B": "1"}}, {"account": "given"}],
        "rule": [{"name": "Pay", "kinds": ["payment"], "debit": "payable", "credit": ["document.bank", "bank"]}],
        "amount_max": {"*": "100"},
    },
    "mapping": {"subsidiaries": {"10": "SUB-10"}, "payment_terms": {"30": "Net 30"}},
    "gate": {"suppliers": {"change_share_max": 0.25, "free_max": 3}},
}


@given(PROFILES)
def test_a_profile_comes_back_from_its_text(profile: Profile) -> None:
    assert exporting.imported(exporting.exported(profile, "acme")) == profile


@given(PROFILES)
def test_equal_profiles_have_equal_texts(profile: Profile) -> None:
    again = msgspec.convert(msgspec.to_builtins(profile), Profile)
    assert exporting.exported(again) == exporting.exported(profile)
    assert differing.of_profiles(profile, again) == []


@given(PROFILES, PROFILES)
def test_what_differs_is_told(one: Profile, other: Profile) -> None:
    assert bool(differing.of_profiles(one, other)) == bool(merging.differences(*map(msgspec.to_builtins, (one, other))))


@given(TABLE, TABLE)
def test_a_change_put_upon_what_it_was_made_upon_is_the_change(base: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert merging.merged(base, wanted, base) == wanted
    assert merging.merged(base, base, wanted) == wanted
    assert merging.merged(base, wanted, wanted) == wanted


@given(TABLE, TABLE, TABLE)
def test_two_changes_are_merged_whichever_was_first_or_not_at_all(
    base: dict[str, Any], mine: dict[str, Any], theirs: dict[str, Any]
) -> None:
    found: list[Any] = []
    for one, other in ((mine, theirs), (theirs, mine)):
        try:
            found.append(merging.merged(base, one, other))
        except SettingsError:
            found.append(None)
    assert found[0] == found[1]
    if found[0] is not None:
        changed = merging.differences(base, found[0]).keys()
        wanted = {**merging.differences(base, mine), **merging.differences(base, theirs)}
        assert changed == wanted.keys()


@pytest.mark.parametrize("table", TABLES, ids=lambda one: one.name)
def test_rows_that_are_not_touched_stay_as_written(table: tables.Table) -> None:
    assert table.put(RULES, table.of(RULES)) == RULES
    for at, entry in enumerate(table.of(RULES)):
        changed = tables.put_row(table, RULES, at, table.fields(entry))
        assert table.of(settings_of(changed))[at] is not None
        assert table.fields(table.of(changed)[at]) == table.fields(entry)
        assert len(table.of(tables.remove_row(table, RULES, at))) == len(table.of(RULES)) - 1


def settings_of(data: dict[str, Any]) -> dict[str, Any]:
    """The same after a way through TOML."""
    return msgspec.to_builtins(exporting.spare(exporting.imported(exporting.exported(settings.profile(data)))))


def test_a_row_can_be_moved_and_a_move_repeated_moves_nothing_more() -> None:
    table = BY_NAME["account"]
    moved = tables.move_row(table, RULES, 1, 0)
    assert [row["account"] for row in table.of(moved)] == ["given", "6300"]
    assert tables.move_row(table, RULES, 1, 0) == moved
    assert table.of(RULES)[0]["account"] == "6300", "what was given is not changed"


@pytest.mark.parametrize(
    ("table", "typed", "said"),
    [
        ("payment_terms", {"term": "30", "value": "x"}, "there already"),
        ("dimensions", {"label": "P", "value": "Z"}, "one of B"),
        ("gate", {"flow": "suppliers2", "free_max": "1"}, "one of"),
        ("gate", {"flow": "accounts", "free_max": "-1"}, "no share and no count"),
        ("gate", {"flow": "accounts", "change_share_max": "nan"}, "no share and no count"),
        ("account", {"account": "1", "parts": "B"}, "look like B=100"),
        ("subsidiaries", {"company": "", "value": "x"}, "missing"),
        ("subsidiaries", {"company": "\x1b[1m", "value": "x"}, "on one line"),
        ("subsidiaries", {"company": "c" * 501, "value": "x"}, "500 characters"),
    ],
)
def test_a_row_that_is_wrong_is_said(table: str, typed: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        tables.put_row(BY_NAME[table], RULES, None, typed)


def test_a_setting_that_nobody_knows_is_named() -> None:
    with pytest.raises(SettingsError, match="unknown field `freemax`"):
        settings.profile({"gate": {"suppliers": {"freemax": 1}}})
    with pytest.raises(SettingsError, match="missing required field `ifs`"):
        settings.connection({})


def test_an_address_of_alerts_is_told_but_not_shown() -> None:
    before = settings.profile({"alerts": {"webhook": "https://hooks.example.com/canary"}})
    told = differing.of_profiles(before, settings.profile({"alerts": {"webhook": "https://other.example.com/canary"}}))
    assert [one.name for one in told] == ["webhook"]
    assert "canary" not in str(told)


def test_rows_of_a_list_are_compared_as_rows() -> None:
    rows: list[dict[str, Any]] = [{"category": name, "account": "1"} for name in "ABCD"]
    two = rows[:1] + rows[2:]
    told = differing.told({"profile": {"posting": {"account": rows}}}, {"profile": {"posting": {"account": two}}})
    assert [(one.table, one.before, one.after) for one in told] == [("Accounts of lines", "category B, account 1", "")]


@pytest.mark.parametrize("text", ["a = [", "x = 1", "quiet_s = 'x'", "a." * 5000 + "b = 1", "\0", "x" * 2_000_000])
def test_a_text_that_is_no_profile_is_one_sentence(text: str) -> None:
    with pytest.raises(SettingsError):
        exporting.imported(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[gate.suppliers]\nchange_share_max = 7.0", "[gate.suppliers] change_share_max = 7 is no share; 0.2 is 20 %"),
        ("[gate.suppliers]\ndeactivate_share_max = nan", "deactivate_share_max = nan is no share"),
        ("[gate.suppliers]\nchange_share_max = -0.1", "change_share_max = -0.1 is no share"),
        ("[gate.suppliers]\nfree_max = -1", "free_max = -1 should be from 0 to 1,000,000 records"),
        ("quiet_s = 1e9", "quiet_s: expected a number of at most 600"),
        ("timeout_s = 0", "timeout_s: expected a number of at least 0.1"),
        ("timeout_s = nan", "timeout_s: expected a number of at least 0.1"),
        ("[ifs]\npage_rows = 0", "page_rows should be from 1 to 5000"),
        ("[ifs]\nparallel = 2.5", "ifs.parallel: should be a whole number"),
        ("[airbase]\npage_size = 100000000", "whole number from 1 to 10,000"),
        ("[airbase.vendors]\nbulk_max = 0", "whole number from 1 to 10,000"),
        ('[web.ifs]\nsuppliers = "javascript:alert(1)"', "[web.ifs] suppliers: 'javascript:alert(1)' is no address"),
        ('[web.ifs]\nsupliers = "https://erp.example.com/{key}"', "there is no flow 'supliers'"),
    ],
)
def test_a_number_or_an_address_that_can_mean_nothing_is_refused_in_words(text: str, said: str) -> None:
    ifs, airbase = settings.Ifs("https://a.ifs.cloud", "r", "c", ("10",)), settings.Airbase("https://api.airbase.io")
    with pytest.raises(SettingsError) as refused:
        read_all(settings.Connection(ifs, airbase, settings.profile(tomllib.loads(text))))
    assert said in str(refused.value)


@pytest.mark.parametrize("share", [0.0, 0.2, 1.0])
def test_a_share_is_from_none_to_all(share: float) -> None:
    told = settings.profile({"gate": {"suppliers": {"change_share_max": share, "free_max": 0}}})
    assert told.gate["suppliers"] == Gate(share, None, 0)


@pytest.mark.parametrize("requests_max", [0, -1, 10**9])
def test_requests_a_minute_are_at_least_one(requests_max: int) -> None:
    ifs = {"url": "https://a.ifs.cloud", "realm": "r", "client_id": "c", "companies": ["10"]}
    with pytest.raises(SettingsError, match="requests_max: expected a number of at"):
        settings.connection({"ifs": ifs, "airbase": {"url": "https://api.airbase.io", "requests_max": requests_max}})
