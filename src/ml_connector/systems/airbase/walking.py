"""Reading a whole list, although it can be had only in pages by number, and moves meanwhile.

Rule: a list is read again until nothing new turns up between its rows.
Must not know: what a row means.
"""

from collections.abc import Mapping, Sequence

import msgspec

from ml_connector.errors import MalformedError
from ml_connector.systems.airbase.client import SYSTEM, AirbaseClient
from ml_connector.systems.airbase.listings import Listing
from ml_connector.systems.airbase.lookup import PASSES_MAX
from ml_connector.systems.airbase.spool import FullError, Spool

Queries = Sequence[Mapping[str, str]]


class Pass(msgspec.Struct):
    """One reading of a list: how many pages it had, and for each row in turn whether it was new."""

    pages: int = 0
    fresh: list[bool] = []

    @property
    def settled(self) -> bool:
        """Whether rows were new at the ends only: those were added, while others were pulled past the reader."""
        order = "".join("n" if fresh else "o" for fresh in self.fresh)
        return "n" not in order.strip("n")


def read_list(client: AirbaseClient, listing: Listing, queries: Queries, spool: Spool) -> None:
    """Keep every row of these queries.

    A row that goes away pulls one from a later page to an earlier one, past the reader. One page alone is safe.
    Raises: RemoteError; MalformedError also when there are too many rows, or every pass brings something new.
    """
    for number in range(PASSES_MAX):
        made = _pass(client, listing, queries, spool)
        alone = len(queries) == 1 and made.pages <= 1 and spool.rows < client.profile.page_size
        if alone or (number and made.settled):
            return
    raise _malformed(listing, "the list keeps changing while it is read")


def _pass(client: AirbaseClient, listing: Listing, queries: Queries, spool: Spool) -> Pass:
    made = Pass()
    for query in queries:
        for rows in client.pages(listing.resource, query):
            made.pages += 1
            try:
                made.fresh.extend(spool.put(listing.key(row), row) for row in rows)
            except FullError:
                raise _malformed(listing, f"it has more than {spool.rows} rows, the most that are read") from None
    return made


def _malformed(listing: Listing, detail: str) -> MalformedError:
    return MalformedError(SYSTEM, f"list {listing.part}", detail)
