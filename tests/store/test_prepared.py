"""Statements that are compiled once: on both databases what SQLAlchemy's own way would do."""

import pytest
from sqlalchemy import bindparam, select

from ml_connector.errors import VaultError
from ml_connector.store.db import Database, add
from ml_connector.store.flow_store import FlowStore
from ml_connector.store.prepared import Prepared, as_list, listed, mine
from ml_connector.store.schema import links, marks

from .samples import entry, settled, vendor

COLUMNS = ("connection_id", "flow", "row_key", "part", "mark")
PLACE = {"connection_id": 1, "flow": "f"}
FOUND = Prepared(
    lambda dialect: (
        select(marks.c.row_key, marks.c.mark)
        .where(mine(marks), listed(dialect, marks.c.row_key), marks.c.part == "p", marks.c.mark > bindparam("above"))
        .order_by(marks.c.row_key)
    )
)


def test_values_and_lists_are_given_by_name(db: Database) -> None:
    odd = "o'dd \x1f%s ? é"
    with db.write() as connection:
        add(
            connection, marks, COLUMNS, [(1, "f", key, "p", mark) for key, mark in (("a", "1"), (odd, "2"), ("c", "3"))]
        )
        add(connection, marks, COLUMNS, [])
        asked = as_list(connection, ["a", odd, "none"])
        assert FOUND.rows(connection, listed=asked, above="1", **PLACE) == [(odd, "2")]
        assert FOUND.rows(connection, listed=as_list(connection, []), above="", **PLACE) == []


def test_columns_in_another_order_are_refused(db: Database) -> None:
    with db.write() as connection, pytest.raises(ValueError, match="another order"):
        add(connection, marks, COLUMNS[::-1], [("1", "p", "a", "f", 1)])


def test_what_was_agreed_is_opened_only_when_it_is_looked_at(db: Database, store: FlowStore) -> None:
    settled(store, [entry("S1"), entry("S2")])
    with db.write() as connection:
        connection.execute(links.update().where(links.c.key == "S2").values(agreed=b"\x01" + bytes(60)))
    known = store.links("suppliers", ["S1", "S2"])
    assert known["S1"].agreed == vendor("S1")
    with pytest.raises(VaultError):
        _ = known["S2"].agreed
