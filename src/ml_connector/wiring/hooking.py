"""Setting up hooks: what may be set, which secrets are usable, the address to be told.

Rule: whatever is set can be checked; a hook that would refuse everything is not made.
Must not know: how anything is shown, how a webhook arrives.
"""

import base64
import binascii
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ml_connector.errors import SettingsError
from ml_connector.flows import FLOWS
from ml_connector.settings import Installation
from ml_connector.store.hooks import OVERLAP_S, Hook, Hooks
from ml_connector.systems.notices import usable
from ml_connector.systems.signature import SECRET_PREFIX, Scheme
from ml_connector.wiring import choice
from ml_connector.wiring.opened import Opened
from ml_connector.wiring.receiving import How, Teller, first, how_of

SECRET_BYTES = 32
SECRET_MIN, SECRET_MAX = 12, 1000


class Wish(msgspec.Struct, frozen=True):
    """What somebody wants of a hook; what is not given stays, or is as usual. `key`: paths of its parts in the body."""

    scheme: Mapping[str, str] = {}
    flow: str = ""
    key: Sequence[str] = ()
    secret: str = ""
    rotate: bool = False

    def __repr__(self) -> str:
        return "Wish(…)"


class Made(msgspec.Struct, frozen=True):
    """A hook as set, and the secret that was made for it, if one was."""

    hook: Hook
    secret: str = ""

    def __repr__(self) -> str:
        return "Made(…)"


def set_up(opened: Opened, name: str, system: Teller, wish: Wish, person: str) -> Made:
    """Set up or change a hook. Raises: SettingsError, StoreError."""
    hooks, connection_id = Hooks(opened.database, opened.vault), opened.connections.get(name).id
    before = hooks.get(connection_id, system)
    how = _wished(how_of(before) if before else first(system), system, wish)
    there = before.kept.current if before else ""
    made = "" if wish.secret or how.scheme.kind == "none" or (there and not wish.rotate) else _new_secret(how.scheme)
    secret = wish.secret or made
    _check_secret(how.scheme, secret or there)
    overlap_s = OVERLAP_S if wish.rotate and there else 0.0
    kept = msgspec.json.encode(how).decode()
    if before and kept == before.scheme and not secret:
        return Made(before)
    return Made(hooks.set(connection_id, system, kept, person, secret or None, overlap_s), made)


def address(installation: Installation, hook: Hook) -> str:
    """Where the system has to send its webhooks."""
    return f"{installation.public_url.rstrip('/')}/hooks/{hook.system}/{hook.kept.token}"


def _wished(how: How, system: Teller, wish: Wish) -> How:
    given: dict[str, Any] = msgspec.to_builtins(how.scheme) | {name: told for name, told in wish.scheme.items() if told}
    finder: dict[str, Any] = msgspec.to_builtins(how.finder)
    if (wish.flow or wish.key) and system != "ifs":
        raise SettingsError("--flow and --key are for hooks of IFS; Airbase's events tell both by themselves")
    if wish.flow:
        finder |= {"flow": _of_ifs(wish.flow)}
    if not all(name.strip() for name in wish.key):
        raise SettingsError("--key is empty; it looks like Order/OrderNo")
    if wish.key:
        finder |= {"key": list(wish.key)}
    try:
        return msgspec.convert({"scheme": given, "finder": finder}, How)
    except msgspec.ValidationError as error:
        raise SettingsError(f"a hook can't be like that: {error}") from None


def _of_ifs(flow: str) -> str:
    choice.known([flow])
    if FLOWS[flow].source.system != "ifs":
        raise SettingsError(f"{flow} does not read from IFS, so IFS has nothing to tell of it")
    return flow


def _new_secret(scheme: Scheme) -> str:
    made = secrets.token_bytes(SECRET_BYTES)
    return f"{SECRET_PREFIX}{base64.b64encode(made).decode()}" if scheme.kind == "standard" else made.hex()


def _check_secret(scheme: Scheme, secret: str) -> None:
    """Make sure that a secret can be used. Raises: SettingsError, which does not repeat it."""
    if scheme.kind == "none":
        return
    if not usable(secret, SECRET_MAX) or not secret.isascii() or secret != secret.strip() or len(secret) < SECRET_MIN:
        raise SettingsError(f"the secret has to be {SECRET_MIN} to {SECRET_MAX} printable characters of ASCII")
    if scheme.kind == "standard" and secret.startswith(SECRET_PREFIX):
        try:
            base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
        except (binascii.Error, ValueError):
            raise SettingsError(f"after {SECRET_PREFIX}, the secret is no base64; copy all of it") from None
