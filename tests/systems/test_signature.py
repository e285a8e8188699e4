"""Signatures of webhooks: what was signed passes, whatever was touched is refused, nothing raises."""

import base64
import hashlib
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ml_connector.systems.signature import Scheme, Verdict, folded, verified

CALM = settings(deadline=None)
NOW = 1_780_000_000.0
STANDARD = Scheme("standard")
SECRETS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=80)
BODIES = st.binary(max_size=300)
HMACS = st.builds(
    Scheme,
    st.just("hmac"),
    st.sampled_from(["X-Airbase-Signature", "x-sig"]),
    st.sampled_from(["hex", "base64"]),
    st.sampled_from(["", "sha256=", "v1="]),
)


def mac(key: bytes, content: bytes) -> bytes:
    """HMAC by its definition (RFC 2104), so that both sides can't be wrong alike."""
    block = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block) + content).digest()
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in block) + inner).digest()


def signed(scheme: Scheme, secret: str, body: bytes) -> dict[str, str]:
    made = mac(secret.encode(), body)
    text = "".join(f"{byte:02x}" for byte in made) if scheme.encoding == "hex" else base64.b64encode(made).decode()
    return {scheme.header.lower(): scheme.prefix + text}


def standard(key: bytes, body: bytes, told: str = "msg_1", at: int = int(NOW)) -> dict[str, str]:
    made = base64.b64encode(mac(key, f"{told}.{at}.".encode() + body)).decode()
    return {"webhook-id": told, "webhook-timestamp": str(at), "webhook-signature": f"v1,{made}"}


def touched(value: bytes, at: int, by: int) -> bytes:
    place = at % len(value)
    return value[:place] + bytes([value[place] ^ by]) + value[place + 1 :]


def state(scheme: Scheme, secrets: list[str], headers: dict[str, str], body: bytes, now: float = NOW) -> str:
    return verified(scheme, secrets, headers, body, now).state


@CALM
@given(HMACS, SECRETS, SECRETS, BODIES)
def test_signed_with_either_of_two_secrets_passes(scheme: Scheme, one: str, other: str, body: bytes) -> None:
    assert state(scheme, [one, other], signed(scheme, other, body), body) == "verified"
    assert state(scheme, [one, other], signed(scheme, one, body), body) == "verified"


def same_key(one: str, other: str) -> bool:
    """Whether two secrets are one HMAC key: it is filled up with zeros."""
    return mac(one.encode(), b"") == mac(other.encode(), b"")


@CALM
@given(HMACS, SECRETS, SECRETS, BODIES)
def test_another_secret_is_refused(scheme: Scheme, one: str, other: str, body: bytes) -> None:
    assume(not same_key(one, other))
    assert state(scheme, [one], signed(scheme, other, body), body) == "refused"


@CALM
@given(HMACS, SECRETS, st.binary(min_size=1, max_size=300), st.integers(0, 10**6), st.integers(1, 255))
def test_a_touched_body_is_refused(scheme: Scheme, secret: str, body: bytes, at: int, by: int) -> None:
    assert state(scheme, [secret], signed(scheme, secret, body), touched(body, at, by)) == "refused"


@CALM
@given(HMACS, SECRETS, BODIES, st.integers(0, 10**6), st.integers(1, 255))
def test_a_touched_signature_is_refused(scheme: Scheme, secret: str, body: bytes, at: int, by: int) -> None:
    [(name, value)] = signed(scheme, secret, body).items()
    other = touched(value.encode(), at, by).decode("latin-1")
    assume(scheme.encoding == "base64" or other.lower() != value.lower())  # hex is the same in either case
    assert state(scheme, [secret], {name: other}, body) == "refused"


@pytest.mark.parametrize("cut", ["", " ", "00", ","])
def test_a_signature_cut_or_lengthened_is_refused(cut: str) -> None:
    scheme = Scheme("hmac")
    [(name, value)] = signed(scheme, "s", b"{}").items()
    assert state(scheme, ["s"], {name: value[:-2] + cut}, b"{}") == "refused" or (value.endswith(cut) and cut)
    assert state(scheme, ["s"], {name: value + (cut or "x")}, b"{}") == "refused"


def test_hex_may_be_written_in_capitals() -> None:
    scheme = Scheme("hmac")
    [(name, value)] = signed(scheme, "s", b"{}").items()
    assert state(scheme, ["s"], {name: value.upper()}, b"{}") == "verified"


def test_a_prefix_must_be_there() -> None:
    headers = signed(Scheme("hmac"), "s", b"{}")
    assert state(Scheme("hmac", prefix="sha256="), ["s"], headers, b"{}") == "refused"


@CALM
@given(st.binary(min_size=1, max_size=70), BODIES, st.integers(-300, 300))
def test_a_standard_webhook_passes(key: bytes, body: bytes, off_s: int) -> None:
    secret = "whsec_" + base64.b64encode(key).decode()
    headers = standard(key, body, at=int(NOW) + off_s)
    assert state(STANDARD, ["another", secret], headers, body) == "verified"
    several = f"v1a,AAAA v1,{base64.b64encode(b'x' * 32).decode()} {headers['webhook-signature']}"
    assert state(STANDARD, [secret], {**headers, "webhook-signature": several}, body) == "verified"


