"""The sandbox's server over real sockets: what it counts, what it refuses, and that it goes when told."""

import http.client
import socket
import threading
from collections.abc import Iterator

import pytest

from ml_connector.sandbox.effect import took_effect
from ml_connector.sandbox.requestlog import normalised
from ml_connector.sandbox.web import BODY_MAX, Request, Response, Undisturbed, WebServer


class Mirror:
    """Says what it was asked; a path that begins with a status gets that status."""

    name = "ifs"

    def answer(self, request: Request) -> Response:
        if request.path == "/crash":
            raise RuntimeError("made on purpose")
        status = int(request.path[1:4]) if request.path[1:4].isdigit() else 200
        told = f"{request.method} {request.path} {request.query} {request.host}".encode()
        return Response(status, {"Content-Type": "text/plain"}, b"" if status == 204 else told + request.body)


@pytest.fixture
def web() -> Iterator[WebServer]:
    server = WebServer(Mirror(), Undisturbed())
    server.start()
    yield server
    server.close()


@pytest.fixture
def line(web: WebServer) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(web.host, timeout=60)
    yield connection
    connection.close()


def ask(line: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    line.request(method, path, body)
    answer = line.getresponse()
    return answer.status, answer.read()


def test_a_request_arrives_raw_and_the_answer_has_its_length(web: WebServer, line: http.client.HTTPConnection) -> None:
    line.request("POST", "/Set(Id='a%2Fb')?$filter=A%20eq%201", b"body")
    answer = line.getresponse()
    told = answer.read()
    assert told == f"POST /Set(Id='a%2Fb') $filter=A%20eq%201 {web.host}body".encode()
    assert answer.getheader("Content-Length") == str(len(told))
    assert answer.getheader("Date", "").endswith("GMT")


def test_a_connection_is_kept(line: http.client.HTTPConnection) -> None:
    ask(line, "GET", "/a")
    first = line.sock
    ask(line, "GET", "/204")
    ask(line, "GET", "/b")
    assert line.sock is first


def test_head_has_no_body(line: http.client.HTTPConnection) -> None:
    assert ask(line, "HEAD", "/x") == (200, b"")
    assert ask(line, "GET", "/y")[0] == 200


def test_only_writes_that_took_effect_count(web: WebServer, line: http.client.HTTPConnection) -> None:
    for method, path in (
        ("GET", "/a"),
        ("POST", "/b"),
        ("PATCH", "/204"),
        ("PATCH", "/412"),
        ("POST", "/301"),
        ("POST", "/auth/token"),
    ):
        ask(line, method, path, b"{}" if method != "GET" else None)
    assert web.log.writes == 2
    assert web.log.total == 6
    assert [entry.write for entry in web.log.entries()] == [False, True, True, False, False, False]
    assert web.log.counts()["PATCH", "/*", 412] == 1
    web.log.reset()
    assert (web.log.total, web.log.writes, web.log.entries()) == (0, 0, [])


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/main/x.svc/Set(Id='a(b)')/Lines(No=1)", "/main/x.svc/Set(*)/Lines(*)"),
        ("/v1/vendors/0b1c2d3e-1111-4222-8333-444455556666/", "/v1/vendors/*/"),
        ("/v1/vendors/17/", "/v1/vendors/*/"),
        ("/v1/vendors/bulk_upsert/", "/v1/vendors/bulk_upsert/"),
    ],
)
def test_keys_are_left_out_of_the_counts(path: str, kept: str) -> None:
    assert normalised(path) == kept


@pytest.mark.parametrize(
    ("asked", "answered", "write"),
    [
        (("GET", "GET"), (200, 200), False),
        (("GET", "PATCH"), (200, 412), False),
        (("GET", "PATCH"), (404, 200), True),
        (("POST", "POST"), (400,), False),
    ],
)
def test_a_batch_counts_as_what_is_in_it(asked: tuple[str, ...], answered: tuple[int, ...], write: bool) -> None:
    body = "".join(f"--b\r\n\r\n{method} Set HTTP/1.1\r\n\r\n" for method in asked).encode()
    answer = "".join(f"--b\r\n\r\nHTTP/1.1 {status} Said\r\n\r\n" for status in answered).encode()
    assert took_effect("POST", "/main/x.svc/$batch", body, 200, answer) is write


def test_a_body_over_the_limit_is_refused(web: WebServer) -> None:
    head = f"POST /x HTTP/1.1\r\nHost: {web.host}\r\nContent-Length: {BODY_MAX + 1}\r\n\r\n"
    assert said(web, head.encode()).startswith(b"HTTP/1.1 413 ")
    assert web.log.total == 0


def test_a_chunked_body_is_refused(web: WebServer) -> None:
    head = f"POST /x HTTP/1.1\r\nHost: {web.host}\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert said(web, head.encode()).startswith(b"HTTP/1.1 411 ")


def test_a_mistake_of_the_sandbox_is_a_500_and_is_kept(
    web: WebServer, line: http.client.HTTPConnection, capfd: pytest.CaptureFixture[str]
) -> None:
    assert ask(line, "GET", "/crash") == (500, b"the sandbox itself failed")
    assert "made on purpose" in web.crashes[0]
    assert "made on purpose" in capfd.readouterr().err


def test_many_threads_are_served_at_once(web: WebServer) -> None:
    def work() -> None:
        line = http.client.HTTPConnection(web.host, timeout=60)
        for _ in range(50):
            assert ask(line, "POST", "/x", b"1")[0] == 200
        line.close()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert web.log.writes == 400


def test_closing_cuts_the_connections_that_are_open() -> None:
    web = WebServer(Mirror(), Undisturbed())
    web.start()
    line = http.client.HTTPConnection(web.host, timeout=60)
    ask(line, "GET", "/x")
    web.close()
    web.close()
    with pytest.raises((http.client.HTTPException, OSError)):
        ask(line, "GET", "/x")
    line.close()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", int(web.url.rpartition(":")[2])), 1)


def said(web: WebServer, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", int(web.url.rpartition(":")[2])), 5) as raw:
        raw.sendall(request)
        return raw.makefile("rb").read()
