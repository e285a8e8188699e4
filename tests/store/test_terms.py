"""Records are found by words that nobody can read in the database."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select

from ml_connector.store import schema, terms
from ml_connector.store.db import Database
from ml_connector.store.flow_store import FlowStore
from ml_connector.store.schema_people import terms as table
from ml_connector.store.terms import Terms
from ml_connector.store.vault import Vault
from ml_connector.sync.outcome import Held
from ml_connector.sync.ports import Noted
from ml_connector.sync.words import asked

WORDS = ("ab", "cd", "ef", "gh")
Said = dict[tuple[str, str], set[str]]


def keep(db: Database, kept: Terms, said: Said) -> None:
    with db.write() as connection:
        for flow in {flow for flow, _ in said}:
            kept.add(connection, flow, {key: listed for (one, key), listed in said.items() if one == flow})


def every(db: Database, kept: Terms, query: str, flow: str = "", limit: int = 3) -> list[tuple[str, str]]:
    """All pages of what is found."""
    found: list[tuple[str, str]] = []
    while True:
        with db.read() as connection:
            page = kept.find(connection, asked(query), flow, found[-1] if found else None, limit).places
        found += page
        if len(page) < limit:
            return found


def test_what_is_found_has_all_words(db: Database, vault: Vault, connection_id: int) -> None:
    kept = Terms(vault, connection_id)
    places = st.tuples(st.sampled_from(("bills", "suppliers")), st.sampled_from("KLMNOP"))

    @settings(
        max_examples=25,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(
        st.dictionaries(places, st.sets(st.sampled_from(WORDS), min_size=1)),
        st.sets(st.sampled_from(WORDS), min_size=1),
    )
    def holds(said: Said, query: set[str]) -> None:
        with db.write() as connection:
            connection.execute(delete(table))
        keep(db, kept, said)
        wanted = sorted(place for place, listed in said.items() if query <= listed)
        assert every(db, kept, " ".join(query)) == wanted
        assert every(db, kept, " ".join(query), "bills") == [place for place in wanted if place[0] == "bills"]

    holds()


def test_words_lie_there_as_numbers_of_their_connection(db: Database, vault: Vault, connection_id: int) -> None:
    kept, other = Terms(vault, connection_id), Terms(vault, connection_id + 1)
    keep(db, kept, {("bills", "K"): {"muller"}})
    assert kept.number("muller") != other.number("muller")
    with db.read() as connection:
        assert not other.find(connection, asked("muller"), "", None, 5).places
        assert kept.number("muller") in set(connection.execute(select(table.c.term)).scalars())
    vault.rotate()
    with db.write() as connection:
        vault.rewrap(connection, bytes(32))
    with db.read() as connection:
        assert Terms(vault, connection_id).find(connection, asked("Müller"), "", None, 5).places == (("bills", "K"),)
    assert Terms(Vault.open(db, bytes(32), None), connection_id).number("muller") == kept.number("muller")


def test_the_same_words_again_write_nothing(db: Database, vault: Vault, connection_id: int) -> None:
    kept = Terms(vault, connection_id)
    for words in ({"ab", "cd", "gh"}, {"cd", "ab", "gh"}, {"ab", "ef", "gh"}):
        keep(db, kept, {("bills", "K"): words})
    with db.read() as connection:
        assert connection.execute(select(func.count()).select_from(table)).scalar() == 4 + 2  # words, and two wholes
    assert every(db, kept, "cd ef") == [("bills", "K")], "its former words find it too"


def test_of_many_only_so_many_are_looked_at(
    db: Database, vault: Vault, connection_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terms, "COUNTED_MAX", 5)
    monkeypatch.setattr(terms, "TRIED_MAX", 20)
    kept = Terms(vault, connection_id)
    keep(
        db, kept, {("bills", f"K{number:03}"): {"ab", "cd"} if number in (10, 90) else {"ab"} for number in range(100)}
    )
    keep(db, kept, {("bills", f"L{number:03}"): {"cd"} for number in range(100)})
    with db.read() as connection:
        found = kept.find(connection, asked("ab cd"), "", None, 5)
        assert ("bills", "K010") in found.places
        assert set(found.places) <= {("bills", "K010"), ("bills", "K090")}
        assert found.partial, "both words are common, so that not all of either were looked at"
        assert not kept.find(connection, asked("ab"), "", None, 5).partial
        assert len(kept.find(connection, asked("ab"), "", None, 5).places) == 5


def test_numbers_that_begin_so_are_found(store: FlowStore, db: Database, connection_id: int) -> None:
    run = store.begin("run")
    held = Held("no_period", "It waits.", "Open it.")
    store.note(run, [Noted(key, held=held, words=frozenset({"waits"})) for key in ("S001", "S002", "T001")])
    store.note(run, [Noted("S002")])
    with db.read() as connection:
        found = terms.by_key(connection, connection_id, ["S0", "t"], ["bills", "suppliers"], 5)
        assert found == [("suppliers", "S001")]
        assert connection.execute(select(func.count()).select_from(schema.exceptions)).scalar() == 3


def test_a_store_keeps_the_words_that_it_is_told(
    open_store: Callable[[str], FlowStore], db: Database, vault: Vault, connection_id: int
) -> None:
    store = open_store("suppliers")
    store.note(store.begin("run"), [Noted("S1", words=frozenset({"s1", "muller"})), Noted("S2")])
    assert every(db, Terms(vault, connection_id), "muller s1") == [("suppliers", "S1")]
