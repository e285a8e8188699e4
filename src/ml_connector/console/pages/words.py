"""How values read on a page: times, amounts, counts, keys.

Rule: a time is relative with the absolute one and its zone beside it; an amount is the text that it was stored as.
Must not know: HTML beyond one `time` element.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup

from ml_connector.console.api.shapes import shown_key
from ml_connector.console.views import flow_words
from ml_connector.wiring import further

STEPS = ((timedelta(days=2), "day", 86_400), (timedelta(hours=2), "hour", 3600), (timedelta(minutes=2), "minute", 60))


def ago(at: datetime | None, now: datetime | None = None) -> Markup:
    """An instant as people say it, the exact one beside it."""
    if at is None:
        return Markup("–")
    exact = at.astimezone(UTC)
    element = Markup('<time datetime="{}" title="{}">{}</time>')
    return element.format(exact.isoformat(), f"{exact:%Y-%m-%d %H:%M:%S} UTC", relative(at, now or datetime.now(UTC)))


def relative(at: datetime, now: datetime) -> str:
    """How long ago, or in how long."""
    span = abs(now - at)
    said = next((f"{span.total_seconds() // size:.0f} {word}s" for least, word, size in STEPS if span >= least), "")
    if not said:
        said = "1 minute" if span >= timedelta(minutes=1) else "moments"
    return f"{said} ago" if at <= now else f"in {said}"


def span(since: datetime, until: datetime) -> str:
    """How long something took, roughly."""
    return relative(since, until).removesuffix(" ago")


def exact(at: datetime | None) -> str:
    """An instant with its zone."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if at else "–"


def amount(text: Any) -> str:
    """An amount with thousands apart, and no fewer than two decimals if it has any; its digits are not touched."""
    whole, point, rest = str(text).partition(".")
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    return f"{sign}{int(digits):,}{point}{rest + '0' if len(rest) == 1 else rest}" if digits.isdigit() else str(text)


def count(number: int, noun: str = "", many: str = "") -> str:
    """So many of something."""
    return f"{number:,}" + (f" {noun if number == 1 else many or noun + 's'}" if noun else "")


def lasting(seconds: float | None) -> str:
    """How long something takes."""
    if seconds is None:
        return "–"
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def local(at: datetime, zone: str) -> str:
    """An instant by the clocks of a zone."""
    there = at.astimezone(ZoneInfo(zone))
    return f"{there:%a %d %b %Y %H:%M}"


def pair(flow: str) -> tuple[str, str]:
    """A flow as a choice in a form."""
    return flow, flow_words.called(flow)


FILTERS: dict[str, Callable[..., Any]] = {
    "ago": ago,
    "exact": exact,
    "span": span,
    "amount": amount,
    "count": count,
    "key": shown_key,
    "flow": flow_words.called,
    "system": further.title,
    "pair": pair,
    "local": local,
    "lasting": lasting,
}
