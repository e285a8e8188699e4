"""The commands.

Rule: exit code 0 done, 1 some records need a person, 2 wrong use or settings, 3 a system or the store was out of reach.
Must not know: SQL, HTTP.
"""

import io
import signal
import sys
from importlib import metadata
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, Literal, NoReturn

import typer
from rich.markup import escape

from ml_connector import sandbox, settings, wiring
from ml_connector.cli import (
    alerts,
    asking,
    config,
    editing,
    ending,
    evidence,
    fitting,
    hooks,
    keeping,
    ledger,
    noting,
    records,
    replaying,
    schedules,
    serving,
    show,
    tie_outs,
    tokens,
    unattended,
    users,
    vault,
)
from ml_connector.cli.asking import Given
from ml_connector.cli.context import (
    INTERRUPTED,
    NEEDS_A_PERSON,
    OUT_OF_REACH,
    WRONG_USE,
    AsJson,
    Name,
    exit_code,
    exit_code_of,
    opened,
)
from ml_connector.cli.logs import Form, adopt_others, set_up_logs
from ml_connector.cli.progress import progress
from ml_connector.errors import ConnectorError, SettingsError
from ml_connector.records import keys
from ml_connector.sync.orders import Extent
from ml_connector.sync.report import Report
from ml_connector.wiring import checking, disconnecting, versions

