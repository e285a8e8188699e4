"""The demo's company in a store, after a few runs: what the pages are looked at with."""

from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rig import open_store, sqlite_url
from sqlalchemy import select
from standing import Standing, standing

from ml_connector import sandbox, wiring
from ml_connector.console.cookies import COOKIE
from ml_connector.demo import company
from ml_connector.sandbox import Sandbox
from ml_connector.sandbox.airbase.options import HookOptions
from ml_connector.settings import Installation
from ml_connector.store import schema
from ml_connector.store.access import Access
from ml_connector.store.invitations import Invitations
from ml_connector.store.rights import Role
from ml_connector.store.schedules import ALL, Schedules
from ml_connector.store.sessions import Sessions
from ml_connector.store.users import Users
from ml_connector.wiring import hooking, switching, tie_outs

NAME = company.NAME
KARI, OLA = "kari", "ola"
ROLES = {KARI: (Role.CLERK, Role.APPROVER, Role.ADMINISTRATOR), OLA: (Role.APPROVER,)}
PASSWORD = "four words in a row"


@dataclass(frozen=True)
class Company:
    """A console on the company."""

    console: Standing

    def held(self, cause: str) -> tuple[str, str]:
        """The flow and key of a record that is held for a cause."""
        with closing(open_store(self.console.store)) as store:
            waiting = wiring.exceptions(store, NAME).open(1000)
        return next((one.flow, one.key) for one in waiting if one.held.cause == cause)

    def stopped(self) -> str:
        """The run whose plan waits for approval."""
        with closing(open_store(self.console.store)) as store, store.database.read() as connection:
            query = select(schema.runs.c.id).where(schema.runs.c.state == "blocked")
            return connection.execute(query).scalars().first() or ""

    def posted(self) -> str:
        """The key of a payment that became a voucher."""
        with closing(open_store(self.console.store)) as store, store.database.read() as connection:
            query = select(schema.links.c.key).where(schema.links.c.flow == "payments").order_by(schema.links.c.key)
            return connection.execute(query).scalars().first() or ""

    def tied_out(self, period: str) -> int:
        """The number of a tie-out that is made."""
        with closing(open_store(self.console.store)) as store, wiring.joined(store, NAME) as both:
            return tie_outs.make(both, period).number

    def cookie(self, name: str = KARI) -> tuple[str, str]:
        """What the browser of somebody who has signed in shows."""
        with closing(open_store(self.console.store)) as store:
            person = next(one for one in Users(store.database).all() if one.name == name)
            return COOKIE, Sessions(store.database).begin(person.id)


@contextmanager
def at_work(folder: Path) -> Generator[Company]:
    """The company, with a console on it."""
    options = company.made_up()
    options.ifs.rate_limit = options.airbase.rate_limit = 1_000_000
    with sandbox.start(options) as box:
        _month(folder, box)
        with standing(folder, box) as console:
            _tell(console)
            yield Company(console)


def _month(folder: Path, box: Sandbox) -> None:
    """What has happened so far."""
    with closing(open_store(sqlite_url(folder))) as store:
        for name, roles in ROLES.items():
            link = Access(store.database, store.vault).invite(name, roles, KARI)
            Invitations(store.database, store.vault).accept(link, "", PASSWORD)
        company.connect(store, box)
        connection_id = store.connections.get(NAME).id
        schedules = Schedules(store.database, store.vault)
        schedules.set(connection_id, ALL, "15 3 * * *", KARI, census=False, catch_up=False)
        schedules.add_blackout(connection_id, ALL, "0 18 L * * for 12h", "month-end close", KARI)
        _run(store)
        company.change_a_line(box)
        for on in (False, True):
            switching.switch(store, NAME, "vendors", on=on, person=KARI)
        _run(store)
        company.end_agreements(box)
        _run(store)


def _run(store: wiring.Opened) -> None:
    with wiring.joined(store, NAME) as both:
        assert not [error for _, error in both.run([]) if error]


def _tell(console: Standing) -> None:
    """Airbase tells of a request that was approved."""
    with closing(open_store(console.store)) as store:
        made = hooking.set_up(store, NAME, "airbase", hooking.Wish(), KARI)
    url = hooking.address(Installation(public_url=console.url), made.hook)
    console.box.options()["airbase"].hooks = HookOptions(url=url, secret=made.secret)
    company.approve_a_request(console.box)
