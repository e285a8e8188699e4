"""How a request to Airbase is authorised: a token that never changes by itself.

Rule: the token appears in the request header and nowhere else.
Must not know: where the token is kept.
"""

from typing import Literal

from ml_connector.errors import SettingsError

Scheme = Literal["bearer", "token"]
_WORDS: dict[str, str] = {"bearer": "Bearer", "token": "Token"}


class StaticToken:
    """A token under either of the two schemes seen.

    Raises: SettingsError when the scheme is unknown or the token could not stand in a header.
    """

    __slots__ = ("_scheme", "_secret")

    def __init__(self, scheme: Scheme, secret: str) -> None:
        if scheme not in _WORDS:
            raise SettingsError(f'the Airbase authorisation scheme is {scheme!r}; it must be "bearer" or "token"')
        if not secret or not all("!" <= character <= "~" for character in secret):
            raise SettingsError("the Airbase token is empty or holds a space or a character that no token has")
        self._scheme = scheme
        self._secret = secret

    def header(self) -> str:
        """The value of the Authorization header."""
        return f"{_WORDS[self._scheme]} {self._secret}"

    def renew(self, refused: str) -> bool:
        """Whether there is now another header than the refused one: never."""
        del refused
        return False

    def __repr__(self) -> str:
        return f"StaticToken({self._scheme!r}, <secret>)"

    def __reduce__(self) -> str:
        raise TypeError("a token is not pickled")
