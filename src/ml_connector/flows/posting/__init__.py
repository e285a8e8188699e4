"""Posting: which voucher a document of the spend side becomes, and whether it may be posted now.

Rule: pure; nothing is guessed: what no rule says is held.
Must not know: how documents are read, how vouchers get into the ledger.
"""
