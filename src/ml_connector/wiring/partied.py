"""Whether vouchers are compared with the suppliers on their rows.

Rule: only where rows are posted with them and this tenant shows them; elsewhere nobody could tell.
Must not know: how a tie-out compares.
"""

from collections.abc import Mapping

import msgspec

from ml_connector.records.voucher import Voucher
from ml_connector.systems.ifs.profile import Part
from ml_connector.systems.ifs.vouchers.landing import Landing
from ml_connector.systems.ifs.vouchers.loads import LOAD_ROWS
from ml_connector.systems.ifs.vouchers.lookup import HOLD_ROWS, LEDGER

PARTY = "party"
_WRITTEN = {"external": LOAD_ROWS, "manual": HOLD_ROWS}


def has_parties(parts: Mapping[str, Part], landing: Landing) -> bool:
    """Whether rows are posted with their supplier, and the tenant shows it."""
    written = _WRITTEN.get(landing.kind)
    posted = bool(parts[written].fields.get(PARTY)) if written else PARTY in landing.layout
    return posted and all(parts[name].fields.get(PARTY) for name in (HOLD_ROWS, LEDGER))


def without_parties(voucher: Voucher | None) -> Voucher | None:
    """A voucher with no supplier on any row."""
    if voucher is None:
        return None
    rows = (msgspec.structs.replace(row, party="") for row in voucher.rows)
    return msgspec.structs.replace(voucher, rows=tuple(rows))
