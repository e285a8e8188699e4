"""The two sides of a tie-out: a document with what should stand for it, and a voucher that is there.

Rule: the one is said by the spend side alone, the other by the ledger and the hold table alone.
Must not know: how either was read.
"""

from datetime import date
from decimal import Decimal

import msgspec

from ml_connector.compare.tieout.shapes import State
from ml_connector.records.voucher import Voucher


class Claim(msgspec.Struct, frozen=True):
    """A document of the spend side.

    `expected`: the voucher that should be there by now; `wanted`: the one that should be once a correction is done.
    `active`: something should stand. `linked`: it was posted, or found there. `changed`: a correction is due.
    `carried`: the voucher moves what the document itself says. `state`: what it is when nothing is in IFS.
    """

    flow: str
    key: str
    number: str
    company: str
    currency: str
    amount: Decimal
    dated_on: date | None
    state: State
    linked: bool = False
    active: bool = False
    changed: bool = False
    carried: bool = True
    unreadable: bool = False
    expected: Voucher | None = None
    wanted: Voucher | None = None
    target_id: str = ""
    cause: str = ""
    reason: str = ""
    remedy: str = ""
    url: str = ""


class There(msgspec.Struct, frozen=True):
    """A voucher of ours in IFS: the `version` of a document's voucher, or the reversal of one."""

    key: str
    version: int
    reversal: bool
    place: str
    target_id: str
    period: str
    on: date
    voucher: Voucher
