"""Words for what was linked before words were kept.

Rule: made of what both sides agreed on; what runs see from now on gets its words by itself.
Must not know: how anything is shown.
"""

from datetime import UTC, datetime
from typing import Any

from ml_connector import flows
from ml_connector.store.links import told
from ml_connector.store.scope import Scope
from ml_connector.store.terms import Terms
from ml_connector.sync.plan import Link
from ml_connector.sync.words import of_target, words
from ml_connector.wiring.opened import Opened

PAGE = 1000


def index(opened: Opened, name: str) -> int:
    """Keep the words of all that is linked; how many records. It may be broken off and done again."""
    number, done = opened.connections.get(name).id, 0
    terms = Terms(opened.vault, number)
    for flow in flows.FLOWS.values():
        after = ""
        while page := _page(opened, number, flow.name, flow.target_kind, after):
            with opened.database.write() as connection:
                terms.add(connection, flow.name, {one.key: _words(one) for one in page})
                terms.add(connection, flow.name, {one.key: of_target(one.target_id) for one in page})
            after, done = page[-1].key, done + len(page)
    return done


def _page(opened: Opened, number: int, flow: str, kind: type[Any], after: str) -> list[Link]:
    scope = Scope(opened.vault, number, flow, kind, kind, lambda: datetime.now(UTC))
    with opened.database.read() as connection:
        return [link for _, link in told(connection, scope, after, PAGE)]


def _words(one: Link) -> frozenset[str]:
    return words(one.key, one.agreed)
