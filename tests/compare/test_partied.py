"""Suppliers of vouchers count where they are posted and shown, and nowhere else."""

from datetime import date
from decimal import Decimal

import msgspec
import pytest

from ml_connector.records.voucher import Voucher, VoucherRow
from ml_connector.systems.ifs.standard import DEFAULT
from ml_connector.systems.ifs.vouchers.landing import Landing
from ml_connector.wiring.partied import has_parties, without_parties

PARTS = DEFAULT.parts


@pytest.mark.parametrize(
    ("landing", "hidden", "has"),
    [
        (Landing(), "", True),
        (Landing(), "load_rows", False),
        (Landing(), "voucher_rows", False),
        (Landing("manual"), "load_rows", True),
        (Landing("manual"), "hold_rows", False),
        (Landing("file", folder="x"), "", False),
        (Landing("file", folder="x", layout={"party": 42}), "", True),
    ],
)
def test_suppliers_count_where_they_are_posted_and_shown(landing: Landing, hidden: str, has: bool) -> None:
    parts = dict(PARTS)
    if hidden:
        fields = {**parts[hidden].fields, "party": ""}
        parts[hidden] = msgspec.structs.replace(parts[hidden], fields=fields)
    assert has_parties(parts, landing) is has


def test_a_voucher_without_suppliers_is_the_same_otherwise() -> None:
    row = VoucherRow("2440", "EUR", Decimal(5), Decimal(5), party="S-1")
    one = Voucher("10", date(2026, 1, 10), "PR-1", (row,))
    bare = msgspec.structs.replace(one, rows=(msgspec.structs.replace(row, party=""),))
    assert without_parties(one) == bare
    assert without_parties(None) is None
