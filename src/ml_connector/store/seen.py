"""In which flows a record was ever seen.

Rule: what the journal tells of, or what is marked; a fixed number of look-ups for any number of keys asked about.
Must not know: why somebody asks.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, and_, or_, select

from ml_connector.records import keys
from ml_connector.store.db import Database, among
from ml_connector.store.schema import journal, marks

CHUNK = 100  # keys in one condition
_AFTER_ROWS = " "  # above the separator, below everything else in a key


def flows_of(db: Database, connection_id: int, wanted: Sequence[str], flows: Iterable[str]) -> dict[str, set[str]]:
    """Of each of these keys that was ever seen, the flows."""
    found: dict[str, set[str]] = defaultdict(set)
    listed = sorted(flows)
    with db.read() as connection:
        told = select(journal.c.key, journal.c.flow).where(journal.c.connection_id == connection_id)
        told = told.where(among(connection, journal.c.key, list(wanted)), journal.c.flow.in_(listed)).distinct()
        for row in connection.execute(told):
            found[row.key].add(row.flow)
        left = [key for key in wanted if key not in found]
        for at in range(0, len(left), CHUNK):
            _marked(connection, connection_id, left[at : at + CHUNK], listed, found)
    return dict(found)


def _marked(
    connection: Connection, connection_id: int, left: Sequence[str], flows: Sequence[str], found: dict[str, set[str]]
) -> None:
    ranges = [and_(marks.c.row_key >= key, marks.c.row_key < key + _AFTER_ROWS) for key in left]
    mine = (marks.c.connection_id == connection_id) & marks.c.flow.in_(flows)
    asked = set(left)
    for row in connection.execute(select(marks.c.flow, marks.c.row_key).where(mine, or_(*ranges))):
        for depth in range(1, len(keys.split(row.row_key)) + 1):
            if (key := keys.parent(row.row_key, depth)) in asked:
                found[key].add(row.flow)
