"""A large company's store, written straight into its tables: bodies sealed, journal chained, as the pipeline does it.

Rule: every record is linked, marked, found by its words, and twice in the journal; the same at each run.
"""

import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Table, text

from ml_connector import flows, wiring
from ml_connector.compare.tieout.shapes import Kind, TieOut
from ml_connector.compare.tieout.shapes import Line as DocumentLine
from ml_connector.records import codec
from ml_connector.records.money import Money
from ml_connector.records.purchase_order import OrderLine, PurchaseOrder, SpendOrder, SpendOrderLine
from ml_connector.records.spend import Document, SpendLine
from ml_connector.records.supplier import Supplier, SupplierTerms, Vendor
from ml_connector.records.voucher import Voucher, VoucherRow
from ml_connector.settings import Airbase, Connection, Ifs, Mapping, Profile
from ml_connector.store import chain, schema, schema_people, schema_work
from ml_connector.store.db import Database
from ml_connector.store.scope import Scope, pack
from ml_connector.store.terms import Terms
from ml_connector.sync.orders import Extent
from ml_connector.sync.report import Report
from ml_connector.sync.words import of_target, words
from ml_connector.wiring import tie_outs

NAME, OTHERS = "acme", ("north", "south")
SUBSIDIARIES = {"10": "SUB-10", "20": "SUB-20"}
ACCOUNTS = {
    "accrual": "2990",
    "payable": "2440",
    "bank": "1930",
    "fees": "6570",
    "exchange": "7960",
    "rounding": "3740",
}
POSTING: dict[str, Any] = {
    "documents": ["purchase_requests", "payments"],
    "accounts": ACCOUNTS,
    "account": [{"category": "Office supplies", "account": "6110"}, {"account": "given"}],
}
CLOSED = "http://127.0.0.1:9"  # nothing answers there: no page may need a system
NOW = datetime.now(UTC).replace(microsecond=0)
BATCH = 20_000
COUNTS = {"suppliers": 100_000, "purchase_orders": 400_000, "purchase_requests": 200_000, "payments": 300_000}
OPEN, RESOLVED, RUNS, ORDERS, EVENTS = 50_000, 50_000, 5_000, 20_000, 100_000
PERIOD, TIED = "2026-09", 20_000
CAUSES = ("period_closed", "term_not_mapped", "account_not_mapped", "supplier_not_linked", "differs_in_target")
CAUSES += ("refused_by_ifs", "not_confirmed", "possibly_double", "unbalanced", "currency_unknown", "handed_over")
FIRST = "Nordic Baltic Alpine Harbour Granite Silver Meadow Falcon Juniper Copper Lindqvist Müller Østergård Zápotocký"
SECOND = "Timber Steel Paper Freight Energy Catering Software Printing Logistics Machines Tools Optics Marine Textile"
THIRD = "AB GmbH AS Oy Ltd SARL BV SpA KG Inc"
Row = dict[str, Any]
Term = tuple[int, str, str]
NAMES = [" ".join(words) for words in itertools.product(FIRST.split(), SECOND.split(), THIRD.split())]


class Made(NamedTuple):
    """One record: its key, where it is, what it was and is."""

    key: str
    target_id: str
    source: Any
    after: Any
    story: str = ""


def company(number: int) -> str:
    """The supplier of this number; the first ones have a name of their own."""
    return f"{NAMES[number % len(NAMES)]} {number // len(NAMES)}"


def amount(number: int) -> Decimal:
    """The amount of this record."""
    return Decimal(number * 7919 % 99_999_99).scaleb(-2)


def day(number: int) -> date:
    """The day of this record."""
    return date(2026, 1, 1) + timedelta(days=number % 300)


