"""The names of the documents of spend: requests, bills, payments, ledger entries.

Rule: ledger entries are as seen; the other three are assumed, and share their names where they mean the same.
Must not know: how a document is read.
"""

from ml_connector.systems.airbase.resource import Resource

_LINES = {
    "lines.number": "line_number",
    "lines.account": "account",
    "lines.amount": "amount",
    "lines.tags": "tags",
    "lines.description": "description",
}
_TAGS = {"tags.reference": "erp_reference_id", "tags.label": "type_label", "tags.name": "name"}
_RATE = {"rate": "exchange_rate", "rate.rate": "rate", "rate.source": "source", "rate.on": "date"}
_SHARED = {
    "number": "number",
    "status": "status",
    "type": "type",
    "vendor": "vendor",
    "subsidiary": "subsidiary",
    "currency": "currency",
    "company_amount": "subsidiary_amount",
    "po_number": "po_number",
    "invoice_number": "invoice_number",
    "tags": "tags",
    **_TAGS,
    **_RATE,
}
_REQUEST = {
    **_SHARED,
    "category": "category",
    "requester": "requester",
    "approvals": "approvals",
    "approvals.approver": "approver",
    "approvals.status": "status",
    "approvals.decided_at": "decided_at",
    "approved_at": "approved_at",
    "amount": "total_amount",
    "description": "description",
    "lines": "lines",
    **_LINES,
    "lines.category": "category",
}
PURCHASE_REQUESTS = Resource(path="/v1/purchase_requests/", fields=_REQUEST)
BILLS = Resource(
    path="/v1/bills/",
    fields={
        **_REQUEST,
        "dated_on": "invoice_date",
        "due_on": "due_date",
        "request_id": "request_id",
    },
)
PAYMENTS = Resource(
    path="/v1/payments/",
    fields={
        **_SHARED,
        "amount": "amount",
        "settlement_amount": "settlement_amount",
        "settlement_currency": "settlement_currency",
        "fee": "fee",
        "paid_at": "paid_at",
        "bank_account": "bank_account",
        "bill_ids": "bill_ids",
        "request_id": "request_id",
    },
)
_ENTRY = {
    "type": "type",
    "status": "status",
    "reference": "erp_reference_id",
    "error": "error_message",
    "url": "airbase_url",
    "owner": "spend_owner",
    "employee": "employee",
    "vendor": "vendor",
    "subsidiary": "subsidiary",
    "invoice_number": "invoice_number",
    "bank_account": "bank_account",
    "payable_account": "ap_account",
    "applied_to": "applied_to",
    "entered_at": "entry_date",
    "currency": "currency",
    "amount": "total_amount",
    "amounts": "amounts",
    "amounts.transaction": "transaction_amount",
    "amounts.plain": "amount",
    "amounts.company": "subsidiary_amount",
    "amounts.settlement": "settlement_amount",
    "description": "notes",
    "lines": "expense_list",
    "tags": "transaction_tags",
    **_LINES,
    **_TAGS,
}
LEDGER_ENTRIES = Resource(
    path="/v1/accounting/ledger_entries/", fields=_ENTRY, confidence="seen", seen=frozenset(_ENTRY)
)
