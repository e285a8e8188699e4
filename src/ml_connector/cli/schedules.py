"""When flows run by themselves: `schedule`, `blackout`, `flow`.

Rule: every change says what it means: in words, and with the next five times.
Must not know: SQL, HTTP.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import uuid4

import typer
from rich.markup import escape
from rich.table import Table

from ml_connector import flows, settings
from ml_connector.cli import show
from ml_connector.cli.context import AsJson, Name, opened
from ml_connector.engine import schedule as rules
from ml_connector.errors import SettingsError
from ml_connector.store.orders import Orders
from ml_connector.store.schedules import ALL, Schedule, Schedules
from ml_connector.sync.flow import AnyFlow
from ml_connector.sync.orders import Cause, Extent, Order
from ml_connector.wiring import choice, switching, ticking
from ml_connector.wiring.opened import Opened
from ml_connector.wiring.ticking import Place

NEXT = 5
app = typer.Typer()
Flow = Annotated[str, typer.Argument(help="A flow, or `all`: every flow without a schedule of its own.")]


@app.command()
def schedule(
    context: typer.Context,
    name: Name,
    flow: Flow = "",
    spec: Annotated[str, typer.Argument(help='Cron "*/15 * * * *" in the connection\'s zone, or "every 15m".')] = "",
    census: Annotated[bool, typer.Option(help="The schedule of the full comparison; once a night is usual.")] = False,
    catch_up: Annotated[bool, typer.Option(help="Run once after a downtime in which slots were missed.")] = True,
    pause: Annotated[bool, typer.Option("--pause", help="Stop it for now.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on; what was due meanwhile is not made up for.")] = False,
    now: Annotated[bool, typer.Option("--now", help="Run it now, once.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Forget it.")] = False,
    json: AsJson = False,
) -> None:
    """When flows run by themselves; without further words: the schedules there are."""
    if sum((bool(spec), pause, resume, now, remove)) > 1:
        raise SettingsError("one thing at a time: a new schedule, --pause, --resume, --now or --remove")
    with opened(context) as store:
        connection_id, at = store.connections.get(name).id, ticking.place(store, name)
        _check_flow(flow, at)
        kept, person = Schedules(store.database, store.vault), settings.person()
        if spec:
            rules.parse(spec)
            kept.set(connection_id, flow or ALL, spec.strip(), person, census=census, catch_up=catch_up)
        elif pause or resume:
            _known(kept.pause(connection_id, flow or ALL, person, census=census, paused=pause), name, flow)
        elif remove:
            _known(kept.remove(connection_id, flow or ALL, person, census=census), name, flow)
        elif now:
            _order_now(store, connection_id, flow or ALL, at, person, census=census)
        _tell(name, kept.all(connection_id), at, json=json)


@app.command()
def blackout(
    context: typer.Context,
    name: Name,
    spec: Annotated[str, typer.Argument(help='"2026-10-31T18:00/2026-11-03T06:00", or "0 18 L * * for 60h".')] = "",
    flow: Annotated[str, typer.Option(help="Only this flow.")] = ALL,
    reason: Annotated[str, typer.Option(help="Why, for those who wonder.")] = "",
    remove: Annotated[int, typer.Option(help="Remove the one with this number.")] = 0,
    json: AsJson = False,
) -> None:
    """When nothing starts by itself (schedules, webhooks), such as month-end close; afterwards, one run catches up."""
    with opened(context) as store:
        connection_id, at = store.connections.get(name).id, ticking.place(store, name)
        _check_flow(flow, at)
        kept = Schedules(store.database, store.vault)
        if remove and not kept.remove_blackout(connection_id, remove, settings.person()):
            raise SettingsError(f"{name} has no blackout {remove}; ml-connector blackout {name} lists them")
        if spec:
            rules.Blackout.parse(spec)
            kept.add_blackout(connection_id, flow, spec.strip(), reason, settings.person())
        there = kept.blackouts(connection_id)
        until = rules.covering([rules.Blackout.parse(one.spec) for one in there], at.zone, datetime.now(UTC))
    if json:
        show.data({"connection": name, "blackouts": there, "until": until})
        return
    for one in there:
        why = f": {escape(one.reason)}" if one.reason else ""
        show.out.print(f"{one.id}  {one.flow}  {escape(one.spec)}{why}  [dim]set by {escape(one.changed_by)}[/]")
    said = f"Blacked out until {_local(until, at)}." if until else "Nothing is blacked out now."
    show.out.print(
        said if there else f'No blackout. Add one: ml-connector blackout {escape(name)} "0 18 L * * for 60h"'
    )


@app.command()
def flow(
    context: typer.Context,
    name: Name,
    flow: Annotated[str, typer.Argument(help="The flow.")],
    state: Annotated[Literal["on", "off"], typer.Argument(help="Off: nothing runs it; it can still be planned.")],
    json: AsJson = False,
) -> None:
    """Switch a flow on or off."""
    with opened(context) as store:
        said = switching.switch(store, name, flow, on=state == "on", person=settings.person())
        off = ticking.place(store, name).off
    if json:
        show.data({"connection": name, "flow": flow, "said": said, "off": off})
    else:
        show.out.print(escape(said))


@app.command("flows")
def list_flows(context: typer.Context, name: Name, json: AsJson = False) -> None:
    """List the flows: which run, and what turns the others on."""
    with opened(context) as store:
        at = ticking.place(store, name)
    there = [_state(one, at) for one in flows.FLOWS.values()]
    if json:
        show.data({"connection": name, "flows": there})
        return
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for one in there:
        grid.add_row(one["flow"], one["title"], one["state"], escape(one["how"]))
    show.out.print(grid)


def _state(flow: AnyFlow, at: Place) -> dict[str, str]:
    told = {"flow": flow.name, "title": flow.title}
    if flow.name in (*at.flows, *at.off):
        return {**told, "state": "on" if flow.name in at.flows else "switched off", "how": ""}
    return {**told, "state": "off", "how": choice.how(flow.name)}


def _check_flow(flow: str, at: Place) -> None:
    if flow and flow != ALL:
        choice.chosen([flow], {*at.flows, *at.off})


def _known(there: bool, name: str, flow: str) -> None:
    if not there:
        raise SettingsError(f"{name} has no such schedule of {flow or ALL}; ml-connector schedule {name} lists them")


def _order_now(store: Opened, connection_id: int, flow: str, at: Place, person: str, *, census: bool) -> None:
    orders = Orders(store.database)
    for one in choice.chosen(() if flow == ALL else (flow,), set(at.flows), at.off):
        orders.place(Order(f"now/{uuid4().hex}", connection_id, one.name, Extent(census=census), Cause.PERSON, person))
    at_work = len(orders.workers())
    said = "a worker takes it within a second" if at_work else "but no worker is at work: ml-connector serve"
    show.err.print(f"Ordered; {said}. See: ml-connector orders")


def _tell(name: str, there: Sequence[Schedule], at: Place, *, json: bool) -> None:
    if json:
        show.data({"connection": name, "zone": str(at.zone), "schedules": [_data(one, there, at) for one in there]})
    elif there:
        _print(there, at)
    else:
        show.out.print(
            f"No schedule yet, so nothing runs by itself. Start with:\n"
            f'  ml-connector schedule {escape(name)} all "*/15 * * * *"\n'
            f'  ml-connector schedule {escape(name)} all "0 2 * * *" --census'
        )


def _data(one: Schedule, there: Sequence[Schedule], at: Place) -> dict[str, object]:
    spec = rules.parse(one.spec)
    told: dict[str, object] = {
        "flow": one.flow,
        "census": one.census,
        "spec": one.spec,
        "in_words": rules.in_words(spec),
    }
    told |= {"runs": ticking.flows_of(one, there, at.flows), "paused": one.paused, "catch_up": one.catch_up}
    told |= {"last_slot": one.last_slot, "changed_by": one.changed_by, "changed_at": one.changed_at}
    return told | {"next": [] if one.paused else rules.upcoming(spec, at.zone, datetime.now(UTC), NEXT)}


def _print(there: Sequence[Schedule], at: Place) -> None:
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("flow", "when", "in words", f"next ({at.zone})"):
        grid.add_column(heading)
    for one in there:
        spec = rules.parse(one.spec)
        slots = rules.upcoming(spec, at.zone, datetime.now(UTC), NEXT)
        coming = (
            "paused" if one.paused else "\n".join(f"{slot.astimezone(at.zone):%a %d %b %H:%M:%S}" for slot in slots)
        )
        flow = f"{one.flow}{' --census' if one.census else ''}"
        grid.add_row(flow, escape(one.spec), rules.in_words(spec), coming)
    show.out.print(grid)


def _local(at: datetime, place: Place) -> str:
    return f"{at.astimezone(place.zone):%Y-%m-%d %H:%M} {place.zone}"
