"""Differences that are planted in IFS are found, classed and located, and nothing else is reported.

Each is planted alone in the ledger and in the hold table, then all at once; what is left unexplained is exactly
what was planted.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import expected_ledger as ledger
import ledger_rig as rigs
import pytest
import tie_out_truth as truths
from ledger_rig import LedgerRig, ledger_rig
from rig import sqlite_url
from tie_out_truth import Doc

from ml_connector.compare.tieout.shapes import Kind, Line, TieOut, Timing
from ml_connector.sandbox.posting import tamper
from ml_connector.sandbox.world import Key, World

PERIODS = {"2026-02": date(2026, 3, 17), "2026-03": date(2026, 2, 17)}  # and a day of another one
TABLES = ("HoldVoucherSet", "HoldVoucherRowSet", "GenLedVoucherSet", "VoucherRowSet")
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
    "duplicate": Plant(Kind.DUPLICATE, lambda world, key, _: tamper.double(world, key), twice),
    "reversed": Plant(Kind.REVERSED, lambda world, key, doc: tamper.reverse(world, key, f"{doc.key}/R1"), whole),
    "reversed by a copy": Plant(Kind.REVERSED, lambda world, key, _: tamper.reverse(world, key), whole),
    "extra": Plant(Kind.EXTRA, lambda world, key, doc: tamper.stray(world, key, stray(doc)), twice),
}


def stray(doc: Doc) -> str:
    """A reference like ours, of a document that there never was."""
    return f"00000000-{doc.key[9:]}"


@dataclass
class Posted:
    """A world in which all is posted, some of it still in the hold table; it can be put back as it was."""

    joined: LedgerRig
    docs: dict[str, list[Doc]]  # by place
    kept: dict[str, list[Any]]

    def put_back(self) -> None:
        """Undo whatever happened to vouchers."""
        world = self.joined.box.world
        for name, rows in self.kept.items():
            table = world.tables[name]
            world.unload(name, [tuple(row[at] for at in table.key_at) for row in world.heap(name)])
            world.load(name, rows)

    def key(self, doc: Doc) -> Key:
        """The voucher of a document."""
        (one,) = ledger.ours(self.joined.box)[doc.key]
        return tuple(one.voucher[name] for name in ("company", "type", "year", "no"))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[Posted]:
    folder = tmp_path_factory.mktemp("posted")
    options = rigs.plain_world(requests=14, payments=12, seed=2, from_date="2026-02-02", to_date="2026-03-27")
    with ledger_rig(sqlite_url(folder), options, folder) as joined:
        joined.done()
        joined.box.ledger.approve()
        held = sorted(tuple(row[name] for name in KEY) for row in joined.box.world.rows("HoldVoucherSet"))
        joined.box.ledger.update_gl(keys=held[::2])
        yield Posted(joined, by_place(joined), {name: kept(joined.box.world, name) for name in TABLES})


KEY = ("Company", "VoucherType", "AccountingYear", "VoucherNo")


def kept(world: World, name: str) -> list[Any]:
    """The rows of a table as they are loaded."""
    return [list(row[: world.tables[name].stamp_at + 1]) for row in world.heap(name)]


def by_place(joined: LedgerRig) -> dict[str, list[Doc]]:
    """The documents by where their vouchers lie."""
    there = ledger.ours(joined.box)
    found: dict[str, list[Doc]] = {"ledger": [], "hold": []}
    for doc in truths.documents(joined):
        if doc.state == "posted" and not doc.period.endswith("-04"):
            found[there[doc.key][0].place].append(doc)
    return found


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
    plant, doc = PLANTS[name], posted.docs[place][sorted(PLANTS).index(name) % len(posted.docs[place])]
    key = posted.key(doc)
    plant.do(posted.joined.box.world, key, doc)
    found, lines = truths.tied(posted.joined, doc.period)
    assert not found.ties
    (line,) = found.differences
    assert_located(line, doc, plant, key, place)
    assert [one for one in lines if one.difference] == [line]
    assert_left(posted.joined, found, {doc.group: plant.left(doc)})
    assert_told(line)


def assert_located(line: Line, doc: Doc, plant: Plant, key: Key, place: str) -> None:
    """The line names the document, its class, and the voucher with its place."""
    assert line.difference == plant.kind, line
    assert line.key == (stray(doc) if plant.kind is Kind.EXTRA else doc.key)
    assert (line.company, line.currency, line.period) == (*doc.group, doc.period)
    made = plant.kind in (Kind.DUPLICATE, Kind.REVERSED, Kind.EXTRA)  # by a voucher of its own, whose number is new
    named = "/".join(str(part) for part in key)
    assert line.target_id == named or (made and line.target_id.rpartition("/")[0] == named.rpartition("/")[0])
    assert line.place == ("" if plant.kind is Kind.MISSING else place)
    if plant.kind is Kind.AMOUNT:
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


PLACES = ("ledger", "hold")


def assert_told(line: Line) -> None:
    """A controller is told which, where and what to do."""
    assert line.reason.strip()
    assert line.remedy.strip()
    assert line.company in line.reason or line.target_id in line.reason, line.reason


def test_all_at_once_each_is_found(posted: Posted) -> None:
    wanted: dict[str, Kind] = {}
    docs = [posted.docs[PLACES[at % 2]][at // 2] for at in range(len(PLANTS))]
    for (name, plant), doc, key in zip(PLANTS.items(), docs, [posted.key(doc) for doc in docs], strict=True):
        plant.do(posted.joined.box.world, key, doc)
        wanted[stray(doc) if name == "extra" else doc.key] = plant.kind
    found = [truths.tied(posted.joined, period)[0] for period in PERIODS]
    told = [(line.key, line.difference) for one in found for line in one.differences if line.state or not line.flow]
    assert sorted(told) == sorted(wanted.items())
    for one in found:
        for total in one.totals:
            truths.assert_adds_up(total)


def test_a_voucher_in_another_period_is_told_in_both(posted: Posted) -> None:
    doc = posted.docs["ledger"][0]
    tamper.move(posted.joined.box.world, posted.key(doc), PERIODS[doc.period])
    other = next(period for period in PERIODS if period != doc.period)
    found, _ = truths.tied(posted.joined, other)
    assert_left(posted.joined, found, {doc.group: -doc.amount})


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


def test_a_code_is_not_hidden_by_another_difference(posted: Posted) -> None:
    """Two differences that cancel each other out are two."""
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
