"""A small HTTP/1.1 server on the loopback interface that puts one site on a real socket.

One rule: what a site did and what the client got to see are recorded apart, so that "took effect" is exact
even when the answer never arrives.
It must not know what any site serves, nor why an answer is spoilt; `Interference` decides that.
"""

import http
import http.server
import select
import socket
import struct
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from email.utils import formatdate
from typing import Any, Protocol, cast

import msgspec

from ml_connector.sandbox.effect import took_effect
from ml_connector.sandbox.requestlog import Entry, RequestLog
from ml_connector.sandbox.world.values import exactly

BODY_MAX = 32 * 1024 * 1024
_TICK_S = 0.05


class Request(msgspec.Struct, frozen=True):
    """One request as it came over the wire."""

    method: str
    path: str  # raw, not percent-decoded, without the query
    query: str  # raw, "" when there is none
    headers: dict[str, str]  # names in lower case
    body: bytes
    host: str  # "127.0.0.1:port"


class Response(msgspec.Struct, frozen=True):
    """One answer; the server adds Date and Content-Length."""

    status: int
    headers: dict[str, str]
    body: bytes


class Site(Protocol):
    """Whatever can answer requests."""

    name: str  # "ifs" or "airbase"

    def answer(self, request: Request) -> Response:
        """Answer one request, on any thread."""
        ...


class Opening(msgspec.Struct, frozen=True):
    """What is decided before the site sees a request."""

    request: Request
    answer: Response | None = None  # given instead of the site's, which then sees nothing
    reset: bool = False
    faults: tuple[str, ...] = ()


class Delivery(msgspec.Struct, frozen=True):
    """How an answer leaves; the default is whole and at once."""

    answer: Response
    reset: bool = False
    chunk: int = 0  # bytes at a time, 0 for all at once
    pause_s: float = 0
    stop_at: int | None = None  # bytes of the body after which nothing follows
    hold_s: float = 0  # how long the line stays open after that
    faults: tuple[str, ...] = ()


class Interference(Protocol):
    """Whatever may come between a client and a site."""

    def before(self, site: str, request: Request) -> Opening:
        """Decide what becomes of a request before the site sees it."""
        ...

    def after(self, site: str, request: Request, answer: Response) -> Delivery:
        """Decide how the site's answer is delivered."""
        ...


class Undisturbed:
    """The interference that never interferes."""

    def before(self, site: str, request: Request) -> Opening:  # noqa: ARG002
        """Let the request through."""
        return Opening(request)

    def after(self, site: str, request: Request, answer: Response) -> Delivery:  # noqa: ARG002
        """Deliver the answer whole."""
        return Delivery(answer)


class WebServer:
    """One site on its own loopback port, with a log of what was asked of it."""

    def __init__(self, site: Site, faults: Interference, port: int = 0) -> None:
        self.site = site
        self.faults = faults
        self.log = RequestLog()
        self.crashes: list[str] = []
        self.closing = threading.Event()
        self._listener = _Listener(("127.0.0.1", port), self)
        self._thread = threading.Thread(target=self._listen, name=f"sandbox-{site.name}", daemon=True)

    @property
    def host(self) -> str:
        """Give the address as a Host header has it."""
        return f"127.0.0.1:{self._listener.server_address[1]}"

    @property
    def url(self) -> str:
        """Give the address without a trailing slash."""
        return f"http://{self.host}"

    def start(self) -> None:
        """Begin to answer, on threads of its own."""
        self._thread.start()

    def close(self) -> None:
        """Stop, and cut every connection that is still open."""
        if self.closing.is_set():
            return
        self.closing.set()
        if self._thread.is_alive():
            self._listener.shutdown()
            self._thread.join(5)
        self._listener.server_close()
        self._listener.cut()

    def _listen(self) -> None:
        self._listener.serve_forever(poll_interval=_TICK_S)

    def exchange(self, request: Request) -> Delivery:
        """Take a request through the faults and the site, and log what happened."""
        opening = self.faults.before(self.site.name, request)
        if opening.reset or opening.answer is not None:
            answer = opening.answer or Response(0, {}, b"")
            delivery = Delivery(answer, reset=opening.reset, faults=opening.faults)
            self._record(request, delivery, write=False)
            return delivery
        answer = self._answer(opening.request)
        delivery = self.faults.after(self.site.name, opening.request, answer)
        delivery = msgspec.structs.replace(delivery, faults=opening.faults + delivery.faults)
        write = took_effect(request.method, request.path, request.body, answer.status, answer.body)
        self._record(request, delivery, write=write)
        return delivery

    @exactly
    def _answer(self, request: Request) -> Response:
        try:
            return self.site.answer(request)
        except Exception:  # a mistake of the sandbox itself must be loud, and must not hang the client
            self.crashes.append(traceback.format_exc())
            sys.stderr.write(self.crashes[-1])
            return Response(500, {"Content-Type": "text/plain"}, b"the sandbox itself failed")

    def _record(self, request: Request, delivery: Delivery, *, write: bool) -> None:
        status = 0 if delivery.reset else delivery.answer.status
        self.log.add(Entry(request.method, request.path, request.query, status, write, delivery.faults))


