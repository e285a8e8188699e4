"""People, links, passwords and access, on both databases: what lets somebody in, and what no longer does."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from ml_connector.errors import SettingsError
from ml_connector.store import passwords, users
from ml_connector.store.access import Access
from ml_connector.store.access_log import AccessLog
from ml_connector.store.api_tokens import ApiTokens, Right, digest
from ml_connector.store.db import Database
from ml_connector.store.entry import LOCKED_FIRST, LOCKED_MAX, WRONG_MAX, Entry
from ml_connector.store.invitations import LASTS, Invitations
from ml_connector.store.journal import Journal
from ml_connector.store.rights import Role
from ml_connector.store.schema import INSTALLATION
from ml_connector.store.schema_people import invitations
from ml_connector.store.sessions import IDLE, LONGEST, Sessions
from ml_connector.store.users import User, Users
from ml_connector.store.vault import Vault

from .test_flow_store import raw_bytes

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PASSWORD, OTHER = "correct horse battery", "staple of the other kind"
BOTH = (Role.ADMINISTRATOR, Role.APPROVER)


class House:
    """Everything about access over one store, with a clock that is set by hand."""

    def __init__(self, db: Database, vault: Vault) -> None:
        self.now = NOON
        self._parts = (db, vault)
        clock = lambda: self.now  # noqa: E731
        self.access = Access(db, vault, clock=clock)
        self.careful = Access(db, vault, two_persons=True, clock=clock)
        self.entry = Entry(db, vault, clock)
        self.links = Invitations(db, vault, clock)
        self.sessions = Sessions(db, clock)
        self.users = Users(db, clock)
        self.tokens = ApiTokens(db, clock, AccessLog(db, vault, clock))
        self.journal = Journal(db, vault, INSTALLATION, clock)

    def person(self, name: str, *roles: Role, password: str = PASSWORD) -> str:
        """Somebody who is signed in."""
        return self.links.accept(self.access.invite(name, roles, "root"), "", password)

    def find(self, name: str) -> User:
        """Somebody as recorded."""
        return next(one for one in self.users.all() if one.name == name)

    def told(self, name: str) -> list[tuple[str, str]]:
        """What the journal tells of somebody: event and person."""
        return [(str(one.facts["event"]), str(one.facts["person"])) for one in self.journal.timeline(None, name)]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords that cost little; that they cost enough has its own test."""
    monkeypatch.setattr(passwords, "MEMORY_KIB", 64)
    monkeypatch.setattr(passwords, "NOBODYS", passwords.kept("nobody's"))


@pytest.fixture
def house(db: Database, vault: Vault) -> House:
    return House(db, vault)


def test_the_first_person_comes_in_by_a_link_that_works_once(house: House, db: Database) -> None:
    token, second = house.links.set_up("root"), house.links.set_up("root")
    assert token
    assert second
    with pytest.raises(SettingsError, match="can't be a name"):
        house.links.accept(token, "a b", PASSWORD)
    session = house.sessions.find(house.links.accept(token, " Kari ", PASSWORD))
    assert session
    assert (session.user.name, session.user.roles) == ("kari", tuple(sorted(BOTH)))
    for link in (token, second):
        with pytest.raises(SettingsError, match="used already"):
            house.links.accept(link, "ola", PASSWORD)
    assert house.links.set_up("root") is None
    with db.read() as connection:
        assert connection.execute(select(invitations)).all() == []


def test_only_one_first_person_however_many_try_at_once(house: House) -> None:
    links, ended = [str(house.links.set_up("root")) for _ in range(4)], list[str]()

    def accept(link: str, name: str) -> None:
        try:
            ended.append(house.links.accept(link, name, PASSWORD))
        except SettingsError:
            ended.append("")

    threads = [threading.Thread(target=accept, args=(link, f"p{i}")) for i, link in enumerate(links)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(bool, ended)) == [False, False, False, True]
    assert len(house.users.all()) == 1


def test_a_link_ends_by_time_by_a_newer_one_and_with_its_person(house: House) -> None:
    house.person("kari", *BOTH)
    old = house.access.invite("ola", [Role.CLERK], "kari")
    new = house.access.link("ola", "kari")
    assert house.links.find(old) is None
    house.now += LASTS - timedelta(seconds=1)
    assert house.links.find(new)
    house.access.disable("ola", "kari")
    assert house.links.find(new) is None
    house.access.enable("ola", "kari")
    late = house.access.link("ola", "kari")
    house.now += LASTS
    assert house.links.find(late) is None
    odd = ("", "é" * 43, "x" * 43, "x" * 5000)
    assert [house.links.find(one) for one in odd] == [None] * len(odd)


def test_nothing_that_lets_in_is_kept_or_told(house: House, url: str, db: Database) -> None:
    link = house.access.invite("kari", BOTH, "root")
    session = house.links.accept(link, "", PASSWORD)
    token = house.tokens.create("grafana", Right.READ, "kari")
    house.entry.sign_in("kari", "a wrong password")
    house.entry.sign_in("a password as name", PASSWORD)
    house.tokens.revoke("grafana", "kari")
    kept = raw_bytes(url, db)
    for secret in (link, session, token, PASSWORD, "a wrong password", "a password as name"):
        assert secret.encode() not in kept
    assert house.told("kari") == [("invited", "root"), ("password_chosen", "kari"), ("sign_in_failed", "")]
    assert house.told("token:grafana") == [("token_made", "kari"), ("token_revoked", "kari")]
    assert house.journal.verify().sound


