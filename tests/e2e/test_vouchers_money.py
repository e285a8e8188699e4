"""Money from end to end: amounts of up to 30 digits come out of IFS exactly as Airbase wrote them, by each landing."""

import random
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import expected_ledger as ledger
import ledger_rig as rigs
import pytest
from ledger_rig import Kind, LedgerRig, ledger_rig
from rig import sqlite_url

DIGITS_MAX = 30
HOME = {"SUB-10": "EUR", "SUB-20": "USD"}


def amount(rng: random.Random, currency: str, digits: int) -> Decimal:
    """An amount with exactly this many digits, the last one never zero."""
    number = rng.randrange(10 ** (digits - 1), 10**digits) // 10 * 10 + rng.randrange(1, 10)
    return Decimal(number).scaleb(-ledger.DECIMALS.get(currency, 2), ledger.EXACT)


def money(value: Decimal, currency: str) -> dict[str, Any]:
    return {"amount": f"{value:f}", "currency": {"iso_code": currency}}


def request(rng: random.Random, number: int, digits: int) -> dict[str, Any]:
    """A request over two lines that add up, in the company's currency or another one."""
    subsidiary = rng.choice(sorted(HOME))
    currency = rng.choice(["EUR", "USD", "JPY", "KWD"])
    total = amount(rng, currency, digits)
    first = ledger.rounded(ledger.EXACT.divide(total, Decimal(3)), currency)
    tag = {"erp_reference_id": "100", "type_label": "department", "name": "Administration"}
    parts = (first, ledger.less(total, first))
    own = total if currency == HOME[subsidiary] else amount(rng, HOME[subsidiary], digits)
    return {
        "number": f"PR-{number}",
        "vendor": None,
        "subsidiary": {"erp_reference_id": subsidiary, "name": subsidiary},
        "currency": {"iso_code": currency},
        "total_amount": f"{total:f}",
        "subsidiary_amount": money(own, HOME[subsidiary]),
        "exchange_rate": None,
        "category": "Rent",
        "lines": [
            {
                "line_number": at,
                "account": None,
                "amount": f"{part:f}",
                "tags": [tag],
                "description": "",
                "category": None,
            }
            for at, part in enumerate(parts, 1)
        ],
        "tags": [],
    }


def enter(joined: LedgerRig, documents: Iterable[dict[str, Any]]) -> None:
    for fields in documents:
        joined.edit("create", "purchase_requests", "", **fields)


@pytest.mark.parametrize(("any_store", "landing"), rigs.STORES_AND_LANDINGS, indirect=["any_store"])
def test_thirty_digits_arrive_and_come_back(any_store: str, tmp_path: Path, landing: Kind) -> None:
    rules = rigs.posting(amount_max={})
    with ledger_rig(any_store, rigs.plain_world(), tmp_path, rules, landing=landing) as joined:
        rng = random.Random(7)
        enter(joined, (request(rng, at, digits) for at, digits in enumerate((4, 9, 17, 28, 29, *[DIGITS_MAX] * 20))))
        joined.done()
        wanted = joined.wanted("purchase_requests")
        assert {one.state for one in wanted.values()} == {"posted"}, joined.held("purchase_requests")
        rigs.assert_rows(wanted, ledger.ours(joined.box))
        rigs.assert_totals(joined, ["purchase_requests"])
        long = max(len(row.amount.as_tuple().digits) for one in wanted.values() for row in one.rows)
        assert long == DIGITS_MAX
        rigs.assert_quiet(joined, census=True)
        (tmp_path / "new").mkdir()
        with rigs.joined_again(joined, sqlite_url(tmp_path / "new")) as other:
            assert other.run()["purchase_requests"].adopted == len(wanted)  # read back, they are the same
            rigs.assert_quiet(other)


def test_no_amount_is_a_number_in_json(tmp_path: Path) -> None:
    """What goes to IFS is text, so that nothing on the way can round it."""
    with ledger_rig(sqlite_url(tmp_path), rigs.plain_world(), tmp_path, rigs.posting(amount_max={})) as joined:
        enter(joined, [request(random.Random(3), 1, DIGITS_MAX)])
        joined.run()
        amounts = [row for several in ledger.ours(joined.box).values() for one in several for row in one.rows]
        assert amounts
        assert all(isinstance(row.amount, Decimal) for row in amounts)


def test_an_amount_that_no_ledger_takes_is_held(tmp_path: Path) -> None:
    """Beyond what can be exact there is a sentence, and the rest goes on."""
    with ledger_rig(sqlite_url(tmp_path), rigs.plain_world(), tmp_path, rigs.posting(amount_max={})) as joined:
        rng = random.Random(11)
        enter(joined, [request(rng, 1, 12), request(rng, 2, 90), request(rng, 3, 13)])
        joined.run()
        held = joined.held("purchase_requests")
        assert len(held) == 1
        assert len(joined.links("purchase_requests")) == 2
        (one,) = held.values()
        assert "PR-2" in one.held.sentence
