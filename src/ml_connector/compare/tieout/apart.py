"""Rows that are there instead of others, in words.

Rule: whatever differs is seen in what is said, be it only the supplier or the amount in the company's currency.
Must not know: why they differ.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from ml_connector.compare.tieout import rows
from ml_connector.records.money import Money, plain
from ml_connector.records.voucher import VoucherRow

ROWS_MAX = 3
Row = tuple[str, rows.Parts, str, Decimal, Decimal]


def rows_apart(stand: Sequence[VoucherRow], there: Sequence[VoucherRow], wanted: Sequence[VoucherRow]) -> str:
    """Which rows stand instead of which; where these are the same, what all that is there comes to instead."""
    found, due = rows.counted(stand), rows.counted(wanted)
    if found == due:
        return _instead(_netted(there), _netted(wanted))
    return _instead(list((found - due).elements()), list((due - found).elements()))


def parties_apart(there: Sequence[VoucherRow], wanted: Sequence[VoucherRow]) -> str:
    """Which accounts hold what with which supplier, instead of what with whom."""
    found, due = rows.net_of_parties(there), rows.net_of_parties(wanted)
    more, less = (
        [(*place, amount) for place, (amount, company) in one.items() if other.get(place) != (amount, company)]
        for one, other in ((found, due), (due, found))
    )
    return f"{_listed(map(_with_party, more))} instead of {_listed(map(_with_party, less))}"


def _netted(these: Iterable[VoucherRow]) -> list[Row]:
    return [(*place, amount, company) for place, (amount, company) in rows.net(these).items()]


def _instead(more: Sequence[Row], less: Sequence[Row]) -> str:
    alike = {one[:-1] for one in more} == {one[:-1] for one in less}
    told = (_listed(_with_amount(*one, both=alike) for one in these) for these in (more, less))
    return " instead of ".join(told)


def _with_amount(account: str, parts: rows.Parts, currency: str, amount: Decimal, company: Decimal, both: bool) -> str:
    """A row; `both`: with its amount in the company's currency."""
    coded = (f"{part} {value}" for part, value in parts)
    also = [f"({plain(company)} in the company's currency)"] if both else []
    return " ".join((f"account {account}", *coded, str(Money(amount, currency)), *also))


def _with_party(one: tuple[str, str, str, Decimal]) -> str:
    account, party, currency, amount = one
    return f"account {account} of {f'supplier {party}' if party else 'no supplier'} {Money(amount, currency)}"


def _listed(these: Iterable[str]) -> str:
    told = list(these)
    more = [f"{len(told) - ROWS_MAX} more"] if len(told) > ROWS_MAX else []
    return " and ".join([*told[:ROWS_MAX], *more]) or "nothing"
