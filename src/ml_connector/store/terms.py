"""Terms: by which words a record is found, kept so that nobody can read them.

Rule: a word is kept as a number that only the vault's key makes of it, bound to its connection; records themselves stay
sealed. A word once said of a record stays, so that it is found under its former name too.
Must not know: which words a record has.
"""

import hmac
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    Table,
    bindparam,
    func,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.dialects import postgresql, sqlite

from ml_connector.store.prepared import POSTGRESQL, Prepared, as_list, listed, mine
from ml_connector.store.schema import IS_UNRESOLVED, KEY, exceptions, links
from ml_connector.store.schema_people import terms
from ml_connector.store.vault import Vault

PURPOSE = "words"
LAST = "\U0010ffff"  # sorts behind whatever a key goes on with
COUNTED_MAX = 2_000  # how far a word's records are counted, to begin with the rarest
FEW = 3  # words of a record that are written rather than looked for
REMEMBERED_MAX = 10_000  # words whose numbers are kept at hand, as many records have them
TRIED_MAX = 20_000  # of the rarest word's records, how many are looked at

Place = tuple[str, str]  # flow and key
Words = Mapping[str, Collection[str]]  # by key


class Matches(msgspec.Struct, frozen=True):
    """Records that were found, in order of flow and key; `partial`: there may be more than were looked at."""

    places: tuple[Place, ...] = ()
    partial: bool = False


class Terms:
    """What makes numbers of the words of one connection."""

    def __init__(self, vault: Vault, connection_id: int) -> None:
        self._key = vault.derived(PURPOSE)
        self._prefix = f"{connection_id}\0".encode()
        self._connection_id = connection_id
        self.number = lru_cache(REMEMBERED_MAX)(self._number)

    def _number(self, word: str) -> int:
        """The number that stands for a word."""
        return int.from_bytes(hmac.digest(self._key, self._prefix + word.encode(), "sha256")[:8], "big", signed=True)

    def add(self, connection: Connection, flow: str, words: Words) -> None:
        """Keep the words of records of a flow; of those that are known with the same words, nothing is written."""
        few = [(self.number(word), key) for key, said in words.items() if len(said) < FEW for word in said]
        named = {self._all(key, said): (key, said) for key, said in words.items() if len(said) >= FEW}
        known = self._known(connection, flow, list(named)) if named else set[int]()
        rows = [
            (term, key)
            for whole, (key, said) in named.items()
            if whole not in known
            for term in (whole, *map(self.number, said))
        ]
        _insert(connection, self._connection_id, flow, few + rows)

    def find(
        self, connection: Connection, asked: Sequence[Collection[str]], flow: str, after: Place | None, limit: int
    ) -> Matches:
        """Records that have all that is asked for, of each one of several words; in order of flow and key."""
        numbers = [[self.number(word) for word in one] for one in asked]
        if not numbers:
            return Matches()
        counted = sorted((self._count(connection, one, flow, after), one) for one in numbers)
        fewest, first = counted[0]
        query = self._of(first, flow, after)
        if fewest > COUNTED_MAX:
            query = query.order_by(terms.c.flow, terms.c.key).limit(TRIED_MAX)
        rarest = query.subquery("rarest")
        chosen = select(rarest.c.flow, rarest.c.key).distinct().order_by(rarest.c.flow, rarest.c.key).limit(limit)
        for _, more in counted[1:]:
            chosen = chosen.where(self._also(more, rarest.c.flow, rarest.c.key))
        found = tuple((row.flow, row.key) for row in connection.execute(chosen))
        # As one more than a page is asked for, a full answer says itself that there is more.
        return Matches(found, len(counted) > 1 and fewest > COUNTED_MAX and len(found) < limit)

    def _all(self, key: str, said: Collection[str]) -> int:
        """The number that stands for all words of a record together; no word has a blank in it."""
        return self.number(" ".join([key, *sorted(said)]))

    def _known(self, connection: Connection, flow: str, wholes: Sequence[int]) -> set[int]:
        place = {"connection_id": self._connection_id, "flow": flow}
        return {term for (term,) in _KNOWN.rows(connection, listed=as_list(connection, wholes), **place)}

    def _of(self, numbers: Sequence[int], flow: str, after: Place | None) -> Any:
        query = select(terms.c.flow, terms.c.key).where(terms.c.connection_id == self._connection_id)
        query = query.where(terms.c.term == numbers[0] if len(numbers) == 1 else terms.c.term.in_(numbers))
        query = query.where(terms.c.flow == flow) if flow else query
        return query if after is None else query.where(tuple_(terms.c.flow, terms.c.key) > after)

    def _count(self, connection: Connection, numbers: Sequence[int], flow: str, after: Place | None) -> int:
        some = self._of(numbers, flow, after).limit(COUNTED_MAX + 1).subquery()
        return connection.execute(select(func.count()).select_from(some)).scalar_one()

    def _also(self, numbers: Sequence[int], flow: Any, key: Any) -> ColumnElement[bool]:
        mine = (terms.c.connection_id == self._connection_id) & (terms.c.flow == flow) & (terms.c.key == key)
        return select(terms.c.term).where(mine, terms.c.term.in_(numbers)).exists()


def _insert(connection: Connection, connection_id: int, flow: str, rows: Sequence[tuple[int, str]]) -> None:
    """Keep terms, in the order of their index, so that each page of it is written once."""
    ordered, place = sorted(rows), {"connection_id": connection_id, "flow": flow}
    if connection.dialect.name == POSTGRESQL:
        lists = {"numbers": [term for term, _ in ordered], "keys": [key for _, key in ordered]}
        _KEEP_ALL.on(connection, **place, **lists)
    else:
        _KEEP.each(connection, [place | {"term": term, "key": key} for term, key in ordered])


def _keeping_all(_: str) -> Any:
    lists = (bindparam("numbers", type_=postgresql.ARRAY(BigInteger)), bindparam("keys", type_=postgresql.ARRAY(KEY)))
    one = func.unnest(*lists).table_valued("term", "key", name="given").render_derived()
    owner, flow = bindparam("connection_id", type_=Integer), bindparam("flow", type_=KEY)
    made = postgresql.insert(terms).from_select(_COLUMNS, select(owner, one.c.term, flow, one.c.key))
    return made.on_conflict_do_nothing()


_KNOWN = Prepared(lambda dialect: select(terms.c.term).where(mine(terms), listed(dialect, terms.c.term)))
_COLUMNS = ("connection_id", "term", "flow", "key")
_KEEP = Prepared(
    lambda _: sqlite.insert(terms).values({name: bindparam(name) for name in _COLUMNS}).on_conflict_do_nothing()
)
_KEEP_ALL = Prepared(_keeping_all)


def by_key(
    connection: Connection, connection_id: int, begins: Sequence[str], flows: Sequence[str], limit: int
) -> list[Place]:
    """Linked records, and such as need a person, whose key begins in one of these ways; the first of them, in order."""
    several = [
        _beginning(table, begin, flow, connection_id, limit)
        for table in (links, exceptions)
        for begin in begins
        for flow in flows
    ]
    return sorted({(row.flow, row.key) for row in connection.execute(union_all(*several))})[:limit]


def _beginning(table: Table, begin: str, flow: str, connection_id: int, limit: int) -> Any:
    query = select(table.c.flow, table.c.key).where(table.c.connection_id == connection_id, table.c.flow == flow)
    query = query.where(table.c.key >= begin, table.c.key < begin + LAST)
    query = query.where(IS_UNRESOLVED) if table is exceptions else query
    some = query.order_by(table.c.key).limit(limit).subquery()
    return select(some.c.flow, some.c.key)
