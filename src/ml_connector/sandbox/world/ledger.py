"""The recorded sets of the general ledger: accounts, code parts, voucher types, user groups, voucher rows, periods.

Rule: property lists follow the recorded ``$metadata`` of VoucherRowsAnalysis; only the period set is assumed.
Enumerations whose members were not recorded (SatAccountType, SatLevel) are left out.
It must not know HTTP, OData or the seeded data.
"""

from functools import cache

from ml_connector.sandbox.world.tables import Link, Table, keys_of, properties_of

CODE_PARTS = "BCDEFGHIJ"
LEDGER_SERVICE = "VoucherRowsAnalysis"

LEDGER_ENUMS: dict[str, tuple[str, ...]] = {
    "AccountRequest": ("Can", "Mandatory", "Blocked"),
    "AccountRequestText": ("Can", "Mandatory"),
    "AccountTypeValue": ("Assets", "Liabilities", "Revenues", "Cost", "Statistics", "StatisticsOpeningBalance"),
    "AccountingLedgFlag": ("LedgerAccount", "NotLedgerAccount"),
    "TaxHandlingValue": ("Restricted", "All", "Blocked"),
    "TaxAccountFlag": ("TaxAccount", "NotTaxAccount"),
    "ExcludeStatAccount": ("StatisticalAccount", "NoStatisticalAccount"),
    "BudgetAccountFlag": ("BudgetAccount", "NotBudgetAccount"),
    "AccCurrencyBalanceFlag": ("CurrencyBalance", "NoCurrencyBalance"),
    "FinanceYesNo": ("No", "Yes"),
    "AllowedAccountingPeriods": ("OrdinaryPeriods", "YearEndPeriods"),
    "FndBoolean": ("False", "True"),
    "ArchivingTransValue": ("AllTransactions", "MatchedTransOnly"),
    "ExcludePeriodicalCap": ("IncludeInAllLedgers", "ExcludeFromAllLedgers", "ExcludeFromGL", "ExcludeFromIL"),
}

_ROW = """
    Company* s20; VoucherType* s3; AccountingYear* n; VoucherNo* n; RowNo* n; VoucherDate d; Account s20;
    AccountDesc s100; CodeB s20; CodeBDesc s100; CodeC s20; CodeCDesc s100; CodeD s20; CodeDDesc s100;
    CodeE s20; CodeEDesc s100; CodeF s20; CodeFDesc s100; CodeG s20; CodeGDesc s100; CodeH s20;
    CodeHDesc s100; CodeI s20; CodeIDesc s100; CodeJ s20; CodeJDesc s100; ProjectId s10; ObjectId s10;
    CurrencyDebetAmount n; CurrencyCreditAmount n; CurrencyAmount n; DebetAmount n; CreditAmount n;
    Amount n; Correction b; CurrencyCode s3; Quantity n; ProcessCode s10; OptionalCode s20;
    ProjectActivityId n; Text s200; PartyTypeId s20; ReferenceSerie s50; ReferenceNumber s50;
    TransCode s100; UpdateError s200; TransferId s200; Corrected b; CurrencyRate n; PeriodAllocation b;
    ThirdCurrencyDebitAmount n; ThirdCurrencyCreditAmount n; ThirdCurrencyAmount n; AccountingPeriod n;
    MultiCompanyId s20; ConversionFactor n; AutoTaxVouEntry b; ReferenceRowNo n; FunctionGroup s20;
    YearPeriodKey n; PostingCombinationId n; CurrBalance s1; ReferenceVersion n; PartyType s20;
    ParallelCurrencyRate n; ParallelConversionFactor n; ParallelCurrTaxAmount n; ParallelCurrGrossAmount n;
    ParallelCurrTaxBaseAmount n; ParallelCurrRateType s10; DelivTypeId s20; PartyName s100; TaxBookId s10;
    TaxSeriesId s20; TaxSeriesNo n; EntryDate d; EnteredByUserGroup s30; Userid s30;
    ApprovedByUserGroup s30; ApprovedByUserid s30; SecondApprovedByUserid s30; SecondApprovedByDate d;
    SecondApprovedByUserGroup s30; IsMultiCompanyRow b; VoucherTypeReference s4000;
"""

