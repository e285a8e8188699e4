"""Links: which target record a source key stands for, and what both sides agreed on.

Rule: a link always names a target record; it is written only together with the outcome that made it.
Must not know: how the outcome was learnt.
"""

from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import asdict
from sqlalchemy import Connection, func, select, update

from ml_connector.store.db import among, upsert
from ml_connector.store.prepared import Prepared, as_list, listed, mine
from ml_connector.store.schema import links
from ml_connector.store.scope import Scope
from ml_connector.sync.gate import Population
from ml_connector.sync.outcome import Trace
from ml_connector.sync.plan import Link
from ml_connector.sync.ports import Alike

_TOLD = [links.c[name] for name in ("key", "target_id", "digest", "active", "wake_on", "origin")]
_BARE = Prepared(lambda dialect: select(*_TOLD).where(mine(links), listed(dialect, links.c.key)))
_WHOLE = Prepared(lambda dialect: select(*_TOLD, links.c.agreed).where(mine(links), listed(dialect, links.c.key)))
_DOUBT = Prepared(lambda dialect: update(links).values(digest="").where(mine(links), listed(dialect, links.c.key)))


def read(connection: Connection, scope: Scope, flow: str, keys: Sequence[str]) -> dict[str, Link]:
    """The links of these keys; of another flow without `agreed`, whose kind only that flow knows."""
    place = {"connection_id": scope.connection_id, "flow": flow}
    if flow != scope.flow:
        return {row[0]: _told(row) for row in _BARE.rows(connection, listed=as_list(connection, keys), **place)}
    rows = _WHOLE.rows(connection, listed=as_list(connection, keys), **place)
    return {row[0]: _told(row, partial(_opened, scope, row[0], row[-1])) for row in rows}


def count(connection: Connection, scope: Scope) -> Population:
    """How many links there are, and how many are active."""
    active = func.count().filter(links.c.active)
    known, switched_on = connection.execute(select(func.count(), active).where(scope.mine(links))).one()
    return Population(known, switched_on)


def waking(connection: Connection, scope: Scope, today: date) -> set[str]:
    """Keys of links whose wake-up day has come, or which are in doubt."""
    woken = select(links.c.key).where(scope.mine(links), links.c.wake_on <= today.isoformat())
    doubtful = select(links.c.key).where(scope.mine(links), links.c.digest == "")
    return {*connection.execute(woken).scalars(), *connection.execute(doubtful).scalars()}


def doubt(connection: Connection, scope: Scope, keys: Sequence[str]) -> None:
    """Say of these links that what was agreed may no longer hold, until a settlement makes them anew."""
    _DOUBT.on(connection, listed=as_list(connection, keys), **scope.owned())


class MadeLink(msgspec.Struct, frozen=True):
    """A link to be written, with what is remembered of its source."""

    link: Link
    trace: Trace = Trace()


def put(connection: Connection, scope: Scope, made: Sequence[MadeLink]) -> None:
    """Make or replace links."""
    now, owned = scope.now(), scope.owned()
    upsert(connection, links, [owned | _row(scope, one.link, now) | asdict(one.trace) for one in made])


def alike(connection: Connection, scope: Scope, names: Sequence[str]) -> list[Alike]:
    """Links that are alike to any of these."""
    query = select(links).where(scope.mine(links), links.c.alike != "", among(connection, links.c.alike, names))
    rows = connection.execute(query.order_by(links.c.key)).all()
    return [Alike(row.alike, row.key, row.target_id, _opened(scope, row.key, row.agreed)) for row in rows]


def told(connection: Connection, scope: Scope, after: str, limit: int) -> list[tuple[str, Link]]:
    """The next links in key order, each with its story."""
    query = select(links).where(scope.mine(links), links.c.key > after).order_by(links.c.key).limit(limit)
    return [(row.story, _link(row, scope)) for row in connection.execute(query).all()]


def _row(scope: Scope, link: Link, now: str) -> dict[str, Any]:
    return {
        "key": link.key,
        "target_id": link.target_id,
        "digest": link.digest,
        "active": link.active,
        "wake_on": link.wake_on.isoformat() if link.wake_on else None,
        "changed_at": now,
        "agreed": scope.seal(links, link.key, link.agreed),
    }


def _link(row: Any, opener: Scope) -> Link:
    told = (row.key, row.target_id, row.digest, row.active, row.wake_on, row.origin)
    return _told(told, partial(_opened, opener, row.key, row.agreed))


def _told(row: tuple[Any, ...], kept: Any = None) -> Link:
    key, target_id, digest, active, wake_on, origin = row[:6]
    return Link(key, target_id, digest, bool(active), kept, date.fromisoformat(wake_on) if wake_on else None, origin)


def _opened(scope: Scope, key: str, sealed: bytes) -> Any:
    return scope.unseal(links, key, sealed, scope.target_kind)
