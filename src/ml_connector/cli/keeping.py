"""The commands that keep the store safe and small: backup, restore, clean.

Rule: nothing is replaced without being told so.
Must not know: SQL, HTTP.
"""

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.markup import escape

from ml_connector.cli import show
from ml_connector.cli.context import AsJson, opened
from ml_connector.wiring import keeping

app = typer.Typer()

File = Annotated[Path, typer.Argument(help="The backup's file.", dir_okay=False)]


@app.command()
def backup(
    context: typer.Context,
    file: File,
    force: Annotated[bool, typer.Option("--force", help="Replace a file of this name.")] = False,
    json: AsJson = False,
) -> None:
    """Copy the store into one file, as it is at this moment, while everything goes on working."""
    with opened(context) as store:
        made = keeping.back_up(store, file, replace=force)
    if json:
        show.data({"file": str(file), "rows": made.rows, **msgspec.structs.asdict(made)})
    show.err.print(f"{escape(str(file))}: {made.rows:,} rows.", soft_wrap=True)
    show.err.print(
        f"It opens only with key {made.key}, which is not in it: keep a copy of that key, and keep it elsewhere.",
        soft_wrap=True,
    )


@app.command()
def restore(context: typer.Context, file: File, json: AsJson = False) -> None:
    """Put a backup into an empty store: a new file, or a new database of either kind."""
    done = keeping.restore(context.obj, file)
    if json:
        show.data(done)
    for sentence in _told(done):
        show.err.print(escape(sentence), soft_wrap=True)


@app.command()
def clean(context: typer.Context, json: AsJson = False) -> None:
    """Forget what is older than it has to be kept: bodies of the journal, ended runs, changes and exceptions."""
    with opened(context) as store:
        done = keeping.clean(store, context.obj)
    if json:
        show.data(done)
    else:
        counts = (f"{name} {count:,}" for name, count in msgspec.structs.asdict(done).items())
        show.out.print("Forgotten: " + ", ".join(counts))


def _told(done: keeping.Restored) -> list[str]:
    made = f"{done.manifest.made_at:%Y-%m-%d %H:%M} UTC"
    told = [
        f"Restored {done.manifest.rows:,} rows as of {made}: {', '.join(done.connections) or 'no connection'}.",
        f"All {done.doubted:,} links are in doubt: the next run asks both systems about everything and takes longer.",
        "Before it, set what was changed since: settings, rules and secrets of each connection, schedules, webhooks.",
        f"It opens with key {done.manifest.key}, as then. If that was changed since, change it again: vault rekey.",
    ]
    if done.voided:
        told.append(f"Approvals that had let nothing through are void: {done.voided:,}; give them anew where needed.")
    if done.edits:
        told.append(f"Edited values in force again: {done.edits:,}; end those that were ended since.")
    if done.api_tokens:
        told.append(f"API tokens valid again: {done.api_tokens:,}; revoke those that were revoked since.")
    if done.people:
        told.append(f"People who may sign in again, as they could then: {done.people:,}; disable those who left since.")
    return told