_ACCOUNT = """
    Company* s20; CodePart s1; Account* s20; ValidFrom d; ValidUntil d; AccountingTextId s200;
    ReportingEntity s20; Description s100; AccntGroup s20; AccntType s20;
    LogicalAccountType eAccountTypeValue; ProcessCode s10; LedgFlag eAccountingLedgFlag;
    ReqCodeB eAccountRequest; ReqCodeC eAccountRequest; ReqCodeD eAccountRequest; ReqCodeE eAccountRequest;
    ReqCodeF eAccountRequest; ReqCodeG eAccountRequest; ReqCodeH eAccountRequest; ReqCodeI eAccountRequest;
    ReqCodeJ eAccountRequest; ReqQuantity eAccountRequest; ReqText eAccountRequestText;
    ReqProcessCode eAccountRequest; ReqBudgetCodeB eAccountRequest; ReqBudgetCodeC eAccountRequest;
    ReqBudgetCodeD eAccountRequest; ReqBudgetCodeE eAccountRequest; ReqBudgetCodeF eAccountRequest;
    ReqBudgetCodeG eAccountRequest; ReqBudgetCodeH eAccountRequest; ReqBudgetCodeI eAccountRequest;
    ReqBudgetCodeJ eAccountRequest; ReqBudgetQuantity eAccountRequest; MasterCompany s20;
    CurrBalance eAccCurrencyBalanceFlag; MasterComCodePartValue s20; BudAccount eBudgetAccountFlag;
    StatAccount eExcludeStatAccount; Text s2000; TaxHandlingValue eTaxHandlingValue;
    TaxFlag eTaxAccountFlag; ArchivingTransValue eArchivingTransValue; TaxCodeMandatory b; SortValue s30;
    ExcludeProjFollowup s5; ExcludePeriodicalCap eExcludePeriodicalCap; ExcludeFromCurrTrans b;
    KeepRepCurrency b; KeepReportingEntity b; IncludeInRevRec b; ExchangeDifference b; SatAccountGroup s20;
    SatParentAccount s20;
"""

_VOUCHER_TYPE = """
    Company* s20; VoucherType* s3; VoucherGroup s4000; AutomaticAllot eFinanceYesNo; Description s100;
    LablePrint eFinanceYesNo; StoreOriginal eFinanceYesNo; AutomaticVouBalance s1; LedgerId s10;
    UseManual s5; SimulationVoucher s5; Balance s5; SingleFunctionGroup s1; Ledger s30;
    UseApprovalWorkflow s5; SeparateUserApproval b;
"""

_USER_GROUP = """
    Company* s20; UserGroup* s30; Description s100; AllowedAccountingPeriod eAllowedAccountingPeriods;
"""

_PERIOD = """
    Company* s20; AccountingYear* n; AccountingPeriod* n; Description s100; DateFrom d; DateUntil d;
    PeriodStatus ePeriodStatus
"""


@cache
def ledger_tables() -> tuple[Table, ...]:
    """All sets of the ledger."""
    return (
        _table("VoucherRowSet", "VoucherRow", "VoucherRow", _ROW, _row_references()),
        _table("Reference_Account", "Account", "Account", _ACCOUNT),
        *(_code_part(part) for part in CODE_PARTS),
        _table("Reference_VoucherType", "VoucherType", "VoucherType", _VOUCHER_TYPE),
        _table("Reference_UserGroupFinance", "UserGroupFinance", "UserGroupFinance", _USER_GROUP),
        _table(
            "AccountingPeriodSet",
            "AccountingPeriod",
            "AccountingPeriod",
            _PERIOD,
            service="AccountingPeriodsHandling",
        ),
    )


def _table(
    name: str,
    entity: str,
    lu: str,
    spec: str,
    references: tuple[Link, ...] = (),
    service: str = LEDGER_SERVICE,
) -> Table:
    return Table(
        name=name,
        entity=entity,
        service=service,
        lu=lu,
        keys=keys_of(spec),
        properties=properties_of(spec),
        company="Company",
        references=references,
        indexed=tuple(name for name in ("ReferenceNumber",) if name in spec),
    )


def _code_part(part: str) -> Table:
    account_type = "AccntType s20;" if part in "BCDHIJ" else ""
    customer_project = "Cf_Customer_Project_Id s4000;" if part == "F" else ""
    spec = f"""Company* s20; CodePart s1; Code{part}* s20; ValidFrom d; ValidUntil d; AccountingTextId s200;
        ReportingEntity s20; Description s100; {account_type} Text s2000; SortValue s30;
        BudgetValue eBudgetAccountFlag; {customer_project}"""
    return _table(f"Reference_Code{part}", f"Code{part}", f"Code{part}", spec)


def _row_references() -> tuple[Link, ...]:
    company = ("Company", "Company")
    code_parts = (
        Link(f"Code{part}Ref", f"Reference_Code{part}", (company, (f"Code{part}", f"Code{part}")))
        for part in CODE_PARTS
    )
    return (
        Link("VoucherTypeRef", "Reference_VoucherType", (company, ("VoucherType", "VoucherType"))),
        Link(
            "EnteredByUserGroupRef",
            "Reference_UserGroupFinance",
            (company, ("EnteredByUserGroup", "UserGroup")),
        ),
        Link(
            "ApprovedByUserGroupRef",
            "Reference_UserGroupFinance",
            (company, ("ApprovedByUserGroup", "UserGroup")),
        ),
        Link("AccountRef", "Reference_Account", (company, ("Account", "Account"))),
        *code_parts,
    )
