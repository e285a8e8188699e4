"""The commands that put one record's values right: `edit`, `edits`.

Rule: an edit says what it changes from what to what, and when it counts.
Must not know: SQL, HTTP.
"""

from typing import Annotated

import typer
from rich.markup import escape

from ml_connector import wiring
from ml_connector.cli import show
from ml_connector.cli.context import AsJson, Name, opened
from ml_connector.errors import SettingsError
from ml_connector.records import keys
from ml_connector.store.edits import KeptEdit
from ml_connector.wiring import editing

app = typer.Typer()


@app.command()
def edit(
    context: typer.Context,
    name: Name,
    flow: Annotated[str, typer.Argument(help="The flow that brings the record.")],
    record: Annotated[str, typer.Argument(metavar="ID", help="The record, as `record` takes it.")],
    values: Annotated[list[str] | None, typer.Argument(metavar="FIELD=VALUE…", help="lines[1].category=Rent")] = None,
    reason: Annotated[str, typer.Option(help="Why; it is in the audit trail.")] = "",
    undo: Annotated[
        bool, typer.Option("--undo", help="End what is edited; the record's own values count again.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Put values of one record right, as long as its source does not change: with a reason, in the audit trail."""
    if undo and values:
        raise SettingsError("either FIELD=VALUE or --undo")
    with opened(context) as store, wiring.joined(store, name) as both:
        if undo:
            told = editing.undo(both, flow, record, reason)
        else:
            told = [editing.edit(both, flow, record, _pairs(values or []), reason)]
    if json:
        show.data({"connection": name, "edits": told})
    else:
        for one in told:
            _print(one)
            show.err.print(_next(name, one, undone=undo), soft_wrap=True)


@app.command()
def edits(
    context: typer.Context,
    name: Name,
    approve: Annotated[int, typer.Option(min=0, help="Agree to the edit with this number, as a second person.")] = 0,
    ended: Annotated[bool, typer.Option("--ended", help="Also those that ended.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many to list.")] = 50,
    json: AsJson = False,
) -> None:
    """What was edited: by whom, when, why, from what to what, and who agreed."""
    with opened(context) as store:
        if approve:
            with wiring.joined(store, name) as both:
                agreed = editing.approve(both, approve)
            show.err.print(_next(name, agreed), soft_wrap=True)
        listed = editing.of(store, name).listed(ended=ended, limit=limit)
    if json:
        show.data({"connection": name, "edits": listed})
    elif not listed:
        show.out.print("Nothing is edited.")
    else:
        for one in listed:
            _print(one)


def _pairs(values: list[str]) -> dict[str, str]:
    pairs = [value.partition("=") for value in values]
    for field, equals, _ in pairs:
        if not (field.strip() and equals):
            raise SettingsError(f"{field[:80]!r} is not FIELD=VALUE")
    return {field.strip(): text for field, _, text in pairs}


def _print(one: KeptEdit) -> None:
    head = f"edit {one.id}  [bold]{one.flow} {escape(keys.shown(one.key))}[/], by {escape(one.person)}"
    show.out.print(f"{head}, {show.when(one.at)}, {escape(_state(one))}", soft_wrap=True)
    show.out.print(f"    because: {escape(one.reason)}", soft_wrap=True)
    for field, values in one.fields.items():
        told = show.changed({field: (values.before, values.after)})
        show.out.print(f"    {escape(told)}", soft_wrap=True)


def _state(one: KeptEdit) -> str:
    if one.ended_at:
        return f"ended: {one.ended_why}"
    if one.waits:
        return "waits for a second person"
    return f"in force, agreed to by {one.approved_by}" if one.approved_by else "in force"


def _next(name: str, one: KeptEdit, *, undone: bool = False) -> str:
    key = escape("/".join(keys.split(one.key)))
    if one.waits and not undone:
        return f"It counts once somebody else says: ml-connector edits {escape(name)} --approve {one.id}"
    return f"It counts from the next run on; at once: ml-connector replay {escape(name)} {key} --flow {one.flow}"
