"""Mapping: tables row by row, or the whole as text; looked at as a difference, tried on real records, then saved.

Rule: a draft is in the form alone; nothing is kept before it is saved as a version.
Must not know: SQL.
"""

from collections.abc import Generator, Mapping
from contextlib import closing, contextmanager
from threading import BoundedSemaphore
from typing import Annotated, Any, NamedTuple

from fastapi import Form, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from ml_connector import settings
from ml_connector.console.api.shapes import NUMBER_MAX, Connected
from ml_connector.console.pages.render import done, render
from ml_connector.console.pages.routing import Pages
from ml_connector.console.person import Who
from ml_connector.console.refusals import absent
from ml_connector.console.site import Here, Site
from ml_connector.console.views import mapping as views
from ml_connector.errors import BusyError, ConnectorError, SettingsError
from ml_connector.flows.posting.toml import DOTS
from ml_connector.records.ledger import CODE_PARTS
from ml_connector.store.connections import Connection
from ml_connector.store.rights import May
from ml_connector.store.versions import State, Version
from ml_connector.wiring import Joined, drafts, foreseeing, offering, tables, versions
from ml_connector.wiring.drafts import Draft
from ml_connector.wiring.profile_tables import BY_NAME
from ml_connector.wiring.tables import Fields, Table

AT_ONCE_MAX = 2
CELL = "c-"
VALUE_MAX = 200
_FREE = BoundedSemaphore(AT_ONCE_MAX)

Text = Annotated[str, Form(max_length=settings.PROFILE_BYTES_MAX)]
Base = Annotated[int, Form(ge=0, le=NUMBER_MAX)]
Do = Annotated[str, Form(max_length=100)]
Line = Annotated[str, Form(max_length=1000)]
Asked = Annotated[str, Query(max_length=VALUE_MAX)]

routes = Pages()


class Row(NamedTuple):
    """The row that is being edited; `at` None: a new one."""

    table: Table
    at: int | None
    cells: Fields
    error: str = ""


class Doing(NamedTuple):
    """What a button says: `edit:payment_terms:3`."""

    verb: str
    table: Table | None
    at: int | None


@routes.page("/c/{name}/mapping", twin="/connections/{name}/settings")
def show(
    request: Request,
    who: Who,
    connection: Connected,
    here: Here,
    table: Asked = "",
    value: Asked = "",
    suggested: Asked = "",
) -> Response:
    """The settings in force; `table`, `value`: open a row for it."""
    draft = drafts.start(here.opened, connection.name)
    chosen = BY_NAME.get(table)
    row = _asked(chosen, draft, value, suggested) if chosen and value and who.can(May.CONFIGURE) else None
    return _page(request, here, connection, draft, row)


@routes.act("/c/{name}/mapping", May.CONFIGURE)
async def change(request: Request, connection: Connected, here: Here) -> Response:
    """Change the draft by a row, or by its text."""
    form = await request.form(max_files=1)
    typed = {name: str(value) for name, value in form.items()}
    return await run_in_threadpool(_change, request, connection, here, typed)


@routes.act("/c/{name}/mapping/review", May.CONFIGURE)
def review(request: Request, connection: Connected, here: Here, draft: Text = "", base: Base = 0) -> Response:
    """What a draft has otherwise, before it is saved."""
    resumed = _resumed(here, connection, draft, base)
    if isinstance(resumed, str):
        return _begun_anew(request, here, connection, draft, resumed)
    return _review(request, connection, resumed.checked(here.opened, connection.name))


@routes.act("/c/{name}/mapping/preview", May.CONFIGURE)
def preview(
    request: Request,
    who: Who,
    connection: Connected,
    here: Here,
    draft: Text = "",
    base: Base = 0,
    note: Line = "",
    day: Line = "",
) -> Response:
    """What a draft would change on real records; reads both systems, writes nothing."""
    resumed = _resumed(here, connection, draft, base)
    if isinstance(resumed, str):
        return _begun_anew(request, here, connection, draft, resumed)
    resumed = resumed.checked(here.opened, connection.name)
    told: dict[str, Any] = {"note": note, "day": day}
    try:
        found = _foreseen(here, connection.name, resumed, who.name)
        told["seen"] = views.foreseen(found)
    except ConnectorError as error:
        told["seen_error"] = str(error)
    if request.headers.get("hx-request"):
        shown: dict[str, Any] = {"seen": None, "seen_error": ""} | told
        return render(request, "mapping_seen.html", connection=connection.name, **shown)
    return _review(request, connection, resumed, **told)


@routes.act("/c/{name}/mapping/save", May.CONFIGURE)
def save(
    request: Request,
    who: Who,
    connection: Connected,
    here: Here,
    draft: Text = "",
    base: Base = 0,
    note: Line = "",
    day: Line = "",
) -> Response:
    """Make a version of a draft."""
    resumed = _resumed(here, connection, draft, base)
    if isinstance(resumed, str):
        return _begun_anew(request, here, connection, draft, resumed)
    try:
        profile = resumed.profile
        begins = versions.begins(day, profile)
        how: dict[str, Any] = {"note": note, "effective_at": begins, "base": resumed.base}
        made = versions.change(here.opened, connection.name, profile, person=who.name, **how)
    except SettingsError as error:
        checked = resumed.checked(here.opened, connection.name)
        return _review(request, connection, checked, 422, note=note, day=day, error=str(error))
    place = f"/c/{connection.name}/mapping" + (f"/versions/{made.number}" if made and made.waits else "")
    return done(request, place, _said(made))


