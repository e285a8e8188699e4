"""Whether a tenant's IFS is what the profile says, step by step.

Rule: nothing is written, and a step that fails says what can't be done because of it, and what to do.
Must not know: how steps are shown, which flow needs which part.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime

import msgspec

from ml_connector.errors import AuthError, NotFoundError, RefusedError, RemoteError, ThrottledError, UnreachableError
from ml_connector.records.ledger import CODE_PARTS
from ml_connector.systems.ifs.auth import ClientCredentials, discovery_path
from ml_connector.systems.ifs.client import IfsClient
from ml_connector.systems.ifs.csdl import Metadata, part_problems
from ml_connector.systems.ifs.etag import version
from ml_connector.systems.ifs.odata.answers import ETAG
from ml_connector.systems.ifs.pager import Plan
from ml_connector.systems.ifs.profile import UTC_AWARE, Part
from ml_connector.systems.redacting import UNREADABLE
from ml_connector.systems.step import Said, Step, timed

CLOCK_OFF_MAX_S = 120.0
NEEDED = ("suppliers", "supplier_terms", "supplier_addresses", "orders", "order_lines", "accounts", "periods")
USUAL = (*NEEDED[:5], "companies", "sites", "payment_terms")


class Group(msgspec.Struct, frozen=True):
    """Parts that serve one purpose, and what can't be done without them."""

    title: str
    parts: tuple[str, ...]
    without: str


_SUPPLIERS = "Without it suppliers can't be sent."
_ORDERS = "Without it purchase orders can't be sent."
_CODES = tuple(f"code_{part.lower()}" for part in CODE_PARTS)
GROUPS = (
    Group("suppliers", ("suppliers",), _SUPPLIERS),
    Group("supplier_terms", ("supplier_terms",), _SUPPLIERS),
    Group("supplier_addresses", ("supplier_addresses",), _SUPPLIERS),
    Group("orders", ("orders",), _ORDERS),
    Group("order_lines", ("order_lines",), _ORDERS),
    Group("companies", ("companies",), "Without it the companies of the connection can't be checked."),
    Group("sites", ("sites",), "Without it the zone of IFS's times can't be shown; nothing else needs it."),
    Group("payment_terms", ("payment_terms",), "Without it payment terms can't be compared."),
    Group(
        "the ledger",
        ("accounts", *_CODES, "voucher_types", "user_groups", "periods"),
        "Without it a voucher can't be checked before it is posted, so vouchers can't be posted.",
    ),
    Group(
        "posted vouchers",
        ("voucher_rows",),
        "Without it nobody can tell which vouchers are in the ledger already, so vouchers can't be posted.",
    ),
    Group(
        "manual vouchers",
        ("hold_vouchers", "hold_rows"),
        "Without it vouchers in the hold table are not seen, so vouchers can't be posted.",
    ),
    Group(
        "external vouchers",
        ("loads", "load_rows"),
        "Without it vouchers can't be posted as external vouchers; the landings manual and file don't need it.",
    ),
    Group(
        "supplier invoices",
        ("supplier_invoices",),
        "Without it supplier invoices can't be matched, nor their status set.",
    ),
    Group(
        "bank countries", ("bank_countries",), "Without it likely double suppliers are told by name and tax id only."
    ),
)


class _Discovered(msgspec.Struct, frozen=True):
    issuer: str


def steps(
    client: IfsClient,
    parts: Collection[str] = USUAL,
    *,
    connection: str = "NAME",
    more: Mapping[str, Collection[str]] | None = None,
) -> Iterator[Step]:
    """The steps, each as soon as it is done; none after the host, the realm or the token failed.

    Shape: `parts` are those of the profile in use; `more` are properties that must be there beside the profile's, by
    part; `connection` is what its name is, for what to type.
    """
    for name, act in _doors(client.credentials):
        step = _timed(name, act)
        yield step
        if not step.ok:
            return
    tenant = _Tenant(client, connection, more or {})
    for group in GROUPS:
        used = msgspec.structs.replace(group, parts=tuple(part for part in group.parts if part in parts))
        if used.parts:
            yield _timed(f"names of {group.title}", lambda used=used: tenant.names(used))
            yield _timed(f"rows of {group.title}", lambda used=used: _rows(client, used))
    if any(client.profile.parts[part].actions for part in parts):
        yield _timed("write permission", lambda: tenant.writable(parts))
    yield _timed("companies", lambda: _companies(client))
    yield _timed("page size", lambda: _page_size(client))
    yield _timed("clock", lambda: _clock(client))