def test_a_wrong_name_and_a_wrong_password_end_alike(house: House) -> None:
    house.person("kari", *BOTH)
    house.access.invite("new", [Role.CLERK], "kari")
    house.person("gone", Role.CLERK)
    house.access.disable("gone", "kari")
    for name in ("kari", "nobody", "new", "gone", "", "x" * 500, "nul\0"):
        assert house.entry.sign_in(name, "wrong " + PASSWORD) is None
    assert house.entry.sign_in("gone", PASSWORD) is None
    assert house.entry.sign_in("new", "") is None
    assert house.entry.sign_in(" KARI ", PASSWORD)


def test_an_account_rests_after_wrong_passwords_longer_each_time(house: House) -> None:
    house.person("kari", *BOTH)
    for _ in range(WRONG_MAX):
        assert house.entry.sign_in("kari", "wrong") is None
    spans = list[timedelta]()
    for _ in range(8):
        assert house.entry.sign_in("kari", PASSWORD) is None
        until = house.find("kari").locked_until
        assert until
        spans.append(until - house.now)
        house.now = until
        assert house.entry.sign_in("kari", "wrong") is None
    assert spans == [min(LOCKED_FIRST * 2**n, LOCKED_MAX) for n in range(8)]
    house.now += LOCKED_MAX
    assert house.entry.sign_in("kari", PASSWORD)
    assert house.find("kari").locked_until is None
    assert house.entry.sign_in("kari", "wrong") is None
    assert house.entry.sign_in("kari", PASSWORD)


