"""A POST of JSON to an address that somebody has set.

Rule: https, or this machine; never to an address inside the network unless that is allowed; no redirect is followed;
the address itself may be a secret, so errors name its host only.
Must not know: what is told.
"""

from typing import Any
from urllib.parse import urlsplit

import httpx2
import msgspec

from ml_connector.errors import RefusedError, SettingsError, UnconfirmedError, UnreachableError
from ml_connector.systems.address import LOCAL, is_inside, resolved
from ml_connector.systems.exchange import NotSentError, carrier

SYSTEM = "webhook"
TIMEOUT_S = 10.0
_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)


class Callback:
    """An address that is told by POST."""

    def __init__(self, url: str, *, private: bool = False) -> None:
        """`private`: it may be inside the network. Raises: SettingsError."""
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        if not self._host or (parts.scheme != "https" and (parts.scheme != "http" or self._host not in LOCAL)):
            raise SettingsError("the webhook's address has to be https (http is for this machine only)")
        self._url = url
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._private = private or self._host in LOCAL

    def __repr__(self) -> str:
        return f"Callback({self._host!r})"

    def send(self, data: dict[str, Any]) -> None:
        """POST it; any 2xx will do. Raises: UnreachableError, RefusedError, UnconfirmedError."""
        if not self._private:
            self._check_public()
        headers = {"Content-Type": "application/json", "User-Agent": "ml-connector"}
        carried = carrier(TIMEOUT_S, public_only=not self._private)
        try:
            with httpx2.Client(transport=carried, timeout=TIMEOUT_S, trust_env=False, follow_redirects=False) as client:
                request = client.build_request("POST", self._url, headers=headers, content=msgspec.json.encode(data))
                answer = client.send(request, stream=True)  # its body is of no interest, however long
                answer.close()
        except NotSentError:  # the name stands for something else than a moment ago
            raise self._inside() from None
        except _NOT_SENT as error:
            raise UnreachableError(SYSTEM, self._host, f"not reached: {type(error).__name__}") from None
        except Exception as error:
            raise UnconfirmedError(SYSTEM, self._host, f"broke off: {type(error).__name__}") from None
        if not 200 <= answer.status_code < 300:
            raise RefusedError(SYSTEM, self._host, f"answered {answer.status_code}", answer.status_code)

    def _check_public(self) -> None:
        try:
            found = resolved(self._host, self._port)
        except OSError as error:
            raise UnreachableError(SYSTEM, self._host, f"not found: {type(error).__name__}") from None
        if any(map(is_inside, found)):
            raise self._inside()

    def _inside(self) -> RefusedError:
        allow = "ML_CONNECTOR_ALLOW_PRIVATE_WEBHOOKS=true"
        return RefusedError(SYSTEM, self._host, f"is inside the network; {allow} lets it through", 0)
