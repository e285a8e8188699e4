"""API tokens: kept as digests, accepted while in force, on both databases."""

import re
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from sqlalchemy import event, select

from ml_connector.errors import SettingsError
from ml_connector.store.api_tokens import LENGTH, ApiTokens, Right
from ml_connector.store.db import Database
from ml_connector.store.schema_work import api_tokens

from .test_flow_store import raw_bytes

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Tokens(ApiTokens):
    """Tokens with a clock that is set by hand."""

    def __init__(self, db: Database) -> None:
        self.now = NOON
        super().__init__(db, lambda: self.now)


@pytest.fixture
def tokens(db: Database) -> Tokens:
    return Tokens(db)


def test_a_token_is_found_by_itself_alone_and_never_kept(tokens: Tokens, url: str, db: Database) -> None:
    made = tokens.create("grafana", Right.READ, "kari")
    assert re.fullmatch(r"mlc_[A-Za-z0-9_-]{43}", made)
    assert len(made) == LENGTH
    found = tokens.find(made)
    assert found
    assert (found.name, found.right, found.created_by) == ("grafana", Right.READ, "kari")
    others = (made[:-1] + ("A" if made[-1] != "A" else "E"), made[4:], made + "A", "", "mlc_", "mlc_" + "é" * 43)
    assert [tokens.find(other) for other in others] == [None] * len(others)
    with db.read() as connection:
        kept = repr(connection.execute(select(api_tokens)).all()).encode()
    assert made[4:].encode() not in kept + raw_bytes(url, db)


def test_a_token_ends_when_it_expires_or_is_revoked(tokens: Tokens) -> None:
    short, long = tokens.create("short", Right.OPERATE, "kari", days=1), tokens.create("long", Right.ADMIN, "kari")
    tokens.now = NOON + timedelta(days=1) - timedelta(seconds=1)
    assert tokens.find(short)
    tokens.now = NOON + timedelta(days=1)
    assert tokens.find(short) is None
    assert tokens.find(long)
    assert (tokens.revoke("long"), tokens.revoke("long")) == (1, 0)
    assert tokens.find(long) is None
    assert [(one.name, one.revoked_at) for one in tokens.all()] == [("short", None), ("long", tokens.now)]


def test_a_name_is_one_tokens_as_long_as_that_is_in_force(tokens: Tokens) -> None:
    tokens.create("erp", Right.READ, "kari", days=2)
    with pytest.raises(SettingsError, match="already"):
        tokens.create("erp", Right.READ, "kari")
    tokens.now += timedelta(days=3)
    tokens.create("erp", Right.READ, "kari")
    tokens.revoke("erp")
    assert tokens.find(tokens.create("erp", Right.READ, "kari"))


@pytest.mark.parametrize("name", ["", "a b", "x" * 65, "a/b", "[red]", "nul\0"])
def test_names_are_plain(tokens: Tokens, name: str) -> None:
    with pytest.raises(SettingsError, match="can't name a token"):
        tokens.create(name, Right.READ, "kari")


def test_use_is_noted_once_a_minute(tokens: Tokens, db: Database) -> None:
    made, writes = tokens.create("erp", Right.READ, "kari"), list[str]()

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        writes.extend([statement] if statement.startswith("UPDATE api_tokens") else [])

    event.listen(db.engine, "before_cursor_execute", note)
    for second in (0, 1, 59, 60, 61):
        tokens.now = NOON + timedelta(seconds=second)
        assert tokens.find(made)
    assert len(writes) == 2
    assert tokens.all()[0].last_at == NOON + timedelta(seconds=60)


def test_a_token_may_do_what_lesser_ones_may() -> None:
    enough = {(one.value, other.value) for one, other in product(Right, Right) if one.covers(other)}
    lesser = {("operate", "read"), ("admin", "read"), ("admin", "operate")}
    assert enough == lesser | {(one.value, one.value) for one in Right}
