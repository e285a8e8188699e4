"""Whether a webhook comes from who knows the secret.

Rule: every valid secret is tried in constant time, over the bytes as they came; what can't be checked is refused.
Must not know: which system sends, what the body means. The time is given.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Literal

import msgspec

HEADER_MAX = 4096
SIGNATURES_MAX = 20
STANDARD = ("webhook-id", "webhook-timestamp", "webhook-signature")
SECRET_PREFIX = "whsec_"  # noqa: S105 - it marks a secret and is none
_ID = re.compile(r"[!-+\--~]{1,200}")  # printable ASCII without a comma, which would be two headers in one
_SECONDS = re.compile(r"[0-9]{1,12}")
_SIGNATURE = re.compile(r"[a-z0-9]{1,8},[A-Za-z0-9+/=_-]{1,500}")

HeaderName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$")]


class Scheme(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a webhook shows that it is genuine; all of it is assumed until a tenant's portal tells.

    `hmac`: HMAC-SHA256 of the body in `header`, written in `encoding` after `prefix`. `standard`: Standard Webhooks.
    `header`: the secret itself in `header`. `none`: it shows nothing.
    """

    kind: Literal["hmac", "standard", "header", "none"] = "hmac"
    header: HeaderName = "X-Airbase-Signature"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: Annotated[str, msgspec.Meta(max_length=40)] = ""
    tolerance_s: Annotated[int, msgspec.Meta(ge=1, le=86_400)] = 300  # of the time in a Standard Webhooks message


class Verdict(msgspec.Struct, frozen=True):
    """What the check says, and when it refuses, why."""

    state: Literal["verified", "unverified", "refused"]
    reason: str = ""


VERIFIED = Verdict("verified")
UNVERIFIED = Verdict("unverified")


def verified(scheme: Scheme, secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now: float) -> Verdict:
    """Check a webhook against every secret that is valid now.

    Shape: `headers` with names in lower case, a repeated one joined; see `folded`. Units: `now` in seconds since 1970.
    """
    if scheme.kind == "none":
        return UNVERIFIED
    keys = [secret for secret in secrets if secret]
    if not keys:
        return _refused("no secret is set for this webhook: set one, or choose the scheme none")
    if scheme.kind == "standard":
        return _standard(scheme, keys, headers, body, now)
    name = scheme.header.lower()
    given = headers.get(name, "")
    if problem := _problem(name, given):
        return _refused(problem)
    return _shared(name, keys, given) if scheme.kind == "header" else _signed(scheme, keys, given, body)


def signed(scheme: Scheme, secret: str, body: bytes, at: float) -> dict[str, str]:
    """The headers that show that a body is ours, names in lower case. Units: `at` in seconds since 1970."""
    if scheme.kind == "standard":
        told, second = "check", str(int(at))
        mac = _mac(_keys(secret)[0], f"{told}.{second}.".encode("ascii") + body)
        return dict(zip(STANDARD, (told, second, f"v1,{_written('base64', mac)}"), strict=True))
    if scheme.kind == "header":
        return {scheme.header.lower(): secret}
    return {scheme.header.lower(): scheme.prefix + _written(scheme.encoding, _mac(_bytes(secret), body))}


def folded(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers as they came over the wire, by name in lower case; a repeated one is joined, so that it can't pass."""
    found: dict[str, list[str]] = {}
    for name, value in raw:
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return {name: ", ".join(values) for name, values in found.items()}


def _signed(scheme: Scheme, secrets: Sequence[str], given: str, body: bytes) -> Verdict:
    if not given.startswith(scheme.prefix):
        return _refused(f"the header {scheme.header} does not begin with the prefix that is set")
    text = given[len(scheme.prefix) :]
    told = text.lower() if scheme.encoding == "hex" else text
    wanted = [_written(scheme.encoding, _mac(_bytes(secret), body)) for secret in secrets]
    return _decided(_any_same([told], wanted))


def _shared(name: str, secrets: Sequence[str], given: str) -> Verdict:
    if _any_same([_digest(given)], [_digest(secret) for secret in secrets]):
        return VERIFIED
    return _refused(f"the secret in the header {name} is not one that is valid now")


def _standard(scheme: Scheme, secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now: float) -> Verdict:
    """Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md"""
    told, at, signatures = (headers.get(name, "") for name in STANDARD)
    for name, value in zip(STANDARD, (told, at, signatures), strict=True):
        if problem := _problem(name, value):
            return _refused(problem)
    items = signatures.split(" ")
    if problem := _misshapen(told, at, items) or _untimely(scheme, at, now):
        return _refused(problem)
    content = f"{told}.{at}.".encode("ascii") + body
    keys = [key for secret in secrets for key in _keys(secret)]
    wanted = [f"v1,{_written('base64', _mac(key, content))}" for key in keys]
    return _decided(_any_same(items, wanted))


def _misshapen(told: str, at: str, items: Sequence[str]) -> str:
    if not _ID.fullmatch(told):
        return "the header webhook-id is no id"
    if not _SECONDS.fullmatch(at):
        return "the header webhook-timestamp is no time in seconds"
    if len(items) > SIGNATURES_MAX or not all(_SIGNATURE.fullmatch(item) for item in items):
        return "the header webhook-signature is no list of signatures"
    return ""


def _untimely(scheme: Scheme, at: str, now: float) -> str:
    off_s = abs(now - int(at))
    if off_s <= scheme.tolerance_s:
        return ""
    return f"it was signed {off_s:.0f} s from now and {scheme.tolerance_s} s are allowed: check this machine's clock"


def _keys(secret: str) -> list[bytes]:
    """The keys that a secret can stand for: senders differ in whether one without the prefix is base64."""
    marked = secret.startswith(SECRET_PREFIX)
    try:
        decoded = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    return [key for key in (decoded, b"" if marked else _bytes(secret)) if key]


def _problem(name: str, value: str) -> str:
    if not value:
        return f"the header {name} is missing"
    if len(value) > HEADER_MAX:
        return f"the header {name} is too long"
    return "" if value.isascii() and value.isprintable() else f"the header {name} holds odd characters"


def _any_same(given: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether one of those given is one of those wanted; all are compared, so that time tells nothing."""
    return any([hmac.compare_digest(one.encode(), other.encode()) for one in given for other in wanted])  # noqa: C419


def _mac(key: bytes, content: bytes) -> bytes:
    return hmac.digest(key, content, "sha256")


def _written(encoding: str, mac: bytes) -> str:
    return mac.hex() if encoding == "hex" else base64.b64encode(mac).decode("ascii")


def _digest(text: str) -> str:
    return hashlib.sha256(_bytes(text)).hexdigest()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _decided(is_same: bool) -> Verdict:
    return VERIFIED if is_same else _refused("the signature does not fit the body and any secret that is valid now")


def _refused(reason: str) -> Verdict:
    return Verdict("refused", reason)
