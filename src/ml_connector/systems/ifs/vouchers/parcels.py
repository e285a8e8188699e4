"""Vouchers that are delivered together, and what became of them.

Rule: a delivery says exactly what is certain: it is there, it is refused, it may be there, or it certainly is not.
Must not know: how vouchers are delivered.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from ml_connector.errors import RemoteError
from ml_connector.systems.ifs.vouchers.compose import Posting


class Parcel(msgspec.Struct, frozen=True):
    """The vouchers of one document that are posted in one company, all or none."""

    key: str
    postings: tuple[Posting, ...]

    @property
    def company(self) -> str:
        """The company of all of them."""
        return self.postings[0].voucher.company


class Landed(msgspec.Struct, frozen=True):
    """They are there; `target_ids` by reference."""

    target_ids: dict[str, str]


class Denied(msgspec.Struct, frozen=True):
    """IFS refused them, in its own words."""

    text: str


class Lost(msgspec.Struct, frozen=True):
    """They may or may not be there."""

    reason: str


class Unsent(msgspec.Struct, frozen=True):
    """They certainly are not there; `error` is what stood in the way."""

    error: RemoteError


class Filed(msgspec.Struct, frozen=True):
    """They are in a file."""

    file: str


Delivery = Landed | Denied | Lost | Unsent | Filed


class Carrier(Protocol):
    """One way for vouchers to get into IFS."""

    def prepare(self) -> bool:
        """Put away what earlier deliveries left; whether vouchers may have come of one that went unanswered.

        Raises: RemoteError, StoreError.
        """
        ...

    def deliver(self, parcels: Sequence[Parcel]) -> Mapping[str, Delivery]:
        """Deliver parcels; one delivery each, by key."""
        ...
