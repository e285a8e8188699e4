"""Rows of a list as the engine sees them: what identifies them, and the record or why there is none.

Rule: a row that can't be read stops only its own record, with a sentence that a clerk understands.
Must not know: how rows are read.
"""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from ml_connector.sync.detect import Row
from ml_connector.sync.outcome import Held, Owner
from ml_connector.sync.ports import Sight
from ml_connector.systems.airbase.client import NO_ID, Raw, id_of, is_odd
from ml_connector.systems.airbase.listings import Listing
from ml_connector.systems.airbase.spool import mark_of
from ml_connector.systems.verdict import cleaned

UNREADABLE = "unreadable"
DOUBLED = "doubled_in_airbase"
NAMED_MAX = 5
_DECODER = msgspec.json.Decoder(dict, float_hook=Decimal)


def row_of(listing: Listing, key: str, encoded: Sequence[bytes]) -> Row:
    """How the engine knows the rows of a record: there is one, unless Airbase has the record twice."""
    return Row(listing.part, key, mark_of(encoded))


def sight_of(listing: Listing, key: str, encoded: Sequence[bytes]) -> Sight:
    """The record of these rows; not there when there are none."""
    if not encoded:
        return Sight(key)
    raws: list[Raw] = [_DECODER.decode(one) for one in encoded]
    rows = (row_of(listing, key, encoded),)
    if is_odd(id_of(raws[0])):
        return Sight(key, rows=rows, unreadable=_unaddressed(listing, raws[0]))
    if len(raws) > 1:
        return Sight(key, rows=rows, unreadable=_doubled(listing, raws))
    try:
        return Sight(key, listing.record(raws[0]), rows)
    except ValueError as error:
        return Sight(key, rows=rows, unreadable=_unreadable(listing, raws[0], error))


def _unreadable(listing: Listing, raw: Raw, error: ValueError) -> Held:
    return Held(
        UNREADABLE,
        f"{cleaned(listing.named(raw))} can't be read: {cleaned(str(error))}.",
        "Correct it in Airbase. If many show the same, the profile names the field otherwise than this tenant does.",
        Owner.CLERK,
    )


def _unaddressed(listing: Listing, raw: Raw) -> Held:
    return Held(
        UNREADABLE,
        f"{cleaned(listing.named(raw))} can't be named: {NO_ID}.",
        "Enter it anew in Airbase, or ask Airbase to give it another id.",
        Owner.CLERK,
    )


def _doubled(listing: Listing, raws: Sequence[Raw]) -> Held:
    ids = ", ".join(cleaned(id_of(raw)) for raw in raws[:NAMED_MAX])
    return Held(
        DOUBLED,
        f"{cleaned(listing.named(raws[0]))} is in Airbase {len(raws)} times under one reference: {ids}.",
        "Keep one of them in Airbase and take the reference off the others, then run again.",
        Owner.CLERK,
    )
