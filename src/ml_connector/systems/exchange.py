"""One request and its answer, within limits of time and size.

Rule: what fails says whether the request can have arrived: `NotSentError` only when it certainly has not.
Must not know: retries, credentials, what an answer means.
"""

import contextlib
import ctypes
import functools
import re
import socket
import ssl
import threading
import time
import urllib.request
import weakref
from collections.abc import Iterable
from typing import Any

import httpx2
import msgspec

from ml_connector.errors import SettingsError
from ml_connector.systems.address import is_inside

ERROR_BODY_MAX = 65_536
LARGE = 131_072  # bytes, from which memory is the system's again when it is let go
_MMAP_THRESHOLD = -3  # of mallopt(3)
INSIDE = "its address is inside the network, which ML_CONNECTOR_ALLOW_PRIVATE_SYSTEMS=true would allow"
_NUMBERED = re.compile(r"^\[Errno -?\d+\] ")
_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError)


class Answer(msgspec.Struct, frozen=True):
    """What a system answered; header names are lower case, `received_at` is seconds since 1970."""

    status: int
    headers: dict[str, str]
    body: bytes
    received_at: float


class NotSentError(Exception):
    """The request did not leave."""


class LostError(Exception):
    """The request may have arrived; no whole answer came back."""


class LateError(LostError):
    """The same, because time was up."""


class OversizeError(LostError):
    """The same, because the answer is larger than allowed."""


class Reach(msgspec.Struct, frozen=True):
    """How a system is reached, and how much of it is taken.

    `verify`: whose certificates are believed, or a file that says so. `public_only`: at no address that is inside the
    network, whatever its name stands for. `transport`: another way than the network. Units: body_max in bytes.
    """

    verify: bool | str = True
    public_only: bool = False
    connect_s: float = 10.0
    body_max: int = 64 * 2**20
    transport: httpx2.BaseTransport | None = None


REACH = Reach()


class Exchange:
    """Connections to one origin."""

    def __init__(self, origin: str, reach: Reach = REACH) -> None:
        _give_back_large_answers()
        self._origin, self._reach = origin, reach
        self._clock = _Deadline()
        self._network = _Network(self._clock, public_only=reach.public_only)
        timed = reach.transport or _Timed(self._network, tls(reach.verify), proxy(origin))
        self._client = httpx2.Client(transport=timed, trust_env=False)

    def send(self, method: str, target: str, headers: dict[str, str], body: bytes, total_s: float) -> Answer:
        """Send one request and read its whole answer.

        Raises: NotSentError, LostError.
        """
        self._clock.start(total_s)
        timeout = httpx2.Timeout(total_s, connect=min(self._reach.connect_s, total_s))
        try:
            request = self._client.build_request(
                method, self._origin + target, headers=headers, content=body or None, timeout=timeout
            )
        except Exception as error:
            raise NotSentError(f"the request could not be built: {type(error).__name__}") from None
        try:
            return self._read(self._client.send(request, stream=True))
        except _NOT_SENT as error:
            raise NotSentError(f"not reached: {_said(error)}") from None
        except NotSentError:
            raise
        except httpx2.TimeoutException:
            raise LateError(f"no whole answer within {total_s:g} s") from None
        except LostError:
            raise
        except Exception as error:  # whatever it is, the request may have arrived
            raise LostError(f"the answer broke off: {_said(error)}") from None

    def _read(self, response: httpx2.Response) -> Answer:
        chunks: list[bytes] = []
        try:
            self._collect(response, chunks)
        except Exception:
            if response.status_code < 400:
                raise  # else the status alone says enough
        finally:
            response.close()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, headers, b"".join(chunks), time.time())

    def _collect(self, response: httpx2.Response, chunks: list[bytes]) -> None:
        most = self._reach.body_max if response.status_code < 400 else ERROR_BODY_MAX
        size = 0
        for chunk in response.iter_bytes():
            size += len(chunk)
            if size > most:
                raise OversizeError(f"the answer is larger than {most} bytes")
            if self._clock.left_s() <= 0:
                raise LateError("the answer took too long")
            chunks.append(chunk)
        promised = response.headers.get("content-length", "")
        arrived = response.num_bytes_downloaded
        if arrived and promised.isdigit() and int(promised) != arrived:
            raise LostError(f"{arrived} bytes arrived of {promised}")

    def close(self) -> None:
        """Close all connections; whoever waits for an answer in another thread gets none."""
        self._network.end()
        self._client.close()


def _said(error: Exception) -> str:
    return _NUMBERED.sub("", str(error))[:200] or type(error).__name__


