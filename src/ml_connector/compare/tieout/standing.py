"""What of a document's vouchers stands in IFS.

Rule: a version that is taken back to nothing does not stand, whether by a reversal of ours or by a turned copy.
Must not know: what should stand.
"""

from collections.abc import Iterable, Sequence

import msgspec

from ml_connector.compare.tieout import rows
from ml_connector.compare.tieout.rows import Sums
from ml_connector.compare.tieout.sides import There
from ml_connector.records.voucher import VoucherRow


class Standing(msgspec.Struct, frozen=True):
    """The vouchers of a document: all of them, and those that stand, in order of their versions."""

    all: tuple[There, ...] = ()
    live: tuple[There, ...] = ()

    @property
    def net(self) -> Sums:
        """What all of them come to."""
        return rows.net(rows_of(self.all))

    @property
    def last(self) -> There | None:
        """The one to speak of: what stands, else what was taken back last."""
        return next(reversed(self.live or self._versions or self.all), None)

    @property
    def takers(self) -> tuple[There, ...]:
        """Those that took back the one to speak of."""
        last = self.last
        these = (one for one in self.all if last and one.version == last.version)
        return tuple(one for one in these if one is not last)

    @property
    def _versions(self) -> tuple[There, ...]:
        """The first voucher of each version."""
        firsts = {one.version: one for one in reversed(self.all) if not one.reversal}
        return tuple(firsts[version] for version in sorted(firsts))


def standing(vouchers: Sequence[There]) -> Standing:
    """What stands."""
    ordered = tuple(sorted(vouchers, key=lambda one: (one.version, one.reversal, one.target_id)))
    live: list[There] = []
    for version in dict.fromkeys(one.version for one in ordered):
        these = [one for one in ordered if one.version == version]
        live.extend(() if _undone(these) else (one for one in these if not one.reversal))
    return Standing(ordered, tuple(live))


def rows_of(vouchers: Iterable[There]) -> list[VoucherRow]:
    """All their rows."""
    return [row for one in vouchers for row in one.voucher.rows]


def _undone(these: Sequence[There]) -> bool:
    return len(these) > 1 and not rows.net(rows_of(these))
