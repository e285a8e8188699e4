"""The walk: check, plan, run, run again, change one line, run; and what there is to see afterwards.

Rule: every figure is read off, none is written here; a step is one line, and with `details` what a command shows of it.
Must not know: how the systems are joined.
"""

from collections.abc import Iterable

from rich.markup import escape

from ml_connector import sandbox, wiring
from ml_connector.cli import show
from ml_connector.cli.progress import progress
from ml_connector.compare import clearing
from ml_connector.demo import company
from ml_connector.demo.company import NAME
from ml_connector.sync.report import Report
from ml_connector.wiring import checking, reports

MOVED = ("created", "updated", "deactivated", "posted", "corrected")


def walk(store: wiring.Opened, both: wiring.Joined, world: sandbox.Sandbox, *, details: bool) -> None:
    """Show the main job, step by step."""
    told = world.told()
    step("made up", f"IFS Cloud at {told['ifs_url']}, Airbase at {told['airbase_url']}, on this machine")
    _check(both, details=details)
    planned = both.plan([])
    step("plan", f"{_figures(planned)}; nothing is written yet")
    if details:
        show.plans(NAME, planned)
    _run("run", both, world, details=details)
    _run("run again", both, world, details=details)
    key, changed = company.change_a_line(world)
    step("change", changed)
    _run("run again", both, world, details=details)
    _show_a_voucher(store, world, details=details)
    _show_what_waits(store, both, details=details)
    verdict = wiring.journal(store, NAME).verify()
    whole = f"whole: {verdict.entries:,} entries, each in its place and unchanged"
    step("journal", whole if verdict.sound else "broken")
    if details:
        show.timeline(wiring.journal(store, NAME).timeline("purchase_orders", key)[-2:])


def step(name: str, said: str) -> None:
    """One step, in one line."""
    show.out.print(f"[bold cyan]▸[/] [bold]{name:<10}[/] {escape(said)}", soft_wrap=True)


def _check(both: wiring.Joined, *, details: bool) -> None:
    steps = list(checking.systems(both))
    well = sum(one.ok for one in steps)
    step("check", f"{well} of {len(steps)} checks of both systems are well")
    for one in steps if details else ():
        show.step(one)


def _run(name: str, both: wiring.Joined, world: sandbox.Sandbox, *, details: bool) -> None:
    writes = world.airbase_log.writes
    done: list[Report] = []
    with progress() as watch:
        for report, error in both.run([], watch=watch):
            if error:
                raise error
            done.append(report)
    sent = world.airbase_log.writes - writes
    step(name, f"{_figures(done)}; {_counted(sent, 'write')} counted by Airbase")
    if details:
        show.reports(NAME, done)


def _figures(done: Iterable[Report]) -> str:
    """How many records of each flow were written, or would be, and how many are held."""
    listed = list(done)
    moved = {one.flow.replace("_", " "): sum(getattr(one, name) for name in MOVED) for one in listed}
    said = ", ".join(f"{flow} {count:,}" for flow, count in moved.items() if count)
    return f"{said or 'nothing to write'}; held {sum(one.held for one in listed):,}"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _show_a_voucher(store: wiring.Opened, world: sandbox.Sandbox, *, details: bool) -> None:
    voucher = next(one for one in world.vouchers() if one["serie"] == "AIRBASE")
    place = f"{voucher['company']} {voucher['type']} {voucher['year']} {voucher['no']}"
    step("a voucher", f"{voucher['place']} voucher {place}, {voucher['status']}: {voucher['text']}")
    for row in voucher["rows"]:
        parts = " ".join(f"{part} {value}" for part, value in row["parts"].items())
        show.out.print(
            f"    {row['account']} {parts:<28} debit {row['debit'] or '':>12} credit {row['credit'] or '':>12}"
        )
    if details:
        show.timeline(wiring.journal(store, NAME).timeline(None, voucher["number"])[-1:])


def _show_what_waits(store: wiring.Opened, both: wiring.Joined, *, details: bool) -> None:
    waiting = wiring.exceptions(store, NAME)
    causes = waiting.counts()
    held = sum(one.count for one in causes)
    step("held", f"{_counted(held, 'record')} for {_counted(len(causes), 'cause')}, each with what to do and who")
    if details:
        show.exceptions(causes, waiting.open(limit=3))
        for account in reports.clearing(both):
            show.out.print(f"  {escape(clearing.in_words(account))}")
