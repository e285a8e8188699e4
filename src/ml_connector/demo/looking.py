"""The console on the made-up company: served on this machine, with one link that lets its reader in.

Rule: the link is good as long as the demo runs, and only here; what is shown is what `serve` shows.
Must not know: what a page shows.
"""

import html
import os
import re
import secrets
import socket
import sys
import threading
import time
import webbrowser
from contextlib import ExitStack, closing

import httpx2
from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse

from ml_connector import sandbox, wiring
from ml_connector.cli import show
from ml_connector.cli.serving import listening_on, serve_on
from ml_connector.cli.unattended import stop_on_signals
from ml_connector.console import cookies
from ml_connector.console.app import make_app
from ml_connector.demo import company
from ml_connector.demo.walk import step
from ml_connector.engine.worker import Worker
from ml_connector.errors import SettingsError, StoreError
from ml_connector.sandbox.airbase.options import HookOptions
from ml_connector.settings import Installation
from ml_connector.store.rights import Role
from ml_connector.store.schedules import ALL, Schedules
from ml_connector.store.sessions import Sessions
from ml_connector.store.users import Users
from ml_connector.wiring import hooking, unattended

PORT = 8600
PATIENCE_S = 30.0
PERSON = "demo"
EVERY = "every 2m"
SENTENCE = re.compile(r'<(\w+) class="lede"[^>]*>(.*?)</\1>', re.DOTALL)


def look(store: wiring.Opened, world: sandbox.Sandbox, installation: Installation, *, stay: bool) -> None:
    """Serve the console until stopped; or, unless to `stay`, until its first page was looked at once.

    Raises: ConnectorError.
    """
    with ExitStack() as stack:
        listening = stack.enter_context(closing(_listening()))
        here = f"http://127.0.0.1:{listening.getsockname()[1]}"
        told = installation.model_copy(update={"public_url": here, "allow_private_systems": True})
        worker = unattended.worker(store, told, stack)
        web = make_app(store, lambda: worker.alive, worker.nudge, told)
        link = here + _door(web, store)
        _set_up(store, world, told)
        stop_on_signals(worker)
        errors: list[Exception] = []
        opening = threading.Thread(target=_open, args=(link, world, worker, stay, errors), name="opening")
        opening.start()
        serve_on(web, worker, listening)
        opening.join()
        if errors:
            raise errors[0]


def _listening() -> socket.socket:
    try:
        return listening_on("127.0.0.1", PORT)
    except SettingsError:
        return listening_on("127.0.0.1", 0)


def _door(web: FastAPI, store: wiring.Opened) -> str:
    """Let in whoever has the link; the path of it."""
    path = f"/demo/{secrets.token_urlsafe(24)}"
    person = Users(store.database).create(PERSON, tuple(Role), PERSON)

    @web.get(path, include_in_schema=False)
    def let_in(request: Request) -> RedirectResponse:  # pyright: ignore[reportUnusedFunction]
        there = RedirectResponse("/", 303)
        cookies.keep(request, there, cookies.COOKIE, Sessions(store.database).begin(person))
        return there

    return path


def _set_up(store: wiring.Opened, world: sandbox.Sandbox, installation: Installation) -> None:
    """Have it run by itself and be told by Airbase, and leave a plan that waits for a person."""
    connection_id = store.connections.get(company.NAME).id
    Schedules(store.database, store.vault).set(connection_id, ALL, EVERY, PERSON, census=False, catch_up=True)
    made = hooking.set_up(store, company.NAME, "airbase", hooking.Wish(), PERSON)
    url = hooking.address(installation, made.hook)
    world.options()["airbase"].hooks = HookOptions(url=url, secret=made.secret)
    company.end_agreements(world)
    with wiring.joined(store, company.NAME) as both:
        list(both.run(["suppliers"]))


def _open(link: str, world: sandbox.Sandbox, worker: Worker, stay: bool, errors: list[Exception]) -> None:
    """Once the console answers: tell where, and look at it."""
    try:
        sentence = _first_page(link)
        company.approve_a_request(world)
        step("console", sentence)
        if stay:
            _tell(link, world)
            _show(link)
    except Exception as error:
        errors.append(error)
        stay = False
    if not stay:
        worker.stop()


def _first_page(link: str) -> str:
    """What the first page says in one sentence. Raises: StoreError."""
    until = time.monotonic() + PATIENCE_S
    with httpx2.Client(trust_env=False, follow_redirects=True, headers={"Accept": "text/html"}) as client:
        while True:
            try:
                answer = client.get(link)
                break
            except httpx2.TransportError as error:
                if time.monotonic() > until:
                    raise StoreError("the console does not answer") from error
                time.sleep(0.05)
    found = SENTENCE.search(answer.text)
    if answer.status_code != 200 or not found:
        raise StoreError(f"the console's first page is amiss (status {answer.status_code})")
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", found[2])).split())


def _tell(link: str, world: sandbox.Sandbox) -> None:
    show.out.print(
        f"\n  [bold]{link}[/]\n\n"
        "  Open it: it signs you in. Solve an exception, approve the plan that waits, look up a payment.\n"
        "  To open the closed period in the stand-in IFS, then replay what waits for it:\n"
        f"  curl -s -X POST {world.control_url}/ifs/edit -H 'X-Sandbox: 1' -d '{company.OPEN_PERIOD}'\n"
        "  Ctrl-C ends all of it; nothing is kept. What each command shows of this: ml-connector demo --details",
        soft_wrap=True,
    )


def _show(link: str) -> None:
    """Open a browser where there is one to open."""
    if sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        webbrowser.open(link)
