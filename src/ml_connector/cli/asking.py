"""What `connect` needs to know: from options, from what is kept already, or asked for.

Rule: what is not given stays as it is; of a new connection it is asked for, secrets without echo.
Must not know: where a connection is kept.
"""

import os
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
from rich.prompt import Prompt

from ml_connector import settings
from ml_connector.cli import show
from ml_connector.errors import SettingsError
from ml_connector.settings import Airbase, Connection, Further, Ifs, Profile

_WORD = re.compile(r"[\w.@+-]+")


class Given(msgspec.Struct, frozen=True):
    """The options of `connect`, as they were typed."""

    ifs_url: str
    ifs_realm: str
    ifs_client_id: str
    ifs_companies: tuple[str, ...]
    airbase_url: str
    airbase_auth: str
    subsidiaries: tuple[str, ...]
    profile: Path | None
    ca_file: str
    ifs_requests_max: int
    airbase_requests_max: int
    systems: tuple[str, ...] = ()


def connection(given: Given, before: Connection | None) -> Connection:
    """The connection to keep.

    Raises: SettingsError.
    """
    old_ifs = before.ifs if before else Ifs("", "", "", ())
    old_airbase = before.airbase if before else Airbase("")
    read = settings.read_profile(given.profile) if given.profile else before.profile if before else Profile()
    ca_file = str(Path(given.ca_file).expanduser().absolute()) if given.ca_file else old_ifs.ca_file
    ifs = msgspec.structs.replace(
        old_ifs,
        url=settings.origin(_given(given.ifs_url, old_ifs.url, "IFS address", "--ifs-url")),
        realm=_word(_given(given.ifs_realm, old_ifs.realm, "IFS realm", "--ifs-realm"), "IFS realm"),
        client_id=_word(_given(given.ifs_client_id, old_ifs.client_id, "IFS client", "--ifs-client-id"), "IFS client"),
        companies=_companies(given.ifs_companies, old_ifs.companies),
        requests_max=given.ifs_requests_max or old_ifs.requests_max,
        ca_file=ca_file,
        public_only=old_ifs.public_only and not given.ifs_url,
    )
    airbase = msgspec.structs.replace(
        old_airbase,
        url=settings.origin(_given(given.airbase_url, old_airbase.url, "Airbase address", "--airbase-url")),
        auth=given.airbase_auth or old_airbase.auth,
        requests_max=given.airbase_requests_max or old_airbase.requests_max,
        ca_file=ca_file,
        public_only=old_airbase.public_only and not given.airbase_url,
    )
    profile = _with_subsidiaries(read, before, given.subsidiaries)
    return Connection(ifs, airbase, profile, before.off if before else (), _systems(given, before))


def secret(variable: str, question: str, option: str, *, kept: bool) -> str:
    """A secret from the environment, or asked for; "" when one is kept already.

    Raises: SettingsError.
    """
    if not variable:
        return "" if kept else _asked(question, option, hidden=True)
    value = os.environ.get(variable, "").strip()
    if not value:
        raise SettingsError(f"{question}: the environment variable {variable} is empty or not set")
    if not value.isprintable():
        raise SettingsError(f"{question}: {variable} holds a line break or another control character")
    return value


def secrets(pairs: Sequence[str], added: Iterable[str]) -> dict[str, str]:
    """The secrets of further systems, each from its variable; of those just added they are asked for.

    Raises: SettingsError.
    """
    variables = dict.fromkeys(added, "") | _pairs("--system-secret-env", pairs, "NAME=VARIABLE")
    return {
        name: secret(variable, f"secret of {name}", "--system-secret-env", kept=False)
        for name, variable in variables.items()
    }


def _given(value: str, kept: str, question: str, option: str) -> str:
    return value.strip() or kept or _asked(question, option)


def _asked(question: str, option: str, *, hidden: bool = False) -> str:
    value = Prompt.ask(question, console=show.err, password=hidden).strip() if sys.stdin.isatty() else ""
    if not value:
        raise SettingsError(f"{question} is missing: {option}")
    return value


def _word(value: str, what: str) -> str:
    if not _WORD.fullmatch(value):
        raise SettingsError(f"{what} {value!r} has characters that none has")
    return value


def _companies(given: tuple[str, ...], kept: tuple[str, ...]) -> tuple[str, ...]:
    typed = " ".join(given) or " ".join(kept) or _asked("IFS companies (comma between)", "--ifs-company")
    return tuple(dict.fromkeys(_word(company, "IFS company") for company in typed.replace(",", " ").split()))


def _with_subsidiaries(read: Profile, before: Connection | None, pairs: tuple[str, ...]) -> Profile:
    kept = before.profile.mapping.subsidiaries if before else {}
    given = _pairs("--subsidiary", pairs, "COMPANY=AIRBASE_REFERENCE")
    subsidiaries = {**kept, **read.mapping.subsidiaries, **given}
    return msgspec.structs.replace(read, mapping=msgspec.structs.replace(read.mapping, subsidiaries=subsidiaries))


def _systems(given: Given, before: Connection | None) -> dict[str, Further]:
    """Further systems: those that are kept, with the addresses that are given."""
    kept = before.systems if before else {}
    addresses = _pairs("--system", given.systems, "NAME=ADDRESS")
    made = {name: msgspec.structs.replace(kept.get(name, Further("")), url=url) for name, url in addresses.items()}
    return {**kept, **made}


def _pairs(option: str, pairs: Sequence[str], form: str) -> dict[str, str]:
    given: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not (name and equals and value):
            raise SettingsError(f"{option} {pair!r} is not {form}")
        given[name] = value
    return given
