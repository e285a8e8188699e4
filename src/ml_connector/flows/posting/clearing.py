"""Which accounts are clearing accounts: those on which one rule puts what another takes away.

Rule: a name counts when some rule debits it and some rule credits it, and it does not stand for the document's bank
where money comes in.
Must not know: what was posted.
"""

from ml_connector.flows.posting.rules import OF_DOCUMENT, RuleBook


def clearing_accounts(book: RuleBook, company: str) -> frozenset[str]:
    """The clearing accounts of a company."""
    rules = book.used
    debited = {name for rule in rules if not rule.pays_in for name in rule.debit if name not in OF_DOCUMENT}
    credited = {name for rule in rules for name in rule.credit if name not in OF_DOCUMENT}
    return frozenset(filter(None, (book.account(name, company) for name in debited & credited)))
