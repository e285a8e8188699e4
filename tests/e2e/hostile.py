"""An application over a store in which every text that comes from outside is hostile.

Rule: each field has its own mark, so that a test can tell which were shown at all; the secrets are known.
"""

import base64
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import tied
from addresses import Address, table
from fastapi import FastAPI
from rig import NAME, Rig, connection, generous, rig, sqlite_url
from serving import answering, looking
from sqlalchemy import delete, insert, select, text

from ml_connector import wiring
from ml_connector.console.app import make_app
from ml_connector.console.static import FILES
from ml_connector.settings import Profile
from ml_connector.store import schema, schema_work
from ml_connector.store.api_tokens import ApiTokens, Right
from ml_connector.store.inbox import Event, Inbox
from ml_connector.store.inbox import State as EventState
from ml_connector.store.journal import Journal, Kind, Line
from ml_connector.store.orders import Orders
from ml_connector.store.rights import Role
from ml_connector.store.schedules import Schedules
from ml_connector.store.scope import Scope
from ml_connector.store.users import Users
from ml_connector.sync.orders import Cause, Extent, Order
from ml_connector.sync.report import Report
from ml_connector.wiring import tie_outs
from ml_connector.wiring.hooking import Wish, set_up

KEY = base64.b64encode(bytes(range(100, 132))).decode()
FLOW = "suppliers"
SECRETS = {
    "IFS secret": "sandbox-secret",
    "Airbase token": "sandbox-token",
    "key": KEY,
    "hook": "whsec_canary-8812aa70",
}
EVERYBODY = tuple(Role)
TIMES = ("last_at", "lease_until")  # that somebody looked is noted


def bad(field: str) -> str:
    """What might run, load, close or compute something, with a mark of its own."""
    script = f"""{field}"'><script>pwn("{field}")</script>"""
    return f"{script}<img src=x onerror=pwn()>{{{{7*1234567}}}}\u202e&lt;javascript:pwn()"


def link(field: str) -> str:
    """What would run if it were a place to go."""
    return f"javascript:pwn('{field}')"


KEYS = ("S000001", bad("key")[:300])
QUERIES: dict[str, dict[str, str | list[str]]] = {
    f"/c/{{name}}/replay{part}": {"flow": FLOW, "key": list(KEYS)} for part in ("", "/preview")
}
ORDERS = ("order-1", bad("order")[:200])
OTHER = "other"
LONG, CONTROL = "W" * 10_000, "\x01\x1b[31m\x7f\r\n"
RUN = "0" * 31 + "1"


@dataclass
class Hostile:
    """Where it answers, over what, and which addresses there are."""

    url: str
    joined: Rig
    app: FastAPI
    tokens: dict[Right, str]

    @property
    def addresses(self) -> list[Address]:
        """All of them."""
        return table(self.app)

    def looking(self, *roles: Role) -> Any:
        """A client that looks as a person with these roles."""
        return looking(self.url, self.joined.store, *roles, name="-".join(roles) or "nobody")

    def rows(self) -> dict[str, list[Any]]:
        """What is in the store, but for who looked when."""
        with self.joined.store.database.read() as reading:
            found: dict[str, list[Any]] = {}
            for one in schema.metadata.sorted_tables:
                columns = [column for column in one.c if column.name not in TIMES]
                rows = reading.execute(select(*columns).order_by(*one.primary_key)).all()
                found[one.name] = [tuple(row) for row in rows]
        return found


def values(address: Address, wild: bool) -> dict[str, str]:
    """Values for an address, plain ones or hostile ones."""
    given = {"name": NAME, "flow": FLOW, "key": KEYS[wild], "cause": bad("cause")[:64] if wild else "plain"}
    given |= {
        "number": "1",
        "run": RUN,
        "run_id": RUN,
        "token": "x" * 43,
        "system": "airbase",
        "order_id": ORDERS[wild],
        "what": "pause",
        "period": tied.PERIOD,
    }
    given["id"] = ORDERS[wild] if "orders" in address.path else "1"
    other = {"/static": sorted(FILES)[0], "/access/people": bad("user") if wild else OTHER, "/access/tokens": "read"}
    given["name"] = next((name for start, name in other.items() if address.path.startswith(start)), NAME)
    return given


