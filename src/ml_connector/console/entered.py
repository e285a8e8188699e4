"""The connection that somebody enters in the console.

Rule: what is left empty stays as it is, but a secret goes to no other address than it was given for; an address may not
lead inside the network unless the installation allows it; files of this machine can't be named.
Must not know: HTML, where a connection is kept.
"""

import re
from urllib.parse import urlsplit

import msgspec

from ml_connector import flows, settings
from ml_connector.console import pasted
from ml_connector.errors import SettingsError
from ml_connector.settings import Airbase, Connection, Ifs, Profile
from ml_connector.systems.address import is_inside, resolved
from ml_connector.wiring import Secrets

SECRET_MAX = 8000
_WORD = re.compile(r"[\w.@+-]{1,200}")
ALLOW = "ML_CONNECTOR_ALLOW_PRIVATE_SYSTEMS=true"


class Entered(msgspec.Struct, frozen=True):
    """The form as it was sent; its text form shows none of it."""

    ifs_url: str = ""
    realm: str = ""
    client_id: str = ""
    secret: str = ""
    companies: str = ""
    airbase_url: str = ""
    auth: str = ""
    token: str = ""
    subsidiaries: str = ""

    def __repr__(self) -> str:
        return "Entered(…)"


def connection(given: Entered, before: Connection | None, *, private: bool) -> Connection:
    """The connection to keep; `private`: it may lead inside the network. Raises: SettingsError."""
    old = before or Connection(Ifs("", "", "", ()), Airbase(""), Profile(), tuple(flows.FLOWS))
    ifs_url, ifs_public = _address(given.ifs_url, "IFS address", old.ifs.url, old.ifs.public_only, private=private)
    url, public = _address(
        given.airbase_url, "Airbase address", old.airbase.url, old.airbase.public_only, private=private
    )
    ifs = msgspec.structs.replace(
        old.ifs,
        url=ifs_url,
        realm=_word(given.realm, "realm", old.ifs.realm),
        client_id=_word(given.client_id, "client", old.ifs.client_id),
        companies=tuple(_word(one, "company") for one in pasted.listed(given.companies)) or old.ifs.companies,
        public_only=ifs_public,
    )
    if not ifs.companies:
        raise SettingsError("Which companies of IFS? Name at least one, such as 10")
    auth = pasted.token(given.token)[1] or given.auth or old.airbase.auth
    if auth not in ("bearer", "token"):
        raise SettingsError("an Airbase token is sent as bearer or as token")
    airbase = msgspec.structs.replace(old.airbase, url=url, auth=auth, public_only=public)
    return msgspec.structs.replace(old, ifs=ifs, airbase=airbase, profile=_profile(given, old.profile))


def secrets(given: Entered, made: Connection, before: Connection | None) -> Secrets:
    """The secrets that were given; "" keeps the one there is, for the address that it was given for.

    Raises: SettingsError, which repeats neither.
    """
    ifs, airbase = pasted.plain(given.secret), pasted.token(given.token)[0]
    _check_secret(ifs, "client secret", before.ifs.url if before else "", made.ifs.url)
    _check_secret(airbase, "Airbase token", before.airbase.url if before else "", made.airbase.url)
    return Secrets(ifs, airbase)


def _check_secret(value: str, what: str, old_url: str, url: str) -> None:
    if not value and url != old_url:
        why = ", as the one that is kept was given for another address" if old_url else ""
        raise SettingsError(f"the {what} is missing: paste it{why}")
    if len(value) > SECRET_MAX or not value.isprintable() or not value.isascii() or " " in value:
        raise SettingsError(f"the {what} has characters that none has: copy it once more, and nothing around it")


def written(pairs: dict[str, str]) -> str:
    """Pairs as they are entered."""
    return "\n".join(f"{company} = {reference}" for company, reference in pairs.items())


def _address(text: str, what: str, old: str, public_only: bool, *, private: bool) -> tuple[str, bool]:
    """The address, and whether it has to stay outside the network; one that did not change was judged before."""
    url = pasted.origin(text) or old
    if not url:
        raise SettingsError(f"the {what} is missing: paste it from the browser")
    if url == old:
        return old, public_only
    url = settings.origin(url)
    if not private:
        _outside(url)
    return url, not private


def _outside(url: str) -> None:
    """Make sure that an address is not inside the network; a name that nobody knows is left to the checks."""
    parts = urlsplit(url)
    try:
        found = resolved(parts.hostname or "", parts.port or 443)
    except OSError:
        return
    if any(map(is_inside, found)):
        raise SettingsError(
            f"{parts.hostname} is inside the network; set it by `ml-connector connect` on the server, or allow it "
            f"with {ALLOW}"
        )


def _word(text: str, what: str, old: str = "") -> str:
    value = pasted.plain(text) or old
    if not value:
        raise SettingsError(f"the {what} of IFS is missing")
    if not _WORD.fullmatch(value):
        raise SettingsError(f"the {what} {value[:80]!r} has characters that none has")
    return value


def _profile(given: Entered, old: Profile) -> Profile:
    try:
        pairs = pasted.pairs(given.subsidiaries)
    except ValueError as error:
        raise SettingsError(f"{str(error)!r} is no pair; write company = subsidiary, such as 10 = SUB-10") from None
    if not pairs:
        return old
    return msgspec.structs.replace(old, mapping=msgspec.structs.replace(old.mapping, subsidiaries=pairs))
