"""`tie-out`: both sides of a period counted and summed, kept, taken along as a file, signed off.

Rule: 0 it ties, 1 something differs. What is signed off is named by its digest, so that it is what was looked at.
Must not know: SQL, HTTP, how the sides are compared.
"""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from ml_connector import wiring
from ml_connector.cli import show
from ml_connector.cli.context import NEEDS_A_PERSON, AsJson, Name, opened
from ml_connector.cli.progress import progress
from ml_connector.compare.tieout import tables, words
from ml_connector.compare.tieout.calendar import written
from ml_connector.compare.tieout.shapes import Line, TieOut, Total
from ml_connector.errors import SettingsError
from ml_connector.settings import person
from ml_connector.store.tie_outs import SHORT, Kept, TieOuts
from ml_connector.wiring import tie_outs

LINES_SHOWN = 20

app = typer.Typer()


@app.command("tie-out")
def tie_out(
    context: typer.Context,
    name: Name,
    period: Annotated[str, typer.Argument(help="An accounting period, such as 2026-10.")] = "",
    csv: Annotated[Path | None, typer.Option(help="Write its documents to this file.")] = None,
    xlsx: Annotated[Path | None, typer.Option(help="Write all of it to this workbook.")] = None,
    number: Annotated[int, typer.Option(min=0, help="One that was made before, by its number; none is made.")] = 0,
    sign_off: Annotated[bool, typer.Option("--sign-off", help="Sign off the latest of the period.")] = False,
    digest: Annotated[str, typer.Option(help=f"Its SHA-256, or the first {SHORT} characters, to confirm.")] = "",
    note: Annotated[str, typer.Option(help="What there is to say at the signing off.")] = "",
    listed: Annotated[bool, typer.Option("--list", help="List those that were made.")] = False,
    json: AsJson = False,
) -> None:
    """Count and sum both sides of a period, and say of each document that differs why. Nothing is written to either."""
    period = written(period) or period
    with opened(context) as store:
        kept = tie_outs.of(store, name)
        if listed:
            _list(name, kept.listed(period), json)
            return
        one = _chosen(store, name, kept, period, number, made=not sign_off)
        found = kept.content(one.number)
        if sign_off:
            one = tie_outs.sign(store, name, one.number, _confirmed(one, found, digest), person(), note)
        _write(kept, one, found, csv, xlsx)
    if json:
        show.data({**_head(name, one), "sentence": words.headline(found), "tie_out": found})
    else:
        _show(one, found)
    raise typer.Exit(0 if found.ties else NEEDS_A_PERSON)


def _chosen(store: wiring.Opened, name: str, kept: TieOuts, period: str, number: int, *, made: bool) -> Kept:
    """One that was made before, or one that is made now."""
    if number:
        return kept.get(number)
    if not period:
        raise SettingsError(f"which period? Say: ml-connector tie-out {name} 2026-10")
    if made:
        with wiring.joined(store, name) as both, progress() as watch:
            return tie_outs.make(both, period, watch)
    if (latest := kept.latest(period)) is None:
        raise SettingsError(f"no tie-out of {period} was made; make one: ml-connector tie-out {name} {period}")
    return latest


def _confirmed(one: Kept, found: TieOut, digest: str) -> str:
    """The digest that a person confirms."""
    if digest:
        return digest
    if not sys.stdin.isatty():
        raise SettingsError(f"to confirm, give the digest of what you looked at: --digest {'.' * SHORT}")
    show.err.print(escape(f"Tie-out {one.number}: {words.headline(found)}"), soft_wrap=True)
    return typer.prompt(f"To sign it off, type {one.short}", err=True)


def _write(kept: TieOuts, one: Kept, found: TieOut, csv: Path | None, xlsx: Path | None) -> None:
    try:
        if csv:
            with csv.open("w", encoding="utf-8", newline="") as file:
                file.writelines(tables.as_csv(kept.lines(one.number)))
        if xlsx:
            from ml_connector.console import workbook  # here, as few need it

            facts = tables.kept_as(one.number, one.digest, one.signed_at, one.signed_by, one.note)
            with xlsx.open("wb") as book:
                workbook.write(book, tables.sheets(found, kept.lines(one.number), facts))
    except OSError as error:
        raise SettingsError(f"{error.filename}: {error.strerror}; name a file that can be written") from error


