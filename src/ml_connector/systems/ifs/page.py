"""A page of rows, as it came and as it is read.

Rule: what came is made rows only when it is its turn, since rows take several times as much memory.
Must not know: which set was read.
"""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from ml_connector.errors import MalformedError
from ml_connector.systems.http import Answer
from ml_connector.systems.ifs.odata import answers
from ml_connector.systems.ifs.places import Place


class Rows(msgspec.Struct, frozen=True):
    """A page of rows; `answered_at` is the answer's own date (UTC), `span_s` how long it took, `size` its bytes.

    `places`: where the rows stand by the columns of `order`, once somebody looked at the whole page.
    """

    rows: list[dict[str, Any]]
    answered_at: datetime | None
    span_s: float
    next_link: str = ""
    size: int = 0
    order: tuple[str, ...] = ()
    places: list[Place] = []


class Came(msgspec.Struct, frozen=True):
    """An answer that should be a page; `system` and `operation`: what was asked."""

    answer: Answer
    span_s: float
    system: str
    operation: str

    def page(self) -> Rows:
        """Its rows. Raises: MalformedError."""
        body = self.answer.body
        try:
            page = answers.page(body)
        except ValueError as error:
            raise MalformedError(self.system, self.operation, str(error)) from None
        return Rows(page.rows, answered_at(self.answer), self.span_s, page.next_link, len(body))


def answered_at(answer: Answer) -> datetime | None:
    """The answer's own date in UTC; None when it has none."""
    try:
        parsed = parsedate_to_datetime(answer.headers.get("date", ""))
    except (ValueError, TypeError, IndexError):
        return None
    return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
