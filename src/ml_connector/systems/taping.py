"""What was said to a system and answered while records were written, and which of it is about which record.

Rule: only requests that may change something are heard, without their headers; credentials never pass here. What can't
be told to be about a record is not shown as if it were.
Must not know: which records, or why.
"""

import re
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import unquote

import msgspec

from ml_connector.records import keys
from ml_connector.sync.ports import Result, Target, Told, Write
from ml_connector.systems.redacting import DECODER, UNREADABLE, of_value, redacted
from ml_connector.systems.through import Through
from ml_connector.systems.verdict import request_id

HEARD_MAX, TOLD_MAX, PATH_MAX = 100, 8, 500
LISTS = ("entities", "created", "updated", "data", "value")  # of several records in one body
_QUOTED = re.compile(r'"([^"\\]{1,120})"')
_NAMES = re.compile(r"[/()'=,?&]")


class Heard(msgspec.Struct, frozen=True):
    """A request and its answer as they went over the wire; status 0: none came."""

    system: str
    method: str
    target: str
    sent: bytes
    status: int
    answered: bytes
    request_id: str
    at: datetime


class Tape:
    """Hears requests of the thread that records."""

    def __init__(self) -> None:
        self._own = threading.local()

    @contextmanager
    def recording(self) -> Generator[list[Heard]]:
        """Hear until the end of this."""
        heard: list[Heard] = []
        self._own.heard = heard
        try:
            yield heard
        finally:
            self._own.heard = None

    def hear(
        self, system: str, method: str, target: str, sent: bytes, answer: tuple[int, Mapping[str, str], bytes] | None
    ) -> None:
        """A request that may change something, and its answer if one came."""
        heard: list[Heard] | None = getattr(self._own, "heard", None)
        if heard is None or method == "GET" or len(heard) >= HEARD_MAX:
            return
        status, headers, body = answer or (0, {}, b"")
        heard.append(Heard(system, method, target, sent, status, body, request_id(headers), datetime.now(UTC)))


class Taped(Through):
    """A target whose results tell what was said about each record."""

    def __init__(self, target: Target, tape: Tape) -> None:
        super().__init__(target)
        self._tape = tape

    def send(self, writes: Sequence[Write]) -> tuple[Result, ...]:
        """Write; each result with what was said about it. Raises: RemoteError when nothing was delivered."""
        with self._tape.recording() as heard:
            results = self.target.send(writes)
        about = told(heard, {result.key: _names(result) for result in results})
        return tuple(msgspec.structs.replace(result, told=about[result.key]) for result in results)


def told(heard: Sequence[Heard], records: Mapping[str, frozenset[str]]) -> dict[str, tuple[Told, ...]]:
    """What was said about each record, by its key; `records`: by which names each is known."""
    alone = len(records) == 1
    laid = [_Laid(one) for one in heard]
    about = {
        key: [one.told(names, alone=alone) for one in laid if alone or one.about(names)]
        for key, names in records.items()
    }
    return {key: tuple(one for one in found[-TOLD_MAX:]) for key, found in about.items()}


def _names(result: Result) -> frozenset[str]:
    own = {result.key, keys.split(result.key)[-1], getattr(result, "target_id", "")}
    return frozenset(own - {""})


class _Laid:
    """A request laid out in the parts that are about single records, with what each part names."""

    def __init__(self, heard: Heard) -> None:
        self._heard = heard
        self._path = frozenset(_NAMES.split(unquote(heard.target)))
        self._sent, self._answered = _parts(heard.sent), _parts(heard.answered)
        self._asked, self._told = _places(self._sent), _places(self._answered)

    def about(self, names: frozenset[str]) -> bool:
        """Whether anything of it is about a record."""
        return bool(self._path & names) or any(name in self._asked for name in names)

    def told(self, names: frozenset[str], *, alone: bool) -> Told:
        """What of it is about a record; `alone`: all of it is."""
        one, whole = self._heard, alone or bool(self._path & names)
        sent = self._sent if whole else [self._sent[at] for at in _found(self._asked, names)]
        answers = self._answered if whole else [self._answered[at] for at in _found(self._told, names)]
        if not answers and len(self._sent) == len(self._answered):
            answers = [self._answered[at] for at in _found(self._asked, names)]
        failed = not answers and one.status >= 400
        return Told(
            one.system,
            one.method,
            one.target[:PATH_MAX],
            one.status,
            one.request_id,
            one.at,
            1 if whole else max(1, len(self._sent)),
            "\n".join(sent),
            "\n".join(self._answered if failed else answers),
        )


def _places(parts: Sequence[str]) -> dict[str, list[int]]:
    """Which parts name what."""
    found: dict[str, list[int]] = {}
    for place, part in enumerate(parts):
        for name in _mentioned(part):
            found.setdefault(name, []).append(place)
    return found


def _found(places: Mapping[str, Sequence[int]], names: frozenset[str]) -> list[int]:
    return sorted({place for name in names for place in places.get(name, ())})


def _parts(body: bytes) -> list[str]:
    """The parts of a body, one a record where it says so; each as it may be kept."""
    text = body.decode("utf-8", "replace")
    if text.startswith("--"):
        return [redacted(part) for part in _changesets(text)]
    try:
        whole = DECODER.decode(body) if body else None
    except UNREADABLE:  # what is amiss with an answer is for whoever asked to say
        return [redacted(text)]
    listed = [one for name in LISTS for one in _listed(whole, name)]
    return [of_value(one) for one in listed] if listed else [of_value(whole)] if whole is not None else []


def _listed(whole: Any, name: str) -> list[Any]:
    found = cast("dict[str, Any]", whole).get(name) if isinstance(whole, dict) else None
    return cast("list[Any]", found) if isinstance(found, list) else []


def _changesets(text: str) -> list[str]:
    """The parts of a multipart body, between its own boundary."""
    boundary = text.partition("\n")[0].strip()
    return [part for part in re.split(rf"(?:^|\n){re.escape(boundary)}(?:--)?\r?\n?", text) if part.strip()]


def _mentioned(part: str) -> frozenset[str]:
    """The values of a part; a reference to one of several vouchers names its document."""
    found = _QUOTED.findall(part)
    return frozenset([*found, *(value.partition("/")[0] for value in found)])
