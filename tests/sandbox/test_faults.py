"""Each kind of fault, over real sockets: what the client gets to see, and whether the request took effect."""

import errno
import http.client
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from ml_connector.sandbox.faults import KINDS, Fault, Faults
from ml_connector.sandbox.spoil import FOREIGN_HOST
from ml_connector.sandbox.web import Request, Response, WebServer

PAGE = b'{"@odata.context":"x","value":[{"Id":"1","Price":1.10},{"Id":"2","Price":2}]}'


class Shelf:
    """A list, a row with an ETag, and things posted."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.posted: list[bytes] = []

    def answer(self, request: Request) -> Response:
        headers = {"Content-Type": "application/json"}
        if request.method == "GET":
            return Response(200, headers, PAGE)
        if request.headers.get("if-match", 'W/"1"') != 'W/"1"':
            return Response(412, headers, b'{"error":{"code":"412"}}')
        self.posted.append(request.body)
        return Response(201, headers, b'{"Id":"3"}')


class Line:
    """A client of one server, and the faults between."""

    def __init__(self, site: str = "ifs") -> None:
        self.shelf = Shelf(site)
        self.faults = Faults(seed=7)
        self.web = WebServer(self.shelf, self.faults)
        self.web.start()

    def ask(
        self, method: str = "GET", path: str = "/Set", timeout_s: float = 5, match: str = 'W/"1"'
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(self.web.host, timeout=timeout_s)
        headers = {"If-Match": match} if method == "PATCH" else {}
        try:
            connection.request(method, path, None if method == "GET" else b"{}", headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.headers.items()), answer.read()
        finally:
            connection.close()

    def order(self, kind: Any, **fields: Any) -> int:
        return self.faults.add(Fault(kind, **fields))


@pytest.fixture
def line() -> Iterator[Line]:
    made = Line()
    yield made
    made.web.close()


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_status(line: Line, status: int) -> None:
    number = line.order("status", options={"status": status}, count=1)
    got, headers, _ = line.ask("POST")
    assert got == status
    assert "Retry-After" not in headers
    assert line.shelf.posted == []
    assert line.web.log.writes == 0
    assert line.faults.fired(number) == 1
    assert line.ask("POST")[0] == 201


def test_status_with_retry_after(line: Line) -> None:
    line.order("status", options={"status": 429, "retry_after": 7})
    assert line.ask()[1]["Retry-After"] == "7"


def test_status_after_the_work_was_done(line: Line) -> None:
    line.order("status", options={"status": 504, "effect": True}, count=1)
    assert line.ask("POST")[0] == 504
    assert len(line.shelf.posted) == line.web.log.writes == 1


def test_reset_before(line: Line) -> None:
    line.order("reset_before", count=1)
    with pytest.raises(ConnectionResetError) as caught:
        line.ask("POST")
    assert caught.value.errno == errno.ECONNRESET  # not a connection that was closed in order
    assert line.shelf.posted == []
    assert line.web.log.writes == 0
    assert line.web.log.entries()[0].status == 0


def test_reset_after(line: Line) -> None:
    line.order("reset_after", count=1)
    with pytest.raises(ConnectionResetError) as caught:
        line.ask("POST")
    assert caught.value.errno == errno.ECONNRESET  # not a connection that was closed in order
    assert len(line.shelf.posted) == line.web.log.writes == 1
    assert line.web.log.entries()[0].faults == ("reset_after",)


def test_slow_body(line: Line) -> None:
    line.order("slow_body", options={"chunk": 20, "pause_s": 0.05})
    began = time.monotonic()
    assert line.ask()[2] == PAGE
    assert time.monotonic() - began > 0.15


def test_stalled_body_lasts_until_the_client_gives_up(line: Line) -> None:
    line.order("stalled_body", options={"hold_s": 60})
    with pytest.raises(TimeoutError):
        line.ask(timeout_s=0.3)


def test_stalled_body_ends_after_its_time(line: Line) -> None:
    line.order("stalled_body", options={"hold_s": 0.2})
    began = time.monotonic()
    with pytest.raises(http.client.IncompleteRead):
        line.ask()
    assert 0.15 < time.monotonic() - began < 30


def test_closing_does_not_wait_for_a_stalled_body(line: Line) -> None:
    line.order("stalled_body", options={"hold_s": 60})
    with pytest.raises(TimeoutError):
        line.ask(timeout_s=0.1)
    began = time.monotonic()
    line.web.close()
    assert time.monotonic() - began < 30


def test_truncated(line: Line) -> None:
    line.order("truncated", options={"stop_at": 10})
    with pytest.raises(http.client.IncompleteRead) as caught:
        line.ask()
    assert caught.value.partial == PAGE[:10]


def test_truncated_json(line: Line) -> None:
    line.order("truncated_json")
    _, headers, body = line.ask()
    assert int(headers["Content-Length"]) == len(body) < len(PAGE)
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)


def test_malformed_json(line: Line) -> None:
    line.order("malformed_json", method="POST")
    status, headers, body = line.ask("POST")
    assert (status, headers["Content-Type"]) == (201, "application/json")
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)
    assert len(line.shelf.posted) == 1


def test_html(line: Line) -> None:
    line.order("html")
    status, headers, body = line.ask("POST")
    assert status == 200
    assert headers["Content-Type"].startswith("text/html")
    assert b"<html>" in body


def test_next_link_loop(line: Line) -> None:
    line.order("next_link_loop")
    page = json.loads(line.ask(path="/Set?$top=2")[2])
    assert page["@odata.nextLink"] == f"{line.web.url}/Set?$top=2"
    assert len(page["value"]) == 2


def test_next_link_foreign(line: Line) -> None:
    line.order("next_link_foreign")
    assert json.loads(line.ask()[2])["@odata.nextLink"].startswith(f"http://{FOREIGN_HOST}/Set")
    assert b"nextLink" not in line.ask("POST")[2]


def test_duplicate_rows_keeps_numbers_exact(line: Line) -> None:
    line.order("duplicate_rows")
    body = line.ask()[2]
    assert [row["Id"] for row in json.loads(body)["value"]] == ["1", "2", "1", "2"]
    assert body.count(b"1.10") == 2


def test_token_revoked(line: Line) -> None:
    revoked: list[int] = []
    line.faults.revoke_tokens = lambda: revoked.append(1)
    line.order("token_revoked", count=1)
    assert line.ask("POST", "/auth/token")[0] == 201
    status, headers, _ = line.ask("POST")
    assert (status, revoked) == (401, [1])
    assert "Bearer" in headers["WWW-Authenticate"]
    assert len(line.shelf.posted) == 1


def test_stale_etag(line: Line) -> None:
    number = line.order("stale_etag", count=1)
    assert line.ask("POST")[0] == 201
    assert line.faults.fired(number) == 0
    assert line.ask("PATCH")[0] == 412
    assert line.ask("PATCH")[0] == 201


def test_wrong_shape(line: Line) -> None:
    line.order("wrong_shape")
    assert isinstance(json.loads(line.ask()[2]), list)


def test_huge_body(line: Line) -> None:
    line.order("huge_body", options={"size": 5_000_000})
    body = line.ask()[2]
    assert len(body) == 5_000_000
    assert json.loads(body) == json.loads(PAGE)


def test_redirect_foreign(line: Line) -> None:
    line.order("redirect_foreign")
    status, headers, _ = line.ask("POST")
    assert (status, headers["Location"]) == (302, f"http://{FOREIGN_HOST}/Set")
    assert line.shelf.posted == []


def test_every_kind_is_shown_here() -> None:
    shown = {name.removeprefix("test_") for name in globals()}
    assert not [kind for kind in KINDS if not any(name.startswith(kind) for name in shown)]


def test_after_and_count_choose_exactly_which(line: Line) -> None:
    number = line.order("status", after=2, count=2)
    assert [line.ask()[0] for _ in range(6)] == [200, 200, 503, 503, 200, 200]
    assert line.faults.fired(number) == 2
    told = line.faults.told()[0]
    assert (told["matched"], told["fired"]) == (6, 2)


def test_percent_is_the_same_for_the_same_seed() -> None:
    def struck() -> list[int]:
        line = Line()
        line.order("status", percent=30)
        statuses = [line.ask()[0] for _ in range(60)]
        line.web.close()
        return statuses

    first = struck()
    assert first == struck()
    assert 5 < first.count(503) < 35


@pytest.mark.parametrize(
    ("fields", "strikes"),
    [
        ({"site": "airbase"}, False),
        ({"site": "ifs"}, True),
        ({"method": "GET"}, False),
        ({"path": "/Se"}, True),
        ({"path": "/Other"}, False),
        ({"path": "*[x]*"}, False),
        ({"path": "/*t"}, True),
        ({"body": "{}"}, True),
        ({"body": "voucher"}, False),
        ({"query": "top"}, False),
    ],
)
def test_a_fault_befalls_only_what_it_is_meant_for(line: Line, fields: dict[str, Any], strikes: bool) -> None:
    line.order("status", **fields)
    assert (line.ask("POST")[0] == 503) is strikes


def test_two_faults_on_one_request(line: Line) -> None:
    line.order("duplicate_rows")
    line.order("next_link_loop")
    line.order("slow_body", options={"pause_s": 0})
    page = json.loads(line.ask()[2])
    assert len(page["value"]) == 4
    assert "@odata.nextLink" in page
    assert line.web.log.entries()[0].faults == ("duplicate_rows", "next_link_loop", "slow_body")


def test_faults_are_lifted(line: Line) -> None:
    number = line.order("status")
    line.order("html")
    assert line.faults.remove(number)
    assert not line.faults.remove(number)
    line.faults.clear()
    assert line.ask()[2] == PAGE


def test_an_unknown_option_is_refused(line: Line) -> None:
    with pytest.raises(ValueError, match="no option wait"):
        line.order("slow_body", options={"wait": 1})
