"""How each kind of fault spoils a request or an answer: pure functions, one a kind.

One rule: nothing here decides whether a fault strikes, and nothing here has an effect.
It must not know what a site serves beyond the shape of its lists (`value` for IFS, `data` for Airbase).
"""

from collections.abc import Callable, Mapping
from typing import Any, cast

import msgspec

from ml_connector.sandbox.web import Delivery, Opening, Request, Response

Option = str | int | float | bool | None
Options = Mapping[str, Option]


class Case(msgspec.Struct, frozen=True):
    """One request, the answer to it, and how they are to be spoilt."""

    options: Options
    site: str
    request: Request
    answer: Response = Response(204, {}, b"")


FOREIGN_HOST = "elsewhere.invalid"
_PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><h1>Sign in</h1></body></html>"


def applies_to_request(kind: str, request: Request) -> bool:
    """Say whether a fault of this kind could mean anything for this request."""
    if kind == "stale_etag":
        return "if-match" in request.headers
    if kind == "token_revoked":
        return not request.path.endswith("/token")
    return True


def applies_to_answer(kind: str, request: Request, answer: Response) -> bool:
    """Say whether a fault of this kind could mean anything for this answer."""
    if kind in ("next_link_loop", "next_link_foreign"):
        return request.method == "GET" and _rows_at(answer, "value")
    if kind == "duplicate_rows":
        return request.method == "GET" and (_rows_at(answer, "value") or _rows_at(answer, "data"))
    if kind in ("truncated_json", "wrong_shape"):
        return _is_json(answer)
    if kind in ("slow_body", "stalled_body", "truncated"):
        return len(answer.body) > 1
    return True


def opening(kind: str, options: Options, site: str, at: Opening) -> Opening:
    """Spoil a request that the site has not seen."""
    faults = (*at.faults, kind)
    if kind == "reset_before":
        return msgspec.structs.replace(at, reset=True, faults=faults)
    if kind == "stale_etag":
        stale = {**at.request.headers, "if-match": 'W/"stale"'}
        request = msgspec.structs.replace(at.request, headers=stale)
        return msgspec.structs.replace(at, request=request, faults=faults)
    answers = {"status": _status, "redirect_foreign": _redirect, "token_revoked": _revoked}
    return msgspec.structs.replace(at, answer=answers[kind](Case(options, site, at.request)), faults=faults)


def delivery(kind: str, options: Options, site: str, request: Request, at: Delivery) -> Delivery:
    """Spoil the answer to a request that did its work."""
    at = msgspec.structs.replace(at, faults=(*at.faults, kind))
    if kind in _PACES:
        return _PACES[kind](options, at)
    return msgspec.structs.replace(at, answer=_REWRITES[kind](Case(options, site, request, at.answer)))


def _status(case: Case) -> Response:
    status = int(_number(case.options, "status", 503))
    kind, body = _status_body(case.site, status)
    headers = {"Content-Type": str(case.options.get("content_type", kind))}
    if (wait := case.options.get("retry_after")) is not None:
        headers["Retry-After"] = str(wait)
    return Response(status, headers, str(case.options["body"]).encode() if "body" in case.options else body)


def _status_body(site: str, status: int) -> tuple[str, bytes]:
    """Give what a gateway or the site itself says with such a status."""
    if status in (502, 503, 504):
        return "text/html", b"<html><head><title>%d</title></head><body>nginx</body></html>" % status
    text = "Request was throttled." if status == 429 else "An error was ordered."
    if site == "airbase":
        return "application/json", msgspec.json.encode({"detail": text})
    return "application/json", msgspec.json.encode({"error": {"code": str(status), "message": text}})


def _redirect(case: Case) -> Response:
    place = f"http://{case.options.get('host', FOREIGN_HOST)}{case.request.path}"
    return Response(int(_number(case.options, "status", 302)), {"Location": place}, b"")


def _revoked(case: Case) -> Response:
    headers = {"WWW-Authenticate": 'Bearer error="invalid_token"', "Content-Type": "application/json"}
    return Response(401, headers, b'{"detail":"Invalid token."}' if case.site == "airbase" else b"")


def _reset(_: Options, at: Delivery) -> Delivery:
    return msgspec.structs.replace(at, reset=True)


