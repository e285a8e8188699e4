"""Whether a tenant's IFS is what the profile says, step by step.

Rule: nothing is written, and a step that fails says what to do.
Must not know: how steps are shown.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime

import msgspec

from ml_connector.errors import AuthError, NotFoundError, RefusedError, RemoteError, ThrottledError, UnreachableError
from ml_connector.systems.ifs.auth import ClientCredentials, discovery_path
from ml_connector.systems.ifs.client import IfsClient
from ml_connector.systems.ifs.csdl import part_problems
from ml_connector.systems.ifs.etag import version
from ml_connector.systems.ifs.odata.answers import ETAG
from ml_connector.systems.ifs.pager import Plan
from ml_connector.systems.ifs.profile import UTC_AWARE
from ml_connector.systems.step import Said, Step, timed

CLOCK_OFF_MAX_S = 120.0
NEEDED = ("suppliers", "supplier_terms", "supplier_addresses", "orders", "order_lines")  # the rest helps


class _Discovered(msgspec.Struct, frozen=True):
    issuer: str


def steps(client: IfsClient) -> Iterator[Step]:
    """The steps, each as soon as it is done; none after the host, the realm or the token failed."""
    for name, act in _doors(client.credentials):
        step = _timed(name, act)
        yield step
        if not step.ok:
            return
    for name in client.profile.parts:
        yield _timed(f"names of {name}", lambda name=name: _names(client, name))
        yield _timed(f"rows of {name}", lambda name=name: _rows(client, name))
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
        return (
            "Grant this projection to the service user's permission set (entity services: activate it in API Explorer)."
        )
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
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Said(False, "The realm's description is not what OpenID Connect says.", "Check the address.")
    return Said(True, f"Realm {credentials.realm} is there (issuer {issuer[:200]}).")


def _token(credentials: ClientCredentials) -> Said:
    granted = credentials.grant()
    return Said(True, f"A token was given; it lives {granted.expires_in:g} s.")


def _names(client: IfsClient, name: str) -> Said:
    part = client.profile.parts[name]
    found = part_problems(name, part, client.metadata(part))
    if found:
        return Said(False, ". ".join(found) + ".", f"Put the tenant's names into [ifs.{name}] of the profile.")
    return Said(True, f"{part.service}, {part.set}: all {len(part.properties)} names are there.")


def _rows(client: IfsClient, name: str) -> Said:
    part = client.profile.parts[name]
    page = client.first(name)
    if not page.rows:
        return Said(True, f"{part.set} is readable, and empty for this user.", _EMPTY if name in NEEDED else "")
    tag = page.rows[0].get(ETAG)
    if not isinstance(tag, str):
        return Said(True, f"{part.set} is readable, but gives no ETags: every run has to read all of it.")
    return Said(True, f"{part.set} is readable; {_version(tag)}.")


def _version(tag: str) -> str:
    found = version(tag)
    if not found.isdigit():
        return "its ETags have a shape of their own"
    return "its versions are times, to the second" if len(found) == 14 else "its versions are counted"


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
