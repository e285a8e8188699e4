"""What a person sees on the terminal, and the JSON that a script reads.

Rule: values in, text out; one JSON object on stdout with `--json`, everything else for people.
Must not know: how the values came about.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, cast

import msgspec
from rich.markup import escape
from rich.table import Table

from ml_connector.cli.terminal import Terminal, json_of
from ml_connector.records import codec, keys
from ml_connector.store.chain import Verdict
from ml_connector.store.exceptions import CauseCount, OpenException
from ml_connector.store.journal import JournalEntry
from ml_connector.sync.plan import Action, Decision
from ml_connector.sync.report import Report
from ml_connector.systems.step import Step
from ml_connector.wiring.further import title

out = Terminal(highlight=False)
err = Terminal(stderr=True, highlight=False)

DOCUMENTS = ("posted", "corrected")
WRITTEN = ("created", "updated", "deactivated", *DOCUMENTS)
SHOWN = ("read", "unchanged", "not_due", *WRITTEN, "held", "refused", "uncertain")
RARE = ("deactivated", *DOCUMENTS, "refused", "uncertain")  # a column only when there is something in it
FURTHER = ("adopted", "recovered", "late", "lapsed", "warned", "warnings", "state", "plan_id", "objections", "error")
UNTOLD = ("digest", "change", "event")  # in the journal, but nothing to read
HEADINGS = {"deactivated": "off", "not_due": "not due"}


def data(value: Any) -> None:
    """Print one JSON object."""
    out.out(json_of(msgspec.json.format(msgspec.json.encode(value)).decode()), highlight=False)


def as_data(report: Report) -> dict[str, Any]:
    """A report as scripts get it."""
    figures = {name: getattr(report, name) for name in SHOWN}
    return {
        **figures,
        "requests": report.requests,
        "seconds": round(report.seconds, 3),
        **{name: getattr(report, name) for name in FURTHER},
    }


def reports(connection: str, done: Sequence[Report], again: str = "") -> None:
    """The figures of a run, and what waits for a person; `again`: the command that does the same once more."""
    shown = [name for name in SHOWN if name not in RARE or any(getattr(report, name) for report in done)]
    grid = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for name in ("flow", *shown, "time"):
        grid.add_column(HEADINGS.get(name, name), justify="left" if name == "flow" else "right", no_wrap=True)
    for report in done:
        grid.add_row(report.flow, *(f"{getattr(report, name):,}" for name in shown), f"{report.seconds:.1f} s")
    out.print(grid)
    for report in done:
        if asked := ", ".join(f"{title(system)} {count:,}" for system, count in report.requests.items()):
            out.print(f"[dim]{report.flow}: requests {asked}[/]")
        _waiting(connection, report, again)


def _waiting(connection: str, report: Report, again: str) -> None:
    if report.objections:
        out.print(f"[yellow]STOPPED[/] {report.flow}: nothing was sent, because {'; '.join(report.objections)}.")
        go_on(connection, report, again)
    _remarkable(connection, report)
    if report.held or report.refused or report.uncertain:
        waiting = report.held + report.refused + report.uncertain
        out.print(f"[yellow]{waiting:,} NEED A PERSON[/] in {report.flow}: ml-connector exceptions {connection}")
    if report.error and not report.objections:
        out.print(f"[red]{report.state.upper()}[/] {report.flow}: {escape(report.error)}", soft_wrap=True)
        if report.state == "failed":
            out.print(f"  see: ml-connector check {connection}")


def _remarkable(connection: str, report: Report) -> None:
    if report.late:
        out.print(
            f"[yellow]LATE[/] {report.flow}: {report.late:,} on a later day than their own, as their period is closed"
        )
    if report.lapsed:
        out.print(
            f"[yellow]LAPSED[/] {report.flow}: of {report.lapsed:,} edited records the source says something else by "
            f"now, and that counts: ml-connector edits {connection} --ended",
            soft_wrap=True,
        )
    if report.unannounced:
        out.print(f"[yellow]NO WEBHOOK[/] told of {report.unannounced:,} in {report.flow}: found by looking")
    for sentence in report.warnings:
        out.print(f"[yellow]DOUBLE?[/] {escape(sentence)}", soft_wrap=True)
    if report.warned > len(report.warnings):
        out.print(f"  … and {report.warned - len(report.warnings):,} more that may be doubles")


def go_on(connection: str, report: Report, again: str = "") -> None:
    """How to go on where a plan needs approval; `again`: the command that makes this plan once more, if not `run`."""
    what = f"{connection} {report.flow}{' --census' if report.census else ''}"
    if report.state != "plan":
        out.print(f"  look:     ml-connector {f'{again} --plan' if again else f'plan {what}'}", soft_wrap=True)
    if report.second_person:
        out.print(f"  somebody else approves: ml-connector approve {connection} {report.plan_id}; then run again")
    else:
        out.print(f"  go ahead: ml-connector {again or f'run {what}'} --approve {report.plan_id}", soft_wrap=True)


def plans(connection: str, made: Sequence[Report], again: str = "") -> None:
    """What a run would do; `again`: the command that would do it, if not `run`."""
    for report in made:
        would = [f"{verb} {count:,}" for verb, count in _would(report) if count]
        out.print(f"[bold]{report.flow}[/]: of {report.read:,} read, would {', '.join(would) or 'write nothing'}")
        for decision in report.samples:
            _decision(decision)
        if report.objections:
            out.print(f"  [yellow]needs approval[/]: {'; '.join(report.objections)}")
            go_on(connection, report, again)


def _would(report: Report) -> list[tuple[str, int]]:
    return [
        ("create", report.created),
        ("update", report.updated),
        ("switch off", report.deactivated),
        ("post", report.posted),
        ("correct", report.corrected),
        ("hold", report.held),
        ("only link", report.adopted),
    ]


def _decision(decision: Decision) -> None:
    key = escape(keys.shown(decision.key))
    if decision.held:
        out.print(f"  [yellow]hold[/] {key}: {escape(decision.held.sentence)} {escape(decision.held.remedy)}")
    elif decision.action in (Action.UPDATE, Action.DEACTIVATE):
        changes = codec.difference(decision.before, decision.after)
        out.print(f"  {decision.action} {key}: {escape(changed(changes))}", soft_wrap=True)
    elif decision.action is Action.CREATE:
        out.print(f"  create {key}: {escape(filled(decision.after))}", soft_wrap=True)


def changed(changes: dict[str, tuple[Any, Any]]) -> str:
    """Differences in one line."""
    return "; ".join(f"{name}: {_short(old)} → {_short(new)}" for name, (old, new) in leaves(changes).items())


def filled(record: Any) -> str:
    """A record's fields in one line, without the empty ones."""
    fields = codec.difference(None, record)
    return "; ".join(f"{name}: {_short(new)}" for name, (_, new) in fields.items() if new not in (None, "", []))


