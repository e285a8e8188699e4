"""Whether this process is alive, and whether it can work.

Rule: `/healthz` asks nothing of anybody; `/readyz` answers within two seconds whatever hangs, and says what is missing.
Must not know: what the work is.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from importlib.metadata import version

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from ml_connector.errors import StoreError
from ml_connector.store import migrate
from ml_connector.store.db import Database

ANSWER_S = 2.0
NO_LEASE = "the worker of this process has no lease; its log says why"
SILENT = f"the store does not answer within {ANSWER_S:g} s"


def router(db: Database, alive: Callable[[], bool] = lambda: True, answer_s: float = ANSWER_S) -> APIRouter:
    """The two addresses; `alive` says whether the worker's lease was renewed lately."""
    routes = APIRouter(tags=["health"])
    asking = Asking(lambda: trouble_of(db))
    own = version("ml-connector")

    @routes.get("/healthz")
    async def healthz() -> dict[str, str]:  # pyright: ignore[reportUnusedFunction] - a route
        """The process is alive."""
        return {"status": "alive", "version": own}

    @routes.get("/readyz")
    async def readyz() -> JSONResponse:  # pyright: ignore[reportUnusedFunction] - a route
        """The process can work: 503 with the reasons when it can't."""
        said = [] if alive() else [NO_LEASE]
        found = await asking.answer(answer_s)
        said += [found] if found else []
        status = "not ready" if said else "ready"
        return JSONResponse({"status": status, "why": said, "version": own}, 503 if said else 200)

    return routes


def trouble_of(db: Database) -> str:
    """What is the matter with the store, "" when nothing is."""
    try:
        with db.read() as connection:
            there = migrate.current(connection)
    except StoreError as error:
        return f"the store can't be read: {error}"
    if there != migrate.HEAD:
        return f"the store's tables are of version {there or 'none'}, this program's are {migrate.HEAD}"
    return ""


class Asking:
    """Asks something that may hang, never twice at a time, in a thread that keeps nobody from ending."""

    def __init__(self, ask: Callable[[], str]) -> None:
        self._ask = ask
        self._guard = threading.Lock()
        self._under_way: Future[str] | None = None

    async def answer(self, wait_s: float) -> str:
        """The answer; SILENT when there is none in time."""
        future = asyncio.wrap_future(self._asked())
        done, _ = await asyncio.wait({future}, timeout=wait_s)
        return future.result() if done else SILENT

    def _asked(self) -> Future[str]:
        with self._guard:
            if self._under_way is None or self._under_way.done():
                self._under_way = Future()
                threading.Thread(target=self._run, args=(self._under_way,), name="readyz", daemon=True).start()
            return self._under_way

    def _run(self, future: Future[str]) -> None:
        try:
            future.set_result(self._ask())
        except Exception as error:
            future.set_result(f"the store can't be asked: {type(error).__name__}")
