"""The answers of the stand-in Airbase, worded as Django REST Framework words them.

One rule: every answer carries the headers that recorded traffic shows, and no others that would help a client.
It must not know why an answer is given.
"""

import uuid
from typing import Any

import msgspec

from ml_connector.sandbox.web import Response

RELEASE = "2026.07.1"


def json_reply(status: int, body: Any, **headers: str) -> Response:
    """Answer with JSON."""
    return _reply(status, "application/json", msgspec.json.encode(body), headers)


def detail(status: int, text: str, **headers: str) -> Response:
    """Answer with one sentence."""
    return json_reply(status, {"detail": text}, **headers)


def not_found() -> Response:
    """Answer that there is no such row."""
    return detail(404, "Not found.")


def no_such_page() -> Response:
    """Answer for a path that Django's routes do not have."""
    return _reply(404, "text/html; charset=utf-8", b"<!doctype html><h1>Not Found</h1>", {})


def moved(path: str, query: str) -> Response:
    """Send the client to the path with a slash at its end."""
    place = f"{path}/?{query}" if query else f"{path}/"
    return _reply(301, "text/html; charset=utf-8", b"", {"Location": place})


def not_allowed(method: str, allowed: str) -> Response:
    """Answer that the method cannot be used here."""
    return detail(405, f'Method "{method}" not allowed.', Allow=allowed)


def with_headers(answer: Response, headers: dict[str, str]) -> Response:
    """Add headers to an answer."""
    return msgspec.structs.replace(answer, headers={**answer.headers, **headers})


def _reply(status: int, content_type: str, body: bytes, headers: dict[str, str]) -> Response:
    seen = {"X-Airbase-Release-Version": RELEASE, "X-Request-Id": str(uuid.uuid4())}
    return Response(status, {"Content-Type": content_type, **seen, **headers}, body)
