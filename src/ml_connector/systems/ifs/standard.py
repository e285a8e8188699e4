"""The names that IFS uses where nobody changed them.

Rule: each is *seen* in real use or *assumed*, and a tenant's settings can change all of them.
Must not know: requests, rows, how settings are read.
Source: docs/reference/assumed.md
"""

from ml_connector.records.ledger import CODE_PARTS
from ml_connector.systems.ifs.profile import Part, Profile

_ORDER_LINE = {
    "part_no": "PartNo",
    "description": "Description",
    "quantity": "BuyQtyDue",
    "unit": "BuyUnitMeas",
    "unit_price": "BuyUnitPrice",
    "currency": "CurrencyCode",
    "wanted_on": "WantedDeliveryDate",
    "state": "Objstate",
}
_ORDER = {
    "supplier_id": "VendorNo",
    "site": "Contract",
    "company": "Company",
    "currency": "CurrencyCode",
    "buyer": "BuyerCode",
    "ordered_on": "OrderDate",
    "state": "Objstate",
}
_ADDRESS = {
    "street": "Address1",
    "street_more": "Address2",
    "zip": "ZipCode",
    "city": "City",
    "state": "State",
    "country": "Country",
}

_CODE_PARTS = {f"code_{part.lower()}": f"Code{part}" for part in CODE_PARTS}
_REQUIREMENTS = {f"requires_{part.lower()}": f"ReqCode{part}" for part in CODE_PARTS}
_VOUCHER_KEY = ("Company", "VoucherType", "AccountingYear", "VoucherNo")
_VOUCHER_ROW = {
    "account": "Account",
    **_CODE_PARTS,
    "currency": "CurrencyCode",
    "debit": "CurrencyDebetAmount",
    "credit": "CurrencyCreditAmount",
    "company_debit": "DebetAmount",
    "company_credit": "CreditAmount",
    "rate": "CurrencyRate",
    "text": "Text",
    "party": "PartyTypeId",
    "reference_serie": "ReferenceSerie",
    "reference": "ReferenceNumber",
}
_VALIDITY = {"description": "Description", "valid_from": "ValidFrom", "valid_until": "ValidUntil"}


def _seen(
    service: str, name: str, key: tuple[str, ...], fields: dict[str, str], *, depth: int = 1, company: str = "Company"
) -> Part:
    return Part(service, name, key, fields, company=company, depth=depth, confidence="seen", seen=frozenset(fields))