def _list(name: str, listed: list[Kept], json: bool) -> None:
    if json:
        show.data({"connection": name, "tie_outs": [_head(name, one) for one in listed]})
    elif not listed:
        show.out.print(f"No tie-out yet. Make one: ml-connector tie-out {escape(name)} 2026-10")
    else:
        show.table(("number", "period", "made", "by", "", "SHA-256", "signed off"), [_row(one) for one in listed])


def _row(one: Kept) -> tuple[str, ...]:
    signed = f"{show.when(one.signed_at)} by {one.signed_by}" if one.signed_at else "not yet"
    verdict = "ties" if one.ties else "differs"
    return str(one.number), one.period, show.when(one.made_at), one.made_by, verdict, one.short, signed


def _head(name: str, one: Kept) -> dict[str, Any]:
    signed = {"signed_at": one.signed_at, "signed_by": one.signed_by, "note": one.note}
    made = {"period": one.period, "made_at": one.made_at, "made_by": one.made_by}
    return {"connection": name, "number": one.number, **made, "ties": one.ties, "digest": one.digest, **signed}


def _show(one: Kept, found: TieOut) -> None:
    colour = "green" if found.ties else "yellow"
    show.out.print(f"[{colour}]{escape(words.headline(found))}[/]", soft_wrap=True)
    for total in found.totals:
        _total(total)
    _lines("DIFFERENCES", found.differences, words.differences(found))
    _lines("TIMING", found.timing, len(found.timing) + found.cut.get("timing", 0))
    _lines("WAITING", found.waiting, words.waiting(found))
    for mirror in found.mirrors:
        equal = "equal" if mirror.source_digest == mirror.target_digest else "differ"
        counts = f"{mirror.source:,} and {mirror.target:,}, {mirror.equal:,} equal, {mirror.differing:,} different"
        more = f"{mirror.missing:,} missing, {mirror.extra:,} extra, {mirror.held:,} held, {mirror.not_due:,} not due"
        show.out.print(f"{escape(mirror.title)}: {counts}, {more}; digests {equal}", soft_wrap=True)
    for assumed in found.assumed:
        show.out.print(f"Assumed: {escape(assumed)}", soft_wrap=True)
    show.out.print(f"Documents of: {escape(', '.join(found.flows) or 'none')}", soft_wrap=True)
    signed = f"signed off by {one.signed_by}, {show.when(one.signed_at)}" if one.signed_at else "not signed off"
    show.out.print(f"\nNumber {one.number}, {escape(signed)}, SHA-256 {one.digest}", soft_wrap=True)


def _total(one: Total) -> None:
    """The reconciliation of a company and currency."""
    grid = Table(box=None, pad_edge=False, header_style="bold", title_justify="left", title_style="bold")
    grid.title = escape(words.title(one))
    grid.add_column(no_wrap=True)
    for name in ("number", one.currency):
        grid.add_column(escape(name), justify="right", no_wrap=True)
    for step in words.steps_told(one):
        amount = words.amount(step.figure.amount, one.currency)
        grid.add_row(step.name, f"{step.figure.count:,}", amount, style="bold" if step.sum else "")
    show.out.print()
    show.out.print(grid)


def _lines(title: str, lines: tuple[Line, ...], many: int) -> None:
    if not lines:
        return
    show.out.print(f"\n[yellow]{title}[/] {many:,}")
    for one in lines[:LINES_SHOWN]:
        what = words.called(words.KINDS, one.difference) or words.called(words.TIMES, one.timing)
        kind = what or words.called(words.STATES, one.state)
        money = f"{one.currency} {words.amount(one.amount, one.currency)}"
        show.out.print(f"{escape(one.flow)} {escape(one.number or one.key)}, {kind}, {escape(money)}", soft_wrap=True)
        show.out.print(f"  {escape(one.reason)}\n  → {escape(one.remedy)}", soft_wrap=True)
    if (left := many - min(len(lines), LINES_SHOWN)) > 0:
        show.out.print(f"… and {left:,} more: --csv FILE or --xlsx FILE has every document")
