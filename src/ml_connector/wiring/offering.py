"""What the rows of a mapping table may say: what is really there, in both systems.

Rule: reads only; what does not answer offers nothing.
Must not know: how anything is shown.
"""

from collections.abc import Callable, Mapping
from itertools import islice

from ml_connector.wiring.joined import Joined
from ml_connector.wiring.there import There

OFFERED_MAX = 500
Offered = Mapping[str, str]  # a value and what it is called


def offered(both: Joined, table: str) -> dict[str, Offered]:
    """By column of a table, the values that there are."""
    there = There(both)
    return {column: dict(islice(ask(there).items(), OFFERED_MAX)) for column, ask in _ASKED.get(table, {}).items()}


_ASKED: Mapping[str, Mapping[str, Callable[[There], Offered]]] = {
    "subsidiaries": {"company": lambda there: there.companies, "value": lambda there: there.subsidiaries},
    "payment_terms": {"term": lambda there: there.ifs_terms, "value": lambda there: there.airbase_terms},
    "accounts": {"company": lambda there: there.companies, "account": lambda there: there.accounts},
    "account": {"subsidiary": lambda there: there.subsidiaries, "account": lambda there: there.accounts},
    "amount_max": {"company": lambda there: there.companies},
    "voucher_types": {"company": lambda there: there.companies},
}
