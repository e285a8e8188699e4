"""The commands that look at records again: `replay`, `backfill`.

Rule: first what would happen is shown, then it is done; exit codes as everywhere.
Must not know: SQL, HTTP.
"""

import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.markup import escape

from ml_connector import settings, wiring
from ml_connector.cli import show
from ml_connector.cli.context import AsJson, Name, exit_code_of, opened
from ml_connector.cli.progress import progress
from ml_connector.errors import ConnectorError
from ml_connector.records import codec, keys
from ml_connector.store.orders import Orders
from ml_connector.sync.orders import Extent, Order
from ml_connector.sync.report import Report
from ml_connector.wiring import replaying
from ml_connector.wiring.replaying import Choice, Preview, Prospect, Would

app = typer.Typer()

Outcome = tuple[list[Report], list[ConnectorError]]
Ids = Annotated[list[str] | None, typer.Argument(help="Records, as `record` takes them; all that wait if none.")]
Plan = Annotated[bool, typer.Option("--plan", help="Only show what would happen.")]
Enqueue = Annotated[bool, typer.Option("--enqueue", help="Let a worker do it: place orders, and end.")]
Approve = Annotated[list[str] | None, typer.Option(help="A plan that may pass its gate; may be repeated.")]


@app.command()
def replay(
    context: typer.Context,
    name: Name,
    ids: Ids = None,
    flow: Annotated[str, typer.Option(help="Only records of this flow.")] = "",
    cause: Annotated[str, typer.Option(help="Only records held for this cause, as `exceptions` names it.")] = "",
    since: Annotated[str, typer.Option(help="Only records held since: 2h, 3d, 2026-09-01, 2026-09-01T14:30.")] = "",
    plan: Plan = False,
    approve: Approve = None,
    limit: Annotated[int, typer.Option(min=0, max=100_000, help="How many records to list.")] = 50,
    enqueue: Enqueue = False,
    json: AsJson = False,
) -> None:
    """Look at records again, whatever is remembered of them: first what would happen, then it is done."""
    with opened(context) as store:
        zone = replaying.zone_of(store, name)
        at = replaying.moment(since, zone, datetime.now(UTC)) if since else None
        chosen = replaying.select(store, name, Choice(tuple(ids or ()), flow, cause, at))
        if not chosen:
            _nothing(store, name, json=json)
        elif enqueue and not plan:
            _enqueue(store, replaying.orders_for(store, name, chosen, settings.person()), json=json)
        else:
            again = _again("replay", name, *(ids or ()), flow=flow, cause=cause, since=since)
            code = _replay(store, name, chosen, again, tuple(approve or ()), limit, plan=plan, json=json)
            raise typer.Exit(code)


@app.command()
def backfill(
    context: typer.Context,
    name: Name,
    flow: Annotated[str, typer.Argument(help="The flow.")],
    since: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], metavar="DAY", help="The first, such as 2026-09-01.")
    ],
    plan: Plan = False,
    approve: Approve = None,
    enqueue: Enqueue = False,
    json: AsJson = False,
) -> None:
    """Read everything that is dated from a day on, whatever is remembered of it, and do what is missing."""
    with opened(context) as store:
        day = since.date()
        extent = replaying.backfill(store, name, flow, day)
        if not replaying.has_days(flow):
            show.err.print(f"Records of {flow} have no date, so all of them are read.")
        if enqueue and not plan:
            order = replaying.backfill_order(store, name, flow, day, settings.person())
            _enqueue(store, [order], json=json)
            return
        again = _again("backfill", name, flow, since=str(day))
        with wiring.joined(store, name) as both:
            done, errors = _filled_back(both, flow, extent, tuple(approve or ()), plan=plan)
    _show(name, done, again, json=json, plan=plan)
    raise typer.Exit(exit_code_of(done, errors))


def _replay(
    store: wiring.Opened,
    name: str,
    chosen: replaying.Chosen,
    again: str,
    approved: tuple[str, ...],
    limit: int,
    *,
    plan: bool,
    json: bool,
) -> int:
    with wiring.joined(store, name) as both:
        with progress() as watch:
            would = replaying.preview(both, chosen, limit, watch)
        if not json:
            _preview(name, would, again, last=plan)
        done, errors = (would.reports, []) if plan else _carried_out(both, chosen, approved)
    if json:
        show.data({"connection": name, **_as_data(chosen, would), "flows": {r.flow: show.as_data(r) for r in done}})
    elif not plan:
        show.reports(name, done, again)
    return exit_code_of(done, errors)


