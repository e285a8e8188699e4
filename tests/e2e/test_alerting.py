"""From what is wrong to who is told, over real mail, real HTTP and a real store."""

from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import rig as rigs
from pydantic import SecretStr
from smtp import Inbox, Post, mail_server, receiver
from sqlalchemy import insert, update
from typer.testing import CliRunner

from ml_connector import settings, wiring
from ml_connector.cli.app import app
from ml_connector.errors import SettingsError, StoreError
from ml_connector.settings import Airbase, Connection, Ifs, Installation, Profile
from ml_connector.store import schema
from ml_connector.store.orders import Orders
from ml_connector.wiring import firing, telling
from ml_connector.wiring.alerting import Alerting
from ml_connector.wiring.telling import Message

NAME = "acme"
HOUR = timedelta(hours=1)


class World:
    """A store with one connection, somebody to tell, and a clock."""

    def __init__(self, opened: wiring.Opened, post: Post, inbox: Inbox) -> None:
        self.opened, self.post, self.inbox = opened, post, inbox
        self.now = datetime.now(UTC)
        url = SecretStr(f"smtp://127.0.0.1:{post.port}")
        self.installation = Installation(smtp_url=url, mail_from="ml-connector@example.com")
        self.fails = ""

    def connect(self, **alerts: Any) -> None:
        given = {"email": ["ap@example.com"], "webhook": f"{self.inbox.url}/hook", "for_s": 0, **alerts}
        profile = settings.profile({"alerts": given, "calendar_zone": "Europe/Oslo"})
        connection = Connection(Ifs("https://acme.ifs.cloud", "acme", "mlc", ("10",)), Airbase("https://a.io"), profile)
        wiring.connect(self.opened, NAME, connection, wiring.Secrets("canary-a", "canary-b"))

    def look(self, **later: float) -> None:
        """A worker that has just been started looks."""
        self.now += timedelta(**later)
        Alerting(self.opened, self.installation, lambda: self.now, self.ways).act()

    def ways(self, alerts: settings.Alerts, installation: Installation) -> dict[str, telling.Way]:
        """The real ways; `fails`: one that dies between delivering and remembering."""

        def dying(message: Message) -> None:
            telling.ways(alerts, installation)[self.fails](message)
            raise MemoryError

        return telling.ways(alerts, installation) | ({self.fails: dying} if self.fails else {})

    def run(self, number: str, state: str, hours_ago: float = 0) -> None:
        at = schema.stamp(self.now - hours_ago * HOUR)
        row = {"id": number, "connection_id": 1, "flow": "payments", "kind": "run", "state": state, "process": "p"}
        with self.opened.database.write() as connection:
            connection.execute(insert(schema.runs).values(row | {"started_at": at, "finished_at": at}))

    def hold(self, key: str) -> None:
        at = schema.stamp(self.now)
        row = {"connection_id": 1, "flow": "payments", "key": key, "cause": "closed_period", "sentence": "canary-s"}
        row |= {"remedy": "r", "owner": "clerk", "stake_amount": "10.5", "stake_currency": "EUR"}
        with self.opened.database.write() as connection:
            connection.execute(insert(schema.exceptions).values(row | {"opened_at": at, "last_at": at, "times": 1}))

    def mails(self) -> list[str]:
        return [message["Subject"] for message in self.post.received]

    def posts(self) -> list[tuple[str, str]]:
        return [(alert["name"], alert["state"]) for body in self.inbox.received for alert in body["alerts"]]


@pytest.fixture
def world(any_store: str) -> Generator[World]:
    opened = rigs.open_store(any_store)
    with mail_server() as post, receiver() as inbox:
        made = World(opened, post, inbox)
        Orders(opened.database).join("w", "host", 1, "1", 1, 3600)
        yield made
    opened.close()


