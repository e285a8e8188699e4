"""Where a record is to be looked at in the systems themselves.

Rule: only https addresses, http for this machine's own; one that the profile does not name and the system did not tell
is marked as assumed.
Must not know: HTML, requests.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field

from ml_connector.console.api.shapes import Shown
from ml_connector.settings import Connection
from ml_connector.store.records import Known
from ml_connector.sync.flow import AnyFlow
from ml_connector.wiring import addresses

PAGE = "/main/ifsapplications/web/page/{page}/Form;%24filter={column}%20eq%20'{{key}}'"
# Source: docs/reference/assumed.md; IFS Cloud's web client shows a record by a filter on its key.
ASSUMED = {
    "suppliers": PAGE.format(page="Supplier", column="SupplierId"),
    "purchase_orders": PAGE.format(page="PurchaseOrder", column="OrderNo"),
}
OWN = ("127.0.0.1", "localhost", "[::1]")


class Elsewhere(Shown):
    """An address of a system where this record is shown."""

    system: str
    href: str
    assumed: bool = Field(description="That it leads to the record is assumed; the profile may name another.")


def of(own: Connection, flow: AnyFlow, known: Known, source: Mapping[str, Any]) -> list[Elsewhere]:
    """The addresses of a record, as far as they are known."""
    found = [
        _named("IFS", own.profile.web.ifs.get(flow.name, ""), known, assumed=False),
        _named("Airbase", own.profile.web.airbase.get(flow.name, "") or str(source.get("url") or ""), known),
    ]
    if not found[0] and flow.name in ASSUMED:
        found[0] = _named("IFS", own.ifs.url + ASSUMED[flow.name], known, assumed=True)
    return [one for one in found if one]


def _named(system: str, template: str, known: Known, *, assumed: bool = False) -> Elsewhere | None:
    href = _filled(template, known)
    return Elsewhere(system=system, href=href, assumed=assumed) if usable(href) else None


def usable(href: str) -> bool:
    """Whether an address may be shown as a link."""
    try:
        parts = urlsplit(href)
    except ValueError:
        return False
    plain = href.isascii() and href.isprintable() and not any(sign in href for sign in ' "<>\\`')
    secure = parts.scheme == "https" or (parts.scheme == "http" and parts.netloc.partition(":")[0] in OWN)
    return plain and secure and bool(parts.netloc) and "@" not in parts.netloc


def _filled(template: str, known: Known) -> str:
    return addresses.filled(template, known.key, known.link.target_id if known.link else "")
