"""The general ledger's reference data: what a voucher may use, and when.

Rule: a date is inside a validity or a period when both ends include it; None is an open end.
Must not know: property or field names of either API.
"""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum

import msgspec

CODE_PARTS = "BCDEFGHIJ"


class Requirement(StrEnum):
    """What an account demands of a code part."""

    CAN = "can"
    MANDATORY = "mandatory"
    BLOCKED = "blocked"


class Validity(msgspec.Struct, frozen=True):
    """From when until when something may be used."""

    from_on: date | None = None
    until_on: date | None = None

    def holds(self, day: date) -> bool:
        """Whether a day is inside."""
        return (self.from_on is None or self.from_on <= day) and (self.until_on is None or day <= self.until_on)


class AccountTerms(msgspec.Struct, frozen=True):
    """An account as one company has it; a code part that is not named in `requirements` can be given."""

    company: str
    description: str
    validity: Validity = Validity()
    kind: str = ""
    requirements: Mapping[str, Requirement] = {}


class Account(msgspec.Struct, frozen=True):
    """A GL account with its terms in each company, ordered by company."""

    account: str
    terms: tuple[AccountTerms, ...] = ()


class ValueTerms(msgspec.Struct, frozen=True):
    """A code part value as one company has it."""

    company: str
    description: str
    validity: Validity = Validity()


class Dimension(msgspec.Struct, frozen=True):
    """A value of a code part (B to J) with its terms in each company, ordered by company."""

    part: str
    value: str
    terms: tuple[ValueTerms, ...] = ()


class Period(msgspec.Struct, frozen=True):
    """An accounting period of a company; `year_end` periods lie over an ordinary one."""

    company: str
    year: int
    number: int
    from_on: date
    until_on: date
    open: bool
    year_end: bool = False

    def __str__(self) -> str:
        return f"{self.year}-{self.number:02d}"


class VoucherType(msgspec.Struct, frozen=True):
    """A voucher type of a company."""

    company: str
    code: str
    description: str = ""
    allotted: bool = True  # IFS gives the numbers


class UserGroup(msgspec.Struct, frozen=True):
    """A user group of a company; `year_end`: it posts to year-end periods only, else to ordinary ones only."""

    company: str
    group: str
    year_end: bool = False


class Company(msgspec.Struct, frozen=True):
    """A company and the currency it keeps its books in."""

    company: str
    name: str
    currency: str


class Books(msgspec.Struct, frozen=True):
    """All that a voucher is checked against, as read at the start of a run.

    Shape: companies by number; accounts and types by (company, code); values by (company, part, value); groups by
    (company, group); periods by company, ordered by their first day.
    """

    companies: Mapping[str, Company] = {}
    accounts: Mapping[tuple[str, str], AccountTerms] = {}
    values: Mapping[tuple[str, str, str], ValueTerms] = {}
    types: Mapping[tuple[str, str], VoucherType] = {}
    groups: Mapping[tuple[str, str], UserGroup] = {}
    periods: Mapping[str, tuple[Period, ...]] = {}