@routes.act("/c/{name}/mapping/offers", May.CONFIGURE)
def offer(request: Request, who: Who, connection: Connected, here: Here, table: Do = "") -> Response:
    """What a row may say: what both systems have; empty when they don't answer."""
    try:
        with _turn(), closing(Joined(here.opened, connection.name, person=who.name)) as both:
            offers = offering.offered(both, table)
    except ConnectorError:
        offers = {}
    return render(request, "mapping_offers.html", connection=connection.name, offers=offers)


@routes.page("/c/{name}/mapping/versions", twin="/connections/{name}/versions")
def show_versions(
    request: Request,
    connection: Connected,
    here: Here,
    cursor: Annotated[int | None, Query(ge=1, le=NUMBER_MAX)] = None,
) -> Response:
    """Every version of the settings."""
    view = views.listed(here, connection, cursor)
    return render(request, "mapping_versions.html", connection=connection.name, view=view)


@routes.page("/c/{name}/mapping/versions/{number}", twin="/connections/{name}/versions/{number}")
def show_version(request: Request, connection: Connected, here: Here, number: int) -> Response:
    """A version and what it changes."""
    return _version(request, connection, here, number)


@routes.act("/c/{name}/mapping/versions/{number}/approve", May.APPROVE)
def approve(request: Request, who: Who, connection: Connected, here: Here, number: int) -> Response:
    """Agree to a version."""
    made = versions.approve(here.opened, connection.name, number, who.name)
    return done(request, f"/c/{connection.name}/mapping/versions/{number}", _said(made))


@routes.act("/c/{name}/mapping/versions/{number}/reject", May.APPROVE)
def reject(request: Request, who: Who, connection: Connected, here: Here, number: int, note: Line = "") -> Response:
    """Turn a version down."""
    made = versions.end(here.opened, connection.name, number, who.name, note)
    return done(request, f"/c/{connection.name}/mapping/versions/{number}", _said(made))


@routes.act("/c/{name}/mapping/versions/{number}/withdraw", May.CONFIGURE)
def withdraw(request: Request, who: Who, connection: Connected, here: Here, number: int) -> Response:
    """Take back a version that waits."""
    if versions.of(here.opened, connection.name).get(number).author != who.name:
        raise SettingsError(f"somebody else made version {number}; who may approve can reject it")
    made = versions.end(here.opened, connection.name, number, who.name)
    return done(request, f"/c/{connection.name}/mapping/versions/{number}", _said(made))


@routes.act("/c/{name}/mapping/versions/{number}/rebase", May.CONFIGURE)
def rebase(request: Request, who: Who, connection: Connected, here: Here, number: int) -> Response:
    """Make a version that was overtaken anew."""
    made = versions.rebase(here.opened, connection.name, number, who.name)
    return done(request, f"/c/{connection.name}/mapping/versions/{made.number}", _said(made))


@routes.act("/c/{name}/mapping/versions/{number}/back", May.CONFIGURE)
def go_back(request: Request, who: Who, connection: Connected, here: Here, number: int, note: Line = "") -> Response:
    """Go back to the profile of an older version."""
    made = versions.roll_back(here.opened, connection.name, number, who.name, note)
    place = f"/c/{connection.name}/mapping/versions/{made.number if made else number}"
    return done(request, place, _said(made))


def _resumed(here: Site, connection: Connection, text: str, base: int) -> Draft | str:
    """The draft that a form carries, or why it can't be gone on with."""
    try:
        return drafts.resume(here.opened, connection.name, text, base)
    except SettingsError as error:
        return str(error)


def _begun_anew(request: Request, here: Site, connection: Connection, text: str, why: str) -> Response:
    """What is in force, with what was written still there as text."""
    fresh = drafts.start(here.opened, connection.name)
    return _page(request, here, connection, fresh, text=text, error=why, status=422)


def _change(request: Request, connection: Connection, here: Site, typed: Mapping[str, str]) -> Response:
    text, base, doing = typed.get("draft", ""), typed.get("base", "0"), _doing(typed.get("do", ""))
    number = int(base) if base.isdigit() and len(base) < 10 else 0
    draft = _resumed(here, connection, text, number)
    if isinstance(draft, str):
        return _begun_anew(request, here, connection, text, draft)
    cells = {name.removeprefix(CELL): value for name, value in typed.items() if name.startswith(CELL)}
    return _done(request, here, connection, draft, doing, cells)


