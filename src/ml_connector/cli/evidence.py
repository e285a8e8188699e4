"""Evidence: `evidence make`, `evidence verify`, `evidence key`.

Rule: `verify` opens no store and needs no settings; it tells what was changed, where.
Must not know: SQL, HTTP.
"""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from ml_connector import settings
from ml_connector.cli import show
from ml_connector.cli.context import NEEDS_A_PERSON, AsJson, Name, opened
from ml_connector.errors import SettingsError
from ml_connector.evidence import checking, signature
from ml_connector.evidence.findings import Verdict
from ml_connector.evidence.layout import KEY_BYTES_MAX
from ml_connector.store.signing import SigningKey
from ml_connector.wiring import gathering

app = typer.Typer(no_args_is_help=True, help="Evidence of a period, for whoever has to believe nothing.")

Period = Annotated[str, typer.Argument(help="The accounting period, such as 2026-10.")]
KeyFile = Annotated[Path | None, typer.Option("--key", help="The public key that it has to be signed with.")]


@app.command()
def make(
    context: typer.Context,
    name: Name,
    period: Period,
    folder: Annotated[Path, typer.Argument(help="The folder to make.")],
    json: AsJson = False,
) -> None:
    """Put the evidence of a period into a folder that stands alone: documents, totals, changes, journal, signature."""
    with opened(context) as store:
        made = gathering.gather(store, name, period, folder, settings.person())
    if json:
        show.data({"folder": str(folder), "evidence": made})
        return
    signed = f"signed off by {made.signed_by}" if made.signed_by else "not signed off"
    show.out.print(
        f"{escape(str(folder))}: {made.documents:,} documents and {made.entries:,} entries of the journal; "
        f"the tie-out is {escape(signed)}.",
        soft_wrap=True,
    )
    show.out.print(f"Key {made.fingerprint}", soft_wrap=True)
    show.out.print(f"Check it anywhere: ml-connector evidence verify {escape(str(folder))}", soft_wrap=True)


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(help="The folder with the evidence.")],
    key: KeyFile = None,
    json: AsJson = False,
) -> None:
    """Check evidence, without a store, a network or a secret: what was changed, and where."""
    verdict = checking.check(folder, None if key is None else _content(key))
    if json:
        show.data({"folder": str(folder), "ok": verdict.sound, "verdict": verdict})
    else:
        _told(verdict)
    raise typer.Exit(0 if verdict.sound else NEEDS_A_PERSON)


@app.command()
def key(
    context: typer.Context,
    renew: Annotated[bool, typer.Option("--renew", help="Sign with a new key from now on.")] = False,
    json: AsJson = False,
) -> None:
    """The public key that evidence is signed with, and its fingerprint to compare."""
    with opened(context) as store:
        gathering.signing_key(store, settings.person(), renew=renew)
        newest, *earlier = gathering.keys(store).listed()
    if json:
        show.data({"key": _as_data(newest), "earlier": [_as_data(one) for one in earlier]})
        return
    show.out.out(signature.pem(newest.public).decode(), end="", highlight=False)
    show.err.print(f"Fingerprint {signature.fingerprint(newest.public)}", soft_wrap=True)
    for one in earlier:
        show.err.print(f"Earlier key of {one.made_at:%Y-%m-%d}: {signature.fingerprint(one.public)}", soft_wrap=True)


def _content(key: Path) -> bytes:
    try:
        with key.open("rb") as file:
            return file.read(KEY_BYTES_MAX)
    except OSError as error:
        raise SettingsError(f"{key} can't be read: {error.strerror}") from error


def _as_data(one: SigningKey) -> dict[str, str]:
    told = {"made_at": one.made_at.isoformat(), "fingerprint": signature.fingerprint(one.public)}
    return {**told, "pem": signature.pem(one.public).decode()}


def _told(verdict: Verdict) -> None:
    if said := verdict.manifest:
        of = f"Evidence of {said.connection}, period {said.period}, made {said.made_at} by {said.made_by}."
        show.out.print(escape(of), soft_wrap=True)
    if verdict.sound:
        counted = f"{verdict.files:,} files, {verdict.documents:,} documents, {verdict.entries:,} entries of journals"
        show.out.print(f"[green]whole[/]: {counted}; nothing was changed since it was signed", soft_wrap=True)
    else:
        show.out.print(f"[red]CHANGED[/]: {len(verdict.findings) + verdict.more:,} findings")
        for one in verdict.findings:
            show.out.print(f"  {escape(str(one))}", soft_wrap=True)
        if verdict.more:
            show.out.print(f"  … and {verdict.more:,} more")
    _told_of_key(verdict)


def _told_of_key(verdict: Verdict) -> None:
    if verdict.trusted:
        show.out.print("Checked with the key that you gave.")
    elif verdict.fingerprint:
        show.out.print(
            "Checked with the key that lies in the folder, which whoever made the folder may have put there: compare "
            f"its fingerprint with that of `ml-connector evidence key`, or give the key with --key.\n  "
            f"{verdict.fingerprint}",
            soft_wrap=True,
        )
