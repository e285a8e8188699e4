"""Marks: what was last seen of each source row.

Rule: a blank mark says "look again" and still tells that the row is known; a record's rows are those whose key is its
key or starts with it.
Must not know: what a mark is made of.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, bindparam, delete, func, select, update

from ml_connector.store.db import add
from ml_connector.store.prepared import Prepared, as_list, listed, mine
from ml_connector.store.schema import marks
from ml_connector.store.scope import Scope
from ml_connector.sync.detect import Row

# The separator of key parts, U+001F, is the last character before the space, and the only one below it in a key.
_AFTER_ROWS = " "
_COLUMNS = ("connection_id", "flow", "row_key", "part", "mark")
_RANGE = mine(marks) & (marks.c.row_key >= bindparam("low")) & (marks.c.row_key < bindparam("high"))
_PART = select(marks.c.row_key, marks.c.mark).where(mine(marks), marks.c.part == bindparam("part"))
_OF = Prepared(lambda dialect: _PART.where(listed(dialect, marks.c.row_key)))
_BEHIND = Prepared(lambda _: _PART.where(marks.c.row_key > bindparam("after")).order_by(marks.c.row_key))
_BETWEEN = Prepared(
    lambda _: _PART.where(marks.c.row_key > bindparam("after"), marks.c.row_key <= bindparam("upto")).order_by(
        marks.c.row_key
    )
)
_FORGET = Prepared(lambda _: delete(marks).where(_RANGE))
_BLANK = Prepared(lambda _: update(marks).values(mark="").where(_RANGE))


def between(connection: Connection, scope: Scope, part: str, after: str, upto: str | None) -> dict[str, str]:
    """The marks of rows with after < key <= upto."""
    place = scope.owned() | {"part": part, "after": after}
    rows = _BEHIND.rows(connection, **place) if upto is None else _BETWEEN.rows(connection, **place, upto=upto)
    return dict(rows)


def of(connection: Connection, scope: Scope, part: str, keys: Sequence[str]) -> dict[str, str]:
    """The marks of these rows."""
    return dict(_OF.rows(connection, listed=as_list(connection, keys), part=part, **scope.owned()))


def count(connection: Connection, scope: Scope) -> int:
    """How many rows are known."""
    return connection.execute(select(func.count()).select_from(marks).where(scope.mine(marks))).scalar_one()


def replace(connection: Connection, scope: Scope, seen: Sequence[tuple[str, Iterable[Row]]]) -> None:
    """Put these rows in the place of all that was known of these records."""
    _on_records(connection, _FORGET, scope, [key for key, _ in seen])
    rows = {(row.key, row.part): row.mark for _, rows in seen for row in rows}
    values = [(scope.connection_id, scope.flow, key, part, mark) for (key, part), mark in rows.items()]
    add(connection, marks, _COLUMNS, values)


def blank(connection: Connection, scope: Scope, keys: Sequence[str]) -> None:
    """Make the next run look at these records again."""
    _on_records(connection, _BLANK, scope, keys)


def _on_records(connection: Connection, statement: Prepared, scope: Scope, keys: Sequence[str]) -> None:
    statement.each(connection, [{"low": key, "high": key + _AFTER_ROWS} for key in keys], **scope.owned())
