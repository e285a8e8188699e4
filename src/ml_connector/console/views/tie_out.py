"""What the pages of tie-outs show: which were made, and one of them from its sentence down to its documents.

Rule: figures are told as they were kept, never computed from what is known today; an amount is text.
Must not know: HTML, requests.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Any

import msgspec
from pydantic import Field

from ml_connector.compare.tieout import words
from ml_connector.compare.tieout.shapes import Line, Mirror, TieOut, Total
from ml_connector.console.api.shapes import Shown, shown_key
from ml_connector.console.site import Site
from ml_connector.console.views import elsewhere
from ml_connector.console.views.connect import Standing
from ml_connector.store.connections import Connection as Stored
from ml_connector.store.tie_outs import Kept, TieOuts
from ml_connector.wiring import tie_outs
from ml_connector.wiring.looking import Kind
from ml_connector.wiring.looking import State as LookState

Amount = Annotated[str, Field(description="Exact, as text.")]


class MakingShown(Shown):
    """The latest that was begun: how it stands, and what is being read."""

    period: str
    state: Standing
    doing: str
    error: str
    at: datetime
    person: str
    number: int | None = Field(description="The tie-out that was made.")


class TieOutHead(Shown):
    """A tie-out that was made; `signed_at` null: nobody signed it off."""

    number: int
    period: str
    made_at: datetime
    made_by: str
    ties: bool
    digest: str = Field(description="SHA-256 of what it says, its documents included.")
    signed_at: datetime | None
    signed_by: str
    note: str


class TieOutsShown(Shown):
    """The tie-outs of a connection, the latest first; `making` null: none was begun yet."""

    connection: str
    making: MakingShown | None
    tie_outs: list[TieOutHead]


class ReconciledShown(Shown):
    """A row of a reconciliation; `sum`: what comes of the rows above."""

    name: str
    count: int
    amount: Amount
    sum: bool


class TotalShown(Shown):
    """One company and currency: from what was read in Airbase to what is in IFS."""

    title: str
    company: str
    currency: str
    rows: list[ReconciledShown]
    differences: int
    unexplained: Amount
    even: bool = Field(description="Nothing is unexplained.")


class LineShown(Shown):
    """A document, or a voucher that has none."""

    flow: str
    key: str = Field(description="Of several parts A/B.")
    number: str
    company: str
    period: str
    dated_on: str
    currency: str
    amount: Amount
    state: str
    state_said: str
    difference: str
    difference_said: str
    timing: str
    timing_said: str
    target_id: str
    place: str = Field(description="Where its voucher is: ledger, hold or empty.")
    ifs_period: str
    ifs_amount: str | None
    reason: str
    remedy: str
    url: str = Field(description="Where it is in Airbase.")
    ifs_url: str = Field(description="Where it is in IFS.")


class MirrorShown(Shown):
    """Master data of one flow, counted on both sides."""

    flow: str
    title: str
    source: int
    target: int
    equal: int
    differing: int
    missing: int
    extra: int
    held: int
    not_due: int
    source_digest: str
    target_digest: str
    differences: list[LineShown]


class TieOutShown(TieOutHead):
    """A tie-out, with the first of its differences, timing differences and documents that wait."""

    connection: str
    sentence: str
    flows: list[str] = Field(description="Whose documents were read; of others it says nothing.")
    totals: list[TotalShown]
    differences: list[LineShown]
    timing: list[LineShown]
    waiting: list[LineShown]
    counts: dict[str, int] = Field(description="How many there are of each list.")
    mirrors: list[MirrorShown]
    in_line: bool = Field(description="Master data is equal on both sides; else a sign-off needs a note.")
    assumed: list[str]
    documents: int = Field(description="How many it tells of one by one.")
    documents_digest: str
    signed_off: int | None = Field(description="The latest tie-out of this period that was signed off.")
    later: bool = Field(description="It was made after that one.")
    why_not: str = Field(description="Why whoever asks can't sign it off, apart from their rights.")


def listed(here: Site, stored: Stored, period: str = "") -> TieOutsShown:
    """Those that were made."""
    kept = tie_outs.of(here.opened, stored.name).listed(period)
    return TieOutsShown(connection=stored.name, making=making(here, stored), tie_outs=[head(one) for one in kept])


def making(here: Site, stored: Stored) -> MakingShown | None:
    """The latest that was begun."""
    seen = here.looks.latest(stored.id, Kind.TIE_OUT)
    if seen is None:
        return None
    look = seen.look
    told = {"period": look.period, "state": look.state.value, "doing": look.doing, "error": look.error}
    return MakingShown.model_validate(told | {"at": seen.at, "person": seen.person, "number": look.number or None})


def is_news(begun: MakingShown | None, period: str, kept: Sequence[TieOutHead]) -> bool:
    """Whether something is to be said of what was begun: it is under way, or came to nothing since."""
    if begun is None or begun.state == LookState.DONE or (period and begun.period != period):
        return False
    latest = next((one for one in kept if one.period == begun.period), None)
    return begun.state == LookState.RUNNING or latest is None or latest.made_at < begun.at


def head(one: Kept) -> TieOutHead:
    """A tie-out without what it says."""
    return TieOutHead.model_validate(msgspec.structs.asdict(one))


def chosen(kept: TieOuts, period: str) -> Kept | None:
    """The one that counts: signed off, or else the latest."""
    return kept.signed(period) or kept.latest(period)


def shown(here: Site, stored: Stored, one: Kept, person: str, first: int | None = None) -> TieOutShown:
    """One of them, as this person sees it; `first`: only so many of each list."""
    kept = tie_outs.of(here.opened, stored.name)
    signed = kept.signed(one.period)
    own: dict[str, Any] = {"signed_off": signed.number if signed else None}
    own |= {"later": signed is not None and one.number > signed.number}
    own |= {"why_not": tie_outs.why_not(here.opened, stored.name, one, person)}
    return TieOutShown.model_validate(msgspec.structs.asdict(one) | told(kept.content(one.number), first) | own)


def told(found: TieOut, first: int | None = None) -> dict[str, Any]:
    """What a tie-out says; `first`: only so many of each list."""
    lists = {"differences": found.differences, "timing": found.timing, "waiting": found.waiting}
    return {
        "connection": found.connection,
        "sentence": words.headline(found),
        "flows": list(found.flows),
        "totals": [_total(one) for one in found.totals],
        **{name: [line(one) for one in lines[:first]] for name, lines in lists.items()},
        "counts": {name: len(lines) + found.cut.get(name, 0) for name, lines in lists.items()},
        "mirrors": [_mirror(one, first) for one in found.mirrors],
        "in_line": found.in_line,
        "assumed": list(found.assumed),
        "documents": found.lines,
        "documents_digest": found.lines_digest,
    }


def line(one: Line) -> LineShown:
    """A document."""
    fields: dict[str, Any] = msgspec.structs.asdict(one) | {"key": shown_key(one.key)}
    for name in ("amount", "ifs_amount"):
        fields[name] = None if fields[name] is None else words.in_digits(fields[name], one.currency)
    fields |= {"target_id": shown_key(one.target_id), "state_said": words.called(words.STATES, one.state)}
    fields |= {"difference_said": words.called(words.KINDS, one.difference)}
    fields |= {"timing_said": words.called(words.TIMES, one.timing)}
    fields |= {name: fields[name] if elsewhere.usable(fields[name]) else "" for name in ("url", "ifs_url")}
    return LineShown.model_validate({name: fields[name] for name in LineShown.model_fields})


def usual_period(today: date) -> str:
    """The period that is tied out most likely: last month's, where periods are months."""
    return f"{today.replace(day=1) - timedelta(days=1):%Y-%m}"


def _total(one: Total) -> TotalShown:
    rows = [_reconciled(step, one.currency) for step in words.steps_told(one)]
    left: dict[str, Any] = {"unexplained": words.in_digits(one.unexplained, one.currency)}
    left |= {"even": not one.unexplained}
    left |= {"title": words.title(one), "company": one.company, "currency": one.currency}
    return TotalShown(rows=rows, differences=one.differences, **left)


def _reconciled(step: words.Step, currency: str) -> ReconciledShown:
    amount = words.in_digits(step.figure.amount, currency)
    return ReconciledShown(name=step.name, count=step.figure.count, amount=amount, sum=step.sum)


def _mirror(one: Mirror, first: int | None) -> MirrorShown:
    told = [
        line(each).model_copy(update={"difference_said": words.called(words.IN_MIRRORS, each.difference)})
        for each in one.differences[:first]
    ]
    return MirrorShown.model_validate(msgspec.structs.asdict(one) | {"differences": told})
