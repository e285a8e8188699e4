"""A store with a period that was tied out and signed off: what evidence is made of, without any system."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from ml_connector import wiring
from ml_connector.compare.tieout.shapes import Figure, Line, State, TieOut, Total
from ml_connector.store.access import Access
from ml_connector.store.access_log import AccessLog
from ml_connector.store.exceptions import note
from ml_connector.store.journal import Journal, Kind
from ml_connector.store.journal import Line as Entry
from ml_connector.store.noting import Noting, Which
from ml_connector.store.rights import Role
from ml_connector.store.scope import Scope
from ml_connector.store.tie_outs import TieOuts
from ml_connector.store.versions import Authored
from ml_connector.sync.outcome import Held

PERIOD = "2026-10"
DOCUMENTS = 60
STRAY = Decimal("5.00")


def lines(count: int = DOCUMENTS) -> Iterator[Line]:
    """Documents posted and held, and a voucher that has none."""
    for number in range(count):
        state = (State.POSTED, State.POSTED, State.HELD)[number % 3]
        amount = Decimal(f"{100 + number}.10")
        place = ("ledger", "hold")[number % 3 % 2]
        posted: dict[str, Any] = {"target_id": f"K {number}", "place": place, "ifs_period": PERIOD}
        posted |= {"ifs_amount": amount, place: Figure(1, amount)}
        said: dict[str, Any] = posted if state is State.POSTED else {"reason": "=no account", "remedy": "Map it."}
        yield Line("payments", f"P{number}", f"-N{number}", "10", PERIOD, "EUR", amount, state.value, **said)
    stray: dict[str, Any] = {"difference": "extra", "place": "ledger", "ifs_period": PERIOD}
    stray |= {"ifs_amount": STRAY, "ledger": Figure(1, STRAY)}
    yield Line("payments", "", "X1", "10", PERIOD, "EUR", Decimal(0), **stray)


def tie_out(count: int = DOCUMENTS) -> TieOut:
    """What these come to."""
    told = [one for one in lines(count) if one.state]
    posted, held = (_figure(one for one in told if one.state == state) for state in (State.POSTED, State.HELD))
    ledger, hold = (_figure(one for one in lines(count) if one.place == place) for place in ("ledger", "hold"))
    ledger = Figure(ledger.count, ledger.amount + STRAY)
    sums: dict[str, Any] = {"posted": posted, "held": held, "ledger": ledger, "hold": hold}
    total = Total("10", "EUR", _figure(told), differences=1, unexplained=-STRAY, **sums)
    now, around = datetime.now(UTC), timedelta(days=200)
    first, last = ((now + off).date().isoformat() for off in (-around, around))
    return TieOut("demo", PERIOD, now, "ann", (total,), from_on=first, until_on=last)


def _figure(these: Iterable[Line]) -> Figure:
    amounts = [one.amount for one in these]
    return Figure(len(amounts), sum(amounts, Decimal(0)))


def fill(opened: wiring.Opened, *, count: int = DOCUMENTS, entries: int = 40, sign: bool = True) -> int:
    """A connection with settings that were changed, a journal, an exception, access, a tie-out and its sign-off; its
    number.
    """
    number = _connection(opened)
    journal = Journal(opened.database, opened.vault, number)
    with opened.database.write() as connection:
        told = ({"note": f"n{one}", "count": one} for one in range(entries))
        journal.append(connection, [Entry(Kind.SETTLED, one, "P1", "payments", body={"iban": "hush"}) for one in told])
    _exception(opened, number)
    _access(opened)
    _tied_out(opened, number, count, sign)
    return number


def _connection(opened: wiring.Opened) -> int:
    ifs: dict[str, Any] = {"url": "https://x.ifs.cloud", "realm": "r", "client_id": "c", "companies": ["10"]}
    settings: dict[str, Any] = {"ifs": ifs, "airbase": {"url": "https://api.airbase.io"}}
    settings["profile"] = {"alerts": {"webhook": "https://hush.example/x"}}
    opened.connections.save("demo", settings, {"ifs": "hush-hush"})
    changed = settings | {"ifs": ifs | {"requests_max": 100}}
    return opened.connections.save("demo", changed, {}, Authored("ann", "fewer requests")).id


def _exception(opened: wiring.Opened, number: int) -> None:
    """One that waits, and one that was solved; an hour ago."""
    ago = datetime.now(UTC) - timedelta(hours=1)
    scope = Scope(opened.vault, number, "payments", dict, dict, lambda: ago)
    journal = Journal(opened.database, opened.vault, number, lambda: ago)
    held = Held("no_account", "No account for travel.", "Map it.")
    with opened.database.write() as connection:
        for told in ([("P2", held), ("=P5", held)], [("=P5", None)]):
            journal.append(connection, note(connection, scope, "", told))
    which = Which(flow="payments", cause="no_account")
    Noting(opened.database, opened.vault, number).comment(which, "no-body told", "ann")


def _access(opened: wiring.Opened) -> None:
    access = Access(opened.database, opened.vault)
    access.invite("ann", [Role.ADMINISTRATOR], "the command line")
    access.invite("bob", [Role.APPROVER], "ann")
    with opened.database.write() as connection:
        AccessLog(opened.database, opened.vault).note(connection, "signed_in", "ann", "ann")


def _tied_out(opened: wiring.Opened, number: int, count: int, sign: bool) -> None:
    tie_outs = TieOuts(opened.database, opened.vault, number)
    draft = tie_outs.begin(PERIOD, "ann")
    for line in lines(count):
        draft.tell(line)
    kept = draft.keep(tie_out(count))
    if sign:
        tie_outs.sign(kept.number, kept.digest, "bob", "one voucher is a stray")