def _doors(credentials: ClientCredentials | None) -> list[tuple[str, Callable[[], Said]]]:
    if credentials is None:
        return []
    return [
        ("host", lambda: _host(credentials)),
        ("realm", lambda: _realm(credentials)),
        ("token", lambda: _token(credentials)),
    ]


def _timed(name: str, act: Callable[[], Said]) -> Step:
    return timed(name, act, _remedy)


def _remedy(error: RemoteError) -> str:
    if isinstance(error, AuthError) and error.status == 403:
        return _GRANT
    if isinstance(error, AuthError):
        return "Check client id and secret, and that Service Accounts is on for the IAM client."
    if isinstance(error, NotFoundError):
        return "Check the realm, and the service and set that the profile names."
    if isinstance(error, ThrottledError):
        return "Wait, or lower the number of requests a minute."
    if isinstance(error, UnreachableError):
        return "Check the address, the network, a proxy, and the certificate."
    if isinstance(error, RefusedError):
        return "Compare the profile's names with the tenant's API Explorer."
    return "Check that the address is that of IFS Cloud itself."


def _host(credentials: ClientCredentials) -> Said:
    wire = credentials.wire
    try:
        wire.call("reach host", "GET", "/", repeatable=True, expect_json=False)
    except (UnreachableError, ThrottledError):
        raise
    except RemoteError:
        pass  # whatever it says, it is there
    sealed = "with a verified certificate" if wire.origin.startswith("https:") else "without TLS (this machine only)"
    return Said(True, f"{wire.origin} answers, {sealed}.")


def _realm(credentials: ClientCredentials) -> Said:
    path = discovery_path(credentials.realm)
    try:
        answer = credentials.wire.call("discover realm", "GET", path, repeatable=True)
    except NotFoundError:
        return Said(
            False,
            f"There is no realm {credentials.realm!r} on this host.",
            "Take the realm from the address of the IFS log-in page: /auth/realms/<realm>/; it is not the host name.",
        )
    try:
        issuer = msgspec.json.decode(answer.body, type=_Discovered).issuer
    except UNREADABLE:
        return Said(False, "The realm's description is not what OpenID Connect says.", "Check the address.")
    return Said(True, f"Realm {credentials.realm} is there (issuer {issuer[:200]}).")


def _token(credentials: ClientCredentials) -> Said:
    granted = credentials.grant()
    return Said(True, f"A token was given; it lives {granted.expires_in:g} s.")


class _Tenant:
    """What a tenant says of its services, each asked once."""

    def __init__(self, client: IfsClient, connection: str, more: Mapping[str, Collection[str]]) -> None:
        self._client = client
        self._connection = connection
        self._more = more
        self._said: dict[str, Metadata | str] = {}

    def names(self, group: Group) -> Said:
        """Whether all names of these parts are there."""
        parts = {name: self._client.profile.parts[name] for name in group.parts}
        problems = list(dict.fromkeys(one for name, part in parts.items() for one in self._problems(name, part)))
        if problems:
            return Said(False, f"{'. '.join(problems)}. {group.without}", self._remedy(list(parts), problems))
        count = sum(len(part.properties) for part in parts.values())
        services: dict[str, list[str]] = {}
        for part in parts.values():
            services.setdefault(part.service, []).append(part.set)
        sets = "; ".join(f"{service}: {', '.join(names)}" for service, names in services.items())
        return Said(True, f"{sets}; all {count} names are there.")

    def writable(self, parts: Collection[str]) -> Said:
        """What is known of writing without writing: `$metadata` shows what there is, not who may call it."""
        written = [part for name in parts if (part := self._client.profile.parts[name]).actions]
        sets = ", ".join(dict.fromkeys(part.set for part in written))
        said = f"Known only by writing; the profile writes to {sets}."
        return Said(True, said, "See that the projections are not granted read only; a refusal holds the record.")

    def _problems(self, name: str, part: Part) -> list[str]:
        metadata = self._metadata(part)
        if isinstance(metadata, str):
            return [metadata]
        there = metadata.sets[part.set].properties if part.set in metadata.sets else {}
        more = [column for column in self._more.get(name, ()) if there and column not in there]
        return [
            *part_problems(name, part, metadata),
            *(f"{part.service} has no custom field {column} on {part.set} in this tenant" for column in more),
        ]

    def _metadata(self, part: Part) -> Metadata | str:
        if part.place not in self._said:
            self._said[part.place] = self._asked(part)
        return self._said[part.place]

    def _asked(self, part: Part) -> Metadata | str:
        try:
            return self._client.metadata(part)
        except NotFoundError:
            return f"This tenant has no service {part.service}"
        except AuthError as error:
            if error.status != 403:
                raise
            return f"This user may not read {part.service}"

    def _remedy(self, parts: list[str], problems: list[str]) -> str:
        tables = ", ".join(f"[ifs.{name}]" for name in parts[:3]) + (" …" if len(parts) > 3 else "")
        grant = f"{_GRANT} " if any("may not read" in one for one in problems) else ""
        return (
            f"{grant}Put the tenant's names into {tables} of the profile; "
            f"`ml-connector discover {self._connection}` looks for them."
        )


