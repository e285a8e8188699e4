"""Keys: `vault rotate` seals with a new data key, `vault rekey` changes the key that opens the store.

Rule: a key is never shown; people know it by its name and by the file that it is in.
Must not know: SQL, how anything is sealed.
"""

from typing import Annotated

import typer
from rich.markup import escape

from ml_connector import settings
from ml_connector.cli import asking, show
from ml_connector.cli.context import opened
from ml_connector.wiring import keeping

app = typer.Typer(no_args_is_help=True, help="The keys that seal what is stored.")


@app.command()
def rotate(context: typer.Context) -> None:
    """Seal everything new with a new data key; what is stored stays readable."""
    with opened(context) as store:
        store.vault.rotate()
    show.err.print("New data key in use.")


@app.command()
def rekey(
    context: typer.Context,
    key_env: Annotated[
        str, typer.Option(help="The environment variable that holds the new key; else one is made in the key file.")
    ] = "",
) -> None:
    """Change the key that opens the store: the one until now opens nothing new, and only older backups."""
    with opened(context) as store:
        given = asking.secret(key_env, "new key", "--key-env", kept=True)
        done = keeping.rekey(store, context.obj, given)
    file = escape(str(settings.key_file(context.obj).resolve()))  # beside it are the others, not beside a link to it
    if given:
        told = f"Give key {done.key} to everything that works on this store now, and start it anew."
        kept = f"Keep key {done.before}"
    else:
        told = f"It is in {file}: keep a copy elsewhere, and give it to other machines that work on this store."
        kept = f"Keep {file}.{done.before}"
    show.err.print(f"The store opens with key {done.key} from now on, no longer with {done.before}.", soft_wrap=True)
    show.err.print(told, soft_wrap=True)
    show.err.print(f"{kept} for as long as you keep backups made before, which open with nothing else.", soft_wrap=True)
