"""The links of a flow as a source of records, so that another flow can follow what it did.

Rule: a link in doubt is not shown: what it stands for is not certain.
Must not know: what follows.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Select, select

from ml_connector.records.posted import LinkedTo
from ml_connector.store.db import Database, among
from ml_connector.store.schema import links
from ml_connector.sync.detect import Page, Row
from ml_connector.sync.ports import Sight, SightPage

PAGE_ROWS = 2000
KEYS_MAX = 500
KEY_PARTS_MAX = 20


class LinkSource:
    """See `sync.ports.Source`."""

    def __init__(self, db: Database, connection_id: int, flow: str) -> None:
        self._db = db
        self._flow = flow
        self._certain = (links.c.connection_id == connection_id) & (links.c.flow == flow) & (links.c.digest != "")

    @property
    def parts(self) -> tuple[str, ...]:
        """See `Source`."""
        return (self._flow,)

    @property
    def heads(self) -> tuple[str, ...]:
        """See `Source`."""
        return self.parts

    @property
    def depth(self) -> int:
        """See `Source`; whatever the key's parts, it is one record."""
        return KEY_PARTS_MAX

    @property
    def keys_per_request(self) -> int:
        """See `Source`."""
        return KEYS_MAX

    @property
    def rows_per_request(self) -> int:
        """See `Source`."""
        return PAGE_ROWS

    def sweep(self, part: str, cursor: str) -> Iterator[Page]:
        """See `Source`; there is no modified time."""
        _ = cursor
        for page in self.read_all():
            rows = tuple(row for sight in page.sights for row in sight.rows)
            yield Page(part, rows, page.upto, complete=True)

    def read_all(self) -> Iterator[SightPage]:
        """See `Source`."""
        after = ""
        while True:
            query = select(links).where(self._certain, links.c.key > after).order_by(links.c.key).limit(PAGE_ROWS)
            sights = self._sights(query)
            full = len(sights) == PAGE_ROWS
            after = sights[-1].key if full else ""
            yield SightPage(sights, after if full else None)
            if not full:
                return

    def read(self, keys: Sequence[str]) -> Iterator[tuple[Sight, ...]]:
        """See `Source`."""
        for at in range(0, len(keys), KEYS_MAX):
            asked = keys[at : at + KEYS_MAX]
            with self._db.read() as connection:
                query = select(links).where(self._certain, among(connection, links.c.key, asked))
            found = {sight.key: sight for sight in self._sights(query)}
            yield tuple(found.get(key, Sight(key)) for key in asked)

    def _sights(self, query: Select[Any]) -> tuple[Sight, ...]:
        with self._db.read() as connection:
            rows = connection.execute(query).all()
        return tuple(self._sight(row.key, row.target_id, active=row.active) for row in rows)

    def _sight(self, key: str, target_id: str, *, active: bool) -> Sight:
        mark = f"{target_id} {'on' if active else 'off'}"
        return Sight(key, LinkedTo(target_id, active), (Row(self._flow, key, mark),))