def _rows(client: IfsClient, group: Group) -> Said:
    found = {name: client.first(name).rows for name in group.parts}
    empty = [name for name, rows in found.items() if not rows]
    sets = ", ".join(client.profile.parts[name].set for name in group.parts)
    are = "is" if len(group.parts) == 1 else "are"
    if len(empty) == len(found):
        return Said(True, f"{sets} {are} readable, and empty for this user.", _hint(empty))
    also = f"; empty for this user: {', '.join(empty)}" if empty else ""
    tags = {name: rows[0].get(ETAG) for name, rows in found.items() if rows}
    bare = [client.profile.parts[name].set for name, tag in tags.items() if not isinstance(tag, str)]
    if bare:
        return Said(True, f"{', '.join(bare)}: readable, but without ETags, so that every run has to read all{also}.")
    versions = ", ".join(sorted({_version(str(tag)) for tag in tags.values()}))
    return Said(True, f"{sets} {are} readable; {versions}{also}.", _hint(empty))


def _hint(empty: list[str]) -> str:
    return _EMPTY if any(name in NEEDED for name in empty) else ""


def _version(tag: str) -> str:
    found = version(tag)
    if not found.isdigit():
        return "its ETags have a shape of their own"
    return "its versions are times, to the second" if len(found) == 14 else "its versions are counted"


_GRANT = "Grant this projection to the service user's permission set (entity services: activate it in API Explorer)."
_EMPTY = "If there should be rows: check the Allowed Companies of the service user."


def _companies(client: IfsClient) -> Said:
    """IFS answers nothing, rather than no, for a company that the user may not see."""
    part = client.profile.parts["companies"]
    pages = client.pages("companies", Plan(part.properties, part.key))
    visible = {str(row[part.key[0]]) for page in pages for row in page.rows}
    missing = [company for company in client.companies if company not in visible]
    if missing:
        return Said(
            False,
            f"Not visible: {', '.join(missing)}; their rows would be missing without any error.",
            "Add them to the Allowed Companies of the service user, or take them out of the connection.",
        )
    return Said(True, f"Visible: {', '.join(sorted(visible))}.")


def _page_size(client: IfsClient) -> Said:
    part = client.profile.parts["suppliers"]
    asked = client.profile.page_rows
    pages = client.pages("suppliers", Plan(part.key, part.key), prefetch=False)
    first = next(pages, None)
    more = next(pages, None) if first else None
    pages.close()
    given = len(first.rows) if first else 0
    if more and given < asked:
        return Said(True, f"IFS gives {given} rows a page of the {asked} asked for.", f"Set page_rows = {given}.")
    return Said(True, f"{given} rows came in the first page; {'more follow' if more else 'that was all'}.")


def _clock(client: IfsClient) -> Said:
    part = client.profile.parts["suppliers"]
    page = client.first("suppliers", part.key)
    if page.answered_at is None:
        return Said(True, "Answers carry no date, so the clocks can't be compared.")
    off_s = (page.answered_at - datetime.fromtimestamp(time.time(), UTC)).total_seconds()
    told = f"IFS's clock is {abs(off_s):.0f} s {'ahead of' if off_s > 0 else 'behind'} ours. {_zone(client)}"
    if abs(off_s) > CLOCK_OFF_MAX_S:
        return Said(False, told, "Set this machine's clock by NTP.")
    return Said(True, told)


def _zone(client: IfsClient) -> str:
    if client.profile.zone == UTC_AWARE:
        return "Times are asked for in UTC."
    if client.profile.zone:
        return f"Times are taken to be in {client.profile.zone}."
    hint = _site_zone(client.first("sites").rows, client.profile.parts["sites"].fields)
    return f"The zone of IFS's times is not set{hint}; they are compared with each other only."


def _site_zone(rows: list[dict[str, object]], fields: Mapping[str, str]) -> str:
    zone = rows[0].get(fields["zone"]) if rows else None
    return f" (a site has {zone})" if isinstance(zone, str) and zone else ""
