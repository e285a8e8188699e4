"""Whatever is done to vouchers, at random and several times over: each document that it makes wrong is found, no other.

Whatever goes wrong while both sides are read: what is said is the same, or nothing is said.

A document is right when its vouchers, by company and period, come to its rows where it belongs, to nothing elsewhere.
"""

from collections import defaultdict
from collections.abc import Callable, Generator
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from typing import Any

import expected_ledger as ledger
import msgspec
import pytest
import tie_out_truth as truths
from tie_out_planting import PERIODS, Posted, key_of, posted_world
from tie_out_truth import Doc

from ml_connector.compare.tieout.shapes import Line, TieOut
from ml_connector.errors import RemoteError
from ml_connector.sandbox.faults import Fault
from ml_connector.sandbox.posting import tamper
from ml_connector.sandbox.world import Key

Do = Callable[[Random, Posted, Key, Doc], Any]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[Posted]:
    with posted_world(tmp_path_factory.mktemp("posted")) as made:
        yield made


def lose(_: Random, posted: Posted, key: Key, __: Doc) -> None:
    """It is gone."""
    tamper.lose(posted.joined.box.world, key)


def add(rng: Random, posted: Posted, key: Key, _: Doc) -> None:
    """It is larger, or smaller."""
    tamper.add(posted.joined.box.world, key, Decimal(rng.choice((5, -1))))


def move(rng: Random, posted: Posted, key: Key, _: Doc) -> None:
    """It has another day, maybe of another period."""
    tamper.move(posted.joined.box.world, key, rng.choice(list(PERIODS.values())))


def number(rng: Random, posted: Posted, key: Key, _: Doc) -> None:
    """It has the number of another period than that of its day."""
    one = next(one for one in ledger.every(posted.joined.box) if key_of(one) == key)
    tamper.move(posted.joined.box.world, key, one.voucher["date"], rng.choice((2, 3, 13)))


def recode(rng: Random, posted: Posted, key: Key, _: Doc) -> None:
    """A row has another account or code part."""
    tamper.recode(posted.joined.box.world, key, 0, rng.choice(({"Account": "1510"}, {"CodeD": "EAST"})))


def exchange(_: Random, posted: Posted, key: Key, __: Doc) -> None:
    """It is in another currency."""
    (one,) = (one for one in ledger.every(posted.joined.box) if key_of(one) == key)
    for row in range(sum(one.rows.values())):
        tamper.recode(posted.joined.box.world, key, row, {"CurrencyCode": "CHF"})


def double(_: Random, posted: Posted, key: Key, __: Doc) -> None:
    """It is there once more."""
    tamper.double(posted.joined.box.world, key)


def reverse(rng: Random, posted: Posted, key: Key, doc: Doc) -> None:
    """It is taken back, under one reference or another."""
    tamper.reverse(posted.joined.box.world, key, rng.choice((None, f"{doc.key}/R1", f"{doc.key}/R2")))


def again(_: Random, posted: Posted, key: Key, doc: Doc) -> None:
    """It is posted once more, as if it had been corrected."""
    tamper.stray(posted.joined.box.world, key, f"{doc.key}/2")


def confuse(rng: Random, posted: Posted, key: Key, _: Doc) -> None:
    """It is there once more, with the reference of another document."""
    docs = [doc for several in posted.docs.values() for doc in several]
    tamper.stray(posted.joined.box.world, key, rng.choice(docs).key)


FAULTS: tuple[Any, ...] = (
    *("reset_before", "reset_after", "truncated", "truncated_json", "malformed_json", "html", "wrong_shape"),
    *("duplicate_rows", "token_revoked", "status"),
)
ALL: tuple[Do, ...] = (lose, add, move, number, recode, exchange, double, reverse, again, confuse)


@pytest.mark.parametrize("seed", [*range(6), *(pytest.param(one, marks=pytest.mark.thorough) for one in range(6, 100))])
def test_whatever_is_done_to_vouchers_is_found_and_nothing_else(world: Posted, seed: int) -> None:
    rng = Random(seed)
    try:
        for _ in range(rng.randint(1, 6)):
            tampered(rng, world)
        found = [truths.tied(world.joined, period)[0] for period in PERIODS]
        assert {line.key for one in found for line in one.differences} == wrong(world)
        for total in (total for one in found for total in one.totals):
            truths.assert_adds_up(total)
    finally:
        world.put_back()


@pytest.mark.parametrize("seed", [*range(5), *(pytest.param(one, marks=pytest.mark.thorough) for one in range(5, 60))])
def test_in_trouble_it_says_the_same_or_nothing(world: Posted, seed: int) -> None:
    rng, box = Random(seed), world.joined.box
    period = rng.choice(list(PERIODS))
    tampered(rng, world)
    try:
        before = said(world, period)
        for _ in range(rng.randint(1, 4)):
            box.faults.add(fault(rng))
        with suppress(RemoteError):
            assert said(world, period) == before
    finally:
        box.faults.clear()
        world.put_back()


def said(world: Posted, period: str) -> tuple[TieOut, list[Line]]:
    """All that a tie-out says, but for when it was made."""
    found, lines = truths.tied(world.joined, period)
    return msgspec.structs.replace(found, made_at=datetime.min.replace(tzinfo=UTC)), lines


def fault(rng: Random) -> Fault:
    """Some trouble with some of the answers."""
    kind, status = rng.choice(FAULTS), rng.choice((429, 500, 503, 504))
    place: dict[str, Any] = {
        "site": rng.choice(("ifs", "airbase")),
        "count": rng.randint(1, 3),
        "after": rng.randint(0, 30),
    }
    return Fault(kind, **place, options={"status": status} if kind == "status" else {})


def tampered(rng: Random, world: Posted) -> None:
    """Do something to one of a document's vouchers, if it still has one."""
    docs = [doc for several in world.docs.values() for doc in several]
    doc, do = rng.choice(docs[: rng.choice((6, len(docs)))]), rng.choice(ALL)
    keys = [key_of(one) for one in ledger.every(world.joined.box) if one.key == doc.key]
    if keys:
        do(rng, world, rng.choice(keys), doc)


def wrong(world: Posted) -> set[str]:
    """The documents that are not as they should be, worked out from all vouchers alone."""
    there: dict[str, dict[Any, list[ledger.Standing]]] = defaultdict(lambda: defaultdict(list))
    for one in ledger.every(world.joined.box):
        period = f"{one.voucher['year']}-{one.voucher['period']:02d}"
        there[one.key][one.voucher["company"], period].append(one)
    wanted = {key: one for flow in world.joined.flows for key, one in world.joined.wanted(flow).items()}
    docs = [doc for doc in truths.documents(world.joined) if doc.state == "posted"]
    return {doc.key for doc in docs if nets(there[doc.key]) != place(doc, wanted[doc.key])}


def nets(there: dict[Any, list[ledger.Standing]]) -> dict[Any, Any]:
    """What vouchers come to, by company and period."""
    return {place: net for place, several in there.items() if (net := ledger.net(several))}


def place(doc: Doc, wanted: ledger.Outcome) -> dict[Any, Any]:
    """The same of what should be there."""
    return {(doc.group[0], doc.period): ledger.net_rows(wanted.rows.elements())}
