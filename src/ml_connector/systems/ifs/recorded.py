"""Names that IFS's own sets were seen to have beside those of the profile.

Rule: a property with one of these names is what it always was, so it can't be another one renamed.
Must not know: anything else.
Source: recorded `$metadata` of VoucherRowsAnalysis; the envelope of every row.
"""

RECORDED = "VoucherRowsAnalysis"
ENVELOPE = frozenset({"luname", "keyref", "Objgrants", "Objkey"})

_NAMES = """
    AccntGroup AccntType AccountDesc AccountingTextId ApprovedByUserGroup ApprovedByUserid ArchivingTransValue
    AutoTaxVouEntry AutomaticVouBalance Balance BudAccount BudgetValue Cf_Customer_Project_Id CodeBDesc
    CodeCDesc CodeDDesc CodeEDesc CodeFDesc CodeGDesc CodeHDesc CodeIDesc CodeJDesc ConversionFactor Corrected
    Correction CurrBalance DelivTypeId EntryDate ExchangeDifference ExcludeFromCurrTrans ExcludePeriodicalCap
    ExcludeProjFollowup FunctionGroup IncludeInRevRec IsMultiCompanyRow KeepRepCurrency KeepReportingEntity
    LablePrint LedgFlag Ledger LedgerId MasterComCodePartValue MasterCompany MultiCompanyId ObjectId Objgrants
    OptionalCode ParallelConversionFactor ParallelCurrGrossAmount ParallelCurrRateType ParallelCurrTaxAmount
    ParallelCurrTaxBaseAmount ParallelCurrencyRate PartyName PartyType PeriodAllocation PostingCombinationId
    ProcessCode ProjectActivityId ProjectId Quantity ReferenceRowNo ReferenceVersion ReportingEntity
    ReqBudgetCodeB ReqBudgetCodeC ReqBudgetCodeD ReqBudgetCodeE ReqBudgetCodeF ReqBudgetCodeG ReqBudgetCodeH
    ReqBudgetCodeI ReqBudgetCodeJ ReqBudgetQuantity ReqProcessCode ReqQuantity ReqText SatAccountGroup
    SatAccountType SatLevel SatParentAccount SecondApprovedByDate SecondApprovedByUserGroup
    SecondApprovedByUserid SeparateUserApproval SimulationVoucher SingleFunctionGroup SortValue StatAccount
    StoreOriginal TaxBookId TaxCodeMandatory TaxFlag TaxHandlingValue TaxSeriesId TaxSeriesNo
    ThirdCurrencyAmount ThirdCurrencyCreditAmount ThirdCurrencyDebitAmount TransCode TransferId UpdateError
    UseApprovalWorkflow UseManual Userid VoucherGroup VoucherTypeReference YearPeriodKey keyref luname
"""
OTHERS = frozenset(_NAMES.split())