def _carried_out(both: wiring.Joined, chosen: replaying.Chosen, approved: tuple[str, ...]) -> Outcome:
    with progress() as watch:
        return _told_of(replaying.carry_out(both, chosen, approved=approved, watch=watch), approved)


def _filled_back(both: wiring.Joined, flow: str, extent: Extent, approved: tuple[str, ...], *, plan: bool) -> Outcome:
    with progress() as watch:
        if plan:
            return both.plan([flow], extent=extent, watch=watch), []
        return _told_of(list(both.run([flow], extent=extent, approved=approved, watch=watch)), approved)


def _told_of(pairs: Sequence[tuple[Report, ConnectorError | None]], approved: tuple[str, ...]) -> Outcome:
    if unknown := set(approved) - {report.plan_id for report, _ in pairs}:
        show.err.print(f"No plan of this run is {escape(', '.join(sorted(unknown)))}; that approval did nothing.")
    return [report for report, _ in pairs], [error for _, error in pairs if error]


def _show(name: str, done: list[Report], again: str, *, json: bool, plan: bool) -> None:
    if json:
        show.data({"connection": name, "flows": {report.flow: show.as_data(report) for report in done}})
    elif plan:
        show.plans(name, done, again)
    else:
        show.reports(name, done, again)


def _enqueue(store: wiring.Opened, orders: Sequence[Order], *, json: bool) -> None:
    placed = [Orders(store.database).place(order) for order in orders]
    if json:
        show.data({"orders": placed})
    else:
        show.out.print(f"{len(placed):,} ordered; a worker does it, and `ml-connector orders` tells what came of it.")


def _nothing(store: wiring.Opened, name: str, *, json: bool) -> None:
    waiting = wiring.exceptions(store, name).counts()
    if json:
        show.data({"connection": name, "selected": {}, "causes": waiting})
    elif waiting:
        there = ", ".join(sorted({f"{one.cause} ({one.flow} {one.count:,})" for one in waiting}))
        show.out.print(f"No record fits. What waits: {escape(there)}", soft_wrap=True)
    else:
        show.out.print("Nothing waits for a person, so there is nothing to replay.")


def _again(*words: str, **options: str) -> str:
    given = [word for option, value in options.items() if value for word in (f"--{option}", value)]
    return shlex.join([*words, *given])


def _as_data(chosen: replaying.Chosen, would: Preview) -> dict[str, object]:
    counts = {flow: dict(counted) for flow, counted in would.counts.items()}
    selected = {flow: len(listed) for flow, listed in chosen.items()}
    return {"selected": selected, "counts": counts, "would": would.first, "left": would.left}


def _preview(name: str, would: Preview, again: str, *, last: bool) -> None:
    for report in would.reports:
        counted = would.counts[report.flow]
        said = ", ".join(f"{one} {counted[one]:,}" for one in Would if counted[one])
        show.out.print(f"[bold]{report.flow}[/]: {said}")
        for one in would.first:
            if one.flow == report.flow:
                _prospect(one)
        if report.objections:
            show.out.print(f"  [yellow]needs approval[/]: {'; '.join(report.objections)}")
            if last:
                show.go_on(name, report, again)
    if would.left:
        show.out.print(f"… and {would.left:,} more: --limit {len(would.first) + would.left}")


def _prospect(one: Prospect) -> None:
    key, told = escape(keys.shown(one.key)), _told(one)
    color = "yellow" if one.would is Would.BLOCKED else "default"
    show.out.print(f"  [{color}]{one.would}[/] {key}{f': {escape(told)}' if told else ''}", soft_wrap=True)


def _told(one: Prospect) -> str:
    if one.held:
        return f"{one.held.sentence} {one.held.remedy}"
    if one.would in (Would.POST, Would.CREATE):
        return show.filled(one.after)
    if one.would in (Would.CHANGE, Would.SWITCH_OFF):
        return f"{one.target_id}: {show.changed(codec.difference(one.before, one.after))}"
    return _WORDS.get(one.would, one.target_id)


_WORDS = {
    Would.GONE: "where it comes from it is not listed",
    Would.NOTHING: "nothing is to be done about it now",
}
