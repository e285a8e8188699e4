"""People who use the console: `user invite`, `user list`, `user roles`, `user confirm`, `user disable`, `user enable`.

Rule: whoever may open the store can let somebody in, so that nobody is locked out for good; a link is shown once.
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
from ml_connector.settings import Installation
from ml_connector.store.access import Access
from ml_connector.store.api_tokens import ApiTokens
from ml_connector.store.rights import Role
from ml_connector.store.users import User, Users
from ml_connector.wiring import Opened

LOCAL = "http://127.0.0.1:8600"
app = typer.Typer(no_args_is_help=True, help="People who use the console of `serve`.")

Named = Annotated[str, typer.Argument(help="How they sign in.")]
Roles = Annotated[list[Role] | None, typer.Option("--role", help="A role; may be repeated.")]


@app.command()
def invite(context: typer.Context, name: Named, role: Roles = None, json: AsJson = False) -> None:
    """Let somebody in: a link with which they choose a password; of somebody who is there already, a new link."""
    with opened(context) as store:
        access, known = _access(store, context.obj), _names(store)
        there = name.strip().lower() in known
        token = access.link(name, settings.person()) if there else access.invite(name, role or (), settings.person())
    link = f"{context.obj.public_url.rstrip('/') or LOCAL}/set-up/{token}"
    if json:
        show.data({"name": name.strip().lower(), "link": link, "new": not there})
        return
    show.out.out(link, highlight=False)
    show.err.print("It works once, for two days; give it to them on a way that only they read.")
    if not context.obj.public_url:
        show.err.print("Where serve listens elsewhere, change the beginning, or set ML_CONNECTOR_PUBLIC_URL.")


@app.command("list")
def list_users(context: typer.Context, json: AsJson = False) -> None:
    """Who has access, with which roles."""
    with opened(context) as store:
        there = Users(store.database).all()
    if json:
        show.data({"users": there})
    elif there:
        show.out.print(_grid(there))
    else:
        show.out.print("Nobody yet. serve shows a link to set the console up, or: ml-connector user invite NAME")


@app.command()
def roles(context: typer.Context, name: Named, role: Roles = None) -> None:
    """Give somebody these roles instead of theirs; none named: none."""
    with opened(context) as store:
        waits = _access(store, context.obj).set_roles(name, role or (), settings.person())
    said = "wait for another administrator" if waits else "are changed"
    show.err.print(f"The roles of {escape(name)} {said}.")


@app.command()
def confirm(
    context: typer.Context,
    name: Named,
    reject: Annotated[bool, typer.Option("--reject", help="They don't get them.")] = False,
) -> None:
    """Let somebody have the roles that wait for a second person."""
    with opened(context) as store:
        _access(store, context.obj).decide(name, settings.person(), approved=not reject)
    show.err.print(f"The roles of {escape(name)} are {'rejected' if reject else 'confirmed'}.")


@app.command()
def disable(context: typer.Context, name: Named) -> None:
    """Let somebody in no longer, and sign them out everywhere."""
    with opened(context) as store:
        _access(store, context.obj).disable(name, settings.person())
        tokens = ApiTokens(store.database).left_by(name)
    show.err.print(f"{escape(name)} is disabled.{escape(tokens)}", soft_wrap=True)


@app.command()
def enable(context: typer.Context, name: Named) -> None:
    """Let somebody in again, or end their lock-out."""
    with opened(context) as store:
        _access(store, context.obj).enable(name, settings.person())
    show.err.print(f"{escape(name)} can sign in again.")


def _access(store: Opened, installation: Installation) -> Access:
    return Access(store.database, store.vault, two_persons=installation.access_two_persons)


def _names(store: Opened) -> set[str]:
    return {one.name for one in Users(store.database).all()}


def _grid(there: list[User]) -> Table:
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("name", "roles", "last signed in (UTC)", "state"):
        grid.add_column(heading)
    for one in there:
        seen = f"{one.last_at:%Y-%m-%d %H:%M}" if one.last_at else "never"
        waiting = f" (wait: {', '.join(one.wanted)})" if one.wanted else ""
        grid.add_row(one.name, (", ".join(one.roles) or "none") + waiting, seen, _state(one))
    return grid


def _state(one: User) -> str:
    if one.disabled_at:
        return f"disabled {one.disabled_at:%Y-%m-%d}"
    if not one.able:
        return "invited"
    if one.locked_until and one.locked_until > datetime.now(UTC):
        return f"locked until {one.locked_until:%H:%M} UTC"
    return "single sign-on" if one.subject else "password"