def _done(request: Request, here: Site, connection: Connection, draft: Draft, doing: Doing, cells: Fields) -> Response:
    table, at = doing.table, doing.at
    if table is None or doing.verb == "text":
        return _page(request, here, connection, draft.checked(here.opened, connection.name))
    if doing.verb == "edit":
        return _page(request, here, connection, draft, _opened(table, draft, at))
    try:
        changed = draft.having(_acted(draft, doing, table, cells))
    except SettingsError as error:
        return _page(request, here, connection, draft, Row(table, at, cells, str(error)), status=422)
    changed = changed.checked(here.opened, connection.name)
    wrong = doing.verb == "set" and changed.problem and not draft.checked(here.opened, connection.name).problem
    row = Row(table, _place_of(table, changed, at), cells, changed.problem) if wrong else None
    return _page(request, here, connection, changed, row, status=422 if wrong else 200)


def _acted(draft: Draft, doing: Doing, table: Table, cells: Fields) -> tables.Data:
    at = doing.at
    if doing.verb == "set":
        return tables.put_row(table, draft.data, at, cells)
    if at is None:
        return draft.data
    if doing.verb == "remove":
        return tables.remove_row(table, draft.data, at)
    if doing.verb == "move":
        to = cells.get("to", "")
        return tables.move_row(table, draft.data, at, int(to) - 1 if to.isdigit() and len(to) < 6 else at)
    return tables.move_row(table, draft.data, at, at - 1 if doing.verb == "up" else at + 1)


def _place_of(table: Table, draft: Draft, at: int | None) -> int:
    return len(table.of(draft.data)) - 1 if at is None else at


def _doing(text: str) -> Doing:
    verb, _, rest = text.partition(":")
    table, _, at = rest.partition(":")
    return Doing(verb, BY_NAME.get(table), int(at) if at.isdigit() and len(at) < 7 else None)


def _opened(table: Table, draft: Draft, at: int | None) -> Row:
    entries = table.of(draft.data)
    if at is None or at >= len(entries):
        return Row(table, None, {})
    return Row(table, at, table.fields(entries[at]))


def _asked(table: Table, draft: Draft, value: str, suggested: str) -> Row:
    """The row that a link asks for: the one that there is, or a new one with what is known of it."""
    column, value = _column_for(table, draft, value)
    for at, entry in enumerate(table.of(draft.data)):
        if table.key(entry) == value:
            return Row(table, at, table.fields(entry) | ({"value": suggested} if suggested else {}))
    other = table.columns[-1].name if table.name != "account" else "account"
    cells = {column: value}
    if suggested:
        cells = {other: suggested, **cells}
    return Row(table, None, {name: text for name, text in cells.items() if text != DOTS})


def _column_for(table: Table, draft: Draft, value: str) -> tuple[str, str]:
    """The column that a value belongs to, which `column: value` may say, and the value alone."""
    column, _, rest = value.partition(": ")
    if table.name == "account" and rest and column in [one.name for one in table.columns]:
        return column, rest
    second = table.name == "dimensions" and value in CODE_PARTS
    second |= table.name == "subsidiaries" and value not in draft.present.ifs.companies
    return "value" if second else table.columns[0].name, value


def _page(
    request: Request,
    here: Site,
    connection: Connection,
    draft: Draft,
    row: Row | None = None,
    *,
    text: str = "",
    error: str = "",
    status: int = 200,
) -> Response:
    shown = views.draft(draft)
    told: dict[str, Any] = {"draft": shown, "text": text or shown.text, "error": error, "row": row}
    view = views.mapping(here, connection)
    return render(request, "mapping.html", status, connection=connection.name, view=view, **told)


def _review(request: Request, connection: Connection, draft: Draft, status: int = 200, **told: Any) -> Response:
    usual: dict[str, Any] = {"note": "", "day": "", "error": "", "seen": None, "seen_error": ""}
    waits = versions.needs_two({"profile": {"two_persons": draft.present.profile.two_persons}}, {})
    shown = {"draft": views.draft(draft), "waits": waits, **usual, **told}
    return render(request, "mapping_review.html", status, connection=connection.name, **shown)


def _version(request: Request, connection: Connection, here: Site, number: int) -> Response:
    try:
        view = views.version(here, connection, number)
    except SettingsError as error:
        raise absent(str(error)) from None
    return render(request, "mapping_version.html", connection=connection.name, view=view)


@contextmanager
def _turn() -> Generator[None]:
    """Few at a time, as each reads both systems. Raises: BusyError."""
    if not _FREE.acquire(blocking=False):
        raise BusyError(f"{AT_ONCE_MAX} previews are being made already; try again in a moment")
    try:
        yield
    finally:
        _FREE.release()


def _foreseen(here: Site, name: str, draft: Draft, person: str) -> foreseeing.Foreseen:
    with _turn():
        return foreseeing.foresee(here.opened, name, draft.profile, person)


def _said(made: Version | None) -> str:
    if made is None:
        return "Nothing differs from what is in force."
    if made.state is State.PROPOSED:
        return f"Version {made.number} is proposed; it counts once somebody else approves it."
    if made.state is State.APPROVED:
        return f"Version {made.number} is approved and counts from its day on."
    return f"Version {made.number} is {made.state}."