def test_told_once_when_it_begins_and_once_when_it_is_over(world: World) -> None:
    world.connect(dead_man={"payments": "2h"})
    world.run("1", "done", hours_ago=3)
    for _ in range(3):
        world.look(seconds=15)
    assert world.mails() == ["acme: No successful run of payments for 3 h (limit 2 h)."]
    world.run("2", "done")
    for _ in range(3):
        world.look(seconds=15)
    assert world.mails()[1:] == ["acme: Over: No successful run of payments for 3 h (limit 2 h)."]
    assert world.posts() == [("dead-man/payments", "firing"), ("dead-man/payments", "over")]
    assert "canary" not in str(world.inbox.received) + "".join(map(str, world.post.received))


def test_changes_of_one_moment_are_one_message(world: World) -> None:
    world.connect(dead_man={"payments": "2h"})
    world.run("1", "failed", hours_ago=3)
    world.hold("P1")
    with world.opened.database.write() as connection:
        connection.execute(update(schema.connections).values(created_at=schema.stamp(world.now - 9 * HOUR)))
    world.look()
    (message,) = world.post.received
    assert "and 2 more" in message["Subject"]
    assert "1 record needs a person, EUR 10.5 held, 1 new (payments)." in message.get_content()
    assert [name for name, _ in world.posts()] == ["dead-man/payments", "exceptions/payments", "failed/payments"]


def test_what_only_flickers_is_not_told(world: World) -> None:
    world.connect(for_s=60)
    for number in range(10):
        world.run(str(number), "failed" if number % 2 else "done")
        world.look(seconds=30)
    assert (world.mails(), world.posts()) == ([], [])


@pytest.mark.parametrize("way", ["email", "webhook"])
def test_a_worker_that_dies_while_telling_leaves_it_to_the_next(world: World, way: str) -> None:
    world.connect()
    world.run("1", "failed")
    world.fails = way
    with pytest.raises(MemoryError):
        world.look()
    world.fails = ""
    for _ in range(3):
        world.look(seconds=15)
    told = {"email": len(world.mails()), "webhook": len(world.posts())}
    assert told == {"email": 1, "webhook": 1} | {way: 2}, "twice rather than never, and no more than that"


def test_a_way_that_fails_holds_up_no_other_and_is_tried_again(world: World) -> None:
    world.connect()
    world.run("1", "failed")
    world.post.answer = "451 later"
    for _ in range(4):
        world.look(seconds=15)
    assert (world.mails(), len(world.posts())) == ([], 1)
    world.post.answer = "250 OK"
    world.look(hours=1)
    assert (len(world.mails()), len(world.posts())) == (1, 1)


def test_silence_and_after(world: World) -> None:
    world.connect()
    world.run("1", "failed")
    with pytest.raises(SettingsError, match="nearest: failed/payments"):
        firing.silence(world.opened, NAME, ["failed/payment"], world.now + HOUR, world.now)
    firing.silence(world.opened, NAME, ["failed/payments"], world.now + HOUR, world.now)
    world.look()
    world.hold("P1")
    world.look()
    assert [name for name, _ in world.posts()] == ["exceptions/payments"]
    world.look(minutes=61)
    assert [name for name, _ in world.posts()] == ["exceptions/payments", "failed/payments"]


def test_a_silence_is_journalled_and_ends(world: World) -> None:
    world.connect()
    with pytest.raises(SettingsError, match="31 days"):
        firing.silence(world.opened, NAME, (), world.now + 32 * 24 * HOUR, world.now)
    firing.silence(world.opened, NAME, (), world.now + HOUR, world.now)
    firing.silence(world.opened, NAME, (), world.now, world.now)
    told = [one.facts for one in wiring.journal(world.opened, NAME).timeline(None, "")[-2:]]
    assert {one["event"] for one in told} == {"alerts silenced", "silence ended"}
    assert all(one["person"] == settings.person() and one["alerts"] == ["*"] for one in told)


