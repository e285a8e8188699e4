"""The command that keeps working, `worker`; and what workers are doing: `orders`, `workers`.

Rule: asked to stop, they finish or hand back what they hold; a lost lease ends the process.
Must not know: SQL, HTTP.
"""

import os
import signal
import sys
from contextlib import ExitStack
from types import FrameType
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from ml_connector.cli import show
from ml_connector.cli.context import INTERRUPTED, OUT_OF_REACH, AsJson, opened
from ml_connector.engine.worker import Pace, Worker
from ml_connector.store.orders import Orders, Placed
from ml_connector.wiring import unattended

app = typer.Typer()

Threads = Annotated[int, typer.Option(min=1, max=64, help="How many runs at a time.")]
Lease = Annotated[float, typer.Option(min=1, max=600, help="Seconds of silence until others take over.")]
Grace = Annotated[float, typer.Option(min=0, max=3600, help="Seconds to finish when asked to stop.")]


@app.command()
def worker(context: typer.Context, threads: Threads = 4, lease_s: Lease = 15.0, grace_s: Grace = 30.0) -> None:
    """Carry out what is scheduled or ordered, until stopped; as many of these as you like on PostgreSQL."""
    with opened(context) as store:
        with ExitStack() as stack:
            made = unattended.worker(store, context.obj, stack, Pace(threads, lease_s, grace_s))
            stop_on_signals(made)
            show.err.print(
                f"Worker {made.id[:8]} is at work, {threads} runs at a time. Stop it with Ctrl-C or SIGTERM."
            )
            idle = made.run()
        end(made, idle=idle)


def stop_on_signals(made: Worker) -> None:
    """Have SIGTERM and Ctrl-C ask the worker to stop."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        made.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)


def end(made: Worker, *, idle: bool) -> None:
    """End the process; at once where a thread still waits for a system, as its run is somebody else's by now."""
    if not idle or made.lost:
        sys.stderr.flush()
        os._exit(OUT_OF_REACH if made.lost else INTERRUPTED)


@app.command("orders")
def list_orders(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A connection; all when none is named.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 30,
    json: AsJson = False,
) -> None:
    """What was ordered lately: by which schedule, webhook or person, and what became of it."""
    with opened(context) as store:
        chosen = store.connections.get(name).id if name else None
        names = {number: told[0] for number, told in store.connections.versions().items()}
        recent = Orders(store.database).recent(chosen, limit=limit)
    if json:
        show.data({"orders": [{"connection": names.get(one.order.connection_id, ""), **_data(one)} for one in recent]})
    elif recent:
        _print(recent, names)
    else:
        show.out.print("Nothing was ordered yet. Set a schedule: ml-connector schedule NAME all '*/15 * * * *'")


@app.command("workers")
def list_workers(context: typer.Context, json: AsJson = False) -> None:
    """Which workers have a lease."""
    with opened(context) as store:
        there = Orders(store.database).workers()
    if json:
        show.data({"workers": there})
    elif there:
        for one in there:
            left = f"lease for {one.lease_s:.0f} s" if one.lease_s > 0 else f"[red]silent[/] for {-one.lease_s:.0f} s"
            show.out.print(f"{one.id[:8]}  {escape(one.host)} pid {one.pid}, {one.threads} threads, {left}")
    else:
        show.out.print("No worker is at work. Start one: ml-connector serve, or ml-connector worker")


def _data(one: Placed) -> dict[str, object]:
    order = one.order
    told = {"id": order.id, "flow": order.flow, "cause": order.cause, "person": order.person, "state": order.state}
    times = {"placed_at": order.placed_at, "started_at": one.started_at, "finished_at": one.finished_at}
    return {
        **told,
        "extent": order.extent,
        **times,
        "attempts": order.attempts,
        "run": one.run_id,
        "figures": one.figures,
        "error": one.error,
    }


def _print(recent: list[Placed], names: dict[int, str]) -> None:
    grid = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for heading in ("placed (UTC)", "connection", "flow", "why", "state", "figures"):
        grid.add_column(heading)
    for one in recent:
        order = one.order
        placed = f"{order.placed_at:%m-%d %H:%M:%S}" if order.placed_at else ""
        said = ", ".join(f"{name} {count:,}" for name, count in one.figures.items() if name != "unchanged") or one.error
        why = f"{order.cause}{f' by {order.person}' if order.person else ''}"
        grid.add_row(placed, names.get(order.connection_id, "?"), order.flow, why, str(order.state), escape(said[:200]))
    show.out.print(grid)
