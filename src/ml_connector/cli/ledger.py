"""The commands about the ledger: rules, names, differences, what is open, files, approval.

Rule: they read and show; only `approve` writes, and only that somebody approved.
Must not know: SQL, HTTP.
"""

from typing import Annotated

import typer
from rich.markup import escape

from ml_connector import wiring
from ml_connector.cli import show
from ml_connector.cli.context import NEEDS_A_PERSON, AsJson, Name, opened
from ml_connector.cli.progress import reading
from ml_connector.compare import clearing as clearing_words
from ml_connector.compare import drift as drift_words
from ml_connector.compare import invoices as invoice_words
from ml_connector.systems.ifs.discover import as_toml
from ml_connector.wiring import reports

STORIES_SHOWN = 20
SENTENCES_SHOWN = 50

app = typer.Typer()


@app.command()
def approve(
    context: typer.Context,
    name: Name,
    plan: Annotated[str, typer.Argument(help="The plan, as `plan` or a stopped run names it.")],
) -> None:
    """Let a stopped plan through; it then passes in the next run."""
    with opened(context) as store, wiring.joined(store, name) as both:
        both.approve(plan)
        show.err.print(f"{escape(both.person)} approves plan {plan} of {escape(name)}; it is in the journal.")


@app.command()
def rules(context: typer.Context, name: Name, json: AsJson = False) -> None:
    """The posting rules, each as a sentence, and what of them IFS does not know."""
    with opened(context) as store, wiring.joined(store, name) as both:
        found = reports.rules(both)
    if json:
        show.data({"connection": name, "rules": found.sentences, "unknown": found.unknown})
    else:
        for sentence in found.sentences:
            show.out.print(escape(sentence), soft_wrap=True)
        for sentence in found.unknown:
            show.out.print(f"[yellow]UNKNOWN[/] {escape(sentence)}", soft_wrap=True)
    raise typer.Exit(NEEDS_A_PERSON if found.unknown else 0)


@app.command()
def discover(context: typer.Context, name: Name, json: AsJson = False) -> None:
    """The names that this tenant uses, searched for by shape: a profile to review. Nothing is kept."""
    with opened(context) as store, wiring.joined(store, name) as both, reading() as watch:
        found = reports.discover(both, watch)
    if json:
        show.data({"connection": name, "profile": found.overrides(), "parts": found.parts, "denied": found.denied})
    else:
        show.out.out(as_toml(found), highlight=False)


@app.command()
def drift(context: typer.Context, name: Name, json: AsJson = False) -> None:
    """Accounts, dimensions and subsidiaries that differ, and the open documents that each difference stops."""
    with opened(context) as store, wiring.joined(store, name) as both:
        found = reports.drift(both)
    if json:
        show.data({"connection": name, "differences": found})
    else:
        _sentences([drift_words.in_words(one) for one in found], "Both charts say the same.")
    raise typer.Exit(NEEDS_A_PERSON if any(one.blocked for one in found) else 0)


@app.command()
def invoices(context: typer.Context, name: Name, json: AsJson = False) -> None:
    """IFS supplier invoices against Airbase bills: unmatched, different, doubled."""
    with opened(context) as store, wiring.joined(store, name) as both:
        found = reports.invoices(both)
    if json:
        show.data({"connection": name, **{part: getattr(found, part) for part in found.__struct_fields__}})
        return
    counts = {part: len(getattr(found, part)) for part in found.__struct_fields__}
    show.out.print(", ".join(f"{part.replace('_', ' ')} {count:,}" for part, count in counts.items()))
    _sentences(invoice_words.in_words(found), "Nothing differs.")


@app.command()
def clearing(context: typer.Context, name: Name, json: AsJson = False) -> None:
    """What is still open on each clearing account, story by story."""
    with opened(context) as store, wiring.joined(store, name) as both:
        accounts = reports.clearing(both)
    if json:
        show.data({"connection": name, "accounts": accounts})
        return
    for account in accounts:
        show.out.print(f"[bold]{escape(clearing_words.in_words(account))}[/]", soft_wrap=True)
        for story in account.stories[:STORIES_SHOWN]:
            show.out.print(f"  {escape(clearing_words.story_in_words(story))}", soft_wrap=True)
        if (left := len(account.stories) - STORIES_SHOWN) > 0:
            show.out.print(f"  … and {left:,} more: --json lists all")
    if not accounts:
        show.out.print("Nothing was posted to a clearing account yet.")


@app.command()
def files(
    context: typer.Context,
    name: Name,
    void: Annotated[str, typer.Option(help="A file that was not loaded and never will be.")] = "",
    json: AsJson = False,
) -> None:
    """Voucher files that were handed over, with control totals, and how much of them is in IFS."""
    with opened(context) as store, wiring.joined(store, name) as both:
        if void:
            count = reports.void(both, void)
            show.err.print(f"{escape(void)} is void: the next run decides its {count:,} documents anew.")
        found = reports.files(both)
    if json:
        show.data({"connection": name, "files": found})
    elif not found:
        show.out.print("No voucher file was handed over yet.")
    else:
        show.table(("file", "company", "vouchers", "rows", "debit = credit", "in IFS"), map(_file, found))


def _file(one: reports.File) -> tuple[str, ...]:
    manifest = one.manifest
    totals = ", ".join(f"{total.currency} {total.debit:,f}" for total in manifest.totals)
    arrived = f"{one.arrived:,} of {len(set(manifest.keys)):,}"
    return manifest.name, manifest.company, f"{manifest.vouchers:,}", f"{manifest.rows:,}", totals, arrived


def _sentences(told: list[str], nothing: str) -> None:
    for sentence in told[:SENTENCES_SHOWN] or [nothing]:
        show.out.print(escape(sentence), soft_wrap=True)
    if (left := len(told) - SENTENCES_SHOWN) > 0:
        show.out.print(f"… and {left:,} more: --json lists all")
