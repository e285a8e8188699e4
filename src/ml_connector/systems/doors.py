"""The way to a system, step by step: what its name stands for, and who vouches for it.

Rule: nothing is said to the system beyond the handshake; an address inside the network is not spoken to where that is
not allowed.
Must not know: which system it is.
"""

import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import urlsplit

import msgspec

from ml_connector.systems.address import is_inside, resolved
from ml_connector.systems.exchange import INSIDE, proxy, tls
from ml_connector.systems.step import Said, Step, timed

CONNECT_S = 10.0
DAYS_MIN = 21  # of a certificate's life, from which on it is told
SHOWN_MAX = 4
_ADDRESS = "Check the address for typing errors, and that this machine's DNS knows the name."


class Door(msgspec.Struct, frozen=True):
    """Where a system is; `ca_file` names authorities of its own, `public_only`: it may not be inside the network."""

    origin: str
    ca_file: str = ""
    public_only: bool = False

    @property
    def place(self) -> tuple[str, int]:
        """Host and port."""
        parts = urlsplit(self.origin)
        return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def steps(door: Door) -> Iterator[Step]:
    """The steps, each as soon as it is done; none after one that failed."""
    acts: list[tuple[str, Callable[[], Said]]] = [("DNS", lambda: _name(door)), ("TLS", lambda: _certificate(door))]
    for name, act in acts:
        step = timed(name, act, str)
        yield step
        if not step.ok:
            return


def _name(door: Door) -> Said:
    host, port = door.place
    if proxy(door.origin):
        return Said(True, f"{host} is reached through this machine's proxy, which looks it up.")
    try:
        found = resolved(host, port)
    except OSError:
        return Said(False, f"Nobody knows the name {host}.", _ADDRESS, unreachable=True)
    if door.public_only and any(map(is_inside, found)):
        return Said(False, f"{host}: {INSIDE}.", "Use the public address, or have that setting changed.")
    return Said(True, f"{host} is {', '.join(found[:SHOWN_MAX])}.")


def _certificate(door: Door) -> Said:
    if not door.origin.startswith("https:"):
        return Said(True, "Without TLS, as it is on this machine.")
    if proxy(door.origin):
        return Said(True, "Through a proxy; each request checks the certificate.")
    try:
        return _judged(_shaken(door))
    except ssl.SSLCertVerificationError as error:
        said = f"The certificate is not accepted: {error.verify_message}."
        return Said(False, said, "If it is of your own authority: ml-connector connect … --ca-file FILE on the server.")
    except OSError as error:
        said = f"{door.place[0]} does not answer: {type(error).__name__}."
        return Said(False, said, "Check the address, the port, and the firewall between.", unreachable=True)


def _shaken(door: Door) -> dict[str, Any]:
    """The certificate that is shown, once it is believed. Raises: OSError."""
    host, port = door.place
    with socket.create_connection((host, port), timeout=CONNECT_S) as plain:
        if door.public_only and is_inside(str(plain.getpeername()[0])):
            raise OSError(INSIDE)
        with tls(door.ca_file or True).wrap_socket(plain, server_hostname=host) as sealed:
            return cast("dict[str, Any]", sealed.getpeercert() or {}) | {"version": sealed.version()}


def _judged(shown: dict[str, Any]) -> Said:
    names = {name: value for one in shown.get("issuer", ()) for name, value in one}
    issuer = str(names.get("organizationName") or names.get("commonName") or "an unnamed authority")[:100]
    until = datetime.fromtimestamp(ssl.cert_time_to_seconds(shown["notAfter"]), UTC)
    days = (until - datetime.now(UTC)).days
    said = f"{shown['version']}; certificate of {issuer}, good for {days:,} more days."
    return Said(True, said, "Have the certificate renewed soon." if days < DAYS_MIN else "")
