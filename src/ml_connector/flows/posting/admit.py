"""Whether a voucher may be posted now, and on which day.

Rule: the guards are asked in order, on the day that the voucher takes effect; the first problem holds it.
Must not know: documents; a voucher is judged by itself.
"""

from datetime import date

from ml_connector.flows.posting.case import book_of
from ml_connector.flows.posting.guards import AFTER_PERIOD, BEFORE_PERIOD, Asked, first
from ml_connector.flows.posting.periods import opening
from ml_connector.records.voucher import Voucher
from ml_connector.sync.flow import Context
from ml_connector.sync.outcome import Admitted, Held


def admit(record: Voucher, context: Context) -> Admitted | Held:
    """Whether and on which day a voucher may be posted; of a withdrawal only the day is asked for."""
    opened = opening(record, context.books, book_of(context))
    if not record.rows:
        return opened
    asked = Asked(record, _day(record, opened), context, book_of(context))
    problem = first(BEFORE_PERIOD, asked)
    if problem or isinstance(opened, Held):
        return problem or opened
    return first(AFTER_PERIOD, asked) or opened


def _day(record: Voucher, opened: Admitted | Held) -> date:
    return opened.on or record.dated_on if isinstance(opened, Admitted) else record.dated_on
