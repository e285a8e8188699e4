"""What stands of a document in the ledger, and what has to be posted so that something else does.

Rule: decided from the vouchers that were read and what is wanted; from nothing else. A voucher in the ledger is only
ever reversed, never changed.
Must not know: requests, landings.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any, Literal

import msgspec

from ml_connector.records.voucher import Voucher
from ml_connector.sync.plan import Found, same
from ml_connector.systems.ifs.vouchers.references import Reference


class Posted(msgspec.Struct, frozen=True):
    """A voucher as it was read; `approved`: by a person in IFS. `head` and `rows`: its own row and its rows in the hold
    table, with their ETags. `period`: as IFS says, such as 2026-10; "" where the tenant does not show it.
    """

    reference: Reference
    place: Literal["hold", "ledger"]
    target_id: str
    voucher: Voucher
    on: date
    approved: bool = False
    head: dict[str, Any] = {}
    rows: tuple[dict[str, Any], ...] = ()
    period: str = ""


class Post(msgspec.Struct, frozen=True):
    """Post what is wanted under this reference."""

    reference: Reference


class Reverse(msgspec.Struct, frozen=True):
    """Post the reversal of this voucher."""

    posted: Posted

    @property
    def reference(self) -> Reference:
        """The reversal's own."""
        return Reference(self.posted.reference.key, self.posted.reference.version, reversal=True)


class Amend(msgspec.Struct, frozen=True):
    """Change this voucher of the hold table into what is wanted."""

    posted: Posted


Step = Post | Reverse | Amend


class Standing(msgspec.Struct, frozen=True):
    """The vouchers of one document.

    `live`: those that no reversal takes back, in order of their version: usually one, or none. `doubles`: those whose
    reference is there more than once. `last`: the latest version, taken back or not.
    """

    key: str
    live: tuple[Posted, ...]
    doubles: tuple[Posted, ...]
    last: Posted | None
    next_version: int = 1

    def found(self) -> tuple[Found, ...]:
        """What a look-up says; several live vouchers together are what stands."""
        if self.doubles:
            return tuple(Found(self.key, one.target_id, one.voucher) for one in self.doubles)
        if self.last is None:
            return ()
        top = self.live[-1] if self.live else self.last
        rows = tuple(row for one in self.live for row in one.voucher.rows)
        text = top.voucher.text if rows else ""
        return (Found(self.key, top.target_id, msgspec.structs.replace(top.voucher, text=text, rows=rows)),)

    def id_of(self, wanted: Voucher) -> str:
        """The voucher that stands for the document, when nothing more has to be posted."""
        keep = next((one for one in reversed(self.live) if same(one.voucher, wanted)), None)
        one = keep or (self.live[-1] if self.live else self.last)
        return one.target_id if one else ""

    def steps(self, wanted: Voucher, effective_on: date, *, in_place: bool = True) -> tuple[Step, ...]:
        """What is missing until what is wanted stands, and nothing else; a voucher without rows: until nothing does.

        `in_place`: what is not in the ledger yet may be amended.
        """
        if not wanted.rows:
            return tuple(Reverse(one) for one in self.live)
        keep = next((one for one in reversed(self.live) if same(one.voucher, wanted)), None)
        if keep is not None:
            return tuple(Reverse(one) for one in self.live if one is not keep)
        if in_place and self.live and amendable(self.live[-1], wanted, effective_on):
            return (*(Reverse(one) for one in self.live[:-1]), Amend(self.live[-1]))
        return (*(Reverse(one) for one in self.live), Post(Reference(self.key, self.next_version)))


def amendable(posted: Posted, wanted: Voucher, effective_on: date) -> bool:
    """Whether a voucher can be changed in place: nobody let it through yet, and its key would stay."""
    waits = posted.place == "hold" and not posted.approved
    return waits and posted.voucher.company == wanted.company and posted.on.year == effective_on.year


def standing(key: str, posted: Sequence[Posted]) -> Standing:
    """What stands, by all vouchers of a document."""
    times = Counter(one.reference for one in posted)
    undone = {one.reference.version for one in posted if one.reference.reversal}
    versions = sorted((one for one in posted if not one.reference.reversal), key=lambda one: one.reference.version)
    return Standing(
        key,
        tuple(one for one in versions if one.reference.version not in undone),
        tuple(one for one in posted if times[one.reference] > 1),
        versions[-1] if versions else None,
        max((one.reference.version for one in posted), default=0) + 1,
    )
