"""A receiver of webhooks on this machine, and somebody who sends to it."""

import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import httpx2
import msgspec
import uvicorn

from ml_connector import wiring
from ml_connector.console.app import make_app
from ml_connector.store.hooks import Hook, Hooks
from ml_connector.systems.signature import Scheme
from ml_connector.wiring.receiving import How, Teller, first

SECRET = "a-secret-of-tests"


@contextmanager
def serving(app: Any) -> Generator[str]:
    """A real server in a thread; its address."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=5))
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


@contextmanager
def receiver(opened: wiring.Opened) -> Generator[str]:
    """The connector's own application."""
    with serving(make_app(opened, lambda: True, lambda: None)) as address:
        yield address


def hook(opened: wiring.Opened, connection_id: int, system: Teller, how: How | None = None) -> Hook:
    """A hook with the secret of the tests."""
    kept = msgspec.json.encode(how or first(system)).decode()
    return Hooks(opened.database, opened.vault).set(connection_id, system, kept, "tester", SECRET)


def event(number: int | str, kind: str = "purchase_request_approved", **changed: Any) -> bytes:
    """An event of Airbase."""
    told = {"id": f"evt_{number}", "object": "event", "type": kind, "created_date": "2026-07-01T12:00:00"}
    return json.dumps({**told, "data": {"id": f"pr-{number}"}, **changed}).encode()


def signature(body: bytes, secret: str = SECRET) -> dict[str, str]:
    """The header that Airbase's scheme needs, as far as it is assumed."""
    return {Scheme().header: hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


class Sender:
    """Sends to one hook."""

    def __init__(self, address: str, hook: Hook) -> None:
        self.url = f"{address}/hooks/{hook.system}/{hook.kept.token}"
        self.line = httpx2.Client(trust_env=False, timeout=30)

    def send(self, body: bytes, headers: dict[str, str] | None = None) -> httpx2.Response:
        """Send a body, signed unless other headers are given."""
        return self.line.post(self.url, content=body, headers=signature(body) if headers is None else headers)

    def __enter__(self) -> "Sender":
        return self

    def __exit__(self, *_: object) -> None:
        self.line.close()
