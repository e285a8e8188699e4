"""Passwords: which will do, and what is kept of them.

Rule: checking one takes as long for who is not known as for who is; so many are checked at once at most, as each takes
a lot of memory.
Must not know: whose a password is.
"""

import secrets
import threading
import unicodedata

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from ml_connector.errors import SettingsError

LENGTH_MIN, LENGTH_MAX = 12, 200
DIFFERENT_MIN = 5
AT_ONCE_MAX = 4
MEMORY_KIB, PASSES = 47_104, 1  # what OWASP recommends, some 60 ms
_TURNS = threading.BoundedSemaphore(AT_ONCE_MAX)
# Of no password: 32 random bytes, forgotten.
NOBODYS = "$argon2id$v=19$m=47104,t=1,p=1$GN+vL+NfxRKg2uwQE8GwLg$9I6hv2j1cDF5M8Wzj/DYRjV7hx1L/GUeW4E3vK+Ne2E"


def check(password: str, name: str) -> None:
    """Make sure that a new password is hard to guess. Raises: SettingsError."""
    if not LENGTH_MIN <= len(password) <= LENGTH_MAX:
        raise SettingsError(f"a password has {LENGTH_MIN} to {LENGTH_MAX} characters; a few words in a row are good")
    if len(set(password.casefold())) < DIFFERENT_MIN:
        raise SettingsError("this password repeats a few characters; take another, a few words in a row are good")
    if name and name.casefold() in password.casefold() and len(name) * 2 > len(password):
        raise SettingsError("this password is hardly more than the name; take another, a few words in a row are good")


def kept(password: str) -> str:
    """What is kept of a password."""
    salt = secrets.token_bytes(16)
    with _TURNS:
        way = Argon2id(salt=salt, length=32, iterations=PASSES, lanes=1, memory_cost=MEMORY_KIB)
        return way.derive_phc_encoded(_plain(password))


def fits(stored: str, password: str) -> bool:
    """Whether it is the password of which this was kept; `stored` "": of nobody."""
    try:
        with _TURNS:
            Argon2id.verify_phc_encoded(_plain(password[:LENGTH_MAX]), stored or NOBODYS)
    except InvalidKey:
        return False
    return bool(stored)


def is_stale(stored: str) -> bool:
    """Whether it was kept in a way that is not today's."""
    return not stored.startswith(f"$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p=1$")


def _plain(password: str) -> bytes:
    # So that the same characters count as the same, whichever keyboard typed them.
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
