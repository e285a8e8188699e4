"""Made-up tie-outs, with their documents."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from ml_connector import wiring
from ml_connector.compare.tieout.shapes import Figure, Kind, Line, Mirror, State, TieOut, Timing, Total
from ml_connector.store.tie_outs import Kept
from ml_connector.wiring import tie_outs

PERIOD = "2026-09"
AT = datetime(2026, 10, 2, 7, 30, tzinfo=UTC)
Said = Callable[[str], str]


def plain(field: str) -> str:
    """A text that harms nobody."""
    return f"the {field}"


def line(number: int, said: Said = plain, **more: Any) -> Line:
    """A document of EUR 10.25 that was posted."""
    fields: dict[str, Any] = {"state": State.POSTED, "target_id": f"M/{number}", "place": "ledger"}
    fields |= {"ifs_period": PERIOD, "ifs_amount": Decimal("10.25"), "dated_on": "2026-09-05", "url": said("url")}
    about = ("payments", f"pay_{number}", f"P-{number}{said('number')}"[:300], "10", PERIOD, "EUR", Decimal("10.25"))
    return msgspec.structs.replace(Line(*about), **(fields | more))


def tie_out(many: int, *differing: Line, said: Said = plain, connection: str = "acme") -> TieOut:
    """One with so many documents that were posted, and others that differ."""
    sums = Figure(many, Decimal("10.25") * many)
    left = sum((one.amount for one in differing), Decimal(0))
    missing = Figure(len(differing), left)
    posted = Figure(sums.count + missing.count, sums.amount + missing.amount)
    total = Total("10", "EUR", posted, posted, ledger=sums, differences=len(differing), unexplained=left)
    mirrors = (Mirror("suppliers", said("mirror"), 12, 12, 11, 1, 0, 0, 0, 2, "a" * 64, "b" * 64, (line(900, said),)),)
    lists: dict[str, Any] = {"differences": differing, "mirrors": mirrors, "assumed": (said("assumed"),)}
    lists |= {"flows": ("payments",)}
    waits = line(901, said, state=State.HELD, ifs_amount=None, reason=said("reason"), remedy=said("remedy"))
    timed = line(902, said, timing=Timing.IN_HOLD, place="hold")
    return TieOut(connection, PERIOD, AT, said("maker"), (total,), waiting=(waits,), timing=(timed,), **lists)


def missing(number: int, said: Said = plain) -> Line:
    """A document whose voucher is gone."""
    told = {"reason": said("reason"), "remedy": said("remedy")}
    return line(number, said, difference=Kind.MISSING, ifs_amount=None, place="", **told)


def kept(opened: wiring.Opened, name: str, found: TieOut, many: int, person: str = "kari", said: Said = plain) -> Kept:
    """Keep one, with so many documents and those that differ."""
    draft = tie_outs.of(opened, name).begin(found.period, person)
    for one in (*(line(number, said) for number in range(many)), *found.differences):
        draft.tell(one)
    return draft.keep(msgspec.structs.replace(found, connection=name, made_by=person))
