"""Webhooks of the stand-in Airbase, received by a real server."""

import base64
import hashlib
import hmac
import http.client
import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, cast

import msgspec
import pytest

from ml_connector.sandbox import Sandbox, SandboxOptions, start
from ml_connector.sandbox.airbase import AirbaseOptions, AirbaseSite, HookOptions
from ml_connector.sandbox.airbase import hooks as hooks_of
from ml_connector.sandbox.airbase.hooks import Delivery

SECRET = "sandbox-hook-secret"
Got = tuple[dict[str, str], bytes]


class Receiver(http.server.ThreadingHTTPServer):
    """Keeps what comes and answers as it is told."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Post)
        self.got: list[Got] = []
        self.answers: list[int] = []  # to the next requests; then 204
        self.gate = threading.Event()  # answers wait for it
        self.gate.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hooks/airbase/x?y=1"

    def ids(self) -> list[str]:
        return [json.loads(body)["data"]["id"] for _, body in self.got]


class _Post(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        receiver = cast(Receiver, self.server)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.path == "/hooks/airbase/x?y=1"
        receiver.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
        receiver.gate.wait(60)
        self.send_response(receiver.answers.pop(0) if receiver.answers else 204)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            return  # the sender went away


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    made.gate.set()
    made.shutdown()
    made.server_close()
    thread.join()


Make = Callable[..., AirbaseSite]


@pytest.fixture
def tenant(receiver: Receiver) -> Iterator[Make]:
    made: list[AirbaseSite] = []

    def make(**hooks: Any) -> AirbaseSite:
        options = msgspec.convert({"url": receiver.url, "backoff_s": 0.01, **hooks}, HookOptions)
        made.append(AirbaseSite(AirbaseOptions(documents=8, hooks=options)))
        return made[-1]

    yield make
    for site in made:
        site.close()


def approve(site: AirbaseSite, count: int = 1, kind: str = "purchase_requests") -> list[str]:
    waiting = [row["id"] for row in site.rows(kind) if row["status"] != "approved"][:count]
    for key in waiting:
        site.edit({"op": "approve", "kind": kind, "id": key})
    assert len(waiting) == count
    return waiting


def settled(site: AirbaseSite) -> list[Delivery]:
    assert site.hooks.settle()
    return site.hooks.deliveries()


def outcomes(site: AirbaseSite) -> list[tuple[int, int, str]]:
    return [(made.attempt, made.status, made.outcome) for made in settled(site)]


def wait_for(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.005)


def mac(body: bytes, secret: bytes = SECRET.encode()) -> bytes:
    return hmac.new(secret, body, hashlib.sha256).digest()


def fits(got: Got) -> bool:
    return got[0]["x-airbase-signature"] == mac(got[1]).hex()


def test_an_approved_request_is_told_with_the_five_fields(tenant: Make, receiver: Receiver) -> None:
    site = tenant()
    [key] = approve(site)
    [made] = settled(site)
    [(headers, body)] = receiver.got
    told = json.loads(body)
    assert set(told) == {"id", "object", "type", "created_date", "data"}
    assert told["type"] == "purchase_request_approved"
    assert (told["data"]["id"], told["data"]["status"]) == (key, "approved")
    assert not told["created_date"].endswith("Z")
    assert headers["x-airbase-signature"] == mac(body).hex()
    assert (made.event_id, made.attempt, made.status, made.outcome) == (told["id"], 1, 204, "taken")
    assert not site.hooks.waiting


def test_one_that_is_made_approved_is_told_and_a_second_approval_is_not(tenant: Make, receiver: Receiver) -> None:
    site = tenant()
    row = site.edit({"op": "create", "kind": "purchase_requests", "fields": {"status": "approved"}})["row"]
    site.edit({"op": "approve", "kind": "purchase_requests", "id": row["id"]})
    site.edit({"op": "create", "kind": "purchase_requests", "fields": {"status": "created"}})
    site.edit({"op": "delete", "kind": "purchase_requests", "id": row["id"]})
    settled(site)
    assert receiver.ids() == [row["id"]]


def test_types_are_chosen(tenant: Make, receiver: Receiver) -> None:
    site = tenant(types=("payment_settled", "bill_approved"))
    approve(site)
    [bill] = approve(site, kind="bills")
    payment = site.edit({"op": "create", "kind": "payments", "fields": {"status": "pending"}})["row"]["id"]
    site.edit({"op": "update", "kind": "payments", "id": payment, "fields": {"status": "settled"}})
    assert [made.type for made in settled(site)] == ["bill_approved", "payment_settled"]
    assert receiver.ids() == [bill, payment]


def senders() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "sandbox-airbase-hooks"}


def test_without_a_url_nothing_runs(receiver: Receiver) -> None:
    before = senders()
    site = AirbaseSite(AirbaseOptions(documents=8))
    approve(site)
    assert settled(site) == []
    assert senders() == before


def test_schemes(tenant: Make, receiver: Receiver) -> None:
    approve(tenant(header="X-Sig", encoding="base64", prefix="sha256="))
    approve(tenant(scheme="standard", secret="whsec_" + base64.b64encode(b"key").decode()))
    approve(tenant(scheme="none"))
    wait_for(lambda: len(receiver.got) == 3)
    by_header = {name: got for got in receiver.got for name in ("x-sig", "webhook-id") if name in got[0]}
    headers, body = by_header["x-sig"]
    assert headers["x-sig"] == "sha256=" + base64.b64encode(mac(body)).decode()
    headers, body = by_header["webhook-id"]
    assert headers["webhook-id"] == json.loads(body)["id"]
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    assert headers["webhook-signature"] == "v1," + base64.b64encode(mac(content, b"key")).decode()
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    [unsigned] = [headers for headers, _ in receiver.got if not {"x-sig", "webhook-id"} & headers.keys()]
    assert not {"x-airbase-signature", "webhook-signature"} & unsigned.keys()


def test_it_tries_again_until_it_is_taken(tenant: Make, receiver: Receiver) -> None:
    receiver.answers = [503, 401]
    site = tenant()
    approve(site)
    assert outcomes(site) == [(1, 503, "again"), (2, 401, "again"), (3, 204, "taken")]
    assert len({body for _, body in receiver.got}) == 1


def test_it_gives_up(tenant: Make, receiver: Receiver) -> None:
    receiver.answers = [500] * 9
    site = tenant(attempts=3)
    approve(site)
    assert outcomes(site) == [(1, 500, "again"), (2, 500, "again"), (3, 500, "given up")]
    assert len(receiver.got) == 3


def test_no_answer_in_time_is_tried_again(tenant: Make, receiver: Receiver) -> None:
    receiver.gate.clear()
    site = tenant(timeout_s=0.1, attempts=20)
    approve(site)
    wait_for(lambda: len(receiver.got) >= 2)
    receiver.gate.set()
    first, *_, last = outcomes(site)
    assert first == (1, 0, "again")
    assert last[1:] == (204, "taken")


def test_nobody_there(tenant: Make) -> None:
    site = tenant(url="http://127.0.0.1:9/", attempts=2)
    approve(site)
    assert outcomes(site) == [(1, 0, "again"), (2, 0, "given up")]


@pytest.mark.parametrize("wrong", ["tampered", "missigned"])
def test_a_spoilt_signature(tenant: Make, receiver: Receiver, wrong: str) -> None:
    receiver.answers = [401]
    site = tenant(attempts=1, **{wrong: 1.0})
    approve(site)
    assert [(made.wrong, made.outcome) for made in settled(site)] == [(wrong, "given up")]
    [got] = receiver.got
    assert not fits(got)
    assert ("tampered" in json.loads(got[1])) is (wrong == "tampered")


def test_a_standard_signature_is_spoilt_too(tenant: Make, receiver: Receiver) -> None:
    site = tenant(scheme="standard", missigned=1.0)
    approve(site)
    settled(site)
    [(headers, body)] = receiver.got
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    assert headers["webhook-signature"] != "v1," + base64.b64encode(mac(content)).decode()


def test_a_duplicate_has_the_same_id_and_fits(tenant: Make, receiver: Receiver) -> None:
    site = tenant(duplicated=1.0)
    approve(site)
    settled(site)
    first, second = receiver.got
    assert first[1] == second[1]
    assert fits(first)
    assert fits(second)


def test_a_dropped_one_never_comes(tenant: Make, receiver: Receiver) -> None:
    site = tenant(dropped=1.0)
    approve(site, 2)
    assert [(made.attempt, made.outcome) for made in settled(site)] == [(0, "dropped")] * 2
    assert receiver.got == []


def test_reordered_ones_are_overtaken_by_the_next(tenant: Make, receiver: Receiver) -> None:
    site = tenant(reordered=1.0, delay_s=60)
    one, two, three, four = approve(site, 4)
    settled(site)
    assert receiver.ids() == [two, one, four, three]


def test_the_last_one_comes_though_nothing_overtakes_it(tenant: Make, receiver: Receiver) -> None:
    site = tenant(reordered=1.0, delay_s=0.05)
    keys = approve(site)
    settled(site)
    assert receiver.ids() == keys


def test_a_delayed_one_is_passed_by_the_next(tenant: Make, receiver: Receiver) -> None:
    site = tenant(delayed=1.0, delay_s=60)
    approve(site)
    site.options.hooks = HookOptions(url=receiver.url)
    [soon] = approve(site)
    wait_for(lambda: site.hooks.waiting == 1)
    assert receiver.ids() == [soon]


def test_a_share_of_them_goes_wrong(tenant: Make, receiver: Receiver) -> None:
    site = tenant(dropped=0.5)
    for _ in range(60):
        site.edit({"op": "create", "kind": "purchase_requests", "fields": {"status": "approved"}})
    dropped = [made for made in settled(site) if made.outcome == "dropped"]
    assert 15 < len(dropped) < 45
    assert len(receiver.got) == 60 - len(dropped)


def test_what_waits_is_bounded(tenant: Make, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks_of, "WAITING_MAX", 2)
    receiver.gate.clear()
    site = tenant(timeout_s=60)
    approve(site)
    wait_for(lambda: len(receiver.got) == 1)
    approve(site, 3)
    assert site.hooks.waiting == 3
    assert [made.outcome for made in site.hooks.deliveries()] == ["overflowed"]
    receiver.gate.set()
    assert len([made for made in settled(site) if made.outcome == "taken"]) == 3


def test_close_ends_what_is_under_way(tenant: Make, receiver: Receiver) -> None:
    before = senders()
    receiver.gate.clear()
    site = tenant(timeout_s=60)
    approve(site, 2)
    wait_for(lambda: len(receiver.got) == 1)
    site.close()
    assert not site.hooks.waiting
    assert [made.status for made in site.hooks.deliveries()] == [0]
    assert senders() == before


@pytest.mark.parametrize(
    "given",
    [
        {"url": "http://example.com/"},
        {"url": "http://127.0.0.1.example.com/"},
        {"url": "ftp://127.0.0.1/"},
        {"url": "http://127.0.0.1:99999/"},
        {"url": "127.0.0.1:80"},
        {"secret": "whsec_%"},
        {"header": "X Sig\r\n"},
        {"colour": "red"},
    ],
)
def test_options_that_make_no_sense_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(given, HookOptions)
    assert msgspec.convert({"url": "https://example.com/"}, HookOptions).url


def control(box: Sandbox, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    line = http.client.HTTPConnection(box.control_url.removeprefix("http://"), timeout=60)
    try:
        line.request(method, path, json.dumps(body), {"X-Sandbox": "1"})
        answer = line.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        line.close()


def test_all_of_it_through_the_control_door(receiver: Receiver) -> None:
    with start(SandboxOptions(suppliers=2, orders=2)) as box:
        options = {"airbase": {"hooks": {"url": receiver.url, "zoned": True}}}
        assert control(box, "POST", "/options", options)[0] == 200
        edit = {"op": "create", "kind": "purchase_requests", "fields": {"status": "approved"}}
        row = control(box, "POST", "/airbase/edit", edit)[1]["row"]
        assert box.airbase.hooks.settle()
        status, told = control(box, "GET", "/airbase/hooks")
        assert (status, told["waiting"]) == (200, 0)
        assert [(made["status"], made["outcome"]) for made in told["deliveries"]] == [(204, "taken")]
        assert receiver.ids() == [row["id"]]
        assert json.loads(receiver.got[0][1])["created_date"].endswith("+00:00")
        assert control(box, "POST", "/options", {"airbase": {"hooks": {"url": "http://example.com"}}})[0] == 400
        assert box.crashes == []
