"""Figures for Prometheus.

Rule: counts, times and names of connections, never a record; read at most once in `KEPT_S`, however often it is asked.
Without a token only this machine is answered, as itself.
Must not know: what is alarming.
"""

import hmac
import threading
import time
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime
from importlib.metadata import version

from fastapi import APIRouter, HTTPException, Request, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from ml_connector.console.figures import figures
from ml_connector.errors import StoreError
from ml_connector.store.db import Database
from ml_connector.store.state import Snapshot, snapshot
from ml_connector.store.vault import Vault

KEPT_S = 5.0
PATIENCE_S = 5.0
_HERE = ("127.0.0.1", "::1", "localhost")


def router(db: Database, vault: Vault, flows: Collection[str], token: str = "") -> APIRouter:
    """The address of the figures; `token`: who asks has to bear it."""
    routes = APIRouter(tags=["metrics"])
    page = Page(lambda: snapshot(db, vault, flows, datetime.now(UTC)))

    @routes.get("/metrics")
    def metrics(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction] - a route
        """All figures as text."""
        _let_in(request, token)
        try:
            return Response(page.text(), media_type=CONTENT_TYPE_LATEST)
        except StoreError as error:
            raise HTTPException(503, str(error)) from None

    return routes


class Page:
    """The figures as text, kept for a while."""

    def __init__(
        self, read: Callable[[], Snapshot], clock: Callable[[], float] = time.monotonic, patience_s: float = PATIENCE_S
    ) -> None:
        self._patience_s = patience_s
        self._read = read
        self._clock = clock
        self._guard = threading.Lock()
        self._kept = b""
        self._until = 0.0

    def text(self) -> bytes:
        """The figures; of many who ask at once one reads, and the others don't wait for long. Raises: StoreError."""
        if not self._guard.acquire(timeout=self._patience_s):
            raise StoreError("the store has not answered yet to somebody who asked before")
        try:
            if not self._kept or self._clock() >= self._until:
                self._kept = text_of(self._read())
                self._until = self._clock() + KEPT_S
            return self._kept
        finally:
            self._guard.release()


class Snapshotted(Collector):
    """The figures of one snapshot, as the library wants them."""

    def __init__(self, now: Snapshot) -> None:
        self._now = now

    def collect(self) -> Iterator[Metric]:
        """See `Collector`."""
        yield from figures(self._now, version("ml-connector"))


def text_of(now: Snapshot) -> bytes:
    """A snapshot in Prometheus's text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Snapshotted(now))
    return generate_latest(registry)


def _let_in(request: Request, token: str) -> None:
    given = request.headers.get("authorization", "")
    if token:
        if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            raise HTTPException(401, "bear the token ML_CONNECTOR_METRICS_TOKEN", {"WWW-Authenticate": "Bearer"})
    elif not request.client or {request.client.host, request.url.hostname} - set(_HERE):
        # Asked by another name, it is a proxy that asks, or a page in somebody's browser that has its name point here.
        raise HTTPException(403, "from other machines only with a token; set ML_CONNECTOR_METRICS_TOKEN")
