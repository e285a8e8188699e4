"""Versions of settings: exactly one in force, which is what the connection is set to, whatever is done in whatever
order; on both databases.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import delete, insert, select, update

from ml_connector.errors import SettingsError, VaultError
from ml_connector.store import schema
from ml_connector.store.connections import Connections
from ml_connector.store.db import Database
from ml_connector.store.journal import Journal
from ml_connector.store.schema_people import versions as table
from ml_connector.store.vault import Vault
from ml_connector.store.versions import Authored, State, Version, Versions, due

START = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
NAME = "acme"
FIXTURE = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much)


class Life(RuleBasedStateMachine):
    """What people and time do to a connection's settings; `model` says what must come of it."""

    db: Database
    vault: Vault

    def __init__(self) -> None:
        super().__init__()
        with self.db.write() as connection:
            for one in (table, schema.journal, schema.chains, schema.connections):
                connection.execute(delete(one))
        self.now = START
        self.connections = Connections(self.db, self.vault, lambda: self.now)
        self.id = self.connections.save(NAME, {"value": 0}, {}, Authored("kari")).id
        self.versions = Versions(self.db, self.vault, self.id, lambda: self.now)
        self.model: dict[int, State] = {1: State.IN_FORCE}

    @property
    def current(self) -> int:
        return next(number for number, state in self.model.items() if state is State.IN_FORCE)

    def put_in_force(self, number: int) -> None:
        self.model[self.current] = State.PAST
        self.model[number] = State.IN_FORCE

    @rule(value=st.integers(0, 5), waits=st.booleans(), days=st.sampled_from([None, -1, 2]), stale=st.booleans())
    def save(self, value: int, waits: bool, days: int | None, stale: bool) -> None:
        at = self.now + timedelta(days=days) if days else None
        how = Authored("kari", "why", at, waits, base=self.current - 1 if stale else self.current)
        if stale:
            with pytest.raises(SettingsError, match="came in force"):
                self.connections.save(NAME, {"value": value}, {}, how)
            return
        same = self.versions.get(self.current).settings == {"value": value}
        alike = [one for one in self.versions.waiting() if self.says(one, value, at)]
        made = self.connections.save(NAME, {"value": value}, {}, how).made
        if same or alike:
            assert made == (None if same else alike[0])
            return
        assert made
        assert made.number == len(self.model) + 1
        self.model[made.number] = State.PROPOSED if waits else State.APPROVED if days == 2 else State.PAST
        if self.model[made.number] is State.PAST:
            self.put_in_force(made.number)

    def says(self, one: Version, value: int, at: datetime | None) -> bool:
        return (one.settings, one.base, one.effective_at) == ({"value": value}, self.current, at)

    @precondition(lambda self: State.PROPOSED in self.model.values())
    @rule(data=st.data())
    def approve(self, data: st.DataObject) -> None:
        one = self.versions.get(data.draw(st.sampled_from(self.in_state(State.PROPOSED))))
        if one.base != self.current:
            with pytest.raises(SettingsError, match="rebase"):
                self.versions.approve(one.number, "per")
            return
        later = one.effective_at is not None and one.effective_at > self.now
        assert self.versions.approve(one.number, "per").approved_by == "per"
        self.model[one.number] = State.APPROVED
        if not later:
            self.put_in_force(one.number)

    @precondition(lambda self: not {State.PROPOSED, State.APPROVED}.isdisjoint(self.model.values()))
    @rule(data=st.data(), person=st.sampled_from(["kari", "per"]))
    def end(self, data: st.DataObject, person: str) -> None:
        number = data.draw(st.sampled_from(self.in_state(State.PROPOSED, State.APPROVED)))
        self.model[number] = State.WITHDRAWN if person == "kari" else State.REJECTED
        assert self.versions.end(number, person).state is self.model[number]

    @rule(days=st.integers(1, 3))
    def time_goes_on(self, days: int) -> None:
        self.now += timedelta(days=days)
        for owner, number in due(self.db, self.now):
            assert owner == self.id
            overtaken = self.versions.get(number).base != self.current
            try:
                self.versions.begin(number)
                assert not overtaken
                self.put_in_force(number)
            except SettingsError:
                assert overtaken
                self.versions.lapse(number, "overtaken")
                self.model[number] = State.LAPSED
        assert due(self.db, self.now) == []

    @precondition(lambda self: len(self.model) > 1)
    @rule(data=st.data())
    def what_is_over_stays(self, data: st.DataObject) -> None:
        over = self.in_state(State.PAST, State.REJECTED, State.WITHDRAWN, State.LAPSED, State.IN_FORCE)
        number = data.draw(st.sampled_from(over))
        for act in (lambda: self.versions.approve(number, "per"), lambda: self.versions.end(number, "per")):
            with pytest.raises(SettingsError, match="does not wait"):
                act()

    def in_state(self, *states: State) -> list[int]:
        return [number for number, state in self.model.items() if state in states]

    @invariant()
    def one_is_in_force_and_is_what_counts(self) -> None:
        found = {one.number: one.state for one in self.versions.listed()}
        assert found == self.model
        assert self.connections.get(NAME).settings == self.versions.get(self.current).settings

    def teardown(self) -> None:
        assert Journal(self.db, self.vault, self.id).verify().sound


