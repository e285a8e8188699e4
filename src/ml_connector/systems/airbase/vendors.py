"""Vendors as other flows than that of the suppliers need them: their terms, and those made in Airbase.

Rule: of a vendor's bank only the country is read.
Must not know: HTTP, suppliers.
"""

from ml_connector.records.supplier import NewSupplier, VendorTerms
from ml_connector.systems.airbase.client import id_of
from ml_connector.systems.airbase.reading import Fields, Raw
from ml_connector.systems.airbase.resource import Resource


def terms(raw: Raw, resource: Resource) -> VendorTerms:
    """The payment terms of a vendor. Raises: FieldError."""
    fields = Fields(raw, resource)
    return VendorTerms(fields.text("reference"), fields.text("payment_terms").strip())


def new_supplier(raw: Raw, resource: Resource) -> NewSupplier:
    """What the ERP needs to know of a vendor that it does not have. Raises: FieldError."""
    fields = Fields(raw, resource)
    return NewSupplier(
        vendor_id=id_of(raw),
        name=fields.text("name").strip(),
        country=fields.inner("address", "country").strip(),
        tax_id=fields.text("tax_id").strip(),
        currency=fields.text("currency").strip(),
        bank_country=fields.text("bank_country").strip(),
    )


def is_active(raw: Raw, resource: Resource) -> bool:
    """Whether a vendor is in use; one of which that can't be read is."""
    try:
        return Fields(raw, resource).flag("active")
    except ValueError:
        return True
