"""What each cause is called for people, and where it is put right.

Rule: a title is what a controller would call it, in a few words; every cause that the flows and systems hold a record
for has one.
Must not know: how anything is shown, what a record says.
"""

from enum import StrEnum

import msgspec


class At(StrEnum):
    """Where a cause is put right."""

    MAPPING = "mapping"  # a table or rule of this connection
    PROFILE = "profile"  # a name or setting in its profile
    CONNECTION = "connection"  # its addresses, companies and rights
    IFS = "ifs"
    AIRBASE = "airbase"
    EITHER = "either"  # one of the two systems, whichever is wrong
    ITSELF = "itself"  # by a run that follows
    REPORT = "report"  # by whoever looks after the connector


class Cause(msgspec.Struct, frozen=True):
    """A cause; `table`: of a mapping, what has to be added to or changed."""

    title: str
    at: At
    table: str = ""


CAUSES = {
    # what the mapping lacks
    "account_not_mapped": Cause("Account without a mapping", At.MAPPING, "account"),
    "account_missing": Cause("No account named for the posting", At.MAPPING, "accounts"),
    "fee_account_missing": Cause("No account named for fees", At.MAPPING, "rule"),
    "rounding_account_missing": Cause("No account named for roundings", At.MAPPING, "rule"),
    "exchange_account_missing": Cause("No account named for exchange differences", At.MAPPING, "rule"),
    "account_unknown": Cause("Account is not in IFS", At.PROFILE),
    "account_not_valid": Cause("Account is not valid on the day", At.PROFILE),
    "company_not_mapped": Cause("Company without a subsidiary", At.MAPPING, "subsidiaries"),
    "subsidiary_not_mapped": Cause("Subsidiary without a company", At.MAPPING, "subsidiaries"),
    "payment_term_not_mapped": Cause("Payment term without a counterpart", At.MAPPING, "payment_terms"),
    "payment_term_ambiguous": Cause("Payment term stands for several", At.IFS),
    "dimension_not_mapped": Cause("Code part without a label", At.MAPPING, "dimensions"),
    "code_part_missing": Cause("Code part missing", At.AIRBASE),
    "rate_missing": Cause("Exchange rate missing", At.MAPPING, "rate"),
    "unknown_type": Cause("No posting rule for this kind", At.MAPPING, "rule"),
    "over_limit": Cause("Voucher over the limit", At.MAPPING, "amount_max"),
    "lines_do_not_add_up": Cause("Lines and total differ", At.AIRBASE),
    "user_group_unknown": Cause("User group is not in IFS", At.PROFILE),
    "voucher_type_unknown": Cause("Voucher type is not in IFS", At.PROFILE),
    "voucher_type_by_hand": Cause("Voucher type is numbered by hand", At.PROFILE),
    "too_many_rows": Cause("Voucher has too many rows", At.PROFILE),
    "field_not_named": Cause("A field has no name in the profile", At.PROFILE),
    "payment_terms_conflict": Cause("Payment terms changed on both sides", At.EITHER),
    "company_unknown": Cause("Company is not to be seen in IFS", At.CONNECTION),
    "company_not_connected": Cause("Company is not part of the connection", At.CONNECTION),
    # what is to be done in IFS
    "period_closed": Cause("Accounting period is closed", At.IFS),
    "period_missing": Cause("No accounting period for the day", At.IFS),
    "supplier_not_linked": Cause("Supplier is not in both systems yet", At.IFS),
    "supplier_not_active": Cause("Supplier is switched off", At.IFS),
    "supplier_kept_by_ifs": Cause("Supplier differs from its vendor", At.IFS),
    "mixed_currencies": Cause("Order in several currencies", At.IFS),
    "no_agreement": Cause("Supplier has no invoice data in the company", At.IFS),
    "refused_by_ifs": Cause("Refused by IFS", At.IFS),
    "field_missing_in_ifs": Cause("IFS lacks a field for our reference", At.IFS),
    "invoice_not_found": Cause("Supplier invoice not found in IFS", At.IFS),
    "invoice_gone": Cause("Supplier invoice gone from IFS", At.IFS),
    "invoice_cancelled": Cause("Supplier invoice cancelled in IFS", At.IFS),
    "posted_otherwise": Cause("Posted already with another content", At.IFS),
    "handed_over": Cause("In a voucher file that IFS has not taken", At.IFS),
    # what is to be done in Airbase
    "code_part_blocked": Cause("Account does not take this code part", At.AIRBASE),
    "code_part_unknown": Cause("Code part value is not in IFS", At.AIRBASE),
    "code_part_not_valid": Cause("Code part value is not valid on the day", At.AIRBASE),
    "tag_without_code": Cause("Tag without a code", At.AIRBASE),
    "tags_conflict": Cause("Tags contradict one another", At.AIRBASE),
    "vendor_without_supplier": Cause("Vendor without a supplier", At.AIRBASE),
    "vendor_gone": Cause("Vendor gone from Airbase", At.AIRBASE),
    "vendor_has_reference": Cause("Vendor carries another number", At.AIRBASE),
    "reference_taken": Cause("Two vendors for one supplier", At.AIRBASE),
    "doubled_in_airbase": Cause("Several times in Airbase", At.AIRBASE),
    "refused_by_airbase": Cause("Refused by Airbase", At.AIRBASE),
    "refused": Cause("Refused by the other system", At.EITHER),
    "invoice_number_missing": Cause("Invoice number missing", At.AIRBASE),
    "date_missing": Cause("Date missing", At.AIRBASE),
    "amount_not_positive": Cause("Amount is not positive", At.AIRBASE),
    "negative_amount": Cause("Amount is negative", At.AIRBASE),
    "zero_amount": Cause("Amount is zero", At.AIRBASE),
    "too_precise": Cause("Amount has too many decimals", At.AIRBASE),
    "unknown_currency": Cause("Currency is not known", At.AIRBASE),
    "amounts_differ": Cause("Amounts contradict one another", At.AIRBASE),
    "company_currency_differs": Cause("Company currency differs", At.EITHER),
    "settlement_missing": Cause("Paid amount missing", At.AIRBASE),
    "settlement_differs": Cause("Paid amount differs", At.AIRBASE),
    "lines_missing": Cause("Document without lines", At.AIRBASE),
    "not_approved": Cause("Not approved any more", At.AIRBASE),
    "possibly_double": Cause("May be the same thing twice", At.AIRBASE),
    "entry_gone": Cause("Ledger entry gone from Airbase", At.AIRBASE),
    "gone_from_source": Cause("Posted, but gone from where it came from", At.AIRBASE),
    # one or the other
    "doubled_in_target": Cause("Several times in the other system", At.EITHER),
    "gone_from_target": Cause("Gone from the other system", At.EITHER),
    "answered_otherwise": Cause("Created under another key", At.EITHER),
    "unreadable": Cause("Record can't be read", At.EITHER),
    "invoice_entered_already": Cause("Invoice was entered already", At.EITHER),
    "invoice_differs": Cause("Bill and invoice differ", At.EITHER),
    "invoice_withdrawn": Cause("Bill no longer approved, invoice stands", At.EITHER),
    "payment_terms_cleared": Cause("Payment terms cleared on one side", At.EITHER),
    "terms_on_one_side": Cause("Payment terms on one side only", At.EITHER),
    # what goes away by itself
    "differs_in_target": Cause("Not as it was sent", At.ITSELF),
    "not_confirmed": Cause("Sent, but not answered", At.ITSELF),
    "changed_meanwhile": Cause("Changed while it was being sent", At.ITSELF),
    # what the connector does not know
    "unknown_state": Cause("State of the order is not known", At.REPORT),
    "unknown_status": Cause("Status of the document is not known", At.REPORT),
    "mapping_failed": Cause("Mapping failed", At.REPORT),
    "unusable_reference": Cause("Number can't be a reference in IFS", At.REPORT),
    "not_balanced": Cause("Voucher does not balance", At.REPORT),
    "unbalanced": Cause("Voucher does not balance", At.REPORT),
}


def cause(name: str) -> Cause:
    """A cause; one of another release is called as it is written."""
    return CAUSES.get(name) or Cause(name.replace("_", " ").capitalize(), At.REPORT)


def title(name: str) -> str:
    """What a cause is called."""
    return cause(name).title
