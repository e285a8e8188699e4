"""Batches: several changes in one request, in sets that happen wholly or not at all.

Rule: every change gets exactly one answer; a batch answer with any other count is refused. In a changeset, `$1/` begins
the path of a child of what its first change creates.
Must not know: what the changes are. IFS has multipart batches only.
"""

import hashlib
import re
from collections.abc import Sequence
from itertools import accumulate

import msgspec

from ml_connector.systems.ifs.odata.writes import Request

_LINE = b"\r\n"
_GAP = b"\r\n\r\n"
_CHILD = re.compile(r"\$(\d+)/")


class Packed(msgspec.Struct, frozen=True):
    """A batch as it goes out."""

    content_type: str
    body: bytes


class Reply(msgspec.Struct, frozen=True):
    """The answer to one change; header names are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


def pack(changesets: Sequence[Sequence[Request]]) -> Packed:
    """The batch of these changesets.

    Raises: ValueError for an empty batch or changeset, or a read in it.
    """
    if not changesets or not all(changesets):
        raise ValueError("a batch holds changesets, a changeset holds changes")
    firsts = accumulate((len(changes) for changes in changesets), initial=1)
    parts = [_changeset(first, changes) for first, changes in zip(firsts, changesets, strict=False)]
    boundary = _boundary("batch", parts)
    return Packed(f"multipart/mixed; boundary={boundary}", _joined(boundary, parts))


def _changeset(first: int, changes: Sequence[Request]) -> bytes:
    """A changeset; its changes are numbered from `first`, since a number stands for one change of the whole batch."""
    parts = [_change(first, index, change) for index, change in enumerate(changes)]
    boundary = _boundary("changeset", parts)
    return f"Content-Type: multipart/mixed; boundary={boundary}".encode() + _GAP + _joined(boundary, parts)


def _change(first: int, index: int, change: Request) -> bytes:
    if change.method == "GET":
        raise ValueError("a changeset holds no reads")
    outer = ["Content-Type: application/http", "Content-Transfer-Encoding: binary", f"Content-ID: {first + index}"]
    headers = {**change.headers, "Content-Length": str(len(change.body))}
    inner = [
        f"{change.method} {_path(first, index, change.path)} HTTP/1.1",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    if any(bad in line for line in [*outer, *inner] for bad in "\r\n"):
        raise ValueError("a header spans lines")
    return "\r\n".join([*outer, "", *inner]).encode() + _GAP + change.body


def _path(first: int, index: int, path: str) -> str:
    child = _CHILD.match(path)
    if child is None:
        return path
    parent = int(child[1])
    if not 1 <= parent <= index:
        raise ValueError("a child comes after what it belongs to, in the same changeset")
    return f"${first + parent - 1}/{path[child.end() :]}"


def _boundary(kind: str, parts: Sequence[bytes]) -> str:
    """A boundary that is in none of the parts, the same for the same parts."""
    everything = b"\0".join(parts)
    for attempt in range(100):
        found = f"{kind}_{hashlib.sha256(everything + bytes([attempt])).hexdigest()[:24]}"
        if found.encode() not in everything:
            return found
    raise ValueError("no boundary found")


def _joined(boundary: str, parts: Sequence[bytes]) -> bytes:
    mark = f"--{boundary}".encode()
    return b"".join(mark + _LINE + part + _LINE for part in parts) + mark + b"--" + _LINE


def unpack(content_type: str, body: bytes, sizes: Sequence[int]) -> list[list[Reply]]:
    """The answers, by changeset; a refused changeset has one answer, its error, for all of its changes.

    `sizes` is how many changes each changeset had. Raises: ValueError when the answer does not match them.
    """
    groups = [_group(headers, content) for headers, content in _parts(content_type, body)]
    if len(groups) != len(sizes):
        raise ValueError(f"{len(groups)} answers to {len(sizes)} changesets")
    return [_spread(group, size) for group, size in zip(groups, sizes, strict=True)]


def _spread(group: list[Reply], size: int) -> list[Reply]:
    if len(group) == 1 and group[0].status >= 400:
        return group * size
    if len(group) != size:
        raise ValueError(f"{len(group)} answers to {size} changes")
    return group


def _group(headers: dict[str, str], content: bytes) -> list[Reply]:
    kind = headers.get("content-type", "")
    if kind.lower().startswith("multipart/"):
        return [_reply(part) for _, part in _parts(kind, content)]
    return [_reply(content)]


def _reply(content: bytes) -> Reply:
    line, _, rest = content.partition(_LINE)
    words = line.split(b" ")
    if len(words) < 2 or not words[0].startswith(b"HTTP/") or not words[1].isdigit():
        raise ValueError("a part of the batch answer is no HTTP answer")
    headers, body = _head(rest)
    length = headers.get("content-length", "")
    if length.isdigit() and int(length) > len(body):
        raise ValueError("a part of the batch answer was cut off")
    return Reply(int(words[1]), headers, body[: int(length)] if length.isdigit() else body)


def _parts(content_type: str, body: bytes) -> list[tuple[dict[str, str], bytes]]:
    mark = b"--" + _boundary_of(content_type).encode()
    pieces = (_LINE + body).split(_LINE + mark)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise ValueError("the batch answer was cut off")
    return [_head(piece.lstrip(b" \t").removeprefix(_LINE)) for piece in pieces[1:-1]]


def _boundary_of(content_type: str) -> str:
    for option in content_type.split(";")[1:]:
        name, _, value = option.strip().partition("=")
        if name.lower() == "boundary" and value.strip('"'):
            return value.strip('"')
    raise ValueError("the batch answer has no boundary")


def _head(content: bytes) -> tuple[dict[str, str], bytes]:
    if content.startswith(_LINE):
        return {}, content[len(_LINE) :]
    head, _, body = content.partition(_GAP)
    headers: dict[str, str] = {}
    for line in head.decode("latin-1").split("\r\n"):
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return headers, body
