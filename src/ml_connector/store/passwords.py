"""Passwords: which will do, and what is kept of them.

Rule: checking one takes as long for who is not known as for who is; so many are checked at once at most, as each takes
a lot of memory.
Must not know: whose a password is.
"""

import threading
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from ml_connector.errors import SettingsError

LENGTH_MIN, LENGTH_MAX = 12, 200
DIFFERENT_MIN = 5
AT_ONCE_MAX = 4
MEMORY_KIB = 47_104  # with one pass: what OWASP recommends, some 50 ms
_HASHER = PasswordHasher(time_cost=1, memory_cost=MEMORY_KIB, parallelism=1)
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
    with _TURNS:
        return _HASHER.hash(_plain(password))


def fits(stored: str, password: str) -> bool:
    """Whether it is the password of which this was kept; `stored` "": of nobody."""
    try:
        with _TURNS:
            return _HASHER.verify(stored or NOBODYS, _plain(password[:LENGTH_MAX])) and bool(stored)
    except (VerificationError, InvalidHashError):
        return False


def is_stale(stored: str) -> bool:
    """Whether it was kept in a way that is not today's."""
    return _HASHER.check_needs_rehash(stored)


def _plain(password: str) -> bytes:
    # So that the same characters count as the same, whichever keyboard typed them.
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
