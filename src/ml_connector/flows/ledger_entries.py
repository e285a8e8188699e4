"""Ledger entries of Airbase become vouchers of IFS; Airbase is master.

Rule: an entry of a type without a posting rule is held, never guessed.
Must not know: property or field names of either API.
"""

from ml_connector.flows.posting.flow import posting_flow

LEDGER_ENTRIES = posting_flow("ledger_entries", "Ledger entries to vouchers")