@CALM
@given(SECRETS)
def test_a_standard_secret_without_prefix_is_a_key_or_base64_of_one(secret: str) -> None:
    assume(not secret.startswith("whsec_"))
    assert state(STANDARD, [secret], standard(secret.encode(), b"{}"), b"{}") == "verified"
    encoded = base64.b64encode(secret.encode()).decode()
    assert state(STANDARD, [encoded], standard(secret.encode(), b"{}"), b"{}") == "verified"


@CALM
@given(
    st.binary(min_size=1, max_size=70),
    st.binary(min_size=1, max_size=200),
    st.sampled_from(["body", "webhook-id", "webhook-timestamp", "webhook-signature"]),
    st.integers(0, 10**6),
    st.integers(1, 255),
)
def test_a_touched_standard_webhook_is_refused(key: bytes, body: bytes, where: str, at: int, by: int) -> None:
    secret = "whsec_" + base64.b64encode(key).decode()
    headers = standard(key, body)
    if where == "body":
        body = touched(body, at, by)
    else:
        headers[where] = touched(headers[where].encode(), at, by).decode("latin-1")
    assert state(Scheme("standard", tolerance_s=86_400), [secret], headers, body) == "refused"


@pytest.mark.parametrize("off_s", [301, -301, 10**6])
def test_an_old_standard_webhook_is_refused(off_s: int) -> None:
    headers = standard(b"key", b"{}", at=int(NOW) - off_s)
    said = verified(STANDARD, ["key"], headers, b"{}", NOW)
    assert said.state == "refused"
    assert "clock" in said.reason


@pytest.mark.parametrize("secret", ["whsec_", "whsec_%%%"])
def test_a_standard_secret_that_is_no_key_lets_nothing_pass(secret: str) -> None:
    for key in (b"", b"%%%", secret.encode()):
        assert state(STANDARD, [secret], standard(key, b"{}"), b"{}") == "refused"


@CALM
@given(SECRETS, SECRETS)
def test_a_shared_secret(one: str, other: str) -> None:
    scheme = Scheme("header", "X-Secret")
    passes = other.isascii() and other.isprintable()
    assert state(scheme, [one, other], {"x-secret": other}, b"") == ("verified" if passes else "refused")
    assert state(scheme, [one], {"x-secret": other + "x"}, b"") == "refused" or one == other + "x"


@pytest.mark.parametrize("kind", ["hmac", "standard", "header"])
@pytest.mark.parametrize("secrets", [[], [""], ["", ""]])
def test_without_a_secret_nothing_passes(kind: Any, secrets: list[str]) -> None:
    scheme = Scheme(kind)
    headers = {**signed(scheme, "", b"{}"), **standard(b"", b"{}")}
    assert "no secret" in verified(scheme, secrets, headers, b"{}", NOW).reason
    assert state(scheme, secrets, {"x-airbase-signature": ""}, b"{}") == "refused"


def test_none_is_never_called_verified() -> None:
    assert verified(Scheme("none"), ["s"], {}, b"", NOW) == Verdict("unverified")


@pytest.mark.parametrize("kind", ["hmac", "standard", "header"])
def test_a_missing_header_is_named(kind: Any) -> None:
    said = verified(Scheme(kind), ["s"], {}, b"{}", NOW).reason
    assert "is missing" in said
    assert ("webhook-id" if kind == "standard" else "x-airbase-signature") in said


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_repeated_header_is_refused(name: str) -> None:
    headers = standard(b"key", b"{}")
    raw = [(key.upper().encode(), value.encode()) for key, value in headers.items()]
    assert state(STANDARD, ["key"], folded(raw), b"{}") == "verified"
    assert state(STANDARD, ["key"], folded([*raw, (name.encode(), headers[name].encode())]), b"{}") == "refused"


def test_a_repeated_shared_secret_is_refused() -> None:
    again = folded([(b"X-Secret", b"s"), (b"x-secret", b"s")])
    assert state(Scheme("header", "X-Secret"), ["s"], again, b"") == "refused"


WILD = st.text(max_size=60) | st.sampled_from(["\ud800", "x" * 10_000, "v1,", "v1,é", "९" * 10, "1" * 5000, "nan"])
NAMES = st.sampled_from(["x-airbase-signature", "webhook-id", "webhook-timestamp", "webhook-signature"])


@CALM
@given(
    st.builds(
        Scheme,
        st.sampled_from(["hmac", "standard", "header"]),
        encoding=st.sampled_from(["hex", "base64"]),
        prefix=st.sampled_from(["", "v1,"]),
    ),
    st.lists(WILD, max_size=3),
    st.dictionaries(NAMES, WILD),
    BODIES,
)
def test_nonsense_is_refused_and_never_raises(
    scheme: Scheme, secrets: list[str], headers: dict[str, str], body: bytes
) -> None:
    assume(scheme.kind != "header" or headers.get("x-airbase-signature") not in secrets)
    said = verified(scheme, secrets, headers, body, NOW)
    assert said.state == "refused"
    assert not any(secret in said.reason for secret in secrets if len(secret) > 40)


@pytest.mark.parametrize(
    "given",
    [
        {"kind": "rot13"},
        {"header": "X Signature"},
        {"header": ""},
        {"tolerance_s": 0},
        {"tolerance_s": 10**9},
        {"encoding": "base32"},
        {"colour": "red"},
    ],
)
def test_a_scheme_that_makes_no_sense_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(given, Scheme)