def leaves(changes: dict[str, tuple[Any, Any]]) -> dict[str, tuple[Any, Any]]:
    """Differences taken apart: of a list of lines only the fields of the lines that differ."""
    found: dict[str, tuple[Any, Any]] = {}
    for name, (old, new) in changes.items():
        inner = _pairs(old, new)
        if inner is None:
            found[name] = (old, new)
        else:
            found |= {f"{name}{path}": pair for path, pair in leaves(inner).items()}
    return found


def _pairs(old: Any, new: Any) -> dict[str, tuple[Any, Any]] | None:
    """The parts of two values that differ, when they are alike enough to be compared part by part."""
    if isinstance(old, dict) and isinstance(new, dict):
        left, right = cast("dict[str, Any]", old), cast("dict[str, Any]", new)
        return {f".{name}": (left.get(name), right[name]) for name in right if left.get(name) != right[name]}
    if isinstance(old, list) and isinstance(new, list):
        before, after = cast("list[Any]", old), cast("list[Any]", new)
        if len(before) == len(after):
            both = enumerate(zip(before, after, strict=True), start=1)
            return {f" {number}": pair for number, pair in both if pair[0] != pair[1]}
    return None


def _short(value: Any) -> str:
    if value in (None, ""):
        return "(empty)"
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= 60 else text[:57] + "…"


def step(one: Step) -> None:
    """One step of a check."""
    mark = "[green]ok  [/]" if one.ok else "[red]FAIL[/]"
    out.print(f"{mark} {escape(one.name)} [dim]{one.seconds * 1000:.0f} ms[/]  {escape(one.result)}", soft_wrap=True)
    if not one.ok and one.remedy:
        out.print(f"       → {escape(one.remedy)}", soft_wrap=True)


