"""Workers over HTTP: who carries out orders.

Rule: as they are at this moment.
Must not know: what a worker does.
"""

from datetime import datetime

from fastapi import APIRouter
from pydantic import Field

from ml_connector.console.api.shapes import Shown
from ml_connector.console.auth import Guarded
from ml_connector.console.site import Here

routes = APIRouter(tags=["workers"], route_class=Guarded)
WORKERS_MAX = 1000


class WorkerShown(Shown):
    """A worker with a lease."""

    id: str
    host: str
    pid: int
    version: str
    threads: int
    started_at: datetime
    lease_s: float = Field(description="Seconds left of its lease; below zero: it is silent.")


class Workers(Shown):
    """The workers there are."""

    workers: list[WorkerShown]


@routes.get("/workers")
def list_workers(here: Here) -> Workers:
    """The workers that have a lease."""
    return Workers(workers=[WorkerShown.model_validate(one) for one in here.orders.workers()[:WORKERS_MAX]])
