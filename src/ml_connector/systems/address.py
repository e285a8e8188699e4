"""Where requests may go: one origin, and paths of its own.

Rule: credentials leave over TLS only, and to the origin that they are for.
Must not know: what is asked there.
"""

import httpx2

from ml_connector.errors import SettingsError

LOCAL = ("127.0.0.1", "localhost", "::1")


def clean_origin(origin: str, *, plain_http: bool = False) -> str:
    """The origin as scheme, host and port; `plain_http` allows http to hosts other than this machine.

    Raises: SettingsError.
    """
    try:
        url = httpx2.URL(origin)
        clean = f"{url.scheme}://{url.netloc.decode('ascii')}"
    except (httpx2.InvalidURL, ValueError):
        raise SettingsError(f"{origin!r} is no address") from None
    if origin.rstrip("/").lower() != clean or not url.host or url.scheme not in ("http", "https"):
        raise SettingsError(f"{origin!r} should be https://host or https://host:port and nothing more")
    if url.scheme == "http" and not plain_http and url.host not in LOCAL:
        raise SettingsError(f"{origin!r} would send credentials unencrypted: use https")
    return clean


def clean_target(path: str, query: str) -> str:
    """The path and the query as they go into the request line; both are encoded already.

    Raises: ValueError when the path could lead to another origin or is not encoded.
    """
    text = path + query
    if not all("!" <= character <= "~" and character not in "#\\" for character in text) or "?" in path:
        raise ValueError("path and query should be encoded")
    if not path.startswith("/") or path.startswith("//") or {".", ".."} & set(path.split("/")):
        raise ValueError("not a path of the system's own")
    return f"{path}?{query}" if query else path