def when(at: datetime, now: datetime | None = None) -> str:
    """An instant, absolute with its zone and relative."""
    gone_s = int(((now or datetime.now(UTC)) - at).total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if abs(gone_s) >= size:
            return f"{at:%Y-%m-%d %H:%M:%S} UTC ({gone_s // size} {unit} ago)"
    return f"{at:%Y-%m-%d %H:%M:%S} UTC ({gone_s} s ago)"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A plain table."""
    grid = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        grid.add_column(name, overflow="fold")
    for row in rows:
        grid.add_row(*(escape(cell) for cell in row))
    out.print(grid)


def timeline(entries: Sequence[JournalEntry]) -> None:
    """What happened to a record, oldest first."""
    for entry in entries:
        told = {
            name.replace("_", " "): value
            for name, value in entry.facts.items()
            if name not in UNTOLD and value not in ("", None, entry.kind)
        }
        facts = ", ".join(f"{name} {_short(value)}" for name, value in told.items())
        out.print(f"{when(entry.at)}  [bold]{entry.flow} {entry.kind}[/]  {escape(facts)}", soft_wrap=True)
        if title := _title(entry):
            out.print(f"    {escape(title)}", soft_wrap=True)
        for name, (old, new) in leaves(_changed(entry)).items():
            out.print(f"    {name}: {escape(_short(old))} → {escape(_short(new))}", soft_wrap=True)


def _title(entry: JournalEntry) -> str:
    """What a document that is about to be posted is called, or why a record was edited."""
    body = cast("dict[str, Any]", entry.body or {})
    if entry.kind == "edited":
        return f"because: {body.get('reason', '')}"
    after = cast("dict[str, Any]", body.get("after") or {})
    return str(after.get("text", "")) if entry.kind == "intended" else ""


def _changed(entry: JournalEntry) -> dict[str, tuple[Any, Any]]:
    body = cast("dict[str, dict[str, Any] | None]", entry.body or {})
    before, after = body.get("before") or {}, body.get("after") or {}
    return {name: (before.get(name), after[name]) for name in after if before and before.get(name) != after[name]}


def verdict(found: Verdict) -> None:
    """Whether the journal is whole."""
    if found.sound:
        out.print(f"[green]whole[/]: {found.entries:,} entries, each in its place and unchanged")
        err.print(f"The last one's hash, to be kept elsewhere (--head): {found.head}", soft_wrap=True)
        return
    out.print(f"[red]BROKEN[/]: {len(found.broken):,} places in {found.entries:,} entries")
    for seq, what in found.broken[:20]:
        out.print(f"  entry {seq}: {escape(what)}")


def exceptions(groups: Sequence[CauseCount], listed: Sequence[OpenException]) -> None:
    """What waits for a person: by cause, then record by record."""
    if not groups:
        out.print("Nothing waits for a person.")
        return
    now = datetime.now(UTC)
    counted = ((group.flow, group.cause, f"{group.count:,}", when(group.oldest_at, now)) for group in groups)
    table(("flow", "cause", "records", "oldest"), counted)
    for one in listed:
        stake = f", {one.held.stake} at stake" if one.held.stake else ""
        out.print(f"\n[bold]{one.flow} {escape(keys.shown(one.key))}[/]{stake}, since {when(one.opened_at, now)}")
        out.print(f"  {escape(one.held.sentence)}", soft_wrap=True)
        out.print(f"  → {one.held.owner}: {escape(one.held.remedy)}", soft_wrap=True)
        if said := _seen_to(one, now):
            out.print(f"  {escape(said)}", soft_wrap=True)
    left = sum(group.count for group in groups) - len(listed)
    if left > 0:
        out.print(f"\n… and {left:,} more: --limit {len(listed) + left}")


def _seen_to(one: OpenException, now: datetime) -> str:
    """Who sees to it, and until when it rests."""
    rests = one.snoozed_until if one.snoozed_until and one.snoozed_until > now else None
    told = [f"{one.assignee} sees to it"] if one.assignee else []
    return "; ".join([*told, *([f"rests until {when(rests, now)}"] if rests else [])])
