"""The wire against real sockets: whatever a server does, the caller learns whether the request took effect."""

import contextlib
import gzip
import itertools
import pickle
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from reaching import Unhurried, laid_out, unhurried

from ml_connector import errors
from ml_connector.systems import http
from ml_connector.systems.exchange import tls
from ml_connector.systems.http import Anonymous, Answer, OverdueError, Wire, json_object
from ml_connector.systems.limits import Limiter

Script = Callable[[socket.socket, bytes], None]


class RawServer:
    """Answers the n-th request with the n-th script, the last one for all that follow."""

    def __init__(self, *scripts: Script) -> None:
        self.scripts = scripts
        self.seen: list[bytes] = []
        self.closed = 0
        self.tls: ssl.SSLContext | None = None
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.lock = threading.Lock()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection if self.tls is None else self._secured(connection) as connection:
            request = _request(connection)
            if not request:
                return
            with self.lock:
                script = self.scripts[min(len(self.seen), len(self.scripts) - 1)]
                self.seen.append(request)
            script(connection, request)
        self.closed += 1

    def _secured(self, connection: socket.socket) -> socket.socket:
        assert self.tls
        with connection:
            return self.tls.wrap_socket(connection, server_side=True)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def _request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            return b""
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while lengths and len(body) < lengths[0]:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def reply(status: int, body: bytes = b"{}", **headers: str) -> Script:
    def script(connection: socket.socket, _: bytes) -> None:
        fields = {"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close"}
        fields.update({name.replace("_", "-"): value for name, value in headers.items()})
        head = f"HTTP/1.1 {status} X\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        connection.sendall(head.encode() + b"\r\n" + body)

    return script


def reset(connection: socket.socket, _: bytes) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


def stall(connection: socket.socket, _: bytes) -> None:
    connection.settimeout(30)
    connection.recv(1)