def supplier(number: int) -> Made:
    """A supplier and its vendor."""
    key, name = f"S{number:06}", company(number)
    terms = (SupplierTerms("10", "30", "EUR"), SupplierTerms("20", "30", "EUR"))
    source = Supplier(key, name, f"DE{number:09}", "DE", terms)
    vendor = Vendor(key, name, True, ("SUB-10", "SUB-20"), "net30", "EUR")
    return Made(key, f"ven_{number:08x}", source, vendor)


def purchase_order(number: int) -> Made:
    """An order of two lines."""
    key, price = f"P{number:07}", amount(number)
    line = OrderLine("1", "1", "P-100", "Bearings", Decimal(2), "pcs", price, "EUR", day(number), "Released")
    vendor = f"S{number % 100_000:06}"
    source = PurchaseOrder(key, vendor, "10", "1", "EUR", "ANNA", day(number), "Released", (line,))
    there = SpendOrderLine(1, "1-1", "P-100", "Bearings", Decimal(2), "pcs", price, 2 * price, day(number), "open")
    after = SpendOrder(key, vendor, "SUB-10", "EUR", 2 * price, day(number), "ANNA", "open", (there,))
    return Made(key, f"po_{number:08x}", source, after)


def document(kind: str, head: str) -> Callable[[int], Made]:
    """What makes documents of a kind, and their vouchers."""

    def make(number: int) -> Made:
        key, cost, name = f"{head}_{number:08x}", amount(number), company(number % 100_000)
        line = SpendLine(1, cost, "6110", "Office supplies", "Chairs")
        source = Document(
            key, kind, f"{head.upper()}-{number}", "approved", "SUB-10", Money(cost, "EUR"), day(number),
            vendor=name, supplier_id=f"S{number % 100_000:06}", invoice_number=f"INV{number}", lines=(line,),
        )  # fmt: skip
        rows = (VoucherRow("6110", "EUR", cost, cost), VoucherRow("2990", "EUR", -cost, -cost))
        after = Voucher("10", day(number), f"{key} {name}", rows)
        return Made(key, f"10/{number}/2026/M", source, after, f"req_{number % 200_000:08x}")

    return make


MAKERS: dict[str, Callable[[int], Made]] = {
    "suppliers": supplier,
    "purchase_orders": purchase_order,
    "purchase_requests": document("purchase_request", "req"),
    "payments": document("payment", "pay"),
}


def settings() -> Connection:
    """A connection with all four flows on, to systems that do not answer."""
    ifs = Ifs(CLOSED, "acme", "mlc", tuple(SUBSIDIARIES))
    mapping = Mapping(SUBSIDIARIES, {"30": "net30"})
    return Connection(ifs, Airbase(CLOSED), Profile(mapping=mapping, posting=POSTING))


def ago(minutes: float) -> str:
    """An instant as stored."""
    return schema.stamp(NOW - timedelta(minutes=minutes))


def seed(store: wiring.Opened, say: Callable[[str], None]) -> None:
    """Fill a store that is empty."""
    for name in (NAME, *OTHERS):
        wiring.connect(store, name, settings(), wiring.Secrets("ifs-secret", "airbase-token"))
    owner = store.connections.get(NAME).id
    _loosen(store.database)
    journal = Chain(store, owner)
    done, found, known, terms = 0, list[Term](), dict[str, int](), Terms(store.vault, owner)
    for flow, count in COUNTS.items():
        say(f"{flow}: {count:,}")
        for made in _records(store, owner, flow, range(done, done + count), journal):
            _terms(found, terms, flow, made, known)
        done += count
    say(f"{len(found):,} words")
    found.sort()  # in the order of the index, as anything else would take minutes
    rows = ({"connection_id": owner, "term": term, "flow": flow, "key": key} for term, flow, key in found)
    fill(store.database, schema_people.terms, rows)
    say("exceptions, runs, orders, events")
    _exceptions(store, owner, journal)
    _work(store, owner)
    journal.close()
    _tie_outs(store)
    if store.database.engine.dialect.name == "postgresql":
        with store.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))  # as the server does by itself within minutes


