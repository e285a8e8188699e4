"""Settings as code: `config export`, `import`, and the versions that every change makes.

Rule: nothing is changed before it was shown what would be; a version says who, when, why, and who agreed.
Must not know: SQL, HTTP.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from ml_connector import settings
from ml_connector.cli import show
from ml_connector.cli.context import AsJson, Name, opened
from ml_connector.errors import SettingsError
from ml_connector.records import keys
from ml_connector.settings import Profile
from ml_connector.store.versions import State, Version
from ml_connector.wiring import differing, exporting, foreseeing, versions
from ml_connector.wiring.destined import destined
from ml_connector.wiring.differing import Difference
from ml_connector.wiring.foreseeing import Foreseen
from ml_connector.wiring.opened import Opened

app = typer.Typer(no_args_is_help=True, help="Settings as code, and their versions.")
Number = Annotated[int, typer.Argument(min=1, help="The version's number.")]
Note = Annotated[str, typer.Option(help="Why; it is kept with the version.")]
Yes = Annotated[bool, typer.Option("--yes", help="What the file leaves out may go; a script is not asked.")]
NOTHING = "–"
NAMED_MAX = 5


@app.command("export")
def export_profile(
    context: typer.Context,
    name: Name,
    version: Annotated[int, typer.Option(min=0, help="Of this version; of the one in force if not said.")] = 0,
    json: AsJson = False,
) -> None:
    """The profile as TOML, to be kept, reviewed, edited and imported again. No secrets, no addresses."""
    with opened(context) as store:
        number = version or versions.number_in_force(store, name)
        profile = _profile(store, name, version)
    text = exporting.exported(profile, f"{name}, version {number}" if number else name)
    if json:
        show.data({"connection": name, "version": number, "profile": exporting.spare(profile)})
    else:
        show.out.out(text, end="", highlight=False)


@app.command("import")
def import_profile(
    context: typer.Context,
    name: Name,
    file: Annotated[str, typer.Argument(help="A TOML file; - for standard input.")],
    note: Note = "",
    from_: Annotated[str, typer.Option("--from", help="From this day on, in the connection's zone.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
    preview: Annotated[bool, typer.Option("--preview", help="Also what it would change on real records.")] = False,
    yes: Yes = False,
    json: AsJson = False,
) -> None:
    """Make the profile what a file says, all of it: what the file leaves out is gone, once you agree."""
    profile = _read(file)
    with opened(context) as store:
        base = versions.number_in_force(store, name)  # before what is looked at, so that what comes later is refused
        before = versions.present(store, name)
        differences = differing.of_profiles(before.profile, profile)
        versions.check(store, name, profile)
        foreseen = foreseeing.foresee(store, name, profile, settings.person()) if preview and differences else None
        if not json:
            _print_differences(differences)
            _print_foreseen(foreseen)
        made = None
        if not dry_run and differences:
            agree(name, before.profile, profile, yes=yes)
            begins = versions.begins(from_, profile)
            how: dict[str, Any] = {"note": note, "effective_at": begins, "base": base}
            made = versions.change(store, name, profile, person=settings.person(), **how)
    if json:
        show.data({"connection": name, "differences": differences, "foreseen": foreseen, "made": _data(made)})
    elif made:
        show.err.print(made_in_words(name, made), soft_wrap=True)


@app.command("versions")
def list_versions(
    context: typer.Context,
    name: Name,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many to list.")] = 20,
    json: AsJson = False,
) -> None:
    """Every version of the settings, the latest first: who made it, why, who agreed, since when it counts."""
    with opened(context) as store:
        listed = versions.of(store, name).listed(limit=limit)
    if json:
        show.data({"connection": name, "versions": [_data(one) for one in listed]})
    elif not listed:
        show.out.print(f"The settings of {escape(name)} were not changed since versions are kept.")
    for one in listed if not json else ():
        _print_version(one)


@app.command()
def diff(
    context: typer.Context,
    name: Name,
    version: Number,
    other: Annotated[
        int, typer.Argument(min=0, help="Compared with this one; with the one that it was made upon.")
    ] = 0,
    json: AsJson = False,
) -> None:
    """What a version changes, table by table."""
    with opened(context) as store:
        differences = versions.differences(store, name, version, other)
        secrets = destined(store, name, versions.of(store, name).get(version))
    if json:
        show.data({"connection": name, "version": version, "differences": differences, "secrets": secrets})
        return
    for said in secrets:
        show.out.print(escape(said), soft_wrap=True)
    _print_differences(differences)


@app.command()
def approve(
    context: typer.Context,
    name: Name,
    version: Number,
    same_tenants: Annotated[bool, typer.Option(help="A changed address leads to the same systems as before.")] = False,
    json: AsJson = False,
) -> None:
    """Agree to a version that somebody else made; it counts from then on."""
    with opened(context) as store:
        told = destined(store, name, versions.of(store, name).get(version))
        for said in told:
            show.err.print(escape(said), soft_wrap=True)
        if told and _at_a_terminal() and not typer.confirm("Agree?", err=True):
            raise SettingsError(f"nothing is changed: version {version} waits")
        made = versions.approve(store, name, version, settings.person(), same_tenants=same_tenants)
    _tell(name, made, json=json)


@app.command()
def reject(context: typer.Context, name: Name, version: Number, note: Note = "", json: AsJson = False) -> None:
    """Turn a version down that waits; who made it withdraws it."""
    with opened(context) as store:
        made = versions.end(store, name, version, settings.person(), note)
    _tell(name, made, json=json)


@app.command()
def rebase(context: typer.Context, name: Name, version: Number, json: AsJson = False) -> None:
    """Make a version that was overtaken anew, upon the one in force."""
    with opened(context) as store:
        made = versions.rebase(store, name, version, settings.person())
    _tell(name, made, json=json)


@app.command()
def rollback(context: typer.Context, name: Name, version: Number, note: Note = "", json: AsJson = False) -> None:
    """Go back to the profile of an older version: as a new one, with what an older one says."""
    with opened(context) as store:
        made = versions.roll_back(store, name, version, settings.person(), note)
    if made is None:
        raise SettingsError(f"the profile is as version {version} has it already")
    _tell(name, made, json=json)


def made_in_words(name: str, made: Version) -> str:
    """What became of a change."""
    said, number = escape(name), made.number
    if made.state is State.PROPOSED:
        how = f"ml-connector config approve {said} {number}"
        return f"Version {number} is proposed. It counts once somebody else says: {how}"
    if made.state is State.APPROVED and made.effective_at:
        return f"Version {number} counts from {show.when(made.effective_at)} on."
    return f"Version {number} is {made.state}."


def agree(name: str, before: Profile, after: Profile, *, yes: bool) -> None:
    """Ask whether what a file leaves out may go; without a terminal it has to be said. Raises: SettingsError."""
    gone = [f"{one.table} {one.name}".strip() for one in differing.left_out(before, after)]
    if not gone or yes:
        return
    listed = ", ".join(gone[:NAMED_MAX]) + (f" and {len(gone) - NAMED_MAX:,} more" if len(gone) > NAMED_MAX else "")
    if _at_a_terminal() and typer.confirm(f"Left out or set back, and would be gone: {listed}. Go on?", err=True):
        return
    raise SettingsError(
        f"nothing is changed: the file leaves out what is set, or sets it back to what is usual: {listed}. Begin with "
        f"all of it (ml-connector config export {name}), or let it go with --yes"
    )


def _at_a_terminal() -> bool:
    return sys.stdin.isatty() and "--json" not in sys.argv


def _tell(name: str, made: Version, *, json: bool) -> None:
    if json:
        show.data({"connection": name, "made": _data(made)})
    else:
        show.err.print(made_in_words(name, made), soft_wrap=True)


def _data(made: Version | None) -> dict[str, Any] | None:
    """A version as scripts get it; what it says is in `config export`."""
    if made is None:
        return None
    return {name: getattr(made, name) for name in Version.__struct_fields__ if name != "settings"}


def _read(file: str) -> Profile:
    if file != "-":
        return settings.read_profile(Path(file))
    return exporting.imported(sys.stdin.read(settings.PROFILE_BYTES_MAX + 1))


def _profile(store: Opened, name: str, version: int) -> Profile:
    if not version:
        return versions.present(store, name).profile
    return settings.connection(versions.of(store, name).get(version).settings).profile


def _print_version(one: Version) -> None:
    agreed = f", agreed to by {escape(one.approved_by)}" if one.approved_by else ""
    begins = f", counts from {one.effective_at:%Y-%m-%d %H:%M} UTC on" if one.effective_at else ""
    show.out.print(
        f"[bold]{one.number}[/]  {one.state}, by {escape(one.author or '?')}, {show.when(one.made_at)}{agreed}{begins}"
    )
    if one.note:
        show.out.print(f"    {escape(one.note)}", soft_wrap=True)


def _print_differences(differences: Sequence[Difference]) -> None:
    if not differences:
        show.out.print("Nothing differs.")
    for table in dict.fromkeys(one.table for one in differences):
        show.out.print(f"[bold]{table}[/]")
        for one in (each for each in differences if each.table == table):
            named = f"{one.name}: " if one.name else ""
            show.out.print(escape(f"  {named}{one.before or NOTHING} → {one.after or NOTHING}"), soft_wrap=True)


def _print_foreseen(found: Foreseen | None) -> None:
    if found is None:
        return
    for flow, count in found.changed.items():
        show.out.print(
            f"[bold]{flow}[/]: of {found.looked_at[flow]:,} records looked at, {count:,} would be decided otherwise"
        )
    for one in found.first:
        why = one.held_then.sentence if one.held_then else show.filled(one.after) if one.after else ""
        show.out.print(f"  {escape(keys.shown(one.key))}: {one.now} → {one.then}  {escape(why)}", soft_wrap=True)
