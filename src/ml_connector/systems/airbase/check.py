"""Whether a tenant's Airbase is what the profile says, step by step.

Rule: nothing is written, and a step that fails says what to do.
Must not know: how steps are shown.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ml_connector.errors import AuthError, NotFoundError, RefusedError, RemoteError, ThrottledError, UnreachableError
from ml_connector.sync.ports import Sight
from ml_connector.systems.airbase.client import AirbaseClient, Raw, id_of
from ml_connector.systems.airbase.kinds import Kind, kind_of
from ml_connector.systems.airbase.listings import Listing, listings
from ml_connector.systems.airbase.lookup import Lookup
from ml_connector.systems.airbase.profile import READ_ONLY
from ml_connector.systems.airbase.resource import Resource
from ml_connector.systems.airbase.seen import sight_of
from ml_connector.systems.airbase.spool import canonical
from ml_connector.systems.step import Said, Step, timed

UTC = ZoneInfo("UTC")
SAMPLE = 50  # vendors looked at for their fields
IN_USE = ("vendors", "purchase_orders", "subsidiaries")
_READ = ("accounts", "tags", "purchase_requests", "bills", "payments", "ledger_entries")
_LISTED_MAX = 20
_WRITE = "See in Airbase that the token may write vendors and purchase orders; a refusal holds the record."


def steps(
    client: AirbaseClient, subsidiaries: Mapping[str, str], resources: Collection[str] = IN_USE
) -> Iterator[Step]:
    """The steps, each as soon as it is done; none after the host or the token failed.

    Shape: `subsidiaries` maps IFS companies to Airbase references, as the connection does; `resources` are the names of
    those in use, as the profile has them.
    """
    for name, act in (("host", _host), ("token", _token)):
        step = _timed(name, lambda act=act: act(client))
        yield step
        if not step.ok:
            return
    for name, look in _looks(client, subsidiaries).items():
        if name.resource in resources:
            yield _timed(name.title, look)
    yield Step("write permission", True, 0.0, "Known only by writing; Airbase does not tell a token's rights.", _WRITE)
    yield _timed("rate limit", lambda: _rate(client))


class _Name(NamedTuple):
    resource: str
    title: str


def _looks(client: AirbaseClient, subsidiaries: Mapping[str, str]) -> dict[_Name, Callable[[], Said]]:
    vendors = kind_of(client.profile, "vendors")
    first: dict[_Name, Callable[[], Said]] = {
        _Name("subsidiaries", "subsidiaries"): lambda: _subsidiaries(client, subsidiaries),
        _Name("vendors", "vendors"): lambda: _vendors(client, vendors),
        _Name("vendors", "vendor look-up"): lambda: _look_up(client, vendors),
        _Name("purchase_orders", "purchase orders"): lambda: _orders(client),
    }
    return first | {_Name(name, name.replace("_", " ")): lambda name=name: _readable(client, name) for name in _READ}


def _timed(name: str, act: Callable[[], Said]) -> Step:
    return timed(name, act, _remedy)


def _remedy(error: RemoteError) -> str:
    if isinstance(error, AuthError):
        return "Check the token, its scheme (Bearer or Token) and what it may read."
    if isinstance(error, NotFoundError):
        return "Correct the path in the profile; Airbase's developer portal names it."
    if isinstance(error, UnreachableError | ThrottledError):
        return "Try again later; if it stays, check the address, the proxy and the firewall."
    return "Compare the profile with Airbase's developer portal."


def _host(client: AirbaseClient) -> Said:
    """Any answer at all shows that the host is there; the steps after this one look at what it says."""
    try:
        client.page(client.profile.vendors, {}, size=1)
    except UnreachableError as error:
        return Said(False, str(error), "Check the address, the proxy and the firewall.", unreachable=True)
    except RemoteError:
        pass
    return Said(True, f"{client.wire.origin} answers")


def _token(client: AirbaseClient) -> Said:
    try:
        client.page(client.profile.vendors, {}, size=1)
    except AuthError as error:
        return Said(False, str(error), _remedy(error))
    except RefusedError:
        pass  # not about the token; the vendor step reports it
    return Said(True, "accepted")


def _subsidiaries(client: AirbaseClient, mapped: Mapping[str, str]) -> Said:
    resource = client.profile.subsidiaries
    named = dict(_named(row, resource) for page in client.pages(resource) for row in page)
    listed = ", ".join(f"{reference or '(no ERP reference)'} {name}" for reference, name in _few(named))
    shown = f"{len(named)}: {listed}" if named else "none"
    missing = [f"{company} → {reference}" for company, reference in mapped.items() if reference not in named]
    if missing:
        lost = ", ".join(missing)
        return Said(False, f"{shown}; not there: {lost}", "Map each company to one of the references listed.")
    return Said(True, shown, "" if mapped else "No company is mapped yet.")


def _named(row: Raw, resource: Resource) -> tuple[str, str]:
    return str(row.get(resource.named("reference")) or ""), str(row.get(resource.named("name")) or "")


def _few(named: Mapping[str, str]) -> list[tuple[str, str]]:
    return sorted(named.items())[:_LISTED_MAX]


def _vendors(client: AirbaseClient, kind: Kind) -> Said:
    rows = client.page(kind.resource, {}, size=SAMPLE)
    if not rows:
        return Said(True, "readable; there is none yet, so that its fields can't be compared")
    for row in rows:
        kind.key(row)
    absent = _absent(kind.resource, rows, except_for=READ_ONLY[kind.name])
    if absent:
        lost = ", ".join(absent)
        remedy = 'Name the field as this tenant does in the profile, or set it to "" so that it is not sent.'
        return Said(False, f"readable, but no vendor shows {lost}", remedy)
    return Said(True, "readable, with all fields of the profile")


def _absent(resource: Resource, rows: Sequence[Raw], except_for: Collection[str] = ()) -> list[str]:
    """The fields of the profile that no row shows; those inside of others are not looked at."""
    shown = {name for row in rows for name in row}
    wanted = {field: name for field, name in resource.fields.items() if name and "." not in field}
    return [f"{name} ({field})" for field, name in wanted.items() if field not in except_for and name not in shown]


def _readable(client: AirbaseClient, name: str) -> Said:
    """Whether a list is there, shows the fields of the profile, and can be read."""
    (listing,) = listings(client.profile, name, UTC)
    rows = client.page(listing.resource, {}, size=SAMPLE)
    if not rows:
        return Said(True, f"{listing.resource.path} is there{_told(listing.resource)}; it is empty so far")
    if absent := _absent(listing.resource, rows):
        remedy = "Name the fields as this tenant does in the profile."
        return Said(False, f"readable, but none shows {', '.join(absent)}", remedy)
    problems = [sight.unreadable.sentence for sight in _sights(listing, rows) if sight.unreadable]
    if len(problems) == len(rows):
        return Said(False, f"none of {len(rows)} can be read: {problems[0]}", "Correct the profile.")
    odd = f"; {len(problems)} of {len(rows)} can't be read, such as: {problems[0]}" if problems else ""
    return Said(True, f"readable, with all fields of the profile{_told(listing.resource)}{odd}")


def _sights(listing: Listing, rows: Sequence[Raw]) -> list[Sight]:
    return [sight_of(listing, id_of(row), (canonical(row),)) for row in rows]


def _told(resource: Resource) -> str:
    return f" ({resource.confidence} path, confirmed now)" if resource.confidence == "assumed" else ""


def _look_up(client: AirbaseClient, kind: Kind) -> Said:
    parameter = kind.resource.by_reference
    if not parameter:
        return Said(True, "no look-up parameter in the profile; records are found by walking the list")
    honoured = Lookup(client, kind).honoured()
    if honoured is None:
        return Said(True, "no vendor carries an ERP reference yet, so that the look-up can't be tried")
    if honoured:
        return Said(True, f"{parameter} finds exactly what is asked for")
    slower = 'Nothing is at risk, it is only slower; name the right parameter in the profile, or set it to "".'
    return Said(True, f"{parameter} is not honoured; records are found by walking the list", slower)


def _orders(client: AirbaseClient) -> Said:
    resource = client.profile.purchase_orders
    kind = kind_of(client.profile, "purchase_orders")
    rows = client.page(resource, {}, size=SAMPLE)
    for row in rows:
        kind.key(row)
    return Said(True, f"{resource.path} is there{_told(resource)}; {'it has orders' if rows else 'no order yet'}")


def _rate(client: AirbaseClient) -> Said:
    if client.rate is None:
        return Said(True, "no rate limit is told; only refusals show it")
    return Said(True, f"{client.rate.remaining} of {client.rate.limit} requests left")
