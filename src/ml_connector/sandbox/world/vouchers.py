"""The sets that vouchers come in by: hold table, loads of external vouchers, and supplier invoices beside them.

Rule: names are those of ``docs/reference/assumed.md``; what no projection shows is marked as not served.
It must not know HTTP, OData, posting rules or the seeded data.
"""

from functools import cache

from ml_connector.sandbox.world.ledger import CODE_PARTS
from ml_connector.sandbox.world.tables import Link, Table, keys_of, properties_of

HOLD, HOLD_ROW = "HoldVoucherSet", "HoldVoucherRowSet"
LOAD, TRANSACTION, LOAD_TYPE = "ExtLoadInfoSet", "ExtTransactionSet", "ExtLoadTypeSet"
INVOICE, PAYMENT_ADDRESS = "ManSuppInvoiceSet", "PaymentAddressSet"
POSTED, SERIES = "GenLedVoucherSet", "VoucherNoSerialSet"  # known to the database alone
INVOICE_STATES = ("Preliminary", "Posted", "PartlyPaid", "Paid", "Cancelled")

VOUCHER_ENUMS: dict[str, tuple[str, ...]] = {
    "VoucherStatus": ("AwaitingApproval", "Confirmed"),
    "LoadState": ("Loaded", "Checked", "Failed", "Created"),
    "ManSuppInvoiceState": INVOICE_STATES,
}

_PARTS = " ".join(f"Code{part} s20;" for part in CODE_PARTS)
_HOLD = """Company* s20; VoucherType* s3; AccountingYear*- n; VoucherNo*- n; VoucherDate! d; AccountingPeriod- n;
    UserGroup! s30; VoucherText s200; VoucherStatus- eVoucherStatus; ReferenceSerie s50; ReferenceNumber s50;
    EntryDate- d; Userid- s30; FunctionGroup- s20"""
_HOLD_ROW = f"""Company* s20; VoucherType* s3; AccountingYear* n; VoucherNo* n; RowNo*- n; Account! s20; {_PARTS}
    CurrencyCode! s3; CurrencyDebetAmount n; CurrencyCreditAmount n; DebetAmount n; CreditAmount n; CurrencyRate n;
    Text s200; PartyTypeId s20; ReferenceSerie- s50; ReferenceNumber- s50"""
_POSTED = """Company* s20; VoucherType* s3; AccountingYear* n; VoucherNo* n; VoucherText s200"""
_SERIES = """Company* s20; VoucherType* s3; AccountingYear* n; SerieUntil! n; NextNo! n"""
_LOAD = """Company* s20; LoadId*- s20; LoadType!~ s20; LoadDate d; FileName s200; LoadState- eLoadState; Userid- s30"""
_TRANSACTION = f"""Company* s20; LoadId* s20; RecordNo* n; LoadGroupItem s50; VoucherType s3; TransactionDate d;
    UserGroup s30; Account s20; {_PARTS} CurrencyCode s3; CurrencyAmount n; Amount n; CurrencyRate n; Text s200;
    PartyTypeId s20; ReferenceSerie s50; ReferenceNumber s50; ErrorText- s2000"""
_LOAD_TYPE = """Company* s20; LoadType* s20; Description s100; VoucherType s3; UserGroup s30"""
_INVOICE = """Company* s20; InvoiceId*- n; Identity~ s20; InvoiceNo~ s50; InvoiceDate~ d; DueDate~ d; Currency~ s3;
    GrossCurrAmount~ n; PoRefNumber~ s50; Objstate- eManSuppInvoiceState; Cf_Airbase_Status s50; Cf_Airbase_Id s50"""
_NEW_INVOICE = ("Identity", "InvoiceNo", "InvoiceDate", "Currency", "GrossCurrAmount")
_PAYMENT_ADDRESS = """Company* s20; Identity* s20; AddressId* s50; BankCountry s2"""
_VOUCHER_KEY = ("Company", "VoucherType", "AccountingYear", "VoucherNo")


