"""Differences that are planted in IFS are found, classed and located, and nothing else is reported.

Each is planted alone in the ledger and in the hold table, then all at once; what is left unexplained is exactly
what was planted.
"""

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import expected
import expected_ledger as ledger
import ledger_rig as rigs
import pytest
import tie_out_truth as truths
from ledger_rig import LedgerRig
from rig import sqlite_url
from tie_out_planting import PERIODS, PLACES, Posted, posted_world
from tie_out_truth import Doc

from ml_connector.compare.tieout.shapes import Kind, Line, Mirror, TieOut, Timing
from ml_connector.records.money import Money
from ml_connector.sandbox.posting import tamper
from ml_connector.sandbox.world import Key, World

MORE = Decimal(12)
NONE = Decimal(0)
Do = Callable[[World, Key, Doc], Any]


@dataclass(frozen=True)
class Plant:
    """Something that is wrong: how it is made so, what it has to be called, what it leaves unexplained."""

    kind: Kind
    do: Do
    left: Callable[[Doc], Decimal]


def whole(doc: Doc) -> Decimal:
    """All of it."""
    return doc.amount


def twice(doc: Doc) -> Decimal:
    """It is there once too often."""
    return -doc.amount


def recoded(values: dict[str, str]) -> Do:
    """A row that does not say what is owed has another account or code part."""
    return lambda world, key, doc: tamper.recode(world, key, 0 if doc.flow == "purchase_requests" else -1, values)


PLANTS = {
    "missing": Plant(Kind.MISSING, lambda world, key, _: tamper.lose(world, key), whole),
    "wrong amount": Plant(Kind.AMOUNT, lambda world, key, _: tamper.add(world, key, MORE), lambda _: -MORE),
    "wrong period": Plant(Kind.PERIOD, lambda world, key, doc: tamper.move(world, key, PERIODS[doc.period]), whole),
    "wrong account": Plant(Kind.ACCOUNT, recoded({"Account": "1510"}), lambda _: NONE),
    "wrong code part": Plant(Kind.ACCOUNT, recoded({"CodeD": "EAST"}), lambda _: NONE),
    "wrong supplier": Plant(Kind.PARTY, recoded({"PartyTypeId": "S-0"}), lambda _: NONE),
    "duplicate": Plant(Kind.DUPLICATE, lambda world, key, _: tamper.double(world, key), twice),
    "reversed": Plant(Kind.REVERSED, lambda world, key, doc: tamper.reverse(world, key, f"{doc.key}/R1"), whole),
    "reversed by a copy": Plant(Kind.REVERSED, lambda world, key, _: tamper.reverse(world, key), whole),
    "extra": Plant(Kind.EXTRA, lambda world, key, doc: tamper.stray(world, key, stray(doc)), twice),
}


def stray(doc: Doc) -> str:
    """A reference like ours, of a document that there never was."""
    return f"00000000-{doc.key[9:]}"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[Posted]:
    with posted_world(tmp_path_factory.mktemp("posted")) as made:
        yield made


@pytest.fixture
def posted(world: Posted) -> Generator[Posted]:
    yield world
    world.put_back()


