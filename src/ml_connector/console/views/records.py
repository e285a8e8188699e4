"""Records in a list: what they are, how they stand, what they are about.

Rule: read in a fixed number of statements, however many records there are.
Must not know: HTML, requests.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from pydantic import Field

from ml_connector import flows
from ml_connector.console.api.shapes import Shown, shown_key
from ml_connector.records import money
from ml_connector.records.money import exact, plain
from ml_connector.store.records import Known, Records
from ml_connector.store.terms import Place
from ml_connector.sync.words import asked
from ml_connector.wiring import Opened, causes

TITLES = ("name", "text", "number", "order_no", "invoice_number", "reference", "voucher", "status")
AMOUNTS = (("total", "currency"), ("amount", "currency"))
TITLE_MAX = 160
PAGE = 50


class Amount(Shown):
    """An amount, as text, and its currency."""

    amount: str
    currency: str


class RecordRow(Shown):
    """A record in a list."""

    flow: str
    title: str = Field(description="What its flow is called.")
    key: str = Field(description="Of several parts A/B.")
    called: str = Field(description="What it is called, as far as known.")
    kind: str = Field(description="How it stands, for colours: ok, warn, busy, idle.")
    state: str = Field(description="How it stands, in words.")
    sentence: str = Field(description="Why it waits.")
    amount: Amount | None
    target_id: str
    at: datetime | None = Field(description="When something last happened to it, as far as known.")


class RecordList(Shown):
    """Records that were looked for; `partial`: there may be more, which more words would find."""

    items: list[RecordRow]
    next: str | None = None
    partial: bool = False


def of(opened: Opened, connection_id: int) -> Records:
    """The records of a connection."""
    return Records(opened.database, opened.vault, connection_id, sorted(flows.FLOWS))


def searchable(query: str) -> bool:
    """Whether there is anything in it that can be looked for."""
    return bool(asked(query) or query.strip())


def lately(kept: Records) -> RecordList:
    """The records to which something happened last."""
    return RecordList(items=[row(one) for one in kept.lately(PAGE)])


def found(kept: Records, query: str, flow: str, after: Place | None, limit: int) -> tuple[RecordList, Place | None]:
    """Records that were looked for, and where the next page goes on."""
    there = kept.search(query, flow, after, limit)
    return RecordList(items=[row(one) for one in there.records], partial=there.partial), there.next


def names(opened: Opened, connection_id: int, places: Sequence[Place]) -> dict[Place, str]:
    """What these records are called, as far as known."""
    return {(one.flow, one.key): row(one).called for one in of(opened, connection_id).several(places)} if places else {}


def row(one: Known) -> RecordRow:
    """A record as it stands in a list."""
    kind, state = standing(one)
    flow = flows.FLOWS.get(one.flow)
    return RecordRow(
        flow=one.flow,
        title=flow.title if flow else one.flow,
        key=shown_key(one.key),
        called=called(one.link.agreed if one.link else one.said),
        kind=kind,
        state=state,
        sentence=one.waiting.sentence if one.waiting else "",
        amount=amount_of(one),
        target_id=one.link.target_id if one.link else "",
        at=one.at,
    )


def standing(one: Known) -> tuple[str, str]:
    """How a record stands: a kind for colours, and words."""
    if one.waiting:
        return "warn", causes.title(one.waiting.cause)
    if one.link is None:
        return "idle", "seen, not sent"
    if not one.link.certain:
        return "busy", "being looked up"
    return ("ok", "in place") if one.link.active else ("idle", "switched off")


def called(record: Mapping[str, Any]) -> str:
    """What a record is called."""
    return next((str(record[name])[:TITLE_MAX] for name in TITLES if record.get(name)), "")


def amount_of(one: Known) -> Amount | None:
    """What a record is about in money: what is at stake, else what was sent."""
    if one.waiting and one.waiting.amount is not None:
        return Amount(amount=one.waiting.amount, currency=one.waiting.currency or "")
    return worth(one.link.agreed) if one.link else None


def worth(record: Mapping[str, Any]) -> Amount | None:
    """The amount of a record as JSON has it; of a voucher its debit side, where that is in one currency."""
    inner: Any = record.get("amount")
    if isinstance(inner, dict):
        return worth(cast("dict[str, Any]", inner))
    for name, currency in AMOUNTS:
        if record.get(name) and record.get(currency):
            return Amount(amount=str(record[name]), currency=str(record[currency]))
    return _debit(cast("list[dict[str, str]]", record.get("rows") or []))


def _debit(rows: list[dict[str, str]]) -> Amount | None:
    currencies = {row["currency"] for row in rows}
    debits = [exact(row["amount"]) for row in rows if not row["amount"].startswith("-")]
    if len(currencies) != 1 or not debits:
        return None
    total, currency = money.total(debits), currencies.pop()
    whole = -int(total.as_tuple().exponent) < money.decimals(currency)
    return Amount(amount=str(money.rounded(total, currency)) if whole else plain(total), currency=currency)
