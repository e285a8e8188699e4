"""Those who are slow on purpose: none takes a connection for long, and nobody is cut off who is being answered."""

import socket
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI, Form
from starlette.responses import PlainTextResponse

from ml_connector.cli.serving import QUIET
from ml_connector.console import bounds, punctual
from ml_connector.console.bounds import Bounds
from ml_connector.console.punctual import Punctual

MUCH = 8_000_000  # more than lies in the buffers of both ends
app = FastAPI()


@app.post("/form")
async def take(name: str = Form()) -> PlainTextResponse:
    return PlainTextResponse(name)


@app.get("/slow")
def answer() -> PlainTextResponse:
    assert Timed.late.acquire(timeout=60)
    return PlainTextResponse("there")


@app.get("/much")
def much() -> PlainTextResponse:
    return PlainTextResponse("x" * (MUCH - 1) + "!")


class Timed(Punctual):
    """Tells each time that the time for a head was over."""

    late = threading.Semaphore(0)

    def _late(self) -> None:
        super()._late()
        Timed.late.release()


@contextmanager
def served(monkeypatch: pytest.MonkeyPatch, head_s: float = 30.0, body_s: float = 30.0) -> Generator[tuple[str, int]]:
    monkeypatch.setattr(Timed, "late", threading.Semaphore(0))
    monkeypatch.setattr(punctual, "HEAD_S", head_s)
    monkeypatch.setattr(bounds, "BODY_S", body_s)
    options: dict[str, Any] = {**QUIET, "http": Timed, "port": 0}
    server = uvicorn.Server(uvicorn.Config(Bounds(app), **options))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        yield server.servers[0].sockets[0].getsockname()
    finally:
        server.should_exit = True
        thread.join()


def told(place: tuple[str, int], sent: bytes) -> bytes:
    """What comes back until the server closes the connection."""
    with socket.create_connection(place, timeout=60) as there:
        there.sendall(sent)
        found = b""
        try:
            while data := there.recv(65536):
                found += data
        except ConnectionResetError:
            pass
        return found


HEAD = b"POST /form HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
CLOSE = b"Connection: close\r\n"
ASKED = b"GET /slow HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n"])
def test_who_is_slow_with_the_head_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, said: bytes) -> None:
    with served(monkeypatch, head_s=0.3) as place:
        assert told(place, said) == b""


def test_who_is_slow_with_the_body_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with served(monkeypatch, body_s=0.3) as place:
        assert told(place, HEAD + CLOSE + b"Content-Length: 9\r\n\r\nname=").startswith(b"HTTP/1.1 408 ")


def test_who_is_in_time_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    with served(monkeypatch) as place:
        assert told(place, HEAD + CLOSE + b"Content-Length: 6\r\n\r\nname=a").startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("first", [b"", ASKED + b"\r\n"])
def test_what_takes_long_to_answer_is_answered(monkeypatch: pytest.MonkeyPatch, first: bytes) -> None:
    with served(monkeypatch, head_s=1.0) as place:
        assert told(place, first + ASKED + CLOSE + b"\r\n").count(b"there") == (2 if first else 1)


@pytest.mark.parametrize("more", [b"", CLOSE])
def test_who_reads_slowly_reads_all_of_it(monkeypatch: pytest.MonkeyPatch, more: bytes) -> None:
    with served(monkeypatch, head_s=1.0) as place, socket.create_connection(place, timeout=60) as there:
        there.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        there.sendall(b"GET /much HTTP/1.1\r\nHost: x\r\n" + more + b"\r\n")
        assert Timed.late.acquire(timeout=60)
        found = bytearray()
        while not found.endswith(b"x!") and (data := there.recv(1_000_000)):
            found += data
        assert len(found.partition(b"\r\n\r\n")[2]) == MUCH
