"""Signatures that anybody can check with common tools: Ed25519, keys as PEM.

Rule: a private key is held as 32 bytes and never written here.
Must not know: where keys are kept.
"""

import base64
import hashlib
from collections.abc import Iterable

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from ml_connector.errors import SettingsError

SIGNATURE_BYTES = 64


def made() -> bytes:
    """A new private key."""
    return Ed25519PrivateKey.generate().private_bytes_raw()


def public_of(private: bytes) -> bytes:
    """The public half of a private key; both of 32 bytes."""
    return Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def signed(private: bytes, content: bytes) -> bytes:
    """The signature of content."""
    return Ed25519PrivateKey.from_private_bytes(private).sign(content)


def holds(public: bytes, signature: bytes, content: bytes) -> bool:
    """Whether a signature is of this content and by this key."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, content)
    except InvalidSignature:
        return False
    return True


def listed(signatures: Iterable[tuple[str, bytes]]) -> bytes:
    """Signatures of several things by name, as a file."""
    return b"".join(f"{base64.b64encode(one).decode()}  {name}\n".encode() for name, one in signatures)


def in_list(line: bytes) -> tuple[str, bytes]:
    """Name and signature in a line of such a file; ("", b"") when it is none."""
    text, _, name = line.rstrip(b"\n").partition(b"  ")
    try:
        return name.decode(), base64.b64decode(text, validate=True)
    except ValueError:
        return "", b""


def pem(public: bytes) -> bytes:
    """A public key as a file that openssl reads."""
    key = Ed25519PublicKey.from_public_bytes(public)
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def from_pem(content: bytes) -> bytes:
    """The public key in such a file. Raises: SettingsError."""
    try:
        key = load_pem_public_key(content)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise SettingsError("this is no Ed25519 public key; it begins with -----BEGIN PUBLIC KEY-----")
    return key.public_bytes_raw()


def fingerprint(public: bytes) -> str:
    """What a public key is told apart by.

    Shape: SHA-256 of its 32 bytes, in groups of four hexadecimal digits, so that it can be read aloud.
    """
    digits = hashlib.sha256(public).hexdigest()
    return " ".join(digits[place : place + 4] for place in range(0, len(digits), 4))
