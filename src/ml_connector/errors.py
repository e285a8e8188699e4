"""The error tree, grouped by what to do next.

Rule: a class says what the caller does with it, never where it came from.
Must not know: any system, store or page. Arguments are positional, so that an error survives pickling, and a remote
error carries system, operation and request id, never a payload.
"""


class ConnectorError(Exception):
    """Anything the connector raises on purpose."""


class SettingsError(ConnectorError):
    """The operator mends settings; nothing was sent."""


class RemoteError(ConnectorError):
    """A call to a system did not give what it should."""

    def __init__(self, system: str, operation: str, detail: str = "", request_id: str = "") -> None:
        super().__init__(system, operation, detail, request_id)
        self.system = system
        self.operation = operation
        self.detail = detail
        self.request_id = request_id

    def __str__(self) -> str:
        said = f": {self.detail}" if self.detail else ""
        traced = f" (request {self.request_id})" if self.request_id else ""
        return f"{self.system}, {self.operation}{said}{traced}"


class UnreachableError(RemoteError):
    """The request was not delivered, or a safe one was not answered: do it again later."""


class ThrottledError(RemoteError):
    """The system asked us to wait; nothing was done."""

    def __init__(self, system: str, operation: str, wait_s: float = 0.0, request_id: str = "") -> None:
        super().__init__(system, operation, f"asked to wait {wait_s:g} s", request_id)
        self.args = (system, operation, wait_s, request_id)
        self.wait_s = wait_s


class UnconfirmedError(RemoteError):
    """The request may have taken effect: look it up before doing it again."""


class MalformedError(RemoteError):
    """An answer arrived that is not what the API promises; nothing in it is trusted."""


class RefusedError(RemoteError):
    """The system understood and said no."""

    def __init__(
        self, system: str, operation: str, detail: str, status: int, code: str = "", request_id: str = ""
    ) -> None:
        super().__init__(system, operation, detail, request_id)
        self.args = (system, operation, detail, status, code, request_id)
        self.status = status
        self.code = code


class AuthError(RefusedError):
    """Credentials or grants are not accepted; a person mends them."""


class NotFoundError(RefusedError):
    """What was addressed is not there."""


class ConflictError(RefusedError):
    """The record changed since it was read: read, map and decide again."""


class StoppedError(ConnectorError):
    """Somebody asked to stop; what was sent is settled, the rest is for the next run."""


class StoreError(ConnectorError):
    """The store could not be read or written; nothing was sent since."""


class BusyError(StoreError):
    """Another run holds this flow, or the database is locked: try again."""


class VaultError(StoreError):
    """A sealed value could not be opened: wrong key, or the value was altered or moved."""
