"""The command line, loaded once and forked for each command: a page of commands takes seconds, not a minute.

Rule: each command is a process of its own, with its caller's folder, environment and streams.
Must not know: which commands there are.

    python forked.py serve SOCKET        loads the program, then waits for calls
    python forked.py call SOCKET ARG…    has one command carried out; ends as it ended
"""

import contextlib
import importlib
import json
import os
import signal
import socket
import sys
import traceback
import uuid
from types import FrameType
from typing import Any

CALL_BYTES_MAX = 1_000_000
NAMED = ("store.db", "store.runs", "wiring.unattended")  # who knows the process by the name that it made up when loaded


def serve(path: str) -> None:
    """Load the program and carry out calls, until killed."""
    for name in ("ml_connector.cli", "ml_connector.console.app", "uvicorn", "alembic.command"):
        importlib.import_module(name)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        while True:
            there, _ = listening.accept()
            if os.fork() == 0:
                listening.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                _keep(there)
            there.close()


def _keep(there: socket.socket) -> None:
    """Start the command, tell its process id, and when it has ended how."""
    told, streams, _, _ = socket.recv_fds(there, CALL_BYTES_MAX, 3)
    child = os.fork()
    if child == 0:
        _become(json.loads(told), streams)
    there.sendall(f"{child}\n".encode())
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with contextlib.suppress(OSError):  # the caller may be gone
        there.sendall(f"{code}\n".encode())
    os._exit(0)


def _become(call: dict[str, Any], streams: list[int]) -> None:
    from ml_connector.cli import main

    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    # New ones: Python's own remember whether their caller's could be sought in.
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(number, mode) for number, mode in enumerate("rww"))
    os.chdir(call["folder"])
    os.environ.clear()
    os.environ.update(call["environment"])
    sys.argv = ["ml-connector", *call["arguments"]]
    _name_anew()
    code: object = 0
    try:
        main()
    except SystemExit as end:
        code = end.code or 0
    except BaseException:
        traceback.print_exc()
        code = 70
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 1)


def _name_anew() -> None:
    """Be a process by itself: workers of one name would end each other's leases."""
    name = uuid.uuid4().hex
    for module in NAMED:
        importlib.import_module(f"ml_connector.{module}").PROCESS = name  # pyright: ignore[reportAttributeAccessIssue]


def call(path: str, arguments: list[str]) -> int:
    """Have a command carried out; its exit code."""
    told = {"folder": os.getcwd(), "environment": dict(os.environ), "arguments": arguments}
    with socket.socket(socket.AF_UNIX) as there:
        there.connect(path)
        socket.send_fds(there, [json.dumps(told).encode()], [0, 1, 2])
        answers = there.makefile()
        child = int(answers.readline())

        def pass_on(number: int, _frame: FrameType | None) -> None:
            os.kill(child, number)

        signal.signal(signal.SIGTERM, pass_on)
        signal.signal(signal.SIGINT, pass_on)
        return abs(int(answers.readline()))


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    sys.exit(call(sys.argv[2], sys.argv[3:]))
