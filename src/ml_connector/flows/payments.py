"""Settled payments become vouchers of IFS; Airbase is master.

Rule: posted once; reversed in Airbase, reversed in IFS.
Must not know: property or field names of either API.
"""

from ml_connector.flows.posting.flow import posting_flow

PAYMENTS = posting_flow("payments", "Payments to vouchers")
