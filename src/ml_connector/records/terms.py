"""Payment terms as both sides have them, for the one flow that goes both ways.

Rule: each side's terms are in its own words; None is a side that is not to be touched.
Must not know: which side is right, what a term of one side is called on the other.
"""

from collections.abc import Iterable

import msgspec

from ml_connector.records.supplier import AgreedTerms, SupplierTerms, VendorTerms


class BothTerms(msgspec.Struct, frozen=True):
    """A supplier and the vendor that stands for it, each with its terms; None where there is no such record."""

    supplier: AgreedTerms | None = None
    vendor: VendorTerms | None = None


class TermsOnBoth(msgspec.Struct, frozen=True):
    """The payment terms on both sides.

    Shape: `ifs` is a (company, payment term) pair for each agreement, ordered by company.
    """

    ifs: tuple[tuple[str, str], ...] | None = None
    airbase: str | None = None


def on_both(agreements: Iterable[SupplierTerms], vendor: str) -> TermsOnBoth:
    """Both sides as they are; a side without a record is empty, and blanks around a term are no part of it."""
    return TermsOnBoth(tuple((one.company, one.payment_term) for one in agreements), vendor.strip())


def state(both: BothTerms) -> TermsOnBoth:
    """Both sides as they were read."""
    return on_both(both.supplier.terms if both.supplier else (), both.vendor.terms if both.vendor else "")
