"""How alike two names of IFS's are, word by word.

Rule: words that people use for the same thing count as the same word; a number or a single letter must be the same.
Must not know: what the names are of.
"""

import re
from difflib import SequenceMatcher
from functools import lru_cache

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
# Words for the same thing, each under the first of its line.
_SAME = """
    supplier vendor supp identity
    id no number num nr
    currency curr ccy
    amount amt
    quantity qty
    unit meas uom
    description desc text txt
    payment pay
    terms term
    until to end
    from start begin
    date day
    account acc acct accnt
    group grp
    voucher vou journal
    reference ref
    external ext
    purchase purch po
    order ord
    invoice inv
    status state objstate
    debit debet dr
    credit cr
    company comp
    site contract
    price cost
    serie series
    association tax org
    zip postal
    address addr
    rate exchange
    net due
    buyer purchaser
    transaction trans
    record rec line row
    type kind
    hold awaiting entry
    gross total
"""
_WORDS = {word: line.split()[0] for line in _SAME.strip().splitlines() for word in line.split()}
_EMPTY = frozenset({"set", "handling", "entity", "cf", "svc", "api", "basic", "data"})


@lru_cache(100_000)
def words(name: str) -> frozenset[str]:
    """The words of a name, each by its usual form; those that say nothing are left out."""
    found = [word.lower() for word in _WORD.findall(name)]
    usual = [_WORDS.get(word) or _WORDS.get(word.removesuffix("s")) or word.removesuffix("s") for word in found]
    return frozenset(word for word in usual if word not in _EMPTY) or frozenset(usual)


@lru_cache(100_000)
def likeness(left: str, right: str) -> float:
    """How alike two names are, from 0 to 1; 1 only when they are the same."""
    if left == right:
        return 1.0
    if plain(left) == plain(right):
        return 0.98
    ours, theirs = words(left), words(right)
    shared = len(ours & theirs) / len(ours | theirs) if ours | theirs else 0.0
    spelt = SequenceMatcher(None, plain(left), plain(right)).ratio()
    alike = max(0.95 * shared, 0.75 * spelt)
    return alike * (0.4 if _marks(ours) != _marks(theirs) else 1.0)


def plain(name: str) -> str:
    """A name without case and underscores."""
    return name.replace("_", "").lower()


def _marks(found: frozenset[str]) -> frozenset[str]:
    return frozenset(word for word in found if len(word) == 1 or word.isdigit())
