"""The command that notes something at an exception: `exception`.

Rule: what is noted is journalled with who noted it.
Must not know: SQL, HTTP.
"""

from typing import Annotated

import typer

from ml_connector import settings
from ml_connector.cli import show
from ml_connector.cli.context import AsJson, Name, opened
from ml_connector.wiring import noting
from ml_connector.wiring.noting import Noted, Wish

app = typer.Typer()
NOBODY = "nobody"
NOW = "now"


@app.command()
def exception(
    context: typer.Context,
    name: Name,
    flow: Annotated[str, typer.Argument(help="The flow that brings the record.")],
    record: Annotated[str, typer.Argument(metavar="ID", help="The record, as `record` takes it.")],
    assign: Annotated[str, typer.Option(metavar="WHO", help="Who sees to it, or nobody.")] = "",
    comment: Annotated[str, typer.Option(metavar="TEXT", help="What there is to say; it is in its timeline.")] = "",
    snooze: Annotated[
        str, typer.Option(metavar="UNTIL", help="Let it rest: 7d, or a day such as 2026-09-01; now wakes it.")
    ] = "",
    json: AsJson = False,
) -> None:
    """Say who sees to a record that needs a person, let it rest, or comment on it."""
    with opened(context) as store:
        which = noting.of_record(store, name, flow, record)
        wish = Wish(_or_empty(assign, NOBODY), comment, _or_empty(snooze, NOW))
        noted = noting.note(store, name, which, wish, settings.person())
    if json:
        show.data({"connection": name, "noted": noted})
    else:
        show.err.print("Noted." if noted != Noted(0, 0, 0) else "That was noted already.")


def _or_empty(given: str, empty: str) -> str | None:
    return None if not given else "" if given == empty else given