class _Listener(http.server.ThreadingHTTPServer):
    """Accepts connections and remembers the open ones, so that closing cuts them."""

    request_queue_size = 128

    def __init__(self, address: tuple[str, int], web: WebServer) -> None:
        self.web = web
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, _Conversation)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        if _is_to_be_reset(request):
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def cut(self) -> None:
        with self._lock:
            for connection in self._open:
                _quietly_shut(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away; anything else is a mistake here."""
        if not isinstance(sys.exc_info()[1], OSError):
            self.web.crashes.append(traceback.format_exc())
            super().handle_error(request, client_address)


class _Conversation(http.server.BaseHTTPRequestHandler):
    """One kept-alive connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    @property
    def _web(self) -> WebServer:
        return cast(_Listener, self.server).web

    def handle_one_request(self) -> None:
        """Read one request and answer it, whatever its method."""
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        body = self._body()
        if body is None:
            self.close_connection = True
            return
        self._deliver(self._web.exchange(self._request(body)))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing: the log is kept elsewhere."""

    def _request(self, body: bytes) -> Request:
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Request(self.command, path, query, headers, body, self._web.host)

    def _body(self) -> bytes | None:
        if self.headers.get("Transfer-Encoding"):
            return self._refuse(411)
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit():
            return self._refuse(400)
        if int(length) > BODY_MAX:
            return self._refuse(413)
        body = self.rfile.read(int(length))
        return body if len(body) == int(length) else None

    def _refuse(self, status: int) -> None:
        self.close_connection = True
        self._send(Response(status, {"Content-Type": "text/plain"}, http.HTTPStatus(status).phrase.encode()))

    def _deliver(self, delivery: Delivery) -> None:
        if delivery.reset:
            self._reset()
        elif delivery.chunk == 0 and delivery.stop_at is None:
            self._send(delivery.answer)
        else:
            self._dribble(delivery)

    def _send(self, answer: Response) -> None:
        body = b"" if self.command == "HEAD" else answer.body
        self.wfile.write(self._head(answer) + body)

    def _head(self, answer: Response) -> bytes:
        headers = {"Date": formatdate(usegmt=True), **answer.headers}
        lines = [f"HTTP/1.1 {answer.status} {_phrase(answer.status)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if answer.status != 204:
            lines.append(f"Content-Length: {len(answer.body)}")
        if self.close_connection:
            lines.append("Connection: close")
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def _dribble(self, delivery: Delivery) -> None:
        self.close_connection = self.close_connection or delivery.stop_at is not None
        self.wfile.write(self._head(delivery.answer))
        for chunk in _chunks(delivery.answer.body[: delivery.stop_at], delivery.chunk):
            self.wfile.write(chunk)
            if self._gone_within(delivery.pause_s):
                self.close_connection = True
                return
        self._gone_within(delivery.hold_s)

    def _gone_within(self, wait_s: float) -> bool:
        """Wait, but no longer than the client or the server does."""
        until = time.monotonic() + wait_s
        while (left := until - time.monotonic()) > 0:
            if self._web.closing.is_set() or _has_hung_up(self.connection, min(left, _TICK_S)):
                return True
        return False

    def _reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _chunks(body: bytes, size: int) -> Iterator[bytes]:
    step = size or len(body) or 1
    return (body[start : start + step] for start in range(0, len(body), step))


def _has_hung_up(connection: socket.socket, wait_s: float) -> bool:
    readable, _, _ = select.select([connection], [], [], wait_s)
    if not readable:
        return False
    gone = not connection.recv(1, socket.MSG_PEEK)
    if not gone:
        time.sleep(wait_s)  # a pipelined request stays readable and would make this a busy loop
    return gone


def _is_to_be_reset(connection: socket.socket) -> bool:
    try:
        on, seconds = struct.unpack("ii", connection.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8))
    except OSError:
        return False
    return bool(on) and seconds == 0


def _quietly_shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


def _phrase(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
