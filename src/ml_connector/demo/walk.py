"""The walk: check, plan, run, run again, change one line, run; and what there is to see afterwards.

Rule: every figure is read off, none is written here.
Must not know: how the systems are joined.
"""

from rich.markup import escape

from ml_connector import sandbox, wiring
from ml_connector.cli import show
from ml_connector.cli.progress import progress
from ml_connector.compare import clearing
from ml_connector.demo import company
from ml_connector.demo.company import NAME
from ml_connector.sync.report import Report
from ml_connector.wiring import checking, reports


def walk(store: wiring.Opened, both: wiring.Joined, world: sandbox.Sandbox) -> None:
    """Show the main job, step by step."""
    told = world.told()
    title("A stand-in IFS Cloud and a stand-in Airbase are up on this machine")
    show.out.print(f"  IFS {told['ifs_url']}   Airbase {told['airbase_url']}")
    title("check: are both systems there, and are they what the profile expects?")
    for step in checking.systems(both):
        show.step(step)
    title("plan: what would a run do?")
    show.plans(NAME, both.plan([]))
    title("run: suppliers and orders reach Airbase, approved requests and payments become vouchers in IFS")
    _run(both, world)
    title("run again: nothing has changed")
    _run(both, world)
    title("one line of one order is changed in IFS; run again")
    key, told_change = company.change_a_line(world)
    show.out.print(f"  {told_change}")
    _run(both, world)
    title(f"record {key}: what happened to that order")
    show.timeline(wiring.journal(store, NAME).timeline("purchase_orders", key)[-2:])
    title("a request becomes a voucher: its timeline, and the voucher as IFS has it")
    _show_a_voucher(store, world)
    title("clearing: what is still open, story by story")
    for account in reports.clearing(both):
        show.out.print(f"  {escape(clearing.in_words(account))}")
    title("exceptions: what waits for a person")
    waiting = wiring.exceptions(store, NAME)
    show.exceptions(waiting.counts(), waiting.open(limit=3))
    title("journal verify: has anybody touched the audit trail?")
    show.verdict(wiring.journal(store, NAME).verify())


def _run(both: wiring.Joined, world: sandbox.Sandbox) -> None:
    writes = world.airbase_log.writes
    done: list[Report] = []
    with progress() as watch:
        for report, error in both.run([], watch=watch):
            if error:
                raise error
            done.append(report)
    show.reports(NAME, done)
    moved = sum(report.created + report.updated + report.deactivated for report in done)
    sent = world.airbase_log.writes - writes
    show.out.print(f"  Airbase's own count: {_counted(sent, 'write request')} for {_counted(moved, 'record')}.")


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _show_a_voucher(store: wiring.Opened, world: sandbox.Sandbox) -> None:
    voucher = next(one for one in world.vouchers() if one["serie"] == "AIRBASE")
    show.timeline(wiring.journal(store, NAME).timeline(None, voucher["number"])[-1:])
    place = f"{voucher['company']} {voucher['type']} {voucher['year']} {voucher['no']}"
    show.out.print(f"  {voucher['place']} voucher {place}, {voucher['status']}: {escape(voucher['text'])}")
    for row in voucher["rows"]:
        parts = " ".join(f"{part} {value}" for part, value in row["parts"].items())
        show.out.print(
            f"    {row['account']} {parts:<28} debit {row['debit'] or '':>12} credit {row['credit'] or '':>12}"
        )


def title(text: str) -> None:
    """What comes next."""
    show.out.print(f"\n[bold cyan]▸[/] [bold]{escape(text)}[/]")
