"""`fit`: whether two systems fit, before anything is sent.

Rule: 0 all fits, 1 something is missing.
Must not know: how the report is made.
"""

from typing import Any

import msgspec
import typer
from rich.markup import escape

from ml_connector import wiring
from ml_connector.cli import show
from ml_connector.cli.context import NEEDS_A_PERSON, AsJson, Name, opened
from ml_connector.cli.progress import progress
from ml_connector.wiring.fit import Fit, FlowFit, Lack, Sample, Trouble, fit

app = typer.Typer()


@app.command("fit")
def fit_command(context: typer.Context, name: Name, json: AsJson = False) -> None:
    """Whether all that both systems have would go through: counts, first records as they would arrive, what is missing
    and what it may stand for. Nothing is written.
    """
    with opened(context) as store, wiring.joined(store, name) as both, progress() as watch:
        found = fit(both, watch)
    if json:
        told: dict[str, Any] = msgspec.to_builtins(found)
        show.data({"connection": name, "fits": found.fits, **told})
    else:
        _show(name, found)
    raise typer.Exit(0 if found.fits else NEEDS_A_PERSON)


def _show(name: str, found: Fit) -> None:
    for one in found.flows:
        _flow(one, [sample for sample in found.samples if sample.flow == one.flow])
    for lack in found.lacks:
        _lack(lack)
    for trouble in found.troubles:
        _trouble(trouble)
    if found.unposted:
        show.out.print(r"Nothing is posted to the ledger yet: the profile has no \[posting] table.")
    verdict = "[green]FITS[/]" if found.fits else "[yellow]SOMETHING IS MISSING[/]"
    asked = ", ".join(f"{system} {count:,}" for system, count in found.requests.items())
    show.out.print(f"{verdict} for {escape(name)}; {found.seconds:.1f} s, requests {asked}")


def _flow(one: FlowFit, samples: list[Sample]) -> None:
    if one.error:
        show.out.print(f"[bold]{one.flow}[/]: [red]not read[/]: {escape(one.error)}", soft_wrap=True)
        return
    told = f"of {one.read:,} read, {one.maps:,} would go through ({one.there:,} are there already), {one.held:,} wait"
    show.out.print(f"[bold]{one.flow}[/]: {told}")
    for sample in samples:
        fields = "; ".join(f"{field.name}: {field.value}" for field in sample.fields)
        show.out.print(f"  {sample.becomes} {escape(sample.key)}: {escape(fields)}", soft_wrap=True)
    for objection in one.objections:
        show.out.print(f"  [yellow]a gate would stop it[/]: {escape(objection)}", soft_wrap=True)


def _lack(lack: Lack) -> None:
    maybe = ", ".join(f"{one.value} {one.name}".strip() for one in lack.suggestions)
    hint = f"; perhaps {maybe}" if maybe else ""
    show.out.print(f"[yellow]MISSING[/] {lack.title}: {escape(lack.value)} ({lack.count:,} records){escape(hint)}")


def _trouble(one: Trouble) -> None:
    show.out.print(f"[yellow]HELD[/] {one.flow}: {one.title} ({one.count:,} records)")
    show.out.print(f"  {escape(one.sentence)}\n  → {one.owner}: {escape(one.remedy)}", soft_wrap=True)
