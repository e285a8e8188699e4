"""What is wrong, and who knows: `alerts`.

Rule: it shows what is so now, whether or not anybody is told; exit code 1 when something fires.
Must not know: SQL, HTTP.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.markup import escape

from ml_connector import settings, wiring
from ml_connector.cli import show
from ml_connector.cli.context import NEEDS_A_PERSON, OUT_OF_REACH, AsJson, Name, opened
from ml_connector.errors import SettingsError
from ml_connector.wiring import firing

app = typer.Typer()
Which = Annotated[list[str] | None, typer.Argument(metavar="[ALERT]...", help="Alerts to silence; all when not named.")]
Silence = Annotated[str, typer.Option(help="Tell nothing for this long: 90m, 4h, 2d; 0 ends it.")]
Test = Annotated[bool, typer.Option("--test", help="Send a test message to everybody who would be told.")]


@app.command()
def alerts(
    context: typer.Context,
    name: Name,
    which: Which = None,
    silence: Silence = "",
    test: Test = False,
    json: AsJson = False,
) -> None:
    """What fires, since when, and who was told; silence it, or test that messages arrive."""
    if which and not silence:
        raise SettingsError(f"what about {which[0]}? To silence it: ml-connector alerts {name} --silence 4h {which[0]}")
    with opened(context) as store:
        if test:
            _test(store, context.obj, name, json=json)
        if silence:
            _silence(store, name, which or (), silence)
        told = firing.told(store, name, datetime.now(UTC))
    if json:
        show.data({"connection": name, "ways": told.ways, "alerts": told.alerts, "silenced_until": told.silenced_until})
    else:
        _print(told)
    raise typer.Exit(NEEDS_A_PERSON if told.alerts else 0)


def _test(store: wiring.Opened, installation: settings.Installation, name: str, *, json: bool) -> None:
    said = firing.send_test(store, installation, name)
    if not said:
        raise SettingsError(f'nobody is told of {name}: set [alerts] email = ["ap@example.com"] in its profile')
    if json:
        show.data({"connection": name, "sent": {way: {"ok": not error, "error": error} for way, error in said.items()}})
    else:
        for way, error in said.items():
            show.out.print(
                f"{way}: {'[red]not delivered[/]: ' + escape(error) if error else 'delivered'}", soft_wrap=True
            )
    raise typer.Exit(OUT_OF_REACH if any(said.values()) else 0)


def _silence(store: wiring.Opened, name: str, which: Sequence[str], text: str) -> None:
    now = datetime.now(UTC)
    until = now if text.strip() == "0" else now + settings.span(text)
    firing.silence(store, name, which, until, now)
    ended = f"{', '.join(which) or 'All alerts'} of {name}"
    show.err.print(f"{escape(ended)}: {'told again' if until == now else f'silent until {until:%Y-%m-%d %H:%M} UTC'}.")


def _print(told: firing.Told) -> None:
    for one in told.alerts:
        since = f"since {one.since:%Y-%m-%d %H:%M} UTC" if one.since else "just now"
        known = f"silenced until {one.silenced_until:%m-%d %H:%M}" if one.silenced_until else _known(one.told)
        show.out.print(f"[red]{escape(one.sentence)}[/]\n  {escape(one.name)}, {since}, {known}", soft_wrap=True)
    if not told.alerts:
        show.out.print("Nothing is wrong.")
    if told.silenced_until:
        show.out.print(f"All alerts are silent until {told.silenced_until:%Y-%m-%d %H:%M} UTC.")
    if not told.ways:
        said = 'Nobody is told: set [alerts] email = ["ap@example.com"] in the profile.'
        show.err.print(escape(said), soft_wrap=True)


def _known(ways: Sequence[Any]) -> str:
    return f"told by {' and '.join(ways)}" if ways else "not told"