def test_with_nothing_planted_nothing_differs(posted: Posted) -> None:
    assert all(len(docs) >= len(PLANTS) // 2 for docs in posted.docs.values())
    for period in PERIODS:
        found, _ = truths.tied(posted.joined, period)
        assert found.ties
        truths.assert_true(posted.joined, found, truths.truth(posted.joined, period))


@pytest.mark.parametrize("place", ["ledger", "hold"])
@pytest.mark.parametrize("name", PLANTS)
def test_one_difference_is_found_and_nothing_else(posted: Posted, name: str, place: str) -> None:
    planted, doc = PLANTS[name], posted.docs[place][sorted(PLANTS).index(name) % len(posted.docs[place])]
    key = posted.key(doc)
    planted.do(posted.joined.box.world, key, doc)
    found, lines = truths.tied(posted.joined, doc.period)
    assert not found.ties
    (line,) = found.differences
    assert_located(line, doc, planted, key, place)
    assert [one for one in lines if one.difference] == [line]
    assert_left(posted.joined, found, {doc.group: planted.left(doc)})
    assert_told(line)


def assert_located(line: Line, doc: Doc, planted: Plant, key: Key, place: str) -> None:
    """The line names the document, its class, and the voucher with its place."""
    assert line.difference == planted.kind, line
    assert line.key == (stray(doc) if planted.kind is Kind.EXTRA else doc.key)
    assert (line.company, line.currency, line.period) == (*doc.group, doc.period)
    made = planted.kind in (Kind.DUPLICATE, Kind.REVERSED, Kind.EXTRA)  # by a voucher of its own, whose number is new
    named = "/".join(str(part) for part in key)
    assert line.target_id == named or (made and line.target_id.rpartition("/")[0] == named.rpartition("/")[0])
    assert line.place == ("" if planted.kind is Kind.MISSING else place)
    if planted.kind is Kind.AMOUNT:
        assert (line.amount, line.ifs_amount) == (doc.amount, doc.amount + MORE)


def assert_left(joined: LedgerRig, found: TieOut, left: dict[tuple[str, str], Decimal]) -> None:
    """What each side says is true; what is unexplained is what was planted."""
    true = truths.truth(joined, found.period)
    for total in found.totals:
        group = total.company, total.currency
        assert total.unexplained == left.get(group, NONE), total
        assert truths.pair(total.read) == (true[group].read.count, true[group].read.amount)
        assert (total.ledger.amount, total.hold.amount) == tuple(true[group].in_ifs.get(at, NONE) for at in PLACES)
        truths.assert_adds_up(total)
    assert left.keys() <= {(one.company, one.currency) for one in found.totals}


def assert_told(line: Line) -> None:
    """A controller is told which, where and what to do."""
    assert line.reason.strip()
    assert line.remedy.strip()
    assert line.company in line.reason or line.target_id in line.reason, line.reason


def plant(posted: Posted, names: Iterable[str]) -> dict[str, Kind]:
    """Plant each with a document of its own; what has to be found, by key."""
    chosen = [(name, posted.docs[PLACES[at % 2]][at // 2]) for at, name in enumerate(names)]
    for name, doc, key in [(name, doc, posted.key(doc)) for name, doc in chosen]:
        PLANTS[name].do(posted.joined.box.world, key, doc)
    return {stray(doc) if name == "extra" else doc.key: PLANTS[name].kind for name, doc in chosen}


def told(joined: LedgerRig) -> dict[str, str]:
    """The differences of all periods, by key."""
    found = [truths.tied(joined, period)[0] for period in PERIODS]
    for total in (total for one in found for total in one.totals):
        truths.assert_adds_up(total)
    return {line.key: line.difference for one in found for line in one.differences}


def test_all_at_once_each_is_found(posted: Posted) -> None:
    wanted = plant(posted, PLANTS)
    assert told(posted.joined) == wanted


def test_a_store_that_remembers_nothing_finds_the_same(posted: Posted, tmp_path: Path) -> None:
    """All but what is missing: that is only not posted yet, to who does not know that it was."""
    wanted = plant(posted, [name for name in PLANTS if name != "missing"])
    with rigs.joined_again(posted.joined, sqlite_url(tmp_path)) as other:
        assert told(other) == wanted


def test_a_voucher_in_another_period_is_told_in_both(posted: Posted) -> None:
    doc = posted.docs["ledger"][0]
    tamper.move(posted.joined.box.world, posted.key(doc), PERIODS[doc.period])
    other = next(period for period in PERIODS if period != doc.period)
    found, _ = truths.tied(posted.joined, other)
    assert_left(posted.joined, found, {doc.group: -doc.amount})


@pytest.mark.parametrize("place", PLACES)
def test_an_extra_voucher_that_was_taken_back_is_no_difference(posted: Posted, place: str) -> None:
    doc, box = posted.docs[place][1], posted.joined.box
    made = tamper.stray(box.world, posted.key(doc), stray(doc))
    tamper.reverse(box.world, made, f"{stray(doc)}/R1")
    found, _ = truths.tied(posted.joined, doc.period)
    assert found.ties
    assert_left(posted.joined, found, {})


def test_what_is_in_the_hold_table_is_a_matter_of_time(posted: Posted) -> None:
    for period in PERIODS:
        found, _ = truths.tied(posted.joined, period)
        waiting = {line.key for line in found.timing if line.timing == Timing.IN_HOLD}
        assert waiting == {doc.key for doc in posted.docs["hold"] if doc.period == period}
        assert found.ties
    posted.joined.post_in_ifs()
    for period in PERIODS:
        found, _ = truths.tied(posted.joined, period)
        assert found.timing == ()
        assert all(truths.pair(one.hold) == (0, 0) for one in found.totals)


@pytest.mark.parametrize("place", PLACES)
def test_a_voucher_in_another_currency_is_told_in_both(posted: Posted, place: str) -> None:
    doc, world = posted.docs[place][2], posted.joined.box.world
    key = posted.key(doc)
    rows = sum(ledger.ours(posted.joined.box)[doc.key][0].rows.values())
    for row in range(rows):
        tamper.recode(world, key, row, {"CurrencyCode": "CHF"})
    found, _ = truths.tied(posted.joined, doc.period)
    own, other = sorted(found.differences, key=lambda line: line.currency != doc.group[1])
    assert [(line.difference, line.key) for line in (own, other)] == [(Kind.CURRENCY, doc.key)] * 2
    assert (own.currency, own.amount, other.currency, other.amount) == (doc.group[1], doc.amount, "CHF", NONE)
    assert_left(posted.joined, found, {doc.group: doc.amount, (doc.group[0], "CHF"): -(other.ifs_amount or NONE)})
    for line in (own, other):
        assert str(Money(doc.amount, doc.group[1])) in line.reason
        assert str(Money(other.ifs_amount or NONE, "CHF")) in line.reason


@pytest.mark.parametrize("place", PLACES)
def test_another_day_of_the_same_period_is_told_but_differs_in_no_figure(posted: Posted, place: str) -> None:
    doc = posted.docs[place][3]
    day = date.fromisoformat(f"{doc.period}-28")
    tamper.move(posted.joined.box.world, posted.key(doc), day)
    found, _ = truths.tied(posted.joined, doc.period)
    assert found.ties
    (line,) = (line for line in found.timing if line.timing == Timing.DAY)
    assert (line.key, line.ifs_period) == (doc.key, doc.period)
    assert day.isoformat() in line.reason
    truths.assert_true(posted.joined, found, truths.truth(posted.joined, doc.period))


def test_two_differences_that_cancel_each_other_out_are_two(posted: Posted) -> None:
    one, other = same_group(posted)
    tamper.add(posted.joined.box.world, posted.key(one), MORE)
    tamper.add(posted.joined.box.world, posted.key(other), -MORE)
    found, _ = truths.tied(posted.joined, one.period)
    assert {(line.key, line.difference) for line in found.differences} == {
        (one.key, Kind.AMOUNT),
        (other.key, Kind.AMOUNT),
    }
    assert not found.ties
    assert all(not total.unexplained for total in found.totals)


def same_group(posted: Posted) -> tuple[Doc, Doc]:
    """Two documents of one company, currency and period."""
    docs = [doc for several in posted.docs.values() for doc in several]
    pairs = ((a, b) for a in docs for b in docs if a.key < b.key and (a.group, a.period) == (b.group, b.period))
    return next(pairs)


def suppliers(joined: LedgerRig) -> Mirror:
    """Suppliers on both sides."""
    found, _ = truths.tied(joined, "2026-02")
    return next(one for one in found.mirrors if one.flow == "suppliers")


def test_master_data_is_counted_and_digested_on_both_sides(posted: Posted) -> None:
    joined = posted.joined
    wanted = expected.vendors(joined.box, joined.today())
    before = suppliers(joined)
    assert (before.equal, before.target) == (len(wanted), len(joined.box.airbase_rows("vendors")))
    assert (before.differing, before.missing, before.extra) == (0, 0, 0)
    assert before.source_digest == before.target_digest
    renamed, gone = sorted(joined.box.airbase_rows("vendors"), key=lambda row: row["erp_reference_id"])[:2]
    joined.edit("update", "vendors", renamed["id"], name="Somebody Else")
    one = suppliers(joined)
    assert (one.differing, one.missing, one.extra) == (1, 0, 0)
    assert [line.key for line in one.differences] == [renamed["erp_reference_id"]]
    assert (one.source_digest, one.target_digest != before.target_digest) == (before.source_digest, True)
    joined.edit("update", "vendors", renamed["id"], name=renamed["name"])
    assert suppliers(joined) == before
    joined.edit("delete", "vendors", gone["id"])
    without = suppliers(joined)
    assert (without.equal, without.target) == (before.equal - 1, before.target - 1)
    assert without.held + without.missing == 1
    joined.edit("create", "vendors", "", **gone)
