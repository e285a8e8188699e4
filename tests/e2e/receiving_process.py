"""Receivers of webhooks, one after the other on one port, each to be killed: a child process that answers, and a parent
that starts the next one, so that what takes long to load is loaded once.

Usage: python receiving_process.py STORE PORT. Tells the id of each child on a line; ends when its stdin does.
"""

import os
import signal
import sys
import threading

import uvicorn

from ml_connector import wiring
from ml_connector.console.app import make_app
from ml_connector.settings import Installation


def main(url: str, port: int) -> None:
    """Keep one receiver running."""
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    while True:
        child = os.fork()
        if not child:
            _serve(url, port)
            os._exit(0)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
        os.waitpid(child, 0)


def _serve(url: str, port: int) -> None:
    store = wiring.open_store(Installation(store=url), create=False)
    app = make_app(store, lambda: True, lambda: None)
    uvicorn.run(app, host="127.0.0.1", port=port, log_config=None, access_log=False, backlog=2048)


def _end_with_stdin() -> None:
    sys.stdin.read()
    os.killpg(0, signal.SIGKILL)  # this one, too


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
