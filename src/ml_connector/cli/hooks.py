"""Webhooks: `hook` sets one up, `hooks` lists them, `inbox` shows what came.

Rule: a secret is taken from the environment or made here, and what was made is shown once; the address is shown to
whoever may open the store.
Must not know: SQL, HTTP.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import typer
from rich.markup import escape
from rich.table import Table

from ml_connector import settings
from ml_connector.cli import asking, show
from ml_connector.cli.context import AsJson, Name, opened
from ml_connector.errors import SettingsError
from ml_connector.records import keys
from ml_connector.store.hooks import OVERLAP_S, Hook, Hooks
from ml_connector.store.inbox import Inbox, Kept
from ml_connector.systems.ifs.hints import Finder
from ml_connector.wiring import hooking
from ml_connector.wiring.hooking import Made, Wish
from ml_connector.wiring.receiving import Teller, how_of

app = typer.Typer()


@app.command()
def hook(
    context: typer.Context,
    name: Name,
    system: Annotated[Teller, typer.Argument(help="Who tells.")],
    scheme: Annotated[
        Literal["hmac", "standard", "header", "none"] | None,
        typer.Option(help="How it shows that it is genuine; hmac for Airbase, header for IFS, unless you say so."),
    ] = None,
    header: Annotated[str, typer.Option(help="The header of the signature, or of the secret.")] = "",
    encoding: Annotated[Literal["hex", "base64"] | None, typer.Option(help="How an hmac is written.")] = None,
    prefix: Annotated[str, typer.Option(help="What comes before an hmac, such as sha256=.")] = "",
    secret_env: Annotated[str, typer.Option(help="The environment variable with the secret; else one is made.")] = "",
    flow: Annotated[str, typer.Option(help="Of IFS: which flow it tells of.")] = "",
    key: Annotated[
        list[str] | None, typer.Option(help="Of IFS: where the key is in the body, such as Order/OrderNo.")
    ] = None,
    rotate: Annotated[bool, typer.Option("--rotate", help="Another secret; both valid for a day.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Answer it no longer; its address is gone.")] = False,
    json: AsJson = False,
) -> None:
    """Set up or change where Airbase or IFS tells of what happened, and show the address."""
    with opened(context) as store:
        if remove:
            _remove(Hooks(store.database, store.vault), store.connections.get(name).id, name, system)
            return
        secret = asking.secret(secret_env, "secret of the webhook", "--secret-env", kept=True)
        given = {"kind": scheme or "", "header": header, "encoding": encoding or "", "prefix": prefix}
        wish = Wish(given, flow, tuple(key or ()), secret, rotate)
        made = hooking.set_up(store, name, system, wish, settings.person())
    address = hooking.address(context.obj, made.hook)
    if json:
        show.data({"connection": name, "url": address, "secret": made.secret or None, **_data(made.hook)})
    else:
        _tell(address, made, rotated=rotate)


@app.command("hooks")
def list_hooks(context: typer.Context, name: Name, json: AsJson = False) -> None:
    """The webhooks there are, and when each was last used."""
    with opened(context) as store:
        there = Hooks(store.database, store.vault).of(store.connections.get(name).id)
    addresses = [hooking.address(context.obj, one) for one in there]
    if json:
        pairs = zip(there, addresses, strict=True)
        show.data({"connection": name, "hooks": [{"url": url, **_data(one)} for one, url in pairs]})
        return
    for one, url in zip(there, addresses, strict=True):
        used = f"last used {one.last_at:%Y-%m-%d %H:%M} UTC" if one.last_at else "not used yet"
        show.out.print(f"{one.system}  {_in_words(one)}, {used}\n  {escape(url)}", soft_wrap=True)
    if not there:
        show.out.print(f"No webhook yet. Set one up: ml-connector hook {escape(name)} airbase")


@app.command()
def inbox(
    context: typer.Context,
    name: Name,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 30,
    again: Annotated[int, typer.Option(help="Process the event with this number again.")] = 0,
    json: AsJson = False,
) -> None:
    """The latest events: genuine or not, how often they came, what they led to."""
    with opened(context) as store:
        kept, connection_id = Inbox(store.database, store.vault), store.connections.get(name).id
        if again and not kept.again(connection_id, again, settings.person()):
            raise SettingsError(f"{name} has no event {again} that could be processed again; no flow may be for it")
        there, counts = kept.recent(connection_id, limit), kept.counts(connection_id)
        waiting_s = kept.waiting_s(connection_id)
    if json:
        show.data({"connection": name, "counts": counts, "waiting_s": round(waiting_s, 1), "events": there})
    elif there:
        show.out.print(_grid(there))
        show.out.print(", ".join(f"{number:,} {state}" for state, number in sorted(counts.items())))
    else:
        show.out.print(f"Nothing came yet. Where it has to be sent: ml-connector hooks {escape(name)}")


def _remove(hooks: Hooks, connection_id: int, name: str, system: Teller) -> None:
    if not hooks.remove(connection_id, system, settings.person()):
        raise SettingsError(f"{name} has no webhook of {system}; ml-connector hooks {name} lists them")
    show.err.print(f"The webhook of {system} is gone; what came is kept. Take its address out of {system}, too.")


def _tell(address: str, made: Made, *, rotated: bool) -> None:
    show.out.print(escape(address), soft_wrap=True)
    show.err.print(f"{made.hook.system}: {_in_words(made.hook)}.")
    if not address.startswith("http"):
        show.err.print("Before it comes the address of this installation; set it: ML_CONNECTOR_PUBLIC_URL=https://…")
    if made.secret:
        show.err.print("The secret, shown this once:")
        show.out.print(made.secret, soft_wrap=True)
    if rotated and made.hook.kept.previous:
        show.err.print(f"The former secret is valid for {OVERLAP_S / 3600:.0f} h more.")
    if how_of(made.hook).scheme.kind == "none":
        show.err.print("[yellow]Nobody checks who sends:[/] events are marked unverified. They carry no data anyway.")


def _in_words(one: Hook) -> str:
    how = how_of(one)
    scheme = how.scheme
    said = {
        "hmac": f"signed by HMAC-SHA256 in {scheme.header} ({scheme.encoding})",
        "standard": "signed by Standard Webhooks",
        "header": f"with the secret in {scheme.header}",
        "none": "not signed",
    }[scheme.kind]
    former = ", two secrets" if len(one.kept.valid(datetime.now(UTC))) > 1 else ""
    return escape(f"{said}{former}{_place_of_key(how.finder) if one.system == 'ifs' else ''}")


def _place_of_key(finder: Finder) -> str:
    names = " and ".join(f'"{name}"' for name in finder.key)
    whose = f"in {finder.flow}" if finder.flow else "of the record"
    return f"; {names} in its body {'is' if len(finder.key) == 1 else 'are'} the number {whose}"


def _data(one: Hook) -> dict[str, Any]:
    times = {"created_at": one.created_at, "changed_at": one.changed_at, "last_at": one.last_at}
    how = how_of(one)
    told = {"scheme": how.scheme} | ({"finder": how.finder} if one.system == "ifs" else {})
    return {"system": one.system, **told, "secrets": len(one.kept.valid(datetime.now(UTC))), **times}


def _grid(there: Sequence[Kept]) -> Table:
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("no.", "came (UTC)", "from", "type", "of", "genuine", "times", "state"):
        grid.add_column(heading)
    for one in there:
        led = f"{one.state} {one.note or one.order_id}".strip()
        about = f"{one.flow} {keys.shown(one.key)}".strip()
        came = f"{one.received_at:%Y-%m-%d %H:%M:%S}"
        genuine = "yes" if one.verified else "[yellow]unverified[/]"
        words = (one.system, one.type, about)
        grid.add_row(str(one.id), came, *map(escape, words), genuine, str(one.repeats + 1), escape(led))
    return grid
