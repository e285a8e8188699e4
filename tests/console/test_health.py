"""Alive is one thing, able to work another; neither question ever hangs."""

import asyncio
import threading
from collections.abc import Callable

from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import text

from ml_connector import wiring
from ml_connector.console import health


def client(opened: wiring.Opened, alive: Callable[[], bool] = lambda: True) -> TestClient:
    app = FastAPI()
    app.include_router(health.router(opened.database, alive))
    return TestClient(app)


def test_alive_and_ready(opened: wiring.Opened) -> None:
    asked = client(opened)
    assert asked.get("/healthz").json()["status"] == "alive"
    answer = asked.get("/readyz")
    assert (answer.status_code, answer.json()["why"]) == (200, [])


def test_a_lost_lease_is_told(opened: wiring.Opened) -> None:
    answer = client(opened, lambda: False).get("/readyz")
    assert (answer.status_code, answer.json()["why"]) == (503, [health.NO_LEASE])


def test_tables_of_another_version_are_told(opened: wiring.Opened) -> None:
    with opened.database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    answer = client(opened).get("/readyz")
    assert answer.status_code == 503
    assert "9999" in answer.json()["why"][0]


def test_a_store_that_is_gone_is_told(opened: wiring.Opened) -> None:
    file = opened.database.file
    assert file is not None
    opened.database.close()
    file.write_bytes(b"no database at all" * 1000)
    answer = client(opened).get("/readyz")
    assert answer.status_code == 503
    assert "store" in answer.json()["why"][0]
    assert client(opened).get("/healthz").status_code == 200


def test_a_store_that_hangs_is_asked_once_and_waited_for_no_longer() -> None:
    hangs, begun, asked = threading.Event(), threading.Event(), 0

    def ask() -> str:
        nonlocal asked
        asked += 1
        begun.set()
        hangs.wait(60)
        return ""

    asking = health.Asking(ask)

    async def three() -> list[str]:
        return [await asking.answer(0.01) for _ in range(3)]

    assert asyncio.run(three()) == [health.SILENT] * 3
    assert begun.wait(60)
    assert asked == 1
    hangs.set()

    async def later() -> str:
        return await asking.answer(30)

    assert asyncio.run(later()) == ""
    assert asyncio.run(later()) == ""
    assert asked >= 2


def test_what_goes_wrong_in_asking_is_a_reason() -> None:
    def ask() -> str:
        raise OSError("secret")

    async def one() -> str:
        return await health.Asking(ask).answer(30)

    assert asyncio.run(one()) == "the store can't be asked: OSError"
