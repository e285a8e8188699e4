"""A store with a period that was tied out and signed off, and the evidence that is made of it."""

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from ml_connector import wiring
from ml_connector.compare.tieout.shapes import Figure, Line, State, TieOut, Total
from ml_connector.settings import Installation
from ml_connector.store.access import Access
from ml_connector.store.access_log import AccessLog
from ml_connector.store.journal import Journal, Kind
from ml_connector.store.journal import Line as Entry
from ml_connector.store.rights import Role
from ml_connector.store.tie_outs import TieOuts
from ml_connector.wiring import gathering

PERIOD = "2026-10"
DOCUMENTS = 60


def lines(count: int = DOCUMENTS) -> Iterator[Line]:
    """Documents in three states, and a voucher that has none."""
    for number in range(count):
        state = (State.POSTED, State.POSTED, State.HELD)[number % 3]
        amount = Decimal(f"{100 + number}.10")
        posted = {"target_id": f"K {number}", "place": "ledger", "ifs_period": PERIOD, "ifs_amount": amount}
        said = posted if state is State.POSTED else {"reason": "=no account", "remedy": "Map it."}
        yield Line("payments", f"P{number}", f"-N{number}", "10", PERIOD, "EUR", amount, state.value, **said)
    stray = {"difference": "extra", "ifs_amount": Decimal("5.00"), "place": "ledger", "ifs_period": PERIOD}
    yield Line("payments", "", "X1", "10", PERIOD, "EUR", Decimal(0), **stray)


def tie_out(count: int = DOCUMENTS) -> TieOut:
    """What these come to."""
    told = [one for one in lines(count) if one.state]
    posted = [one.amount for one in told if one.state == State.POSTED]
    held = [one.amount for one in told if one.state == State.HELD]
    figures = {"posted": Figure(len(posted), sum(posted, Decimal(0))), "held": Figure(len(held), sum(held, Decimal(0)))}
    read = Figure(len(told), sum((one.amount for one in told), Decimal(0)))
    stray = Decimal("5.00")
    ledger = Figure(len(posted) + 1, figures["posted"].amount + stray)
    total = Total("10", "EUR", read=read, ledger=ledger, differences=1, unexplained=-stray, **figures)
    first, last = _days()
    return TieOut("demo", PERIOD, datetime.now(UTC), "ann", (total,), from_on=first, until_on=last)


def _days() -> tuple[str, str]:
    today = datetime.now(UTC).date()
    return date(today.year, 1, 1).isoformat(), date(today.year, 12, 31).isoformat()


def fill(opened: wiring.Opened, *, count: int = DOCUMENTS, entries: int = 40, sign: bool = True) -> None:
    """A connection with a journal, a tie-out and its sign-off."""
    settings = {
        "ifs": {"url": "https://x.ifs.cloud", "realm": "r", "client_id": "c", "companies": ["10"]},
        "airbase": {"url": "https://api.airbase.io"},
    }
    number = opened.connections.save("demo", settings, {"ifs": "hush-hush"}).id
    journal = Journal(opened.database, opened.vault, number)
    with opened.database.write() as connection:
        told = ({"note": f"n{one}", "count": one} for one in range(entries))
        journal.append(connection, [Entry(Kind.SETTLED, one, "P1", "payments", body={"iban": "hush"}) for one in told])
    access = Access(opened.database, opened.vault)
    access.invite("ann", [Role.ADMINISTRATOR], "the command line")
    access.invite("bob", [Role.APPROVER], "ann")
    with opened.database.write() as connection:
        AccessLog(opened.database, opened.vault).note(connection, "signed_in", "ann", "ann")
    tie_outs = TieOuts(opened.database, opened.vault, number)
    draft = tie_outs.begin(PERIOD, "ann")
    for line in lines(count):
        draft.tell(line)
    kept = draft.keep(tie_out(count))
    if sign:
        tie_outs.sign(kept.number, kept.digest, "bob", "one voucher is a stray")


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[wiring.Opened]:
    opened = wiring.open_store(Installation(store=f"sqlite:///{tmp_path_factory.mktemp('store') / 'store.db'}"))
    fill(opened)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def made(store: wiring.Opened, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Evidence, not to be touched."""
    folder = tmp_path_factory.mktemp("evidence") / "pack"
    gathering.gather(store, "demo", PERIOD, folder, "ann")
    return folder


@pytest.fixture
def pack(made: Path, tmp_path: Path) -> Path:
    """Evidence to be tampered with."""
    return Path(shutil.copytree(made, tmp_path / "pack"))
