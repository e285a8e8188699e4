"""Where requests may go: one origin, paths of its own, and whether that is inside the network.

Rule: credentials leave over TLS only, and to the origin that they are for.
Must not know: what is asked there.
"""

import ipaddress
import socket

import httpx2

from ml_connector.errors import SettingsError

LOCAL = ("127.0.0.1", "localhost", "::1")
# Networks of IPv6 whose last four bytes are an address of IPv4.
_CARRIERS = [ipaddress.ip_network(prefix) for prefix in ("64:ff9b::/96", "::/96", "::ffff:0:0:0/96")]
_LOCAL_USE = [ipaddress.ip_network(prefix) for prefix in ("64:ff9b:1::/48", "fec0::/10")]


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


def is_inside(text: str) -> bool:
    """Whether an address is not one of the internet, also the one that an address of IPv6 stands for."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        last = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if any(address in one for one in _CARRIERS) else None
        address = address.ipv4_mapped or address.sixtofour or last or address
    return not address.is_global or address.is_multicast or address.is_reserved or _local_use(address)


def _local_use(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return any(address in network for network in _LOCAL_USE)


def resolved(host: str, port: int) -> list[str]:
    """The addresses that a name stands for now. Raises: OSError."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:  # a name that can't be one
        raise OSError("no name") from None
    return list(dict.fromkeys(str(place[0]) for *_, place in found))


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