def _slow(options: Options, at: Delivery) -> Delivery:
    chunk = int(_number(options, "chunk", max(1, len(at.answer.body) // 10)))
    return msgspec.structs.replace(at, chunk=chunk, pause_s=_number(options, "pause_s", 0.05))


def _stalled(options: Options, at: Delivery) -> Delivery:
    hold_s = _number(options, "hold_s", 30)
    return msgspec.structs.replace(_truncated(options, at), hold_s=hold_s)


def _truncated(options: Options, at: Delivery) -> Delivery:
    stop_at = int(_number(options, "stop_at", len(at.answer.body) // 2))
    return msgspec.structs.replace(at, stop_at=min(stop_at, len(at.answer.body) - 1))


def _cut_json(case: Case) -> Response:
    return _with_body(case.answer, case.answer.body[: max(1, len(case.answer.body) // 2)])


def _malformed(case: Case) -> Response:
    headers = {**case.answer.headers, "Content-Type": "application/json"}
    return Response(_bodied(case.answer), headers, b'{"data": [}, "value')


def _html(_: Case) -> Response:
    return Response(200, {"Content-Type": "text/html; charset=utf-8"}, _PAGE)


def _wrong_shape(case: Case) -> Response:
    body = case.answer.body
    return _with_body(case.answer, b"[%b]" % body if body.startswith(b"{") else b'{"rows":%b}' % body)


def _huge(case: Case) -> Response:
    size = int(_number(case.options, "size", 64 * 1024 * 1024))
    body = case.answer.body or b"{}"
    return Response(_bodied(case.answer), case.answer.headers, body.ljust(size))


def _loop(case: Case) -> Response:
    query = f"?{case.request.query}" if case.request.query else ""
    return _with_next_link(case.answer, f"http://{case.request.host}{case.request.path}{query}")


def _foreign(case: Case) -> Response:
    host = case.options.get("host", FOREIGN_HOST)
    return _with_next_link(case.answer, f"http://{host}{case.request.path}?$skiptoken=2")


def _doubled(case: Case) -> Response:
    page = _raw_members(case.answer)
    name = "value" if "value" in page else "data"
    rows: list[msgspec.Raw] = msgspec.json.decode(page[name], type=list[msgspec.Raw])
    return _with_body(case.answer, msgspec.json.encode({**page, name: rows + rows}))


_PACES: dict[str, Callable[[Options, Delivery], Delivery]] = {
    "reset_after": _reset,
    "slow_body": _slow,
    "stalled_body": _stalled,
    "truncated": _truncated,
}
_REWRITES: dict[str, Callable[[Case], Response]] = {
    "status": _status,
    "truncated_json": _cut_json,
    "malformed_json": _malformed,
    "html": _html,
    "wrong_shape": _wrong_shape,
    "huge_body": _huge,
    "next_link_loop": _loop,
    "next_link_foreign": _foreign,
    "duplicate_rows": _doubled,
}


def _number(options: Options, name: str, otherwise: float) -> float:
    value = options.get(name)
    return otherwise if value is None else float(value)


def _bodied(answer: Response) -> int:
    """Give the status, or 200 for one that may have no body."""
    return 200 if answer.status == 204 else answer.status


def _with_body(answer: Response, body: bytes) -> Response:
    return msgspec.structs.replace(answer, body=body)


def _with_next_link(answer: Response, link: str) -> Response:
    page = _raw_members(answer)
    return _with_body(answer, msgspec.json.encode({**page, "@odata.nextLink": link}))


def _raw_members(answer: Response) -> dict[str, msgspec.Raw]:
    """Split a JSON object into its members without touching what is in them, so that numbers stay exact."""
    return msgspec.json.decode(answer.body, type=dict[str, msgspec.Raw])


def _is_json(answer: Response) -> bool:
    return answer.status < 300 and answer.body[:1] in (b"{", b"[")


def _rows_at(answer: Response, name: str) -> bool:
    if not _is_json(answer) or answer.body[:1] != b"{":
        return False
    try:
        rows = _raw_members(answer).get(name)
    except msgspec.DecodeError:
        return False
    return rows is not None and bytes(cast(Any, rows)).lstrip().startswith(b"[")