def test_many_wrong_ones_at_once_count_as_many(house: House) -> None:
    house.person("kari", *BOTH)
    threads = [threading.Thread(target=house.entry.sign_in, args=("kari", f"wrong {n}")) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    failed = [event for event, _ in house.told("kari") if event == "sign_in_failed"]
    assert len(failed) == WRONG_MAX
    assert house.entry.sign_in("kari", PASSWORD) is None


def test_an_administrator_ends_a_lock_out(house: House) -> None:
    house.person("kari", *BOTH)
    for _ in range(WRONG_MAX):
        house.entry.sign_in("kari", "wrong")
    house.access.enable("kari", "ola")
    assert house.entry.sign_in("kari", PASSWORD)


def test_sessions_end_with_what_they_rest_upon(house: House) -> None:
    house.person("kari", *BOTH)
    changes = {
        "roles": lambda: house.access.set_roles("ola", [Role.VIEWER], "kari"),
        "disabled": lambda: house.access.disable("ola", "kari"),
        "signed out": lambda: house.access.sign_out("ola", "kari"),
        "password": lambda: house.entry.change_password("ola", PASSWORD, OTHER),
    }
    for number, change in enumerate(changes.values()):
        session = house.person("ola", Role.CLERK) if not number else house.entry.sign_in("ola", PASSWORD)
        assert session
        assert house.sessions.find(session)
        change()
        assert house.sessions.find(session) is None
        house.access.enable("ola", "kari")
        house.access.set_roles("ola", [Role.CLERK], "kari")
    assert house.entry.sign_in("ola", PASSWORD) is None
    assert house.entry.sign_in("ola", OTHER)


def test_a_sign_in_begins_a_new_session_and_ends_the_one_before(house: House) -> None:
    first = house.person("kari", *BOTH)
    second = house.entry.sign_in("kari", PASSWORD, digest(first))
    third = house.entry.change_password("kari", PASSWORD, OTHER)
    assert second
    assert [bool(house.sessions.find(one)) for one in (first, second, third)] == [False, False, True]
    assert [one.name for one in house.sessions.in_force()] == ["kari"]
    house.now += IDLE
    assert (house.sessions.find(third), house.sessions.in_force()) == (None, [])


def test_a_session_in_use_ends_after_half_a_day(house: House) -> None:
    session = house.person("kari", *BOTH)
    until = house.now + LONGEST
    while house.now < until:
        assert house.sessions.find(session)
        house.now += timedelta(hours=1)
    assert house.sessions.find(session) is None


def test_an_administrator_is_always_left(house: House) -> None:
    house.person("kari", *BOTH)
    house.access.invite("new", [Role.ADMINISTRATOR], "kari")  # who has not come yet doesn't count
    for change in (
        lambda: house.access.disable("kari", "kari"),
        lambda: house.access.set_roles("kari", [Role.APPROVER], "kari"),
        lambda: house.careful.link("kari", "kari"),
    ):
        with pytest.raises(SettingsError, match="last administrator"):
            change()
    house.person("ola", Role.ADMINISTRATOR)
    house.access.disable("kari", "ola")
    with pytest.raises(SettingsError, match="last administrator"):
        house.access.disable("ola", "ola")


def test_two_administrators_can_not_shut_each_other_out_at_once(house: House) -> None:
    house.person("kari", *BOTH)
    house.person("ola", *BOTH)
    gate, refused = threading.Barrier(2), list[str]()

    def disable(name: str, person: str) -> None:
        gate.wait()
        try:
            house.access.disable(name, person)
        except SettingsError:
            refused.append(person)

    threads = [threading.Thread(target=disable, args=pair) for pair in (("kari", "ola"), ("ola", "kari"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1


def test_with_two_persons_a_role_waits_for_another_administrator(house: House) -> None:
    house.person("kari", *BOTH)
    link = house.careful.invite("ola", [Role.CLERK, Role.APPROVER], "kari")
    house.links.accept(link, "", OTHER)
    assert (house.find("ola").roles, set(house.find("ola").wanted)) == ((), {Role.CLERK, Role.APPROVER})
    for person in ("kari", "ola"):
        with pytest.raises(SettingsError, match="another administrator"):
            house.careful.decide("ola", person, approved=True)
    house.careful.decide("ola", "root", approved=True)
    assert set(house.find("ola").roles) == {Role.CLERK, Role.APPROVER}
    assert house.careful.set_roles("ola", [Role.APPROVER, Role.ADMINISTRATOR], "kari")
    assert house.find("ola").roles == (Role.APPROVER,)  # what is lost is lost at once
    house.careful.decide("ola", "kari", approved=False)
    assert (house.find("ola").roles, house.find("ola").wanted) == ((Role.APPROVER,), ())
    assert not house.careful.set_roles("ola", [], "kari")
    assert house.find("ola").roles == ()


def test_with_two_persons_a_new_link_gives_nobody_the_roles_of_another(house: House) -> None:
    house.person("kari", *BOTH)
    session = house.person("ola", Role.APPROVER)
    link = house.careful.link("ola", "kari")
    assert house.sessions.find(session) is None
    house.links.accept(link, "", OTHER)
    assert (house.find("ola").roles, house.find("ola").wanted) == ((), (Role.APPROVER,))
    house.careful.disable("ola", "kari")
    house.careful.decide("ola", "root", approved=True)
    house.careful.enable("ola", "kari")
    assert (house.find("ola").roles, house.find("ola").wanted) == ((), (Role.APPROVER,))


def test_whom_the_single_sign_on_names_has_its_roles_and_its_name_is_nobody_elses(house: House) -> None:
    house.person("kari", *BOTH)
    assert house.entry.sign_in_by("iss|1", "kari", []) is None
    session = house.entry.sign_in_by("iss|1", "kari", [Role.CLERK])
    assert session
    found = house.sessions.find(session)
    assert found
    assert (found.user.name, found.user.roles) == ("kari-2", (Role.CLERK,))
    assert house.entry.sign_in("kari-2", "") is None
    again = house.entry.sign_in_by("iss|1", "another name", [Role.APPROVER])
    assert again
    assert house.sessions.find(session) is None  # other roles
    assert house.find("kari-2").roles == (Role.APPROVER,)
    assert house.entry.sign_in_by("iss|1", "kari", []) is None
    assert (house.sessions.find(again), house.find("kari-2").roles) == (None, ())
    house.entry.sign_in_by("iss|1", "kari", [Role.CLERK])
    house.access.disable("kari-2", "kari")
    assert house.entry.sign_in_by("iss|1", "kari", [Role.CLERK]) is None
    with pytest.raises(SettingsError, match="groups"):
        house.access.set_roles("kari-2", [Role.ADMINISTRATOR], "kari")
    with pytest.raises(SettingsError, match="single sign-on"):
        house.access.link("kari-2", "kari")


def test_a_password_kept_in_an_older_way_is_kept_anew(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.person("kari", *BOTH)
    monkeypatch.setattr(passwords, "PASSES", 2)
    assert house.entry.sign_in("kari", PASSWORD)
    assert house.entry.sign_in("kari", PASSWORD)
    with house.users._db.read() as connection:  # pyright: ignore[reportPrivateUsage]
        assert "t=2" in users.row_of(connection, "kari").password


@pytest.mark.parametrize("password", ["", "short", "x" * 201, "aaaaaaaaaaaa", "abababababab", "kari.nordmann1"])
def test_passwords_that_will_not_do(password: str) -> None:
    with pytest.raises(SettingsError, match="password"):
        passwords.check(password, "kari.nordmann")


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.text(max_size=200), st.text(max_size=200))
def test_a_password_fits_what_was_kept_of_it_and_nothing_else(one: str, other: str) -> None:
    kept = passwords.kept(one)
    assert passwords.fits(kept, one)
    assert passwords.fits(kept, other) == (passwords._plain(one) == passwords._plain(other))  # pyright: ignore[reportPrivateUsage]
    assert not passwords.fits("", one)
    assert not passwords.fits("no hash", one)


@given(st.text(max_size=80))
def test_a_name_is_plain_or_refused(text: str) -> None:
    try:
        name = users.login_name(text)
    except SettingsError:
        return
    assert name == users.login_name(name)
    assert name.isascii()
    assert name.isprintable()
    assert not set(name) & set(" /:<>&\"'%?#\\")
