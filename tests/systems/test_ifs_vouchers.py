"""Landings, references, texts and what stands: the parts of posting that need no server."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_connector.errors import SettingsError
from ml_connector.records.voucher import Voucher, VoucherRow, balance, company_balance
from ml_connector.sync.plan import same
from ml_connector.systems.ifs.odata.batch import pack
from ml_connector.systems.ifs.odata.writes import Insert
from ml_connector.systems.ifs.vouchers import compose, texts
from ml_connector.systems.ifs.vouchers.changesets import BATCH_MAX, Changeset, batches
from ml_connector.systems.ifs.vouchers.compose import Posting
from ml_connector.systems.ifs.vouchers.landing import Landing, landing
from ml_connector.systems.ifs.vouchers.references import REFERENCE_MAX, Reference, fits, read, usable
from ml_connector.systems.ifs.vouchers.standing import Amend, Post, Posted, Reverse, Step, standing

DAY = date(2026, 7, 1)
LANDINGS = {
    "external": Landing(),
    "file": Landing("file", folder="x"),
    "file with references": Landing("file", folder="x", layout={"serie": 40, "reference": 41, "party": 42}),
}


# Landings


def test_a_landing_has_defaults() -> None:
    assert landing({}) == Landing()
    assert landing({"kind": "manual"}).voucher_type("10") == "M"
    assert landing({}).voucher_type("10") == ""
    typed = landing({"voucher_types": {"*": "X", "20": "Y"}})
    assert (typed.voucher_type("10"), typed.voucher_type("20")) == ("X", "Y")


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({"knd": "file"}, r"posting\.landing\.knd is not known; nearest: kind"),
        ({"kind": "fax"}, r"posting\.landing: .*kind"),
        ({"kind": "file"}, r"posting\.landing\.folder is needed"),
        ({"kind": "file", "folder": "x"}, r"folder should be a full path"),
        ({"kind": "file", "folder": "/x", "layout": {"txt": 3}}, r"layout\.txt is not known; nearest: text"),
        ({"layout": {"text": 2}}, r"layout\.text: column 2 holds account already"),
        ({"layout": {"text": -1}}, r"layout\.text should be from 0"),
        ({"layout": {"serie": 50}}, r"layout\.serie is of use only beside"),
        ({"separator": ";;"}, r"posting\.landing\.separator"),
        ({"separator": "."}, r"posting\.landing\.separator"),
        ({"separator": " "}, r"posting\.landing\.separator"),
        ({"rows_max": 1}, r"posting\.landing\.rows_max should be from 2"),
        ({"vouchers_per_load": 0}, r"posting\.landing\.vouchers_per_load should be from 1"),
        ({"rows_max": "many"}, r"posting\.landing: .*rows_max"),
        ({"load_type": ""}, r"posting\.landing\.load_type"),
        ({"user_group": "a\nb"}, r"posting\.landing\.user_group"),
        ({"serie": "A B"}, r"posting\.landing\.serie"),
        ({"voucher_types": {"10": "LONG"}}, r"posting\.landing\.voucher_types\.10"),
        ({"kind": "manual", "voucher_types": {"10": ""}}, r"posting\.landing\.voucher_types\.10"),
    ],
)
def test_a_mistake_in_a_landing_is_named(raw: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        landing(raw)


# References


@given(st.from_regex(r"[A-Za-z0-9_/-]{1,40}", fullmatch=True), st.integers(1, 99), st.booleans())
def test_a_reference_is_read_as_it_was_written(key: str, version: int, reversal: bool) -> None:
    reference = Reference(key, version, reversal)
    if usable(key):
        assert read(reference.text) == reference
        assert fits(reference) == (len(reference.text) <= REFERENCE_MAX)
    else:
        assert not fits(reference)


@given(st.text(min_size=1, max_size=60))
def test_no_text_is_two_references(text: str) -> None:
    assert read(text).text == text


@pytest.mark.parametrize("key", ["", "A/2", "A/R1", "two words", "a\nb", "tab\t"])
def test_keys_that_would_be_misread_are_not_usable(key: str) -> None:
    assert not usable(key)


# Texts


_TEXT = st.text(max_size=260) | st.sampled_from(["x (dated 2026-01-01)", "(dated 2026-01-01)", "x (dated 2026-99-01)"])
_DAYS = st.dates(date(2020, 1, 1), date(2030, 12, 31))


@given(_TEXT, _DAYS, _DAYS, st.booleans())
def test_a_text_brings_the_documents_own_day_back(text: str, dated_on: date, on: date, prefixed: bool) -> None:
    head = texts.cut(texts.clean(text), texts.head_max(prefixed=prefixed)) or "?"
    written = texts.dated(head, dated_on, on)
    assert texts.undated(written, on) == (head, dated_on)
    assert len(written) <= texts.row_max(prefixed=prefixed)


@given(_TEXT)
def test_clean_texts_are_one_line_and_stay_as_they_are(text: str) -> None:
    found = texts.clean(text, ";")
    assert found == texts.clean(found, ";") == found.strip()
    assert len(found.splitlines()) <= 1
    assert ";" not in found
    found.encode()


# Vouchers


_AMOUNTS = st.decimals("-1e20", "1e20", places=9)


@st.composite
def vouchers(draw: st.DrawFn) -> Voucher:
    rows = [
        VoucherRow(
            draw(st.text(max_size=8)),
            draw(st.sampled_from(["EUR", "USD"])),
            draw(_AMOUNTS),
            draw(_AMOUNTS),
            draw(st.sampled_from([(), (("B", "1"), ("D", "")), (("F", " x "), ("B", "1"))])),
            draw(_TEXT),
            draw(st.sampled_from(["", "S-1"])),
        )
        for _ in range(draw(st.integers(0, 3)))
    ]
    return Voucher("10", draw(_DAYS), draw(_TEXT), tuple(rows), "X", "AC", draw(_TEXT))


@pytest.mark.parametrize("name", LANDINGS)
@given(wanted=vouchers())
def test_trimming_twice_is_trimming_once(name: str, wanted: Voucher) -> None:
    once = compose.trim(wanted, LANDINGS[name])
    assert compose.trim(once, LANDINGS[name]) == once
    assert [row.amount for row in once.rows] == [row.amount for row in wanted.rows]


@pytest.mark.parametrize("name", LANDINGS)
@given(wanted=vouchers(), on=_DAYS)
def test_what_is_written_reads_as_what_was_trimmed(name: str, wanted: Voucher, on: date) -> None:
    form = LANDINGS[name]
    trimmed = compose.trim(wanted, form)
    if not trimmed.rows:
        return
    reference = Reference("K" * 46, 12)
    rows = compose.hold_rows(Posting(reference, trimmed, on), form)
    assert all(len(row.get("text", "")) <= texts.TEXT_MAX for row in rows)
    prefix = "" if form.refers else f"{reference.text} "
    assert same(compose.voucher_of("10", on, rows, prefix=prefix), trimmed)


@given(wanted=vouchers())
def test_a_reversal_takes_everything_back(wanted: Voucher) -> None:
    trimmed = compose.trim(wanted, Landing())
    back = compose.reversed_(trimmed, Landing())
    both = (*trimmed.rows, *back.rows)
    assert balance(both) == {}
    assert company_balance(both) == 0
    assert [(row.account, row.parts) for row in back.rows] == [(row.account, row.parts) for row in trimmed.rows]


# What stands


def voucher(amount: int, company: str = "10") -> Voucher:
    rows = (
        VoucherRow("6110", "EUR", Decimal(amount), Decimal(amount), (), "T"),
        VoucherRow("1930", "EUR", Decimal(-amount), Decimal(-amount), (), "T"),
    )
    return Voucher(company, DAY, "T", rows if amount else ())


def carried_out(there: Sequence[Posted], steps: Sequence[Step], wanted: Voucher) -> list[Posted]:
    after = list(there)
    for number, step in enumerate(steps):
        if isinstance(step, Amend):
            after[after.index(step.posted)] = Posted(step.posted.reference, "hold", step.posted.target_id, wanted, DAY)
        else:
            made = wanted if isinstance(step, Post) else compose.reversed_(step.posted.voucher, Landing())
            after.append(Posted(step.reference, "hold", f"new/{len(there)}/{number}", made, DAY))
    return after


@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["10", "20"]), st.booleans()), min_size=1, max_size=7),
    st.data(),
)
def test_from_any_history_the_steps_lead_to_what_is_wanted(
    history: list[tuple[int, str, bool]], data: st.DataObject
) -> None:
    """Also when any part of the steps before was lost."""
    there: list[Posted] = []
    for amount, company, moves in history:
        wanted = voucher(amount, company)
        steps = standing("K", there).steps(wanted, DAY)
        assert len({step.reference for step in steps if not isinstance(step, Amend)}) == len(
            [step for step in steps if not isinstance(step, Amend)]
        )
        kept = [step for step in steps if data.draw(st.booleans())]
        there = carried_out(there, kept, wanted)
        if moves:
            there = [Posted(one.reference, "ledger", one.target_id, one.voucher, one.on) for one in there]
        lost = len(kept) < len(steps)
        found = standing("K", there).found()
        if lost and found:
            assert not same(found[0].record, wanted) or not standing("K", there).steps(wanted, DAY)
        whole = carried_out(there, standing("K", there).steps(wanted, DAY), wanted)
        after = standing("K", whole)
        assert [one.voucher for one in after.live] == ([wanted] if wanted.rows else [])
        assert after.steps(wanted, DAY) == ()
        assert not after.doubles
    assert len({one.reference for one in there}) == len(there)


def test_a_voucher_in_the_ledger_is_never_amended() -> None:
    there = [Posted(Reference("K"), "ledger", "10/X/2026/1", voucher(1), DAY)]
    assert [type(step) for step in standing("K", there).steps(voucher(2), DAY)] == [Reverse, Post]
    held = [Posted(Reference("K"), "hold", "10/X/2026/1", voucher(1), DAY)]
    assert [type(step) for step in standing("K", held).steps(voucher(2), DAY)] == [Amend]
    assert [type(step) for step in standing("K", held).steps(voucher(2), DAY, in_place=False)] == [Reverse, Post]


# Batches


@given(st.lists(st.integers(1, 300), max_size=30))
def test_changesets_stay_whole_and_in_order(sizes: list[int]) -> None:
    sets = [Changeset(str(n), (Insert("/a", {}),) * size) for n, size in enumerate(sizes)]
    packed = list(batches(sets))
    assert [one for stretch in packed for one in stretch] == sets
    for stretch in packed:
        assert sum(len(one.changes) for one in stretch) <= BATCH_MAX or len(stretch) == 1


def test_children_refer_to_their_own_changeset() -> None:
    sets = [[Insert("/v", {}).request(), Insert("$1/Rows", {}).request()] for _ in range(2)]
    body = pack(sets).body.decode()
    for line in ("POST $1/Rows HTTP/1.1", "POST $3/Rows HTTP/1.1", "Content-ID: 4"):
        assert line in body
    with pytest.raises(ValueError, match="a child comes after"):
        pack([[Insert("$1/Rows", {}).request()]])