def test_one_version_is_in_force_whatever_is_done(db: Database, vault: Vault) -> None:
    made: Any = type("Here", (Life,), {"db": db, "vault": vault})
    quick = settings(max_examples=25, stateful_step_count=15, deadline=None, suppress_health_check=FIXTURE)
    run_state_machine_as_test(made, settings=quick)


@pytest.fixture
def connections(db: Database, vault: Vault) -> Connections:
    return Connections(db, vault)


def test_what_was_kept_before_versions_becomes_the_first(connections: Connections, db: Database, vault: Vault) -> None:
    owner = connections.save(NAME, {"old": 1}, {}).id
    with db.write() as connection:  # as a store was before
        connection.execute(delete(table))
        moment = schema.stamp(START)
        connection.execute(update(schema.connections).values(changed_at=moment))
    assert Versions(db, vault, owner).in_force() is None
    with pytest.raises(SettingsError, match="came in force"):
        connections.save(NAME, {"new": 1}, {}, Authored("kari", base=1))
    connections.save(NAME, {"new": 1}, {}, Authored("kari", base=0))  # as who looked saw no version
    second, first = Versions(db, vault, owner).listed()
    assert (first.settings, first.state, first.made_at) == ({"old": 1}, State.PAST, START)
    assert (second.settings, second.state, second.base) == ({"new": 1}, State.IN_FORCE, 1)


def test_secrets_wait_with_their_version(connections: Connections, db: Database, vault: Vault) -> None:
    owner = connections.save(NAME, {"a": 1}, {"ifs": "one", "airbase": "both"}).id
    since, kept = connections.secrets_since(NAME), Versions(db, vault, owner)
    tokens(db, owner)
    numbers = [
        one.made.number
        for settings in ({"a": 2}, {"a": 2}, {"a": 1})  # changed, the same once more, and nothing but the secret
        if (one := connections.save(NAME, settings, {"ifs": "two"}, Authored("kari", waits=True))).made
    ]
    assert numbers == [2, 3, 4]
    assert [kept.laid_by(number) for number in (1, *numbers)] == [(), ("ifs",), ("ifs",), ("ifs",)]
    assert (connections.secret(NAME, "ifs"), connections.secrets_since(NAME)) == ("one", since)
    kept.end(2, "per")
    kept.approve(3, "per")
    assert [connections.secret(NAME, one) for one in ("ifs", "airbase")] == ["two", "both"]
    assert connections.secrets_since(NAME).keys() == since.keys()
    assert [kept.laid_by(number) for number in numbers] == [(), (), ("ifs",)]
    with db.read() as connection:
        assert connection.execute(select(schema.tokens)).all() == [], "what was got with the old secret is gone"
    told = [one.facts for one in Journal(db, vault, owner).timeline(None, "")]
    assert [one.get("secrets") for one in told if one["event"] == "approved"] == [["ifs"]]


def tokens(db: Database, owner: int) -> None:
    """A token that was got with a secret."""
    row = {"connection_id": owner, "name": "t", "sealed": b""}
    with db.write() as connection:
        connection.execute(insert(schema.tokens).values(row))


def test_a_secret_that_waits_opens_nowhere_else(connections: Connections, db: Database) -> None:
    connections.save(NAME, {}, {"ifs": "one"})
    connections.save(NAME, {}, {"ifs": "Kanarienvogel"}, Authored("kari", waits=True))
    where = schema.secrets.c.field
    with db.write() as connection:
        sealed = connection.execute(select(schema.secrets.c.sealed).where(where == "waiting/2/ifs")).scalar_one()
        assert b"Kanarienvogel" not in sealed
        connection.execute(update(schema.secrets).where(where == "ifs").values(sealed=sealed))
    with pytest.raises(VaultError):
        connections.secret(NAME, "ifs")


def test_a_note_is_sealed_and_who_did_what_is_told(connections: Connections, db: Database, vault: Vault) -> None:
    owner = connections.save(NAME, {}, {}).id
    made = connections.save(NAME, {"a": 1}, {}, Authored("kari", "Kanarienvogel", waits=True)).made
    assert made
    Versions(db, vault, owner).approve(made.number, "per")
    told = [(one.facts["event"], one.facts.get("person")) for one in Journal(db, vault, owner).timeline(None, "")]
    assert told[1:] == [("proposed", "kari"), ("approved", "per")]
    with db.read() as connection:
        facts = connection.execute(select(schema.journal.c.facts)).scalars().all()
    assert "Kanarienvogel" not in "".join(facts)


@given(number=st.integers(2, 9))
@settings(max_examples=5, deadline=None, suppress_health_check=FIXTURE)
def test_a_version_that_is_not_there_is_said(db: Database, vault: Vault, number: int) -> None:
    with pytest.raises(SettingsError, match="no version"):
        Versions(db, vault, 1).get(number)