@functools.cache  # loading the authorities takes longer than many a run
def tls(verify: bool | str) -> ssl.SSLContext:
    """Which certificates are believed; `verify` may name a file with authorities. Raises: SettingsError."""
    if not isinstance(verify, str):
        return httpx2.create_ssl_context(verify)
    try:
        return ssl.create_default_context(cafile=verify)
    except ssl.SSLError:
        raise SettingsError(f"{verify} holds no certificates; --ca-file has to name a PEM file") from None
    except OSError as error:
        raise SettingsError(f"{verify}, where --ca-file expects certificates: {error.strerror}") from None


def proxy(origin: str) -> str | None:
    """The proxy that requests to an origin go through."""
    scheme, _, host = origin.partition("://")
    if urllib.request.proxy_bypass(host):
        return None
    proxies = urllib.request.getproxies()
    return proxies.get(scheme) or proxies.get("all")


@functools.cache
def _give_back_large_answers() -> None:
    """Have the memory of what was read given back at once: glibc else keeps that of the largest, for each thread."""
    with contextlib.suppress(OSError, AttributeError):  # another C library has no such switch, and no such habit
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, LARGE)


class _Deadline(threading.local):
    """When the request of this thread must be over."""

    at: float = 0.0

    def start(self, total_s: float) -> None:
        self.at = time.monotonic() + total_s

    def left_s(self) -> float:
        return self.at - time.monotonic()

    def cut(self, timeout: float | None) -> float:
        """A time limit for one step, within what is left of the whole."""
        left_s = max(self.left_s(), 0.001)  # 0 would mean "do not block"
        return left_s if timeout is None else min(timeout, left_s)


class _Timed(httpx2.HTTPTransport):
    """A transport in which every wait on the network ends with the deadline.

    httpx limits each single read, so that a server which sends a byte now and then could hold a request for ever.
    """

    def __init__(self, network: "_Network", verify: ssl.SSLContext | bool, through: str | None) -> None:
        super().__init__(verify=verify, proxy=through, trust_env=True)
        pool: Any = self._pool
        network.over(pool._network_backend, direct=not through)
        pool._network_backend = network


def _inside(stream: Any) -> str:
    """Why this is not to be spoken to: who is at the other end is inside the network, or already gone."""
    try:
        return INSIDE if is_inside(str(stream.get_extra_info("server_addr")[0])) else ""
    except OSError as error:
        return f"not reached: {_said(error)}"


def carrier(total_s: float, *, public_only: bool) -> httpx2.BaseTransport:
    """What carries the requests of this thread directly, all of them within a time from now on."""
    clock = _Deadline()
    clock.start(total_s)
    return _Timed(_Network(clock, public_only=public_only), tls(True), None)


class _Network:
    """What connections are made with, and all that are open.

    A connection that is made while its exchange is closed belongs to nobody, and would stay open.
    """

    def __init__(self, clock: _Deadline, *, public_only: bool) -> None:
        self._inner: Any = None
        self._clock = clock
        self._public_only = public_only
        self._open = weakref.WeakSet[_Stream]()
        self._lock = threading.Lock()
        self._ended = False

    def over(self, inner: Any, *, direct: bool) -> None:
        """What it is made of; where a proxy stands between, that decides what is reached."""
        self._inner = inner
        self._public_only = self._public_only and direct

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> "_Stream":
        stream = self._inner.connect_tcp(host, port, self._clock.cut(timeout), local_address, socket_options)
        # What the name stood for a moment ago counts for nothing: only who is at the other end now.
        if self._public_only and (problem := _inside(stream)):
            stream.close()
            raise NotSentError(problem)
        return self.kept(_Stream(stream, self._clock, self))

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(seconds)

    def kept(self, stream: "_Stream") -> "_Stream":
        """The stream, unless all is over. Raises: NotSentError."""
        with self._lock:
            if not self._ended:
                self._open.add(stream)
                return stream
        stream.close()
        raise NotSentError("not reached: the connection was closed meanwhile")

    def end(self) -> None:
        """Have no more connections, and wake those that wait on one: each closes its own."""
        with self._lock:
            self._ended, streams = True, list(self._open)
        for stream in streams:
            stream.end()


class _Stream:
    def __init__(self, inner: Any, clock: _Deadline, network: _Network) -> None:
        self._inner = inner
        self._clock = clock
        self._network = network

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._clock.cut(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._clock.cut(timeout))

    def close(self) -> None:
        self._inner.close()

    def end(self) -> None:
        with contextlib.suppress(OSError):  # it is over already
            self._inner.get_extra_info("socket").shutdown(socket.SHUT_RDWR)

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> "_Stream":
        sealed = self._inner.start_tls(ssl_context, server_hostname, self._clock.cut(timeout))
        return self._network.kept(_Stream(sealed, self._clock, self._network))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
