"""`serve`: API, webhooks, schedules and a worker in one process.

Rule: one part that ends, ends the others; asked to stop, what came in is answered and what is held finished or handed
back.
Must not know: SQL, HTTP.
"""

import socket
import threading
from contextlib import ExitStack, closing
from typing import Annotated, Any

import typer

from ml_connector import settings
from ml_connector.cli import show
from ml_connector.cli.context import opened
from ml_connector.cli.unattended import Grace, Lease, Threads, end, stop_on_signals
from ml_connector.engine.worker import Pace, Worker
from ml_connector.errors import SettingsError, StoreError
from ml_connector.settings import Installation
from ml_connector.store.invitations import Invitations
from ml_connector.wiring import unattended
from ml_connector.wiring.opened import Opened

LOOPBACK = ("127.0.0.1", "::1", "localhost")
BACKLOG = 2048
ANSWER_S = 10  # for what is being answered when asked to stop
# The web server's own lines would name addresses; what matters is in the connector's log.
QUIET: dict[str, Any] = {
    "log_config": None,
    "ws": "none",
    "access_log": False,
    "server_header": False,
    "timeout_graceful_shutdown": ANSWER_S,
    "timeout_keep_alive": 15,
    "limit_concurrency": 2000,
    "h11_max_incomplete_event_size": 16_384,
}
app = typer.Typer()


@app.command()
def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Where to listen; this machine only, unless you say so.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any free one.")] = 8600,
    threads: Threads = 4,
    lease_s: Lease = 15.0,
    grace_s: Grace = 30.0,
) -> None:
    """Everything in one process: API, webhooks, schedules and a worker."""
    with opened(context, create=True) as store, closing(listening_on(host, port)) as listening:
        with ExitStack() as stack:
            worker = unattended.worker(store, context.obj, stack, Pace(threads, lease_s, grace_s))
            stop_on_signals(worker)
            _tell(host, listening)
            _tell_first(store, context.obj, _address(host, listening))
            idle = serve_on(_web(store, worker, context.obj), worker, listening)
        end(worker, idle=idle)


def _web(store: Opened, worker: Worker, installation: Installation) -> Any:
    from ml_connector.console.app import make_app  # here, as loading it takes longer than many a command

    return make_app(store, lambda: worker.alive, worker.nudge, installation)


def serve_on(web: Any, worker: Worker, listening: socket.socket) -> bool:
    """Serve an application beside a worker until asked to stop, or until the worker ends; whether that came to rest."""
    import uvicorn  # here, as loading it takes longer than many a command

    from ml_connector.console.punctual import Punctual

    server = uvicorn.Server(uvicorn.Config(web, http=Punctual, **QUIET))
    ended: list[bool] = []

    def work() -> None:
        try:
            ended.append(worker.run())
        finally:
            server.should_exit = True

    thread = threading.Thread(target=work, name="worker")
    thread.start()
    try:
        server.run(sockets=[listening])
    finally:
        worker.stop()
        thread.join()
    if not server.started:
        raise StoreError("the web server could not start; the log says why")
    return ended == [True]


def listening_on(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises: SettingsError."""
    try:
        listening = socket.create_server((host, port), family=_family(host), backlog=BACKLOG)
        # The web server does so itself only for sockets that it makes; without, an answer waits for a delayed ACK.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening
    except OSError as error:
        why = (error.strerror or str(error)).partition(" (while")[0]  # what Python attempted is in the sentence already
        raise SettingsError(f"{host}:{port} can't be listened on: {why}; choose another --port or --host") from error


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _tell(host: str, listening: socket.socket) -> None:
    show.err.print(f"Serving at {_address(host, listening)}. Stop it with Ctrl-C or SIGTERM.")
    if host not in LOOPBACK:
        show.err.print(
            "[yellow]This is not encrypted[/]: put a proxy with TLS in front of it, see docs/how-to/install.md."
        )


def _tell_first(store: Opened, installation: Installation, address: str) -> None:
    """Show how the first person comes in, as long as there is nobody."""
    token = Invitations(store.database, store.vault).set_up(settings.person())
    if token:
        link = f"{installation.public_url.rstrip('/') or address}/set-up/{token}"
        show.err.print("Nobody has access to the console yet. Set it up with this link; it works once, for two days:")
        show.err.out(link, highlight=False)


def _address(host: str, listening: socket.socket) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"
