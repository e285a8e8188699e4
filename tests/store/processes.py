"""Starting other processes in tests, and killing them."""

import multiprocessing
import sys
from pathlib import Path

TESTS = str(Path(__file__).parent.parent)

# Forked from a process that has imported the store but never opened a database: SQLite does not survive a fork.
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["pytest", "alembic.command", "ml_connector.store.flow_store"])


class Worker:
    """A process that does one of the things of `worker`."""

    def __init__(self, *arguments: object) -> None:
        if TESTS not in sys.path:
            sys.path.append(TESTS)  # the new process inherits it
        from . import worker

        self._pipe, theirs = _context.Pipe()
        self._process = _context.Process(target=worker.main, args=(theirs, *map(str, arguments)))
        self._process.start()
        theirs.close()

    def ready(self) -> "Worker":
        """This, once the process is ready."""
        assert self._pipe.recv() == "ready"
        return self

    def go(self) -> None:
        """Let it go on."""
        self._pipe.send("go")

    def said(self) -> list[str]:
        """All that it said, once it has ended."""
        lines: list[str] = []
        try:
            while True:
                lines.append(self._pipe.recv())
        except EOFError:
            self._process.join()
        assert self._process.exitcode == 0
        return lines

    def kill(self) -> None:
        """kill -9."""
        self._process.kill()
        self._process.join()


def together(*arguments: object, count: int) -> list[list[str]]:
    """Run the same in several processes, started at the same moment; what each said."""
    workers = [Worker(*arguments) for _ in range(count)]
    for worker in workers:
        worker.ready()
    for worker in workers:
        worker.go()
    return [worker.said() for worker in workers]