def _loosen(db: Database) -> None:
    """A bench's data need not survive a power cut."""
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ALTER SYSTEM SET fsync = off"))
            connection.execute(text("SELECT pg_reload_conf()"))


def fill(db: Database, table: Table, rows: Iterable[Row]) -> None:
    """Insert rows the fastest way that the database has; each has the same columns."""
    pending = iter(rows)
    while some := list(itertools.islice(pending, BATCH)):
        names = list(some[0])
        values = [tuple(row.values()) for row in some]
        raw = db.engine.raw_connection()
        try:
            (_copy if db.engine.dialect.name == "postgresql" else _insert)(raw, table.name, names, values)
        finally:
            raw.close()


def _copy(raw: Any, table: str, names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    columns = ", ".join(f'"{name}"' for name in names)
    with raw.cursor() as cursor, cursor.copy(f'COPY "{table}" ({columns}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row(row)
    raw.commit()


def _insert(raw: Any, table: str, names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    columns, marks = ", ".join(f'"{name}"' for name in names), ", ".join("?" * len(names))
    cursor = raw.cursor()
    cursor.execute("PRAGMA synchronous=OFF")
    cursor.execute("BEGIN IMMEDIATE")
    cursor.executemany(f'INSERT INTO "{table}" ({columns}) VALUES ({marks})', rows)  # noqa: S608 - our own tables
    cursor.execute("COMMIT")
    cursor.execute("PRAGMA synchronous=FULL")


class Chain:
    """The journal, appended to in bulk."""

    def __init__(self, store: wiring.Opened, owner: int) -> None:
        self._store, self._owner, self._rows = store, owner, list[Row]()
        with store.database.read() as connection:
            head = connection.execute(schema.chains.select().where(schema.chains.c.connection_id == owner)).one()
        self._seq, self._head = head.seq, head.head

    def add(self, kind: str, flow: str, key: str, run_id: str, at: str, facts: Row, body: Any = None) -> None:
        """Append an entry."""
        self._seq += 1
        place = (str(self._owner), "journal", flow, key)
        sealed = None if body is None else self._store.vault.seal(pack(msgspec.json.encode(body)), *place)
        digest = None if sealed is None else hashlib.sha256(sealed).digest()
        told = msgspec.json.encode(facts, order="sorted").decode()
        after = chain.Header(self._owner, self._seq, at, run_id, flow, key, kind, told, digest).hash(self._head)
        row: Row = {
            "connection_id": self._owner,
            "seq": self._seq,
            "at": at,
            "run_id": run_id,
            "flow": flow,
            "key": key,
        }
        row |= {"kind": kind, "facts": told, "prev": self._head, "hash": after, "body_digest": digest, "body": sealed}
        self._head = after
        self._rows.append(row)
        if len(self._rows) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Write what was appended."""
        fill(self._store.database, schema.journal, self._rows)
        self._rows.clear()

    def close(self) -> None:
        """Write the rest, and the chain's head."""
        self.flush()
        sealed = self._store.vault.seal(chain.head_text(self._seq, self._head), str(self._owner), "chains")
        mine = schema.chains.update().where(schema.chains.c.connection_id == self._owner)
        with self._store.database.write() as connection:
            connection.execute(mine.values(seq=self._seq, head=self._head, sealed=sealed))


def _scope(store: wiring.Opened, owner: int, flow: str) -> Scope:
    kinds = flows.FLOWS[flow]
    return Scope(store.vault, owner, flow, kinds.source_kind, kinds.target_kind, lambda: NOW)


def run_of(number: int) -> str:
    """The run that made the record of this number."""
    return f"{int(NOW.timestamp() * 1000) - number % RUNS * 60_000:012x}{number % RUNS:020x}"


def _records(store: wiring.Opened, owner: int, flow: str, places: range, journal: Chain) -> Iterator[list[Made]]:
    """The records of a flow, batch by batch; `places`: which of all records they are, the oldest first."""
    scope, owned = _scope(store, owner, flow), {"connection_id": owner, "flow": flow}
    for start in range(0, len(places), BATCH):
        numbers = range(start, min(start + BATCH, len(places)))
        made = [(MAKERS[flow](number), ago(0.4 * (sum(COUNTS.values()) - places[number]))) for number in numbers]
        fill(store.database, schema.links, (owned | _link(scope, one, at) for one, at in made))
        marks = (owned | {"row_key": one.key, "part": "heads", "mark": f"m{one.key}"} for one, _ in made)
        fill(store.database, schema.marks, marks)
        for number, (one, at) in zip(numbers, made, strict=True):
            _tell(journal, flow, number, one, at)
        yield [one for one, _ in made]


def _link(scope: Scope, one: Made, at: str) -> Row:
    row: Row = {"key": one.key, "target_id": one.target_id, "digest": codec.digest(one.key), "active": True}
    row |= {"wake_on": None, "changed_at": at, "origin": "", "story": one.story, "alike": ""}
    return row | {"agreed": scope.seal(schema.links, one.key, one.after)}


def _tell(journal: Chain, flow: str, number: int, one: Made, at: str) -> None:
    facts = {"change": number, "action": "create", "target_id": "", "digest": codec.digest(one.key)}
    body = {"source": one.source, "before": None, "after": one.after}
    journal.add("intended", flow, one.key, run_of(number), at, facts, body)
    facts |= {"event": "done", "state": "settled", "target_id": one.target_id}
    journal.add("settled", flow, one.key, run_of(number), at, facts)


def _terms(found: list[Term], terms: Terms, flow: str, made: Iterable[Made], known: dict[str, int]) -> None:
    """The terms of records."""
    for one in made:
        said = words(one.key, one.source, one.after) | of_target(one.target_id)
        for word in (*said, " ".join([one.key, *sorted(said)])):
            number = known.get(word)
            if number is None:
                number = terms.number(word)
                if len(known) < 1_000_000:
                    known[word] = number
            found.append((number, flow, one.key))


def _exceptions(store: wiring.Opened, owner: int, journal: Chain) -> None:
    fill(store.database, schema.exceptions, (_held(owner, number, journal) for number in range(OPEN + RESOLVED)))


def _tie_outs(store: wiring.Opened) -> None:
    """A period tied out a few times, with many documents and as many differences as are listed."""
    kept = tie_outs.of(store, NAME)
    lines = [_tied(number) for number in range(TIED)]
    differing = tuple(msgspec.structs.replace(one, difference=Kind.MISSING) for one in lines[:1000])
    found = TieOut(NAME, PERIOD, NOW, "kari", differences=differing, timing=tuple(lines[:1000]))
    for _ in range(5):
        draft = kept.begin(PERIOD, "kari")
        for one in lines:
            draft.tell(one)
        draft.keep(found)


def _tied(number: int) -> DocumentLine:
    key, cost = f"pay_{number:08x}", amount(number)
    about = ("payments", key, f"PAY-{number}", "10", PERIOD, "EUR", cost)
    return DocumentLine(*about, target_id=f"10/{number}/2026/M", place="ledger", ifs_period=PERIOD, ifs_amount=cost)


def held_flow(number: int) -> str:
    """Whose exception this is."""
    return tuple(COUNTS)[number % len(COUNTS)]


def _held(owner: int, number: int, journal: Chain) -> Row:
    flow, cause = held_flow(number), CAUSES[number % len(CAUSES)]
    key, over = MAKERS[flow](number % COUNTS[flow]).key, number >= OPEN
    sentence = f"{key} waits: {cause.replace('_', ' ')}, as {company(number)} shows."
    at, owner_of = ago(number * 3), ("controller", "AP clerk", "administrator")[number % 3]
    journal.add(
        "held",
        flow,
        key,
        run_of(number),
        at,
        {"cause": cause, "owner": owner_of},
        {"sentence": sentence, "remedy": "Mend it."},
    )
    if over:
        journal.add("released", flow, key, run_of(number), ago(1), {"cause": cause})
    row: Row = {"connection_id": owner, "flow": flow, "key": key, "cause": cause, "sentence": sentence}
    row |= {"remedy": "Open the period in IFS, or change the date there; then replay.", "owner": owner_of}
    row |= {"stake_amount": str(amount(number)), "stake_currency": ("EUR", "USD", "SEK")[number % 3], "opened_at": at}
    row |= {"last_at": ago(1), "resolved_at": ago(number * 2 % 100_000) if over else None, "times": 1 + number % 9}
    return row | {"assignee": ("", "", "kari")[number % 3], "snoozed_until": ago(-600) if number % 40 == 39 else None}


def _work(store: wiring.Opened, owner: int) -> None:
    db = store.database
    fill(db, schema.runs, (_run(store, owner, number) for number in range(RUNS)))
    fill(db, schema_work.orders, (_order(owner, number) for number in range(ORDERS)))
    fill(db, schema_work.inbox, (_event(store, owner, number) for number in range(EVENTS)))


def _run(store: wiring.Opened, owner: int, number: int) -> Row:
    flow, run_id, blocked = held_flow(number), run_of(number), number % 500 == 3
    report = Report(flow, "blocked" if blocked else "done", run_id, read=200, created=3, held=number % 4, seconds=2.5)
    report.requests, report.objections = {"ifs": 12, "airbase": 9}, ("40 % would change",) if blocked else ()
    report.plan_id = run_id if blocked else ""
    sealed = _scope(store, owner, flow).seal(schema.runs, run_id, report)
    at = number % 5000
    row: Row = {"id": run_id, "connection_id": owner, "flow": flow, "kind": "run", "state": report.state}
    return row | {"process": "bench", "started_at": ago(at), "finished_at": ago(at - 0.5), "report": sealed}


def order_of(number: int) -> str:
    """The id of an order."""
    return f"order-{number:06}"


def _order(owner: int, number: int) -> Row:
    flow, queued = held_flow(number), number < 40
    state = "queued" if queued else ("blocked" if number % 500 == 3 else "done")
    row: Row = {"id": order_of(number), "connection_id": owner, "flow": flow}
    row |= {
        "what": msgspec.json.encode(Extent()).decode(),
        "cause": "schedule",
        "person": "",
        "rank": 1,
        "state": state,
    }
    row |= {"placed_at": ago(number), "not_before": 0.0, "started_at": None if queued else ago(number - 0.2)}
    row |= {"finished_at": None if queued else ago(number - 0.5), "worker": None, "attempts": 1}
    return row | {
        "run_id": "" if queued else run_of(number),
        "figures": '{"read":200,"created":3}',
        "error": "",
        "progress": "",
    }


def _event(store: wiring.Opened, owner: int, number: int) -> Row:
    body = msgspec.json.encode({"id": f"evt_{number}", "type": "payment.updated", "data": {"id": f"pay_{number:08x}"}})
    place = (str(owner), "inbox", "airbase", f"evt_{number}")
    state = "waiting" if number > EVENTS - 500 else ("failed" if number % 997 == 0 else "done")
    row: Row = {"connection_id": owner, "system": "airbase", "event_id": f"evt_{number}", "type": "payment.updated"}
    row |= {
        "occurred": "",
        "received_at": ago((EVENTS - number) / 4),
        "verified": number % 50 != 0,
        "repeats": number % 3,
    }
    row |= {"state": state, "flow": "payments", "key": f"pay_{number:08x}", "order_id": order_of(number % ORDERS)}
    row |= {"tries": 0, "not_before": 0.0, "note": "", "done_at": None if state == "waiting" else ago(number / 5)}
    return row | {"sealed": store.vault.seal(pack(body), *place)}
