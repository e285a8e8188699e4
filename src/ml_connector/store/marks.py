"""Marks: what was last seen of each source row.

Rule: a blank mark says "look again" and still tells that the row is known; a record's rows are those whose key is its
key or starts with it.
Must not know: what a mark is made of.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, bindparam, delete, func, select, update

from ml_connector.store.db import add, among
from ml_connector.store.prepared import Prepared, mine
from ml_connector.store.schema import marks
from ml_connector.store.scope import Scope
from ml_connector.sync.detect import Row

# The separator of key parts, U+001F, is the last character before the space, and the only one below it in a key.
_AFTER_ROWS = " "
_COLUMNS = ("connection_id", "flow", "row_key", "part", "mark")
_RANGE = mine(marks) & (marks.c.row_key >= bindparam("low")) & (marks.c.row_key < bindparam("high"))
_FORGET = Prepared(lambda _: delete(marks).where(_RANGE))
_BLANK = Prepared(lambda _: update(marks).values(mark="").where(_RANGE))


def between(connection: Connection, scope: Scope, part: str, after: str, upto: str | None) -> dict[str, str]:
    """The marks of rows with after < key <= upto."""
    query = select(marks.c.row_key, marks.c.mark).where(scope.mine(marks), marks.c.part == part)
    query = query.where(marks.c.row_key > after)
    query = query if upto is None else query.where(marks.c.row_key <= upto)
    return {row.row_key: row.mark for row in connection.execute(query.order_by(marks.c.row_key))}


def of(connection: Connection, scope: Scope, part: str, keys: Sequence[str]) -> dict[str, str]:
    """The marks of these rows."""
    query = select(marks.c.row_key, marks.c.mark).where(
        scope.mine(marks), among(connection, marks.c.row_key, keys), marks.c.part == part
    )
    return {row.row_key: row.mark for row in connection.execute(query)}


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
