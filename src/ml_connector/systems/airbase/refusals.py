"""What Airbase says when it refuses: the field messages, and which entities of a batch they are about.

Rule: what was said is kept for the thread that asked, until it is taken or the next call begins.
Must not know: what was sent. Payloads stay out; messages are cut and cleaned.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

import msgspec

from ml_connector.records import keys, money
from ml_connector.records.money import Money
from ml_connector.records.purchase_order import SpendOrder
from ml_connector.sync.outcome import Held, Owner
from ml_connector.sync.ports import Refused, Write
from ml_connector.systems.http import Answer
from ml_connector.systems.verdict import cleaned

CAUSE = "refused_by_airbase"
ANSWERED_OTHERWISE = "answered_otherwise"
NOWHERE = -1  # the place of what was said of entities without a place that can be understood
SHOWN_MAX = 5
MESSAGE_MAX = 300
DEPTH_MAX = 6
NOUNS = {
    "vendors": "vendor",
    "purchase_orders": "purchase order",
    "accounts": "account",
    "tags": "tag",
    "ledger_entries": "ledger entry",
}
_TRANSPARENT = ("errors", "non_field_errors", "detail")  # names that say nothing to a clerk


class Refusals:
    """The explanation of the last refused call of each thread."""

    def __init__(self) -> None:
        self._local = threading.local()

    def clear(self) -> None:
        """Forget what was said before."""
        self._local.body = None

    def explain(self, answer: Answer) -> tuple[str, str]:
        """What an error answer says: no code, the field messages."""
        self.clear()
        self._local.body = body = msgspec.json.decode(answer.body)
        return "", messages(body)

    def by_index(self) -> Mapping[int, str] | None:
        """The messages by place in the batch; None when the refusal was not about single entities.

        What is said of entities whose place can't be understood stands under `NOWHERE`.
        """
        body = getattr(self._local, "body", None)
        listed = cast("dict[str, Any]", body).get("validation_errors") if isinstance(body, dict) else None
        if not isinstance(listed, list) or not listed:
            return None
        said: dict[int, str] = {}
        for entry in cast("list[Any]", listed):
            place = _index(entry)
            said[place] = "; ".join(filter(None, (said.get(place), messages(_without_index(entry)))))
        return said


def refused(write: Write, resource: str, message: str) -> Refused:
    """The result for a record that Airbase did not accept, in a clerk's words."""
    noun = NOUNS[resource]
    said = message[:MESSAGE_MAX].rstrip(". ") or "it gave no reason"
    held = Held(
        CAUSE,
        f"Airbase did not accept {noun} {keys.shown(write.key)}: {said}.",
        f"Correct what it names in IFS, or the {noun} in Airbase, then run again.",
        Owner.CLERK,
        _stake(write.after),
    )
    return Refused(write.key, held)


def answered_otherwise(write: Write, resource: str, others: Iterable[tuple[str, str]]) -> Refused:
    """The result for a new record that Airbase answered with others (key and id) than were sent.

    It can't be found by its key, so that to send it again would make one more each time.
    """
    noun = NOUNS[resource]
    came = [f"{cleaned(key) or 'none'} (Airbase id {cleaned(target_id)})" for key, target_id in others]
    more = f" and {len(came) - SHOWN_MAX} more" if len(came) > SHOWN_MAX else ""
    held = Held(
        ANSWERED_OTHERWISE,
        f"Airbase answered the new {noun} {keys.shown(write.key)!r} with another reference: "
        f"{', '.join(came[:SHOWN_MAX])}{more}.",
        f"Look for the {noun} in Airbase and give it exactly the reference that it has in IFS, then run again.",
        Owner.CLERK,
        _stake(write.after),
    )
    return Refused(write.key, held)


def messages(body: Any) -> str:
    """The messages in an error body, each with the fields that it is about, on one line."""
    return cleaned("; ".join(dict.fromkeys(_flat(body, (), DEPTH_MAX))))[:MESSAGE_MAX]


def _flat(value: Any, path: tuple[str, ...], depth: int) -> Iterator[str]:
    if depth == 0:
        return
    if isinstance(value, dict):
        for name, inner in cast("dict[str, Any]", value).items():
            yield from _flat(inner, path if name in _TRANSPARENT else (*path, name), depth - 1)
    elif isinstance(value, list):
        for place, inner in enumerate(cast("list[Any]", value), start=1):
            nested = isinstance(inner, dict | list)
            yield from _flat(inner, (*path, str(place)) if nested else path, depth - 1)
    elif isinstance(value, str) and value.strip():
        yield f"{' '.join(path)}: {value.strip()}" if path else value.strip()


def _index(entry: Any) -> int:
    index = cast("dict[str, Any]", entry).get("index") if isinstance(entry, dict) else None
    return index if isinstance(index, int) and not isinstance(index, bool) else NOWHERE


def _without_index(entry: Any) -> Any:
    if not isinstance(entry, dict):
        return entry
    return {name: value for name, value in cast("dict[str, Any]", entry).items() if name != "index"}


def _stake(record: Any) -> Money | None:
    if isinstance(record, SpendOrder) and record.currency:
        return Money(money.exact(record.total), record.currency)
    return None
