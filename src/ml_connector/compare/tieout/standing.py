"""What of a document's vouchers stands in IFS.

Rule: what is taken back to nothing does not stand, whether by a reversal of ours or by a turned copy; a reversal that
takes nothing back stands.
Must not know: what should stand.
"""

from collections.abc import Iterable, Sequence
from typing import Any

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
        left = _left([one for one in ordered if one.version == version])
        live.extend([one for one in left if not one.reversal] or left)
    return Standing(ordered, tuple(live))


def rows_of(vouchers: Iterable[There]) -> list[VoucherRow]:
    """All their rows."""
    return [row for one in vouchers for row in one.voucher.rows]


def _left(these: Sequence[There]) -> list[There]:
    """Those that no other one takes back: of equal ones, the one in its period goes with it, else the latest."""
    left: dict[frozenset[Any], list[There]] = {}
    for one in sorted(these, key=lambda one: (one.reversal, one.on, len(one.target_id), one.target_id)):
        net = rows.net(one.voucher.rows)
        equal = left.get(frozenset(rows.negated(net).items()))
        if equal:
            equal.remove(next((other for other in reversed(equal) if other.period == one.period), equal[-1]))
        else:
            left.setdefault(frozenset(net.items()), []).append(one)
    stay = {id(one) for several in left.values() for one in several}
    rest = [one for one in these if id(one) in stay]
    return [] if len(rest) > 1 and not rows.net(rows_of(rest)) else rest
