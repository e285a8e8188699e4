"""The names that a tenant's IFS uses, and how its sets may be read.

Rule: every name is a default that settings can change; a name nobody knows is refused with the nearest known one.
Must not know: requests, rows.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal, cast
from zoneinfo import ZoneInfo

import msgspec

from ml_connector.errors import SettingsError
from ml_connector.records.ledger import CODE_PARTS
from ml_connector.systems.ifs.nearest import nearest

ROOTS = {
    "projection": "/main/ifsapplications/projection/v1",
    "projection-int": "/int/ifsapplications/projection/v1",
    "entity": "/int/ifsapplications/entity/v1",
}
UTC_AWARE = "UTC-aware"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entity set.

    `key`: the properties that identify a row, those of the record first; `depth`: how many of them identify the record.
    `fields`: from our names to properties; "" is not read. `actions`: from our names to those of bound actions and
    child sets. `modified`: property with the time of the last change.
    `company`: property to keep to the allowed companies by. `where`: a fixed filter. `paging` "skip" is for sets that
    can't be sorted by code point. `seen`: fields whose property was seen in real use; the rest is assumed.
    """

    service: str
    set: str
    key: tuple[str, ...]
    fields: dict[str, str]
    actions: dict[str, str] = {}
    root: Literal["projection", "projection-int", "entity"] = "projection"
    depth: int = 1
    modified: str = ""
    company: str = ""
    where: str = ""
    paging: Literal["keyset", "skip"] = "keyset"
    confidence: Literal["seen", "assumed"] = "assumed"
    seen: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()

    @property
    def place(self) -> str:
        """The path of the service."""
        return f"{ROOTS[self.root]}/{self.service}.svc"

    @property
    def properties(self) -> tuple[str, ...]:
        """All properties to read, each once."""
        wanted = [*self.key, self.modified, *self.fields.values()]
        return tuple(dict.fromkeys(name for name in wanted if name))


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The names and habits of a tenant.

    `zone`: the IANA zone of times written `…Z`; "" unknown; "UTC-aware": the tenant's services honour the header that
    makes them UTC.
    """

    parts: dict[str, Part]
    zone: str = ""
    page_rows: int = 5000
    keys_per_request: int = 50
    overlap_s: int = 7200
    parallel: int = 8


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

# Source: docs/reference/assumed.md
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

_FIXED = ("confidence", "seen", "required", "depth")  # facts about the part, not names
_LIMITS = {"page_rows": (1, 5000), "keys_per_request": (1, 200), "overlap_s": (0, 7 * 86_400), "parallel": (1, 32)}


def load(overrides: Mapping[str, Any]) -> Profile:
    """The default profile with a tenant's own names.

    Shape: a table per part, `fields` in it, beside zone, page_rows, keys_per_request, overlap_s.
    Raises: SettingsError that names the key and the nearest known one.
    """
    own = [name for name in Profile.__struct_fields__ if name != "parts"]
    _known("profile", overrides, [*DEFAULT.parts, *own])
    changed: dict[str, Any] = {
        name: _part(name, part, overrides[name]) if name in overrides else part for name, part in DEFAULT.parts.items()
    }
    profile = _convert("profile", {**{name: overrides[name] for name in own if name in overrides}, "parts": changed})
    _check_habits(profile)
    return profile


def _part(name: str, default: Part, given: Any) -> dict[str, Any]:
    table = _table(f"profile.{name}", given)
    _known(f"profile.{name}", table, [field for field in Part.__struct_fields__ if field not in _FIXED])
    fields = _table(f"profile.{name}.fields", table.get("fields", {}))
    _known(f"profile.{name}.fields", fields, list(default.fields))
    actions = _table(f"profile.{name}.actions", table.get("actions", {}))
    _known(f"profile.{name}.actions", actions, list(default.actions))
    merged = {**default.fields, **fields}
    for field in sorted(default.required):
        if not merged[field]:
            raise SettingsError(f"profile.{name}.fields.{field} can't be left out")
    moved = bool({"service", "set", "root"} & set(table))
    seen = {field for field in default.seen if not moved and merged[field] == default.fields[field]}
    part = cast("dict[str, Any]", msgspec.to_builtins(default))
    part.update(
        {
            **table,
            "fields": merged,
            "actions": {**default.actions, **actions},
            "seen": sorted(seen),
            "required": sorted(default.required),
        }
    )
    if not isinstance(part["key"], list | tuple) or len(cast("list[Any]", part["key"])) != len(default.key):
        raise SettingsError(f"profile.{name}.key should name {len(default.key)} properties, those of the record first")
    _check_names(name, part)
    return {**part, "confidence": "assumed"} if moved else part


def _check_names(where: str, part: dict[str, Any]) -> None:
    single = {key: part[key] for key in ("service", "set", "modified", "company")}
    listed = {f"key[{number}]": item for number, item in enumerate(part["key"])}
    fields = {f"fields.{field}": item for field, item in part["fields"].items()}
    acts = {f"actions.{action}": item for action, item in part["actions"].items()}
    for key, item in {**single, **listed, **fields, **acts}.items():
        optional = key in ("modified", "company") or key in fields or key in acts
        if not isinstance(item, str) or not (_NAME.fullmatch(item) or (optional and not item)):
            raise SettingsError(f"profile.{where}.{key}: {item!r} is not a name of IFS's")


def _convert(where: str, built: dict[str, Any]) -> Profile:
    parts = built["parts"]
    builtin = {**built, "parts": {name: msgspec.to_builtins(part) for name, part in parts.items()}}
    try:
        return msgspec.convert(builtin, Profile)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{where}: {error}") from None


def _check_habits(profile: Profile) -> None:
    for name, (least, most) in _LIMITS.items():
        if not least <= getattr(profile, name) <= most:
            raise SettingsError(f"profile.{name} should be from {least} to {most}")
    if profile.zone in ("", UTC_AWARE):
        return
    try:
        ZoneInfo(profile.zone)
    except (ValueError, OSError, KeyError):
        raise SettingsError(f"profile.zone: {profile.zone!r} is no IANA zone such as Europe/Oslo") from None


def _table(where: str, given: Any) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise SettingsError(f"{where} should be a table")
    return dict(cast("Mapping[str, Any]", given))


def _known(where: str, given: Iterable[str], known: list[str]) -> None:
    for key in given:
        if key not in known:
            raise SettingsError(f"{where}.{key} is not known; nearest: {nearest(key, known)}")
