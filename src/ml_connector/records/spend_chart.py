"""The chart as the spend side has it: accounts and tags, and what it is told of a posting.

Rule: `Spend…` says what is there, `Chart…` what should be there.
Must not know: property or field names of either API.
"""

import msgspec


class SpendAccount(msgspec.Struct, frozen=True):
    """An account that is there; `id` is the spend side's own."""

    reference: str
    name: str
    active: bool
    id: str = ""


class SpendTag(msgspec.Struct, frozen=True):
    """A tag that is there; its label names the dimension."""

    label: str
    reference: str
    name: str
    active: bool
    id: str = ""


class ChartAccount(msgspec.Struct, frozen=True):
    """An account as it should be."""

    reference: str
    name: str
    active: bool
    subsidiaries: tuple[str, ...] = ()


class ChartTag(msgspec.Struct, frozen=True):
    """A tag as it should be."""

    label: str
    reference: str
    name: str
    active: bool
    subsidiaries: tuple[str, ...] = ()


class Acknowledged(msgspec.Struct, frozen=True):
    """What a ledger entry was told: the voucher that it was posted as; "" for not told."""

    voucher: str