def test_silence_of_everything(world: World) -> None:
    world.connect()
    world.run("1", "failed")
    firing.silence(world.opened, NAME, (), world.now + HOUR, world.now)
    world.look()
    assert firing.told(world.opened, NAME, world.now).silenced_until == world.now + HOUR
    assert not world.posts()
    world.look(minutes=61)
    assert len(world.posts()) == 1


def test_the_digest_of_the_day(world: World) -> None:
    world.now = datetime(2026, 3, 28, 12, tzinfo=UTC)
    world.connect(webhook="", digest_at="07:00")
    world.hold("P1")
    for _ in range(3 * 24):
        world.look(hours=1)
    told = [(message["Subject"], message.get_content()) for message in world.post.received]
    digests = [text for subject, text in told if subject == "acme: 1 open"]
    assert len(digests) == 3, "over the night in which the clocks change"
    assert "payments, closed_period: 1 record needs a person, EUR 10.5 held" in digests[0]


def test_one_worker_at_a_time_and_one_bad_connection_alone(world: World) -> None:
    world.connect()
    world.run("1", "failed")
    with world.opened.database.lock("alerts", 0):
        world.look()
    assert not world.posts()
    with world.opened.database.write() as connection:
        row = {"name": "bad", "settings": "{}", "created_at": schema.stamp(world.now)}
        connection.execute(insert(schema.connections).values(row | {"changed_at": row["created_at"]}))
    world.look()
    assert len(world.posts()) == 1


def test_nobody_to_tell_is_no_work(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.connect(email=[], webhook="")
    world.run("1", "failed")

    def never(*_: Any) -> None:
        raise StoreError("asked")

    monkeypatch.setattr("ml_connector.wiring.alerting.snapshot", never)
    world.look()


def test_the_command(world: World, any_store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ML_CONNECTOR_SMTP_URL", f"smtp://127.0.0.1:{world.post.port}")
    monkeypatch.setenv("ML_CONNECTOR_MAIL_FROM", "ml-connector@example.com")
    world.connect()

    def call(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["--store", any_store, "alerts", NAME, *words])
        if isinstance(done.exception, Exception):
            raise done.exception
        return done.exit_code, done.output

    assert call() == (0, "Nothing is wrong.\n")
    world.run("1", "failed")
    assert "just now, not told" in call()[1]
    world.look()
    code, said = call()
    assert (code, "told by email and webhook" in said) == (1, True)
    assert "silent until" in call("--silence", "4h", "failed/payments")[1]
    assert "silenced until" in call()[1]
    assert "told again" in call("--silence", "0")[1]
    with pytest.raises(SettingsError, match="no length of time"):
        call("--silence", "soon")
    with pytest.raises(SettingsError, match="what about"):
        call("failed/payments")
    data = msgspec.json.decode(call("--json")[1])
    assert (data["ways"], data["alerts"][0]["name"]) == (["email", "webhook"], "failed/payments")
    assert call("--test") == (0, "email: delivered\nwebhook: delivered\n")
    assert world.mails()[-1] == "acme: this is a test"
    world.inbox.status = 500
    code, said = call("--test")
    assert (code, "answered 500" in said) == (3, True)
    monkeypatch.delenv("ML_CONNECTOR_SMTP_URL")
    assert "ML_CONNECTOR_SMTP_URL=smtp://" in call("--test")[1]


def test_a_profile_without_alerts_says_where_to_set_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = rigs.sqlite_url(tmp_path)
    opened = rigs.open_store(url)
    connection = Connection(Ifs("https://acme.ifs.cloud", "acme", "mlc", ("10",)), Airbase("https://a.io"), Profile())
    wiring.connect(opened, NAME, connection, wiring.Secrets("a", "b"))
    opened.close()
    done = CliRunner().invoke(app, ["--store", url, "alerts", NAME])
    assert (done.exit_code, "No worker has a lease" in done.output, "[alerts] email" in done.output) == (1, True, True)
    done = CliRunner().invoke(app, ["--store", url, "alerts", NAME, "--test"])
    assert isinstance(done.exception, SettingsError)
