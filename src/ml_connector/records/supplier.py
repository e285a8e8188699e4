"""Suppliers: as IFS keeps them, and as the vendor that Airbase should have.

Rule: `Supplier` says what the ERP holds, `Vendor` what the spend side should hold; a flow maps one to the other.
Must not know: property or field names of either API. Bank details are not read, so they can't leak.
"""

from datetime import date

import msgspec


class Address(msgspec.Struct, frozen=True):
    """A postal address."""

    street: str = ""
    city: str = ""
    zip: str = ""
    state: str = ""
    country: str = ""


class SupplierTerms(msgspec.Struct, frozen=True):
    """What one company agreed with a supplier; `expires_on` None means never."""

    company: str
    payment_term: str = ""
    currency: str = ""
    expires_on: date | None = None


class Supplier(msgspec.Struct, frozen=True):
    """A supplier with its terms per company, ordered by company, and its first address."""

    supplier_id: str
    name: str
    tax_id: str = ""
    country: str = ""
    terms: tuple[SupplierTerms, ...] = ()
    address: Address | None = None


class AgreedTerms(msgspec.Struct, frozen=True):
    """A supplier's terms per company, ordered by company."""

    supplier_id: str
    terms: tuple[SupplierTerms, ...] = ()


class VendorTerms(msgspec.Struct, frozen=True):
    """The payment terms of the vendor that stands for a supplier."""

    reference: str
    terms: str = ""


class NewSupplier(msgspec.Struct, frozen=True):
    """A supplier that so far is only a vendor of the spend side; of its bank only the country."""

    vendor_id: str
    name: str
    country: str = ""
    tax_id: str = ""
    currency: str = ""
    bank_country: str = ""


class VendorId(msgspec.Struct, frozen=True):
    """The supplier that a vendor stands for."""

    reference: str


class Vendor(msgspec.Struct, frozen=True):
    """A vendor of the spend side; None means that the field is not ours to set."""

    reference: str
    name: str
    active: bool
    subsidiaries: tuple[str, ...]
    payment_terms: str | None = None
    currency: str | None = None
    address: Address | None = None
