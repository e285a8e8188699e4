"""Starting other processes in tests, and killing them."""

import subprocess
import sys
from pathlib import Path
from typing import IO

WORKER = Path(__file__).with_name("worker.py")


class Worker:
    """A process that is ready when this returns."""

    def __init__(self, *arguments: object) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(WORKER), *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ready(self) -> "Worker":
        assert self._out.readline() == "ready\n"
        return self

    def go(self) -> "Worker":
        assert self._process.stdin
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        return self

    def said(self) -> list[str]:
        """All that it said, once it has ended."""
        out = self._process.communicate(timeout=60)[0]
        assert self._process.returncode == 0
        return out.split()

    def kill(self) -> None:
        """kill -9."""
        self._process.kill()
        self._process.communicate(timeout=60)

    @property
    def _out(self) -> IO[str]:
        assert self._process.stdout
        return self._process.stdout


def together(*arguments: object, count: int) -> list[list[str]]:
    """Run the same in several processes, started at the same moment; what each said."""
    workers = [Worker(*arguments) for _ in range(count)]
    for worker in workers:
        worker.ready()
    for worker in workers:
        worker.go()
    return [worker.said() for worker in workers]