@contextmanager
def hostile(folder: Path) -> Generator[Hostile]:
    """The application."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ML_CONNECTOR_KEY", KEY)
        with rig(sqlite_url(folder), generous(suppliers=12, orders=12)) as joined:
            _spoil(joined)
            joined.run()
            _fill(joined)
            tokens = ApiTokens(joined.store.database)
            made = {right: tokens.create(str(right), right, bad("maker")) for right in Right}
            with answering(joined.store) as url:
                yield Hostile(url, joined, make_app(joined.store, lambda: True, lambda: None), made)


def _spoil(joined: Rig) -> None:
    """Suppliers with hostile names, on the way that data goes."""
    for row in joined.box.world.rows("SupplierInfoGeneralSet")[:6]:
        joined.box.world.update("SupplierInfoGeneralSet", row["SupplierId"], {"Name": bad("supplier")[:99]})
    mapping = {"10": bad("subsidiary"), "20": link("subsidiary")}
    settings = connection(joined.box)
    changed = msgspec.structs.replace(settings.profile.mapping, payment_terms={bad("term"): link("term")} | mapping)
    profile: Profile = msgspec.structs.replace(settings.profile, mapping=changed)
    secrets = wiring.Secrets("", "")
    wiring.connect(joined.store, NAME, msgspec.structs.replace(settings, profile=profile), secrets)


def _fill(joined: Rig) -> None:
    store, owner = joined.store, joined.store.connections.get(NAME).id
    for number, key in enumerate(KEYS):
        _record(store, owner, number, key)
    _events(store, owner)
    _orders(store, owner)
    _runs(store, owner)
    there = Schedules(store.database, store.vault)
    there.set(owner, FLOW, "every 15m", bad("scheduler"), census=False, catch_up=True)
    there.add_blackout(owner, FLOW, "2030-10-31T18:00/2030-11-03T06:00", bad("reason"), bad("blackouter"))
    for name in (OTHER, bad("user")):
        Users(store.database).create(name, [Role.CLERK], bad("inviter"))
    _tie_outs(store)
    set_up(store, NAME, "airbase", Wish(secret=SECRETS["hook"]), bad("hooker"))
    with store.database.write() as writing:
        # Settings of a former version may hold anything.
        writing.execute(
            text("UPDATE versions SET note = :note, author = :author"), {"note": bad("note"), "author": bad("author")}
        )


def _record(store: wiring.Opened, owner: int, number: int, key: str) -> None:
    now = schema.stamp(datetime.now(UTC))
    cause = (bad("cause")[:64], "plain")[number == 0]
    row: dict[str, Any] = {
        "connection_id": owner,
        "flow": FLOW,
        "key": key,
        "cause": cause,
        "sentence": bad("sentence") + CONTROL,
    }
    row |= {
        "remedy": bad("remedy") + LONG,
        "owner": "controller",
        "stake_amount": "12.50",
        "stake_currency": "EUR",
        "times": 1,
    }
    row |= {"opened_at": now, "last_at": now, "resolved_at": None, "assignee": bad("assignee")}
    facts = {"cause": bad("cause"), "person": bad("person"), "target_id": link("target"), bad("fact"): bad("value")}
    body = {"sentence": bad("body"), "remedy": link("body"), bad("field"): [bad("list"), {"href": link("href")}]}
    both = {"source": {"name": bad("source")}, "before": {"name": bad("before")}, "after": {"name": bad("after")}}
    lines = [Line(kind, facts, key, FLOW, RUN, body) for kind in Kind if kind is not Kind.INTENDED]
    lines.append(Line(Kind.INTENDED, facts | {"change": 1, "action": "create", "digest": "d"}, key, FLOW, RUN, both))
    with store.database.write() as writing:
        writing.execute(delete(schema.exceptions).where(schema.exceptions.c.key == key))
        writing.execute(insert(schema.exceptions).values(row))
        Journal(store.database, store.vault, owner).append(writing, lines)


def _tie_outs(store: wiring.Opened) -> None:
    found = tied.tie_out(2, tied.missing(7, bad), said=bad)
    signed = tied.kept(store, NAME, found, 2, bad("tie-out maker"), bad)
    tie_outs.sign(store, NAME, signed.number, signed.digest, bad("signer"), bad("tie-out note"))
    tied.kept(store, NAME, found, 2, bad("tie-out maker"), bad)


def _events(store: wiring.Opened, owner: int) -> None:
    body = msgspec.json.encode({"type": bad("event body"), "url": link("event")})
    told = [(f"event-{number}-{bad('event id')}"[:200], KEYS[number]) for number in range(2)]
    events = [
        Event(
            owner, "airbase", one, bad("event type"), link("occurred"), datetime.now(UTC), True, EventState.DONE,
            FLOW, key, body, bad("event note"),
        )
        for one, key in told
    ]  # fmt: skip
    Inbox(store.database, store.vault).receive(events)


def _orders(store: wiring.Opened, owner: int) -> None:
    orders = Orders(store.database)
    for one in ORDERS:
        orders.place(Order(one, owner, FLOW, Extent(keys=KEYS), Cause.PERSON, bad("orderer")))
    with store.database.write() as writing:
        values = {
            "error": bad("error"),
            "state": "failed",
            "run_id": RUN,
            "finished_at": schema.stamp(datetime.now(UTC)),
        }
        writing.execute(schema_work.orders.update().values(values))


def _runs(store: wiring.Opened, owner: int) -> None:
    report = Report(FLOW, "blocked", RUN, objections=(bad("objection"),), error=bad("run error"), plan_id=RUN)
    report.warnings = [bad("warning")]
    at = schema.stamp(datetime.now(UTC))
    scope = Scope(store.vault, owner, FLOW, object, object, lambda: datetime.now(UTC))
    row: dict[str, Any] = {"id": RUN, "connection_id": owner, "flow": FLOW, "kind": "run", "state": "blocked"}
    row |= {"process": "p", "started_at": at, "finished_at": at, "report": scope.seal(schema.runs, RUN, report)}
    with store.database.write() as writing:
        writing.execute(insert(schema.runs).values(row))
