"""The web application of `serve`, answering on this machine, over a store that a small sandbox has filled."""

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import uvicorn
from rig import Rig, generous, rig, sqlite_url

from ml_connector import wiring
from ml_connector.console.app import make_app
from ml_connector.console.cookies import COOKIE
from ml_connector.console.person import CSRF_HEADER, csrf_of
from ml_connector.settings import Installation
from ml_connector.store.api_tokens import ApiTokens, Right
from ml_connector.store.rights import Role
from ml_connector.store.sessions import Sessions
from ml_connector.store.users import Users

API = "/api/v1"


@dataclass
class Served:
    """An application that answers: where, over which systems and store, with which tokens; `nudges` counts."""

    url: str
    joined: Rig
    tokens: dict[Right, str]
    nudges: list[int] = field(default_factory=list[int])

    def client(self, right: Right | None = Right.OPERATE, token: str = "") -> httpx2.Client:
        """A client; `right` None: without a token."""
        shown = token or (self.tokens[right] if right else "")
        headers = {"Authorization": f"Bearer {shown}"} if shown else {}
        return httpx2.Client(base_url=self.url + API, headers=headers, trust_env=False, timeout=60)

    def ask(self, method: str, path: str, right: Right | None = Right.OPERATE, **more: Any) -> httpx2.Response:
        """One request."""
        with self.client(right) as client:
            return client.request(method, path, **more)


@contextmanager
def answering(
    opened: wiring.Opened, nudge: Callable[[], None] = lambda: None, installation: Installation | None = None
) -> Generator[str]:
    """The application over a store; its address."""
    app = make_app(opened, lambda: True, nudge, installation)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False, lifespan="on", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def serving(folder: Path) -> Generator[Served]:
    """An application over a store with some runs and some records that need a person."""
    nudges: list[int] = []
    with rig(sqlite_url(folder), generous(suppliers=30, orders=60)) as joined:
        joined.run()
        tokens = {right: ApiTokens(joined.store.database).create(str(right), right, "kari") for right in Right}
        with answering(joined.store, lambda: nudges.append(1)) as url:
            yield Served(url, joined, tokens, nudges)


def signed_in(opened: wiring.Opened, *roles: Role, name: str = "kari") -> tuple[str, str]:
    """A person with these roles, in a session: what their browser shows as cookie, and what their forms carry."""
    there = next((one.id for one in Users(opened.database).all() if one.name == name), None)
    token = Sessions(opened.database).begin(there or Users(opened.database).create(name, roles, "test"))
    return token, csrf_of(token)


def looking(url: str, opened: wiring.Opened, *roles: Role, name: str = "kari") -> httpx2.Client:
    """A client that looks at pages as a person with these roles; its posts carry what forms carry."""
    token, csrf = signed_in(opened, *roles, name=name)
    headers = {"Accept": "text/html", CSRF_HEADER: csrf}
    return httpx2.Client(base_url=url, headers=headers, cookies={COOKIE: token}, trust_env=False, timeout=60)