app = typer.Typer(
    cls=ending.Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
journal_app = typer.Typer(no_args_is_help=True, help="The audit trail.")
app.add_typer(journal_app, name="journal")
app.add_typer(records.app)
app.add_typer(config.app, name="config")
app.add_typer(vault.app, name="vault")
app.add_typer(ledger.app)
app.add_typer(keeping.app)
app.add_typer(unattended.app)
app.add_typer(replaying.app)
app.add_typer(editing.app)
app.add_typer(noting.app)
app.add_typer(fitting.app)
app.add_typer(tie_outs.app)
app.add_typer(schedules.app)
app.add_typer(hooks.app)
app.add_typer(serving.app)
app.add_typer(tokens.app, name="token")
app.add_typer(users.app, name="user")
app.add_typer(alerts.app)
app.add_typer(evidence.app, name="evidence")

Key = Annotated[str, typer.Argument(help="The record's number; of several parts A/B.")]
RequestsMax = Annotated[int, typer.Option(min=0, max=1_000_000, help="Requests a minute, of all workers together.")]
Flows = Annotated[list[str] | None, typer.Argument(help="Flows to run; all when none is named.")]
Census = Annotated[bool, typer.Option(help="Compare everything on both sides, not only what changed.")]


def _version(wanted: bool) -> None:
    if wanted:
        show.out.print(f"ml-connector {metadata.version('ml-connector')}")
        raise typer.Exit(0)


@app.callback()
def installation(
    context: typer.Context,
    store: Annotated[str, typer.Option(help="Where the store is: sqlite:///FILE or postgresql://….")] = "",
    verbose: Annotated[bool, typer.Option("--verbose", help="Log every request to stderr.")] = False,
    log: Annotated[Form, typer.Option("--log", envvar="ML_CONNECTOR_LOG", help="How logs look.")] = "text",
    version: Annotated[bool, typer.Option("--version", is_eager=True, callback=_version, help="Which it is.")] = False,
) -> None:
    """Join IFS Cloud and Airbase: suppliers and orders out, requests and payments back, each exactly once."""
    del version
    working = context.invoked_subcommand in ("serve", "worker")
    set_up_logs("debug" if verbose else "info" if working else "error", log)
    if working:
        adopt_others()
    context.obj = settings.installation(store)


@app.command()
def connect(
    context: typer.Context,
    name: Name,
    ifs_url: Annotated[str, typer.Option(help="https://company.ifs.cloud")] = "",
    ifs_realm: Annotated[str, typer.Option(help="The IAM realm; not the host name.")] = "",
    ifs_client_id: Annotated[str, typer.Option(help="The IAM client.")] = "",
    ifs_secret_env: Annotated[str, typer.Option(help="The environment variable that holds the client secret.")] = "",
    ifs_company: Annotated[list[str] | None, typer.Option(help="A company to include; may be repeated.")] = None,
    airbase_url: Annotated[str, typer.Option(help="https://api.airbase.io")] = "",
    airbase_auth: Annotated[Literal["bearer", "token"] | None, typer.Option(help="How the token is sent.")] = None,
    airbase_token_env: Annotated[str, typer.Option(help="The environment variable that holds the API token.")] = "",
    subsidiary: Annotated[list[str] | None, typer.Option(help="COMPANY=AIRBASE_REFERENCE; may be repeated.")] = None,
    profile: Annotated[Path | None, typer.Option(help="A TOML file: names, mapping tables, limits.")] = None,
    ca_file: Annotated[str, typer.Option(help="Your own certificate authority, as a PEM file.")] = "",
    ifs_requests_max: RequestsMax = 0,
    airbase_requests_max: RequestsMax = 0,
    system: Annotated[list[str] | None, typer.Option(help="NAME=ADDRESS of a further system.")] = None,
    system_secret_env: Annotated[list[str] | None, typer.Option(help="NAME=VARIABLE that holds its secret.")] = None,
    same_tenants: Annotated[bool, typer.Option(help="A changed address leads to the same systems as before.")] = False,
    note: Annotated[str, typer.Option(help="Why; it is kept with the version.")] = "",
    yes: config.Yes = False,
) -> None:
    """Keep a connection: one IFS tenant, one Airbase tenant. Of a new one it asks for what is not given; of one that is
    there, what is not given stays.
    """
    typed = Given(
        ifs_url,
        ifs_realm,
        ifs_client_id,
        tuple(ifs_company or ()),
        airbase_url,
        airbase_auth or "",
        tuple(subsidiary or ()),
        profile,
        ca_file,
        ifs_requests_max,
        airbase_requests_max,
        tuple(system or ()),
    )
    with opened(context, create=True) as store:
        known = name in store.connections.names()
        base = versions.number_in_force(store, name) if known else None  # what comes while somebody is asked is refused
        before = wiring.kept(store, name)
        connection = asking.connection(typed, before)
        if before:
            config.agree(name, before.profile, connection.profile, yes=yes)
        secrets = wiring.Secrets(
            asking.secret(ifs_secret_env, "IFS client secret", "--ifs-secret-env", kept=before is not None),
            asking.secret(airbase_token_env, "Airbase API token", "--airbase-token-env", kept=before is not None),
            asking.secrets(system_secret_env or (), connection.systems.keys() - (before.systems if before else {})),
        )
        made = wiring.connect(store, name, connection, secrets, same_tenants=same_tenants, note=note, base=base)
    if before and made and made.waits:
        show.err.print(config.made_in_words(name, made), soft_wrap=True)
        return
    did = "kept" if not before else "changed" if made or secrets != wiring.Secrets("", "") else "is as it was"
    show.err.print(f"Connection {escape(name)} {did}. Next: ml-connector check {escape(name)}")


@app.command()
def disconnect(context: typer.Context, name: Name) -> None:
    """Remove a connection that has linked nothing, such as one under a wrong name, with its secrets."""
    with opened(context) as store:
        disconnecting.disconnect(store, name, settings.person())
    show.err.print(f"Connection {escape(name)} is gone, and so are its secrets; its journal stays.")


@app.command()
def check(context: typer.Context, name: Name, json: AsJson = False) -> None:
    """Ping both systems: each step with result, time and what to do. Nothing is written."""
    steps: list[Any] = []
    with opened(context) as store, wiring.joined(store, name) as both:
        for step in checking.steps(both, context.obj):
            steps.append(step)
            if not json:
                show.step(step)
    failed = [step for step in steps if not step.ok]
    if json:
        show.data({"connection": name, "ok": not failed, "steps": steps})
    raise typer.Exit(0 if not failed else OUT_OF_REACH if any(step.unreachable for step in failed) else WRONG_USE)


@app.command()
def plan(context: typer.Context, name: Name, flows: Flows = None, census: Census = False, json: AsJson = False) -> None:
    """What a run would do: counts, reasons, first differences, what is held. Nothing is written."""
    with opened(context) as store, wiring.joined(store, name) as both, progress() as watch:
        made = both.plan(flows or [], extent=Extent(census=census), watch=watch)
    if json:
        samples = {report.flow: report.samples for report in made}
        show.data({"connection": name, "flows": {r.flow: {**show.as_data(r), "first": samples[r.flow]} for r in made}})
    else:
        show.plans(name, made)
    raise typer.Exit(exit_code_of(made, []))


@app.command("run")
def run_flows(
    context: typer.Context,
    name: Name,
    flows: Flows = None,
    census: Census = False,
    approve: Annotated[list[str] | None, typer.Option(help="A plan that may pass its gate; may be repeated.")] = None,
    json: AsJson = False,
) -> None:
    """Bring the target systems in line."""
    done: list[Report] = []
    errors: list[ConnectorError] = []
    with opened(context) as store, wiring.joined(store, name) as both, progress() as watch:
        for report, error in both.run(
            flows or [], extent=Extent(census=census), approved=tuple(approve or ()), watch=watch
        ):
            done.append(report)
            errors.extend([error] if error else [])
    if json:
        show.data({"connection": name, "flows": {report.flow: show.as_data(report) for report in done}})
    else:
        show.reports(name, done)
    if unknown := set(approve or ()) - {report.plan_id for report in done}:
        show.err.print(f"No plan of this run is {escape(', '.join(sorted(unknown)))}; that approval did nothing.")
    raise typer.Exit(exit_code_of(done, errors))


@app.command()
def exceptions(
    context: typer.Context,
    name: Name,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many to list.")] = 50,
    json: AsJson = False,
) -> None:
    """Records that need a person: why, what to do, who, since when, how much is at stake."""
    with opened(context) as store:
        waiting = wiring.exceptions(store, name)
        groups, listed = waiting.counts(), waiting.open(limit=limit)
    if json:
        show.data({"connection": name, "causes": groups, "exceptions": listed})
    else:
        show.exceptions(groups, listed)


@app.command()
def record(context: typer.Context, name: Name, key: Key, json: AsJson = False) -> None:
    """The timeline of one record: a supplier, an order, an Airbase id, or the number of a voucher."""
    key = key.strip()
    if not key:
        raise SettingsError("which record? Keys look like S000004 or 100234")
    with opened(context) as store:
        journal = wiring.journal(store, name)
        entries = journal.timeline(None, key) or journal.timeline(None, keys.SEPARATOR.join(key.split("/")))
        for other in [] if entries else store.connections.keys_of(name, key):
            entries = [*entries, *journal.timeline(None, other)]
    if not entries:
        raise SettingsError(
            f"nothing is known of {key!r} in connection {name}; give a supplier, an order, an Airbase id, or the "
            "number of a voucher"
        )
    if json:
        show.data({"connection": name, "key": key, "entries": entries})
    else:
        show.timeline(entries)


journal_app.command("export")(records.export)


@journal_app.command()
def verify(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The connection's name; none: the installation's own journal.")] = "",
    head: Annotated[
        str, typer.Option(help="A hash kept elsewhere, as this or evidence told it; it has to be there still.")
    ] = "",
    json: AsJson = False,
) -> None:
    """Check that no entry of the journal was changed, removed or moved."""
    with opened(context) as store:
        journal = wiring.journal(store, name) if name else wiring.installation_journal(store)
        verdict = journal.verify(head.strip().lower())
    if json:
        told = {"entries": verdict.entries, "broken": verdict.broken, "head": verdict.head}
        show.data({"connection": name or None, "ok": verdict.sound, **told})
    else:
        show.verdict(verdict)
    raise typer.Exit(0 if verdict.sound else NEEDS_A_PERSON)


@app.command()
def connections(context: typer.Context, json: AsJson = False) -> None:
    """The connections there are."""
    with opened(context) as store:
        names = store.connections.names()
    if json:
        show.data({"connections": names})
    elif names:
        show.out.print("\n".join(escape(name) for name in names))
    else:
        show.out.print("No connection yet. Start: ml-connector connect NAME, or look around first: ml-connector demo")


@app.command("demo")
def demo_command(
    stay: Annotated[
        bool | None, typer.Option("--stay/--once", help="Stay up until stopped, as it does on a terminal; or end.")
    ] = None,
    details: Annotated[bool, typer.Option("--details", help="Also what each command shows of its step.")] = False,
) -> None:
    """The main job on made-up systems, then the console on them: nothing to install, nothing to connect."""
    from ml_connector.demo.showing import demo  # here, as loading it takes longer than many a command

    demo(stay=sys.stdout.isatty() if stay is None else stay, details=details)


@app.command("sandbox")
def sandbox_command(
    suppliers: Annotated[int, typer.Option(min=0, max=1_000_000)] = 300,
    orders: Annotated[int, typer.Option(min=0, max=1_000_000)] = 200,
    seed: Annotated[int, typer.Option(help="The same seed gives the same world.")] = 7,
    ifs_port: Annotated[int, typer.Option(min=0, max=65535)] = 0,
    airbase_port: Annotated[int, typer.Option(min=0, max=65535)] = 0,
    control_port: Annotated[int, typer.Option(min=0, max=65535)] = 0,
    token_life_s: Annotated[int, typer.Option(min=1, help="How long an IFS token lives.")] = 180,
    zone: Annotated[str, typer.Option(help="The zone that IFS times are really in.")] = "Europe/Oslo",
    modified: Annotated[bool, typer.Option(help="Show a modified time on the rows.")] = False,
    spend: Annotated[bool, typer.Option("--spend", help="The demo's requests and payments, not just a few.")] = False,
) -> None:
    """A stand-in IFS Cloud and a stand-in Airbase on this machine; prints where they are as one JSON object."""
    options = sandbox.SandboxOptions(
        suppliers=suppliers,
        orders=orders,
        seed=seed,
        ifs_port=ifs_port,
        airbase_port=airbase_port,
        control_port=control_port,
        modified=modified,
    )
    if spend:
        from ml_connector.demo import company  # here, as few need it

        options.airbase = company.made_up().airbase
    options.ifs.token_life_s = token_life_s
    options.ifs.zone = settings.zone(zone).key
    try:
        sandbox.serve(options)
    except OSError as error:
        raise SettingsError(f"a port can't be used: {error.strerror}; choose another, or 0 for any") from error


class Stopped(BaseException):
    """Somebody asked this process to end."""


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    raise Stopped


def main() -> None:
    """Run the command line; what goes wrong on purpose is one sentence on stderr, and with --json an object too."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    wiring.collect_rarely()
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _stop)
        app()
    except ConnectorError as error:
        ending.failed(str(error), exit_code(error))
    except Stopped:
        show.err.print("Stopped. What was sent is settled, or will be looked up by the next run.")
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        ending.say_no_more()
        sys.exit(INTERRUPTED)
    except Exception as error:
        ending.unforeseen(error)
