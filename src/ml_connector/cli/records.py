"""The commands that find records and hand out the journal: `search`, `journal export`.

Rule: what is found is what the console finds; an export is written entry by entry.
Must not know: SQL, HTTP.
"""

from datetime import datetime
from typing import Annotated

import msgspec
import typer
from rich.markup import escape

from ml_connector import flows, settings
from ml_connector.cli import show
from ml_connector.cli.context import AsJson, Name, opened
from ml_connector.cli.terminal import json_of
from ml_connector.errors import SettingsError
from ml_connector.records import keys
from ml_connector.store.journal_pages import Filter, JournalPages
from ml_connector.store.records import Found, Known, Records
from ml_connector.store.schema import INSTALLATION
from ml_connector.wiring import causes, choice, indexing, replaying

app = typer.Typer()


@app.command()
def search(
    context: typer.Context,
    name: Name,
    words: Annotated[list[str] | None, typer.Argument(help="Words, numbers, amounts; all have to be said.")] = None,
    flow: Annotated[str, typer.Option(help="Only records of this flow.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many to list.")] = 50,
    index: Annotated[bool, typer.Option("--index", help="First make words of all that was linked before.")] = False,
    json: AsJson = False,
) -> None:
    """Find records: by supplier, order, invoice, voucher or Airbase id, by amount, by words of their text."""
    choice.known([flow] if flow else [])
    if not words and not index:
        raise SettingsError("what to look for? A number, an amount such as 41,200.50, words of a name or text")
    with opened(context) as store:
        if index:
            show.err.print(f"{indexing.index(store, name):,} linked records can be found by their words.")
        number = store.connections.get(name).id
        kept = Records(store.database, store.vault, number, sorted(flows.FLOWS))
        found = kept.search(" ".join(words or ()), flow, None, limit)
    if json:
        show.data({"connection": name, "records": found.records, "more": _more(found)})
    elif words:
        _print(name, found)


def export(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The connection's name; none: the installation's journal.")] = "",
    flow: Annotated[str, typer.Option(help="Only entries of this flow.")] = "",
    kind: Annotated[str, typer.Option(help="Only entries of this kind, such as settled.")] = "",
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="DAY", help="From this day on.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="DAY", help="Before this day.")
    ] = None,
) -> None:
    """Print the journal as JSON lines, oldest entry first."""
    with opened(context) as store:
        number = store.connections.get(name).id if name else INSTALLATION
        zone = replaying.zone_of(store, name) if name else settings.zone("UTC")
        begin, end = (day.replace(tzinfo=zone) if day else None for day in (since, until))
        chosen = Filter(kind, flow, since=begin, until=end)
        entries = JournalPages(store.database, store.vault, number).stream(chosen)
        for one in entries:
            show.out.out(json_of(msgspec.json.encode(one).decode()), highlight=False)


def _print(name: str, found: Found) -> None:
    if not found.records:
        show.out.print(
            f"Nothing found. What was linked by an older version: ml-connector search {escape(name)} --index"
        )
        return
    show.table(("flow", "record", "linked to", "state"), (_row(one) for one in found.records))
    if _more(found):
        show.out.print("… and more: add a word, or --limit")


def _row(one: Known) -> tuple[str, str, str, str]:
    state = causes.title(one.waiting.cause) if one.waiting else "in place" if one.link else "seen"
    return one.flow, keys.shown(one.key), one.link.target_id if one.link else "", state


def _more(found: Found) -> bool:
    return found.partial or found.next is not None
