"""A real mail server and a real receiver of webhooks, on this machine."""

import socket
import ssl
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import msgspec
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword


@dataclass
class Post:
    """A mail server; `answer`: what it says to a message."""

    answer: str = "250 OK"
    refused: tuple[str, ...] = ()
    password: bytes = b"pa/ss"
    received: list[EmailMessage] = field(default_factory=list[EmailMessage])
    logins: list[bytes] = field(default_factory=list[bytes])
    port: int = 0

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        """Take a recipient or not."""
        if address in self.refused:
            return "550 nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        """Take a message or not."""
        if self.answer.startswith("250"):
            self.received.append(message_from_bytes(envelope.content, policy=policy.default))
        return self.answer

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        """Look at a password."""
        assert isinstance(data, LoginPassword)
        self.logins.append(data.login)
        return AuthResult(success=data.password == self.password, handled=False)


class AnyPort(Controller):
    """A server on whichever port is free."""

    def _trigger_server(self) -> None:
        self.port = cast("Any", self.server).sockets[0].getsockname()[1]
        socket.create_connection(("127.0.0.1", self.port)).close()


@contextmanager
def mail_server(tls: ssl.SSLContext | None = None, *, direct: bool = False, **how: Any) -> Generator[Post]:
    """A running mail server; `tls`: by STARTTLS, or from the start when `direct`."""
    post = Post()
    options: dict[str, Any] = {"authenticator": post.authenticate, **how}
    if tls and direct:
        options["ssl_context"] = tls
    elif tls:
        options["tls_context"] = tls
    controller = AnyPort(post, hostname="127.0.0.1", port=0, **options)
    controller.start()
    post.port = controller.port
    try:
        yield post
    finally:
        controller.stop()


@dataclass
class Inbox:
    """A receiver of webhooks; `status`: what it answers."""

    status: int = 204
    received: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    paths: list[str] = field(default_factory=list[str])
    url: str = ""


@contextmanager
def receiver() -> Generator[Inbox]:
    """A running receiver."""
    inbox = Inbox()

    class Takes(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Take it, or say no."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            inbox.paths.append(self.path)
            if 200 <= inbox.status < 300:
                inbox.received.append(msgspec.json.decode(body))
            self.send_response(inbox.status)
            self.send_header("Location", f"{inbox.url}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Takes)
    inbox.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield inbox
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