_LEDGER = {
    "accounts": _seen(
        "VoucherRowsAnalysis",
        "Reference_Account",
        ("Account", "Company"),
        {**_VALIDITY, "kind": "LogicalAccountType", **_REQUIREMENTS},
    ),
    **{
        f"code_{part.lower()}": _seen(
            "VoucherRowsAnalysis", f"Reference_Code{part}", ("CodePart", f"Code{part}", "Company"), _VALIDITY, depth=2
        )
        for part in CODE_PARTS
    },
    "voucher_types": _seen(
        "VoucherRowsAnalysis",
        "Reference_VoucherType",
        ("Company", "VoucherType"),
        {"description": "Description", "allotted": "AutomaticAllot"},
        depth=2,
    ),
    "user_groups": _seen(
        "VoucherRowsAnalysis",
        "Reference_UserGroupFinance",
        ("Company", "UserGroup"),
        {"periods": "AllowedAccountingPeriod"},
        depth=2,
    ),
    "periods": Part(
        "AccountingPeriodsHandling",
        "AccountingPeriodSet",
        ("Company", "AccountingYear", "AccountingPeriod"),
        {"from_on": "DateFrom", "until_on": "DateUntil", "status": "PeriodStatus"},
        company="Company",
        depth=3,
    ),
    "voucher_rows": _seen(
        "VoucherRowsAnalysis",
        "VoucherRowSet",
        (*_VOUCHER_KEY, "RowNo"),
        {**_VOUCHER_ROW, "dated_on": "VoucherDate", "period": "AccountingPeriod", "group": "EnteredByUserGroup"},
        depth=4,
    ),
    "hold_vouchers": Part(
        "VoucherEntryHandling",
        "HoldVoucherSet",
        _VOUCHER_KEY,
        {
            "dated_on": "VoucherDate",
            "period": "AccountingPeriod",
            "group": "UserGroup",
            "text": "VoucherText",
            "status": "VoucherStatus",
            "reference_serie": "ReferenceSerie",
            "reference": "ReferenceNumber",
        },
        actions={"rows": "HoldVoucherRows"},
        company="Company",
        depth=4,
    ),
    "hold_rows": Part(
        "VoucherEntryHandling",
        "HoldVoucherRowSet",
        (*_VOUCHER_KEY, "RowNo"),
        _VOUCHER_ROW,
        company="Company",
        depth=4,
    ),
    "loads": Part(
        "ExternalVoucherHandling",
        "ExtLoadInfoSet",
        ("Company", "LoadId"),
        {"type": "LoadType", "dated_on": "LoadDate", "file_name": "FileName", "state": "LoadState"},
        actions={"check": "ExtLoadInfo_Check", "create": "ExtLoadInfo_Create"},
        company="Company",
        depth=2,
    ),
    "load_rows": Part(
        "ExternalVoucherHandling",
        "ExtTransactionSet",
        ("Company", "LoadId", "RecordNo"),
        {
            "item": "LoadGroupItem",
            "voucher_type": "VoucherType",
            "dated_on": "TransactionDate",
            "group": "UserGroup",
            "account": "Account",
            **_CODE_PARTS,
            "currency": "CurrencyCode",
            "amount": "CurrencyAmount",
            "company_amount": "Amount",
            "rate": "CurrencyRate",
            "text": "Text",
            "party": "PartyTypeId",
            "reference_serie": "ReferenceSerie",
            "reference": "ReferenceNumber",
            "error": "ErrorText",
        },
        company="Company",
        depth=3,
    ),
    "supplier_invoices": Part(
        "ManSuppInvoiceEntity",
        "ManSuppInvoiceSet",
        ("Company", "InvoiceId"),
        {
            "supplier_id": "Identity",
            "number": "InvoiceNo",
            "dated_on": "InvoiceDate",
            "due_on": "DueDate",
            "currency": "Currency",
            "amount": "GrossCurrAmount",
            "order_no": "PoRefNumber",
            "state": "Objstate",
            "status": "Cf_Airbase_Status",
        },
        actions={"release": "ManSuppInvoice_Release"},
        root="entity",
        company="Company",
        depth=2,
    ),
    "bank_countries": Part(
        "PaymentAddressEntity",
        "PaymentAddressSet",
        ("Identity", "Company", "AddressId"),
        {"country": "BankCountry"},
        root="entity",
        company="Company",
    ),
}

DEFAULT = Profile(
    {
        "suppliers": Part(
            "SupplierHandling",
            "SupplierInfoGeneralSet",
            ("SupplierId",),
            {"name": "Name", "tax_id": "AssociationNo", "country": "Country"},
            confidence="seen",
            seen=frozenset({"name"}),
            required=frozenset({"name"}),
        ),
        "supplier_terms": Part(
            "IdentityInvoiceInfoEntity",
            "IdentityInvoiceInfoSet",
            ("Identity", "Company"),
            {"payment_term": "PayTermId", "currency": "DefCurrency", "expires_on": "ExpireDate"},
            root="entity",
            company="Company",
            where="PartyType eq IfsApp.IdentityInvoiceInfoEntity.PartyType'Supplier'",
        ),
        "supplier_addresses": Part(
            "SupplierInfoAddressEntity",
            "SupplierInfoAddressSet",
            ("SupplierId", "AddressId"),
            _ADDRESS,
            root="entity",
        ),
        "orders": Part(
            "PurchaseOrderHandling",
            "PurchaseOrderSet",
            ("OrderNo",),
            _ORDER,
            company="Company",
            required=frozenset({"supplier_id", "company", "currency", "state"}),
        ),
        "order_lines": Part(
            "PurchaseOrderLineEntity",
            "PurchaseOrderLineSet",
            ("OrderNo", "LineNo", "ReleaseNo"),
            _ORDER_LINE,
            root="entity",
            required=frozenset({"quantity", "unit_price", "state"}),
        ),
        "companies": Part(
            "CompanyHandling",
            "CompanySet",
            ("Company",),
            {"name": "Name", "currency": "CurrencyCode", "country": "Country"},
            company="Company",
            confidence="seen",
            seen=frozenset({"name"}),
        ),
        "sites": Part(
            "SitesHandling",
            "SiteSet",
            ("Contract",),
            {"company": "Company", "description": "Description", "zone": "TimeZoneCode", "country": "CountryCode"},
            company="Company",
            confidence="seen",
            seen=frozenset({"company", "description", "zone", "country"}),
        ),
        "payment_terms": Part(
            "PaymentTermsHandling",
            "PaymentTermSet",
            ("Company", "PayTermId"),
            {"description": "Description", "net_days": "NetDays"},
            depth=2,
            company="Company",
        ),
        **_LEDGER,
    }
)