@cache
def voucher_tables() -> tuple[Table, ...]:
    """All sets of vouchers and supplier invoices."""
    return (*_hold_tables(), *_load_tables(), *_invoice_tables(), *_hidden_tables())


def _hold_tables() -> tuple[Table, ...]:
    pairs = tuple((name, name) for name in _VOUCHER_KEY)
    voucher = Table(
        name=HOLD,
        entity="HoldVoucher",
        service="VoucherEntryHandling",
        lu="Voucher",
        keys=keys_of(_HOLD),
        properties=properties_of(_HOLD),
        company="Company",
        children=(Link("HoldVoucherRows", HOLD_ROW, pairs),),
        verbs="iu",
        allots=("AccountingYear", "VoucherNo"),
        defaults={"VoucherStatus": "Confirmed"},
        indexed=("ReferenceNumber",),
    )
    row = Table(
        name=HOLD_ROW,
        entity="HoldVoucherRow",
        service="VoucherEntryHandling",
        lu="VoucherRow",
        keys=keys_of(_HOLD_ROW),
        properties=properties_of(_HOLD_ROW),
        company="Company",
        parent=Link("Parent", HOLD, pairs),
        verbs="iud",
        allots=("RowNo",),
        indexed=("ReferenceNumber",),
    )
    return voucher, row


def _load_tables() -> tuple[Table, ...]:
    load = Table(
        name=LOAD,
        entity="ExtLoadInfo",
        service="ExternalVoucherHandling",
        lu="ExtLoadInfo",
        keys=keys_of(_LOAD),
        properties=properties_of(_LOAD),
        company="Company",
        verbs="iud",
        allots=("LoadId",),
        actions=("ExtLoadInfo_Check", "ExtLoadInfo_Create"),
        defaults={"LoadState": "Loaded"},
    )
    transaction = Table(
        name=TRANSACTION,
        entity="ExtTransaction",
        service="ExternalVoucherHandling",
        lu="ExtTransactions",
        keys=keys_of(_TRANSACTION),
        properties=properties_of(_TRANSACTION),
        company="Company",
        parent=Link("Parent", LOAD, (("Company", "Company"), ("LoadId", "LoadId"))),
        verbs="iud",
        indexed=("ReferenceNumber",),
    )
    return load, transaction, _plain(LOAD_TYPE, "ExtLoadType", "ExternalVoucherHandling", _LOAD_TYPE)


def _invoice_tables() -> tuple[Table, ...]:
    invoice = Table(
        name=INVOICE,
        entity="ManSuppInvoice",
        service="ManSuppInvoiceEntity",
        lu="ManSuppInvoice",
        keys=keys_of(_INVOICE),
        properties=properties_of(_INVOICE),
        entity_api=True,
        company="Company",
        verbs="iu",
        allots=("InvoiceId",),
        demands=_NEW_INVOICE,
        actions=("ManSuppInvoice_Release",),
        defaults={"Objstate": "Preliminary"},
        indexed=("Cf_Airbase_Id", "Identity"),
    )
    address = Table(
        name=PAYMENT_ADDRESS,
        entity="PaymentAddress",
        service="PaymentAddressEntity",
        lu="PaymentAddress",
        keys=keys_of(_PAYMENT_ADDRESS),
        properties=properties_of(_PAYMENT_ADDRESS),
        entity_api=True,
        company="Company",
        parent=Link("Parent", "SupplierInfoGeneralSet", (("Identity", "SupplierId"),)),
    )
    return invoice, address


def _hidden_tables() -> tuple[Table, ...]:
    return (
        _plain(POSTED, "GenLedVoucher", "", _POSTED, served=False),
        _plain(SERIES, "VoucherNoSerial", "", _SERIES, served=False),
    )


def _plain(name: str, entity: str, service: str, spec: str, served: bool = True) -> Table:
    return Table(
        name=name,
        entity=entity,
        service=service,
        lu=entity,
        keys=keys_of(spec),
        properties=properties_of(spec),
        company="Company",
        served=served,
    )
