"""Approved purchase requests become vouchers of IFS; Airbase is master.

Rule: posted once; amended or withdrawn in Airbase, corrected in IFS.
Must not know: property or field names of either API.
"""

from ml_connector.flows.posting.flow import posting_flow

PURCHASE_REQUESTS = posting_flow("purchase_requests", "Purchase requests to vouchers")
