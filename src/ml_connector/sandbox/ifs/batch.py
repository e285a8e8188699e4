"""``$batch``: many requests in one, some of them all or none.

Rule: a changeset that fails leaves nothing behind and answers with its first error alone.
It must not know what the requests within do.
"""

import http
import re
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit
from uuid import uuid4

from ml_connector.sandbox.ifs.commit import commit
from ml_connector.sandbox.ifs.data import Call
from ml_connector.sandbox.ifs.errors import Refusal, bad_body, not_implemented, wrong_method
from ml_connector.sandbox.ifs.services import Service, split
from ml_connector.sandbox.web import Request, Response
from ml_connector.sandbox.world import World

Headers = dict[str, str]
Run = Callable[[Call], Response]
_BOUNDARY = re.compile(r'boundary="?([^";]+)"?', re.IGNORECASE)
_GO_ON = re.compile(r"continue-on-error(?!\s*=\s*false)", re.IGNORECASE)
_LINE_END = re.compile(rb"\r?\n")
_BLANK = re.compile(rb"\r?\n\r?\n")
_REFERENCE = re.compile(r"\$([\w.-]+)(?=/|$)")


def answer_batch(request: Request, service: Service, root: str, world: World, run: Run, requests_max: int) -> Response:
    """Answer a batch of no more than so many requests."""
    if request.method != "POST":
        raise wrong_method(request.method)
    media = request.headers.get("content-type", "")
    if not media.lower().startswith("multipart/mixed"):
        raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", f"The content type '{media}' is not supported for a batch.")
    go_on = _GO_ON.search(request.headers.get("prefer", "")) is not None
    batch = Batch(request, service, root, world, run)
    boundary = f"batch_{uuid4()}"
    parts = [Part(headers, content) for headers, content in parts_of(request.body, media)]
    if sum(len(part.changes) or 1 for part in parts) > requests_max:
        raise bad_body(f"The batch has more than {requests_max} requests.")
    answers = list(batch.answers(parts, go_on))
    headers = {"Content-Type": f"multipart/mixed; boundary={boundary}", "OData-Version": "4.0"}
    return Response(200, headers, multipart(answers, boundary))


class Part:
    """One part of a batch: a request, or a changeset and what is in it."""

    def __init__(self, headers: Headers, content: bytes) -> None:
        self.headers = headers
        self.content = content
        self.is_changeset = headers.get("content-type", "").lower().startswith("multipart/mixed")
        self.changes = parts_of(content, headers["content-type"]) if self.is_changeset else []


class Batch:
    """The requests of one batch, in order."""

    def __init__(self, request: Request, service: Service, root: str, world: World, run: Run) -> None:
        self._request = request
        self._service = service
        self._root = root
        self._world = world
        self._run = run

    def answers(self, parts: list[Part], go_on: bool) -> Iterator[bytes]:
        """The answers as parts; the first failure is the last answer unless told to go on."""
        for part in parts:
            failed, answer = self._answer(part)
            yield answer
            if failed and not go_on:
                return

    def _answer(self, part: Part) -> tuple[bool, bytes]:
        try:
            if part.is_changeset:
                return False, self._changeset(part.changes)
            response = self._one(self._inner(part.content, {}))
        except Refusal as refusal:
            response = refusal.response()
        return response.status >= 400, http_part(response, part.headers.get("content-id"))

    def _changeset(self, changes: list[tuple[Headers, bytes]]) -> bytes:
        boundary, places = f"changeset_{uuid4()}", dict[str, str]()
        with commit(self._world):
            answers = [self._change(*change, places) for change in changes]
        body = multipart(answers, boundary)
        return f"Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n".encode() + body

    def _change(self, headers: Headers, content: bytes, places: dict[str, str]) -> bytes:
        inner = self._inner(content, places)
        if inner.method == "GET":
            raise bad_body("A changeset must not contain a GET.")
        response = self._one(inner)
        content_id = headers.get("content-id")
        if content_id:
            places[content_id] = urlsplit(response.headers.get("Location", inner.path)).path
        return http_part(response, content_id)

    def _one(self, request: Request) -> Response:
        parts = split(request.path)
        if parts is None or parts[1] != self._service.name:
            raise bad_body(f"'{request.path}' is not below the service of the batch.")
        if parts[2] in ("/", "/$metadata", "/$batch"):
            raise not_implemented("This resource within a batch")
        return self._run(Call(request, self._service, parts[2]))

    def _inner(self, content: bytes, places: dict[str, str]) -> Request:
        head, body = _halves(content)
        first, *lines = head.decode("utf-8", "replace").splitlines() or [""]
        match first.split(" "):
            case [method, target, "HTTP/1.1"]:
                path, query = self._target(target, places)
                return Request(method, path, query, _headers(lines), body, self._request.host)
            case _:
                raise bad_body(f"'{first}' is not a request line.")

    def _target(self, target: str, places: dict[str, str]) -> tuple[str, str]:
        reference = _REFERENCE.match(target)
        if reference and reference[1] in places:
            target = places[reference[1]] + target[reference.end() :]
        if "://" in target:
            target = target.split("://", 1)[1].partition("/")[2]
            target = "/" + target
        path, _, query = target.partition("?")
        return (path if path.startswith("/") else f"{self._root}/{path}"), query


def parts_of(body: bytes, media: str) -> list[tuple[Headers, bytes]]:
    """The parts of a multipart body."""
    match = _BOUNDARY.search(media)
    if match is None:
        raise bad_body("The multipart body has no boundary.")
    marker = re.compile(rb"(?:\A|\r?\n)--" + re.escape(match[1].strip().encode()) + rb"(--)?[ \t]*(?=\r?\n|\Z)")
    pieces = marker.split(body)
    if len(pieces) < 3 or pieces[-2] is None:
        raise bad_body("The multipart body is not complete.")
    return [_part(piece) for piece in pieces[2:-1:2]]


def _part(piece: bytes) -> tuple[Headers, bytes]:
    head, content = _halves(_LINE_END.sub(b"", piece, count=1))
    return _headers(head.decode("utf-8", "replace").splitlines()), content


def _halves(content: bytes) -> tuple[bytes, bytes]:
    match = _BLANK.search(content)
    return (content, b"") if match is None else (content[: match.start()], content[match.end() :])


def _headers(lines: list[str]) -> Headers:
    pairs = (line.partition(":") for line in lines if ":" in line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def http_part(response: Response, content_id: str | None) -> bytes:
    """An answer as a part of a batch."""
    outer = "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n"
    named = "" if content_id is None else f"Content-ID: {content_id}\r\n"
    reason = http.HTTPStatus(response.status).phrase
    headers = {**response.headers, "Content-Length": str(len(response.body))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{outer}{named}\r\nHTTP/1.1 {response.status} {reason}\r\n{lines}\r\n".encode() + response.body


def multipart(parts: list[bytes], boundary: str) -> bytes:
    """Parts put together."""
    marker = f"--{boundary}".encode()
    return b"".join(marker + b"\r\n" + part + b"\r\n" for part in parts) + marker + b"--\r\n"
