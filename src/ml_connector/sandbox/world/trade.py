"""The sets of trade: companies, sites, suppliers, purchase orders, payment terms, and the catalogue.

Rule: names are those of ``docs/reference/assumed.md``; a change there is a change here.
It must not know HTTP, OData or the seeded data.
"""

from functools import cache

from ml_connector.sandbox.world.tables import Link, Table, keys_of, properties_of

ORDER_STATES = ("Planned", "Released", "Confirmed", "Arrived", "Received", "Closed", "Cancelled")
PARTY_TYPES = ("Company", "Customer", "Supplier", "Person", "Manufacturer", "Employee")

TRADE_ENUMS: dict[str, tuple[str, ...]] = {
    "PartyType": PARTY_TYPES,
    "PurchaseOrderState": ORDER_STATES,
    "PurchaseOrderLineState": ORDER_STATES,
    "PeriodStatus": ("Open", "Closed"),
}

_SUPPLIER = """SupplierId* s20; Name! s100; AssociationNo s50; Country s2; DefaultLanguage s2;
    CreationDate- d; PartyType~ ePartyType; Cf_Airbase_Id s50"""
_ADDRESS = """SupplierId* s20; AddressId* s50; Address1 s35; Address2 s35; ZipCode s35; City s35; State s35;
    Country! s2"""
_IDENTITY = """Company* s20; Identity* s20; PartyType* ePartyType; PayTermId! s20; DefCurrency! s3; ExpireDate d"""
_ORDER = """OrderNo* s12; VendorNo!~ s20; Contract!~ s5; Company- s20; CurrencyCode s3; BuyerCode s20;
    OrderDate d; Objstate- ePurchaseOrderState"""
_LINE = """OrderNo* s12; LineNo* s4; ReleaseNo* s4; PartNo s25; Description! s200; BuyQtyDue! n; BuyUnitMeas s10;
    BuyUnitPrice n; CurrencyCode~ s3; WantedDeliveryDate d; Objstate- ePurchaseOrderLineState"""
_COMPANY = "Company* s20; Name! s100; CurrencyCode s3; Country s2"
_SITE = """Contract* s5; Company~ s20; Description! s100; TimeZoneCode s50; CountryCode s2"""
_PAY_TERM = "Company* s20; PayTermId* s20; Description s100; NetDays n"
_PROJECTION = "ProjectionName* s100; Description s200; Categories s200; ApiClass s50"


@cache
def trade_tables() -> tuple[Table, ...]:
    """All sets of trade."""
    return (*_supplier_tables(), *_order_tables(), *_company_tables())


def _supplier_tables() -> tuple[Table, ...]:
    addresses = Link("SupplierInfoAddresses", "SupplierInfoAddressSet", (("SupplierId", "SupplierId"),))
    companies = Link("SupplierInvoiceCompanies", "IdentityInvoiceInfoSet", (("SupplierId", "Identity"),))
    supplier = Table(
        name="SupplierInfoGeneralSet",
        entity="SupplierInfoGeneral",
        service="SupplierHandling",
        lu="SupplierInfoGeneral",
        keys=keys_of(_SUPPLIER),
        properties=properties_of(_SUPPLIER),
        indexed=("SupplierId",),
        children=(addresses, companies),
        verbs="iud",
        stamped=True,
        allots=("SupplierId",),
        defaults={"PartyType": "Supplier"},
    )
    address = Table(
        name="SupplierInfoAddressSet",
        entity="SupplierInfoAddress",
        service="SupplierInfoAddressEntity",
        lu="SupplierInfoAddress",
        keys=keys_of(_ADDRESS),
        properties=properties_of(_ADDRESS),
        indexed=("SupplierId",),
        entity_api=True,
        parent=Link("Parent", supplier.name, (("SupplierId", "SupplierId"),)),
        verbs="iud",
        stamped=True,
    )
    identity = Table(
        name="IdentityInvoiceInfoSet",
        entity="IdentityInvoiceInfo",
        service="IdentityInvoiceInfoEntity",
        lu="IdentityInvoiceInfo",
        keys=keys_of(_IDENTITY),
        properties=properties_of(_IDENTITY),
        indexed=("Identity",),
        entity_api=True,
        company="Company",
        parent=Link("Parent", supplier.name, (("Identity", "SupplierId"),)),
        verbs="iud",
        stamped=True,
        defaults={"PartyType": "Supplier"},
    )
    return supplier, address, identity


def _order_tables() -> tuple[Table, ...]:
    order = Table(
        name="PurchaseOrderSet",
        entity="PurchaseOrder",
        service="PurchaseOrderHandling",
        lu="PurchaseOrder",
        keys=keys_of(_ORDER),
        properties=properties_of(_ORDER),
        indexed=("OrderNo",),
        company="Company",
        verbs="iud",
        stamped=True,
        allots=("OrderNo",),
        actions=("PurchaseOrder_Release",),
        defaults={"Objstate": "Planned"},
    )
    line = Table(
        name="PurchaseOrderLineSet",
        entity="PurchaseOrderLine",
        service="PurchaseOrderLineEntity",
        lu="PurchaseOrderLine",
        keys=keys_of(_LINE),
        properties=properties_of(_LINE),
        indexed=("OrderNo",),
        entity_api=True,
        parent=Link("Parent", order.name, (("OrderNo", "OrderNo"),)),
        verbs="iud",
        stamped=True,
        allots=("LineNo",),
        defaults={"ReleaseNo": "1", "Objstate": "Planned"},
    )
    return order, line


def _company_tables() -> tuple[Table, ...]:
    company = _plain("CompanySet", "Company", "CompanyHandling", _COMPANY, company="Company")
    site = _plain("SiteSet", "Site", "SitesHandling", _SITE, company="Company", verbs="u")
    term = _plain("PaymentTermSet", "PaymentTerm", "PaymentTermsHandling", _PAY_TERM, company="Company")
    catalogue = _plain("Projections", "Projection", "AllProjections", _PROJECTION)
    return company, site, term, catalogue


def _plain(name: str, entity: str, service: str, spec: str, company: str | None = None, verbs: str = "") -> Table:
    return Table(
        name=name,
        entity=entity,
        service=service,
        lu=entity,
        keys=keys_of(spec),
        properties=properties_of(spec),
        company=company,
        verbs=verbs,
    )
