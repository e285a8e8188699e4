"""The tokens with which others use the API: `token create`, `token list`, `token revoke`.

Rule: a token is shown once, when it is made.
Must not know: SQL, HTTP.
"""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from ml_connector import settings
from ml_connector.cli import show
from ml_connector.cli.context import AsJson, opened
from ml_connector.errors import SettingsError
from ml_connector.store.access_log import AccessLog
from ml_connector.store.api_tokens import DAYS_MAX, ApiToken, ApiTokens, Right
from ml_connector.wiring import Opened

app = typer.Typer(no_args_is_help=True, help="Tokens for the API of `serve`.")

Named = Annotated[str, typer.Argument(help="Whose it is: what it orders is told to be ordered by this name.")]


@app.command()
def create(
    context: typer.Context,
    name: Named,
    scope: Annotated[Right, typer.Option(help="read: look; operate: order, schedule, replay; admin: all.")],
    days: Annotated[
        int | None, typer.Option(min=1, max=DAYS_MAX, help="Valid for so long; else until revoked.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Make a token, and show it this once."""
    with opened(context) as store:
        token = _journalled(store).create(name, scope, settings.person(), days)
    if json:
        show.data({"name": name, "scope": scope, "token": token})
    else:
        show.out.out(token, highlight=False)
        show.err.print("Keep it now: it can't be shown again. Send it as: Authorization: Bearer …")


@app.command("list")
def list_tokens(context: typer.Context, json: AsJson = False) -> None:
    """The tokens there are, without what makes them usable."""
    with opened(context) as store:
        there = ApiTokens(store.database).all()
    if json:
        show.data({"tokens": there})
    elif there:
        show.out.print(_grid(there))
    else:
        show.out.print("No token yet. Make one: ml-connector token create NAME --scope read")


@app.command()
def revoke(context: typer.Context, name: Named) -> None:
    """Accept a token no longer."""
    with opened(context) as store:
        if not _journalled(store).revoke(name, settings.person()):
            raise SettingsError(f"no token called {name!r} is in force; ml-connector token list shows them")
    show.err.print(f"{escape(name)} is revoked.")


def _journalled(store: Opened) -> ApiTokens:
    return ApiTokens(store.database, log=AccessLog(store.database, store.vault))


def _grid(there: list[ApiToken]) -> Table:
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("name", "scope", "made (UTC)", "by", "last used", "state"):
        grid.add_column(heading)
    for one in there:
        used = f"{one.last_at:%Y-%m-%d %H:%M}" if one.last_at else "never"
        grid.add_row(one.name, one.right, f"{one.created_at:%Y-%m-%d}", escape(one.created_by), used, _state(one))
    return grid


def _state(one: ApiToken) -> str:
    if one.revoked_at:
        return f"revoked {one.revoked_at:%Y-%m-%d}"
    if not one.in_force(datetime.now(UTC)):
        return "expired"
    return f"until {one.expires_at:%Y-%m-%d}" if one.expires_at else "until revoked"