def dribble_head(connection: socket.socket, request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for _ in range(600):
        connection.sendall(b"X-Slow: y\r\n")
        time.sleep(0.05)


def dribble_body(connection: socket.socket, request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(600):
        connection.sendall(b" ")
        time.sleep(0.05)


ESTABLISHED = "01"
SLOW = (stall, dribble_head, dribble_body)


def flood(connection: socket.socket, _: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"10000\r\n" + b"[" * 65536 + b"\r\n")


def cut_chunks(connection: socket.socket, _: bytes) -> None:
    connection.sendall(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{"a": 1}\r\n')


def nonsense(connection: socket.socket, _: bytes) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")


class Tokens:
    """Gives out numbered tokens."""

    def __init__(self, most: int = 99) -> None:
        self.number = 1
        self.most = most
        self.refused: list[str] = []

    def header(self) -> str:
        return f"Bearer secret-{self.number}"

    def renew(self, refused: str) -> bool:
        self.refused.append(refused)
        if self.number >= self.most:
            return False
        self.number += 1
        return True


@pytest.fixture
def serve() -> Iterator[Callable[..., RawServer]]:
    servers: list[RawServer] = []

    def start(*scripts: Script) -> RawServer:
        servers.append(RawServer(*scripts))
        return servers[-1]

    yield start
    for server in servers:
        server.socket.close()


_OPEN: list[Wire] = []


@pytest.fixture(autouse=True)
def nothing_stays_open() -> Iterator[None]:
    yield
    while _OPEN:
        _OPEN.pop().close()


def wire(origin: str, **options: Any) -> Wire:
    limiter = options.pop("limiter", None) or unhurried()
    options = laid_out({"pause_s": 0.001, "total_s": 30.0, **options})
    made = Wire("ifs", origin, options.pop("authorise", Anonymous()), limiter, **options)
    _OPEN.append(made)
    return made


def patient(fault: Script, total_s: float = 0.3) -> dict[str, float]:
    """Soon over only where nothing else ends it: a busy machine may take long to answer."""
    return {"total_s": total_s} if fault in SLOW else {}


def until(said: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not said():
        assert time.monotonic() < end
        time.sleep(0.01)


def get(a_wire: Wire, **options: Any) -> Answer:
    return a_wire.call("read rows", "GET", "/x", repeatable=True, **options)


def post(a_wire: Wire, **options: Any) -> Answer:
    return a_wire.call("write row", "POST", "/x", body=b'{"iban":"hush"}', repeatable=False, **options)


def test_answer_is_given_back_with_lower_case_headers(serve: Callable[..., RawServer]) -> None:
    server = serve(reply(200, b'{"value": [1.10, 18446744073709551617, 1e2]}', ETag="abc"))
    answer = get(wire(server.origin), query="$top=1", headers={"Prefer": "x"})
    assert answer.headers["etag"] == "abc"
    assert json_object(answer, "ifs", "read") == {"value": [Decimal("1.10"), 2**64 + 1, Decimal("1e2")]}
    assert server.seen[0].startswith(b"GET /x?$top=1 HTTP/1.1\r\n")
    assert b"Prefer: x" in server.seen[0]
    assert b"Authorization" not in server.seen[0]


@pytest.mark.parametrize(
    "fault",
    [reset, stall, dribble_head, dribble_body, cut_chunks, nonsense, reply(200, b"{}", Content_Length="99")]
    + [reply(status) for status in (500, 502, 503, 504, 408, 520)]
    + [reply(200, b"<html>sign in</html>"), reply(200, b""), reply(201, b'{"a":'), reply(200, b'{"a":"\xff"}')]
    + [reply(503, Retry_After="1"), reply(200, b"no gzip", Content_Encoding="gzip"), flood]
    + [reply(302, Location="https://elsewhere.example/")],
)
def test_write_that_may_have_arrived_is_unconfirmed_and_sent_once(
    serve: Callable[..., RawServer], fault: Script
) -> None:
    server = serve(fault)
    with pytest.raises(errors.UnconfirmedError) as caught:
        post(wire(server.origin, body_max=1 << 20, **patient(fault)))
    until(lambda: server.seen)
    assert len(server.seen) == 1
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "fault",
    [reset, stall, dribble_head, dribble_body, cut_chunks, nonsense, reply(200, b"{}", Content_Length="99")]
    + [reply(status) for status in (500, 502, 503, 504, 408)]
    + [reply(200, b"<html>sign in</html>"), reply(200, b'{"a":')],
)
def test_read_is_repeated_until_it_works(serve: Callable[..., RawServer], fault: Script) -> None:
    server = serve(fault, fault, reply(200, b'{"a": 1}'))
    a_wire = wire(server.origin, attempts_max=100, **patient(fault))
    assert get(a_wire).body == b'{"a": 1}'
    assert a_wire.requests == 3 or fault in SLOW  # a busy machine may be late more often
    assert a_wire.requests >= len(server.seen) >= 3


@pytest.mark.parametrize(
    ("fault", "error", "times"),
    [
        (reset, errors.UnreachableError, 3),
        (stall, OverdueError, 3),
        (dribble_head, OverdueError, 3),
        (dribble_body, OverdueError, 3),
        (reply(504), OverdueError, 3),
        (reply(500), errors.UnreachableError, 3),
        (reply(200, b"{"), errors.MalformedError, 3),
        (flood, errors.MalformedError, 1),
        (reply(501), errors.RefusedError, 1),
        (reply(400), errors.RefusedError, 1),
        (reply(403), errors.AuthError, 1),
        (reply(404), errors.NotFoundError, 1),
        (reply(409), errors.ConflictError, 1),
        (reply(412), errors.ConflictError, 1),
        (reply(428), errors.ConflictError, 1),
        (reply(302, Location="https://elsewhere.example/x"), errors.MalformedError, 1),
        (reply(302, Location="/login"), errors.MalformedError, 1),
        (reply(301, Location="/x/"), errors.RefusedError, 1),
    ],
)
def test_read_that_never_works_ends_in_one_exact_error(
    serve: Callable[..., RawServer], fault: Script, error: type[Exception], times: int
) -> None:
    server = serve(fault)
    a_wire = wire(server.origin, attempts_max=3, body_max=1 << 20, **patient(fault, 0.15))
    with pytest.raises(error) as caught:
        get(a_wire)
    assert type(caught.value) is error or error is errors.MalformedError
    assert a_wire.requests == times
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301


@pytest.mark.parametrize("slow", SLOW)
def test_an_attempt_ends_in_time_whatever_dribbles(serve: Callable[..., RawServer], slow: Script) -> None:
    server = serve(slow)
    started = time.monotonic()
    with pytest.raises(OverdueError):
        get(wire(server.origin), overdue_once=True, total_s=0.2)
    assert time.monotonic() - started < 20
    until(lambda: server.seen)
    assert len(server.seen) == 1


class Clock:
    """Time that goes on only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_patience_ends_repeating(serve: Callable[..., RawServer], monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(http, "time", clock)
    a_wire = wire(serve(reply(500)).origin, attempts_max=1000, pause_max_s=10.0, patience_s=50.0, sleep=clock.sleep)
    with pytest.raises(errors.UnreachableError):
        get(a_wire)
    assert 50 <= clock.now < 60
    assert 5 < a_wire.requests < 1000


@pytest.mark.parametrize(("call", "expected"), [(get, errors.UnreachableError), (post, errors.UnconfirmedError)])
def test_who_waits_for_an_answer_is_woken_by_closing(
    serve: Callable[..., RawServer], call: Callable[[Wire], Answer], expected: type[Exception]
) -> None:
    server = serve(stall)
    a_wire = wire(server.origin, total_s=60.0)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(call, a_wire)
        until(lambda: server.seen)
        a_wire.close()
        with pytest.raises(expected):
            waiting.result(50)


def test_504_is_told_apart(serve: Callable[..., RawServer]) -> None:
    with pytest.raises(OverdueError) as caught:
        get(wire(serve(reply(504)).origin), overdue_once=True)
    assert caught.value.status == 504


@pytest.mark.parametrize("call", [get, post])
def test_nobody_listens(call: Callable[[Wire], Answer]) -> None:
    with socket.socket() as idle:
        idle.bind(("127.0.0.1", 0))
        a_wire = wire(f"http://127.0.0.1:{idle.getsockname()[1]}", attempts_max=3)
        with pytest.raises(errors.UnreachableError):
            call(a_wire)
    assert a_wire.requests == 3


def test_no_tls_is_not_delivered(serve: Callable[..., RawServer]) -> None:
    server = serve(reply(200))
    a_wire = wire(server.origin.replace("http:", "https:"), attempts_max=2, connect_s=0.3)
    with pytest.raises(errors.UnreachableError):
        post(a_wire)
    assert a_wire.requests == 2


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that nobody vouches for, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(pem + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.mark.parametrize("trusted", [True, False])
def test_certificates_are_verified(serve: Callable[..., RawServer], certificate: Path, trusted: bool) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = serve(reply(200))
    server.tls = context
    a_wire = wire(
        server.origin.replace("http:", "https:"),
        attempts_max=2,
        verify=str(certificate) if trusted else True,
    )
    if trusted:
        assert post(a_wire).status == 200
    else:
        with pytest.raises(errors.UnreachableError, match=r"CERTIFICATE_VERIFY_FAILED"):
            post(a_wire)
        assert server.seen == []


def test_write_is_sent_again_after_429_and_after_a_renewed_token(serve: Callable[..., RawServer]) -> None:
    server = serve(reply(429, Retry_After="0"), reply(401), reply(200, b'{"a":1}'))
    tokens = Tokens()
    a_wire = wire(server.origin, authorise=tokens)
    assert post(a_wire).status == 200
    assert [b"secret-1" in server.seen[0], b"secret-1" in server.seen[1], b"secret-2" in server.seen[2]] == [True] * 3
    assert tokens.refused == ["Bearer secret-1"]
    assert (a_wire.requests, a_wire.throttled) == (3, 1)


@pytest.mark.parametrize(("most", "times"), [(1, 1), (9, 2)])
def test_a_token_is_renewed_once(serve: Callable[..., RawServer], most: int, times: int) -> None:
    server = serve(reply(401))
    with pytest.raises(errors.AuthError) as caught:
        get(wire(server.origin, authorise=Tokens(most)))
    assert len(server.seen) == times
    assert "secret" not in str(caught.value)


def test_retry_after_holds_everybody_back(serve: Callable[..., RawServer]) -> None:
    server = serve(reply(429, Retry_After="7"), reply(200))
    reservations = Unhurried()
    get(wire(server.origin, limiter=Limiter(reservations, "t")))
    assert reservations.pauses == [7]


@pytest.mark.parametrize(
    ("said", "wait_s"),
    [("Wed, 21 Oct 2015 07:28:30 GMT", 30.0), ("999999", 300.0), ("soon", 1.0), ("-5", 1.0), ("²", 1.0)],
)
def test_retry_after_in_all_its_forms(serve: Callable[..., RawServer], said: str, wait_s: float) -> None:
    script = reply(429, Retry_After=said.encode("utf-8").decode("latin-1"), Date="Wed, 21 Oct 2015 07:28:00 GMT")
    with pytest.raises(errors.ThrottledError) as caught:
        get(wire(serve(script).origin, attempts_max=1))
    assert caught.value.wait_s == wait_s


def test_a_wait_beyond_patience_is_left_to_the_caller(serve: Callable[..., RawServer]) -> None:
    server = serve(reply(503, Retry_After="60"))
    with pytest.raises(errors.ThrottledError):
        get(wire(server.origin, patience_s=10))
    assert len(server.seen) == 1


def test_detail_is_what_the_system_said_cleaned_and_cut(serve: Callable[..., RawServer]) -> None:
    server = serve(reply(400, b"{}", X_Request_Id="r-1"))

    def explain(_: Answer) -> tuple[str, str]:
        return "CODE", "bad\r\n\x1b[31m" + "y" * 9999

    with pytest.raises(errors.RefusedError) as caught:
        get(wire(server.origin, explain=explain))
    error = caught.value
    assert (error.code, error.status, error.request_id) == ("CODE", 400, "r-1")
    assert error.detail.startswith("answered 400: bad [31myyy")
    assert len(error.detail) < 600
    assert error.detail.isprintable()


def test_an_explanation_that_fails_does_not_hide_the_status(serve: Callable[..., RawServer]) -> None:
    def explain(_: Answer) -> tuple[str, str]:
        raise KeyError("no")

    with pytest.raises(errors.ConflictError):
        post(wire(serve(reply(412)).origin, explain=explain))


def test_refusal_with_a_broken_body_is_still_a_refusal(serve: Callable[..., RawServer]) -> None:
    with pytest.raises(errors.RefusedError):
        post(wire(serve(reply(400, b"{", Content_Length="99")).origin))


def test_a_packed_flood_is_stopped(serve: Callable[..., RawServer]) -> None:
    bomb = gzip.compress(b"[" * 30_000_000)
    with pytest.raises(errors.MalformedError):
        get(wire(serve(reply(200, bomb, Content_Encoding="gzip")).origin, body_max=1 << 20))


@pytest.mark.parametrize(
    "path", ["https://elsewhere/", "//elsewhere/", "x", "/a/../b", "/a b", "/a\r\nX: y", "/a#b", "/é", "/a?b"]
)
def test_a_path_stays_on_its_origin(path: str) -> None:
    with pytest.raises(ValueError, match="path"):
        wire("http://127.0.0.1:9").call("read", "GET", path, repeatable=True)


@pytest.mark.parametrize(
    "origin", ["ftp://h", "https://h/path", "https://user@h", "http://h.example", "h", "", "https://", "https://h:x"]
)
def test_an_origin_is_nothing_but_an_origin(origin: str) -> None:
    with pytest.raises(errors.SettingsError):
        wire(origin)


def test_plain_http_only_when_allowed() -> None:
    assert wire("http://sandbox:8080", plain_http=True).origin == "http://sandbox:8080"
    assert wire("https://h.example/").origin == "https://h.example"


def arrived(port: int) -> bool:
    """Whether every close of the server has arrived at its clients, as far as the system tells."""
    table = Path("/proc/net/tcp")
    rows = [line.split() for line in table.read_text().splitlines()[1:]] if table.exists() else []
    return not any(row[2].endswith(f":{port:04X}") and row[3] == ESTABLISHED for row in rows)


def test_keep_alive_connection_closed_by_the_server_is_noticed(serve: Callable[..., RawServer]) -> None:
    """The server closes after each answer without saying so; a second call opens a new connection."""
    server = serve(reply(200, b"{}", Connection="keep-alive"))
    a_wire = wire(server.origin)
    for number in range(3):
        post(a_wire)
        until(lambda done=number: server.closed > done)
        until(lambda: arrived(server.port))
    assert len(server.seen) == 3


@pytest.mark.parametrize("body", [b"[]", b"1", b"", b"{", b'{"a":NaN}', b'{"a":"\xff"}', b"9" * 9999])
def test_json_object_or_malformed(body: bytes) -> None:
    with pytest.raises(errors.MalformedError):
        json_object(Answer(200, {}, body, 0.0), "ifs", "read")


def test_counts_are_right_with_many_threads(serve: Callable[..., RawServer]) -> None:
    a_wire = wire(serve(reply(200)).origin)
    threads = [threading.Thread(target=lambda: [get(a_wire) for _ in range(5)]) for _ in range(8)]
    for thread in itertools.chain(threads):
        thread.start()
    for thread in threads:
        thread.join()
    assert a_wire.requests == 40


@pytest.mark.parametrize(
    ("content", "said"), [(None, "No such file or directory"), ("no PEM", "holds no certificates")]
)
def test_authorities_that_are_not_there_are_the_operators_to_mend(
    tmp_path: Path, content: str | None, said: str
) -> None:
    file = tmp_path / "ca.pem"
    if content:
        file.write_text(content)
    with pytest.raises(errors.SettingsError, match=said) as raised:
        tls(str(file))
    assert str(file) in str(raised.value)
