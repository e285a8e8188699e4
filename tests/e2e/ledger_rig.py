"""A connector that posts: a sandbox with documents, a profile with posting rules, and what persons in IFS do."""

import shutil
from collections.abc import Generator, Iterable
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

import expected
import expected_ledger as ledger
import rig as rigs
from rig import NAME, Rig
from sqlalchemy import select

from ml_connector import wiring
from ml_connector.errors import ConnectorError
from ml_connector.sandbox import SandboxOptions
from ml_connector.sandbox.airbase.options import SpendOptions
from ml_connector.settings import Gate, Mapping
from ml_connector.store import schema
from ml_connector.store.exceptions import OpenException
from ml_connector.sync.report import Report

Kind = Literal["external", "manual", "file"]
LANDINGS: tuple[Kind, ...] = ("external", "manual", "file")
# Every landing, and both databases, without every pair of them; for `any_store` made indirect.
STORES_AND_LANDINGS: tuple[tuple[str, Kind], ...] = (
    *(("sqlite", landing) for landing in LANDINGS),
    ("postgresql", "external"),
)
DIMENSIONS = {"department": "B", "cost_object": "C", "region": "D", "project": "F"}
DOCUMENTS = ("purchase_requests", "payments")
ACCOUNTS: dict[str, Any] = {
    "accrual": "2990",
    "payable": "2440",
    "employee_payable": "2960",
    "bank": "money",  # a name for a name
    "money": "1930",
    "bill_clearing": "1950",
    "card_clearing": "1940",
    "fees": "6570",
    "exchange": "7960",
    "rounding": "3740",
    "20": {"fees": "7960"},  # company 20 has its own
}
PAYMENT = {"credit": ["document.bank", "bank"], "fee": "fees", "exchange": "exchange", "rounding": "rounding"}
RULES = (
    {
        "name": "Approved request",
        "kinds": ["purchase_request"],
        "debit": "lines",
        "credit": "accrual",
        "rounding": "rounding",
    },
    {"name": "Payment of a request", "kinds": ["payment"], "of": "request", "debit": "accrual", **PAYMENT},
    {"name": "Other payment", "kinds": ["payment"], "debit": "payable", **PAYMENT},
)
LINES = (
    {"category": "Office supplies", "account": "6110", "parts": {"B": "100"}},
    {"category": "Rent", "account": "5010"},
    *({"category": name, "account": "given"} for name in ("Software", "Materials", "Staff", "Marketing")),
)
RATES = (
    {"from": "KWD", "to": "EUR", "rate": "2.9", "on": date(2026, 1, 1), "source": "ECB"},
    {"from": "KWD", "to": "EUR", "rate": "2.95", "on": date(2026, 4, 1), "source": "ECB"},
    {"from": "JPY", "to": "USD", "rate": "0.0067", "on": date(2026, 3, 1), "source": "ECB"},
)


def posting(**changed: Any) -> dict[str, Any]:
    """Rules for requests and payments, as a profile's [posting] has them."""
    return {
        "documents": list(DOCUMENTS),
        "rounding_max": "0.05",
        "amount_max": {"*": "90000"},
        "accounts": ACCOUNTS,
        "account": [dict(one) for one in LINES],
        "rule": [dict(one) for one in RULES],
        "rate": [dict(one) for one in RATES],
        **changed,
    }


def entries_posting(**changed: Any) -> dict[str, Any]:
    """Rules for ledger entries: those that come with the connector, and every account as Airbase shows it."""
    return {
        "documents": ["ledger_entries"],
        "accounts": ACCOUNTS,
        "account": [{"account": "given"}],
        **changed,
    }


def world(suppliers: int = 120, companies: tuple[str, ...] = ("10", "20"), **spend: Any) -> SandboxOptions:
    """A sandbox with documents to post; without further options nothing is wrong with some of each."""
    options = rigs.generous(suppliers=suppliers, orders=0, companies=companies)
    options.airbase.spend = SpendOptions(**spend)
    return options


NOTHING_ODD: dict[str, Any] = dict.fromkeys(
    (
        "unapproved",
        "failed",
        "pending",
        "reversed",
        "unconverted",
        "missing_category",
        "expired_account",
        "expired_tag",
        "zero",
        "negative",
        "doubled",
        "closed_period",
        "off_by_cent",
        "over_precise",
        "unknown_type",
    ),
    0.0,
)


def plain_world(**spend: Any) -> SandboxOptions:
    """Documents that nothing is wrong with, of suppliers that all may be paid."""
    given: dict[str, Any] = {"suppliers": 12, **NOTHING_ODD, "vendor_count": 3, **spend}
    return world(**given)


@dataclass
class LedgerRig(Rig):
    """A rig whose connection posts."""

    posting: dict[str, Any]
    landing: Kind
    folder: Path

    @property
    def flows(self) -> tuple[str, ...]:
        """The posting flows."""
        return tuple(self.posting["documents"])

    def books(self) -> ledger.Books:
        """What IFS knows now."""
        return ledger.books(self.box, self.posting, self.today(), DIMENSIONS)

    def wanted(self, flow: str) -> dict[str, ledger.Outcome]:
        """What the documents of a flow should come to."""
        return ledger.outcomes(self.box, flow, self.books())

    def connect(self, posting: dict[str, Any] | None = None, **settings: Any) -> None:
        """Connect again, with other rules or settings."""
        self.posting = posting or self.posting
        given = profile(self.posting, self.landing, self.folder, **settings)
        made = rigs.connection(self.box, **given)
        wiring.connect(self.store, NAME, made, wiring.Secrets("sandbox-secret", "sandbox-token"))

    def done(self, **options: Any) -> dict[str, Report]:
        """Run all flows; with the file landing, load the files and run again."""
        reports = self.run(**options)
        if self.landing == "file" and self.load_files():
            return self.run(**options)
        return reports

    def load_files(self) -> int:
        """What a person does with the files: load each once, and put it away; how many vouchers came of it."""
        made = 0
        for path in sorted(self.folder.glob("*.txt")):
            company = path.name.removeprefix("mlc-").rsplit("-", 3)[1]
            result = self.box.ledger.load_file(company, "AIRBASE", path.read_bytes(), self.layout)
            assert not result["errors"], (path.name, result["errors"][:3])
            made += result["created"]
            loaded = self.folder / "loaded"
            loaded.mkdir(exist_ok=True)
            shutil.move(path, loaded / path.name)
        return made

    @property
    def layout(self) -> dict[str, int | None] | None:
        """Where the file has more columns than STDVOU."""
        return self.posting.get("landing", {}).get("layout")

    def links(self, flow: str) -> dict[str, Any]:
        """The links of a flow by key."""
        query = select(schema.links).where(schema.links.c.flow == flow)
        with self.store.database.read() as connection:
            return {row.key: row for row in connection.execute(query)}

    def held(self, flow: str) -> dict[str, OpenException]:
        """The open exceptions of a flow by key."""
        opened = wiring.exceptions(self.store, NAME).open(1_000_000)
        return {one.key: one for one in opened if one.flow == flow}

    def written(self) -> tuple[int, int]:
        """How many writes IFS and Airbase have seen."""
        return self.box.ifs_log.writes, self.box.airbase_log.writes

    def post_in_ifs(self) -> int:
        """A person approves everything and updates it to the general ledger; how many vouchers."""
        self.box.ledger.approve()
        return self.box.ledger.update_gl()

    def settle(self, runs_max: int = 12) -> dict[str, Report]:
        """Run, as a schedule would, until nothing is left open."""
        errors: list[ConnectorError] = []
        calm = 0  # what came by file is linked by one run, and what changed meanwhile corrected by the next
        for _ in range(runs_max):
            reports, errors = self.try_run()
            loaded = self.load_files() if self.landing == "file" else 0
            busy = errors or loaded or any(one.uncertain for one in reports.values())
            calm = 0 if busy else calm + 1
            if calm == (2 if self.landing == "file" else 1):
                return reports
        raise AssertionError(f"not settled after {runs_max} runs: {errors}")

    def edit(self, op: str, kind: str, key: str, **fields: Any) -> None:
        """Edit a document in Airbase."""
        self.box.airbase.edit({"op": op, "kind": kind, "id": key, "fields": fields})


def profile(rules: dict[str, Any], landing: Kind, folder: Path, **settings: Any) -> dict[str, Any]:
    """The settings of a connection that posts."""
    lands: dict[str, Any] = {"kind": landing, **rules.get("landing", {})}
    if landing == "file":
        lands["folder"] = str(folder)
    gated = ("suppliers", "purchase_orders", *rules["documents"])
    return {
        "mapping": Mapping(dict(expected.SUBSIDIARIES), dimensions=DIMENSIONS),
        "posting": {**rules, "landing": lands},
        "gate": {name: Gate(1.0, 1.0) for name in gated},
        "new_vendors": "off",
        **settings,
    }


@contextmanager
def ledger_rig(
    url: str,
    options: SandboxOptions,
    folder: Path,
    rules: dict[str, Any] | None = None,
    landing: Kind = "external",
    **settings: Any,
) -> Generator[LedgerRig]:
    """A sandbox and a connector that posts into it, with a fresh store at the URL."""
    with rigs.started(options) as box:
        with closing(rigs.open_store(url)) as store:
            (folder / "vouchers").mkdir(parents=True, exist_ok=True)
            made = LedgerRig(box, store, url, rules or posting(), landing, folder / "vouchers")
            made.connect(**settings)
            yield made
        assert box.crashes == [], "the sandbox itself failed"


@contextmanager
def joined_again(joined: LedgerRig, url: str) -> Generator[LedgerRig]:
    """The same systems and profile with another store."""
    with closing(rigs.open_store(url)) as store:
        made = LedgerRig(joined.box, store, url, joined.posting, joined.landing, joined.folder)
        made.connect()
        yield made


# What must be true

GROUPS = {
    "subsidiary_not_mapped": "subsidiary",
    "date_missing": "date",
    "unknown_currency": "currency",
    "zero_amount": "zero",
    "too_precise": "precision",
    "unknown_type": "type",
    "negative_amount": "negative",
    "rate_missing": "rate",
    "account_not_mapped": "account",
    "lines_do_not_add_up": "lines",
    "settlement_differs": "settlement",
    "account_missing": "unnamed",
    "tags_conflict": "tags",
    "account_unknown": "account_validity",
    "account_not_valid": "account_validity",
    "code_part_missing": "code_part",
    "code_part_blocked": "code_part",
    "code_part_unknown": "code_part",
    "code_part_not_valid": "code_part",
    "vendor_without_supplier": "supplier",
    "supplier_not_linked": "supplier",
    "supplier_not_active": "supplier",
    "period_closed": "period",
    "period_missing": "period",
    "over_limit": "limit",
}


def group_of(cause: str) -> str:
    """The group of a cause, as the expectation names it."""
    return GROUPS.get(cause, cause)


def assert_accounted(joined: LedgerRig, flow: str, report: Report) -> None:
    """Every document is exactly one of posted, held and not due, each as expected, and the sums match."""
    wanted = joined.wanted(flow)
    linked, held, there = joined.links(flow), joined.held(flow), ledger.ours(joined.box)
    states = {key: one.state for key, one in wanted.items()}
    assert linked.keys() == {key for key, state in states.items() if state == "posted"}, _apart(
        linked.keys(), states, "posted", held
    )
    assert held.keys() == {key for key, state in states.items() if state == "held"}, _apart(
        held.keys(), states, "held", held
    )
    assert_grouped(held, wanted)
    assert_rows(wanted, there)
    assert report.read == len(wanted)
    counted = report.posted + report.corrected + report.held + report.refused + report.unchanged + report.not_due
    assert counted + report.uncertain == report.read
    assert {key: row.target_id for key, row in linked.items()} == {key: there[key][-1].id for key in linked}


def assert_grouped(held: dict[str, OpenException], wanted: dict[str, ledger.Outcome]) -> None:
    """Every held document says one of the reasons that are expected."""
    odd = {
        key: (one.held.cause, one.held.sentence, wanted[key].causes)
        for key, one in held.items()
        if group_of(one.held.cause) not in wanted[key].causes
    }
    assert not odd, list(odd.items())[:5]
    assert all(one.held.sentence.strip() and one.held.remedy.strip() for one in held.values())


def assert_rows(wanted: dict[str, ledger.Outcome], there: dict[str, list[ledger.Standing]]) -> None:
    """Each posted document has one voucher, in the right company on the right day with the right rows."""
    for key, one in wanted.items():
        standing = there.get(key, [])
        assert len(standing) == (one.state == "posted"), (key, one, standing)
        for each in standing:
            assert each.voucher["company"] == one.company
            assert each.voucher["date"] == one.on
            assert ledger.net([each]) == ledger.net_rows(one.rows.elements()), (key, each.rows, one.rows)


def assert_totals(joined: LedgerRig, flows: Iterable[str]) -> None:
    """Totals per company, account, currency and period equal the expectation, to the last digit."""
    wanted = [one for flow in flows for one in joined.wanted(flow).values()]
    differ = _different(ledger.totals_wanted(wanted, joined.books()), ledger.totals_there(joined.box))
    assert not differ, differ


def _different(wanted: dict[Any, Any], there: dict[Any, Any]) -> list[Any]:
    differ = [key for key in sorted(wanted.keys() | there.keys()) if wanted.get(key) != there.get(key)]
    return [(key, wanted.get(key), there.get(key)) for key in differ[:5]]


def _apart(keys: Any, states: dict[str, str], state: str, held: dict[str, OpenException]) -> Any:
    expected_keys = {key for key, one in states.items() if one == state}
    more = [(key, states.get(key), held[key].held if key in held else None) for key in list(keys - expected_keys)[:3]]
    less = [(key, held[key].held if key in held else None) for key in list(expected_keys - keys)[:3]]
    return {"not expected": (len(keys - expected_keys), more), "missing": (len(expected_keys - keys), less)}


def assert_stands(joined: LedgerRig, flow: str, excused: Iterable[str] = ()) -> None:
    """All vouchers of a document together come to what its latest state demands, whatever happened in between.

    `excused`: documents that wait as exceptions; of them only that their vouchers balance is known.
    """
    there, wanted = ledger.ours(joined.box), joined.wanted(flow)
    odd: dict[str, Any] = {}
    for key in wanted.keys() - set(excused):
        one = wanted[key]
        rows = ledger.net_rows(one.rows.elements()) if one.state == "posted" else {}
        if ledger.net(there.get(key, [])) != rows:
            odd[key] = (one.state, one.causes, rows, [(each.id, each.reversal, each.rows) for each in there[key]])
    assert not odd, list(odd.items())[:3]
    ledger.assert_balanced(joined.box)


def assert_chained(joined: LedgerRig) -> None:
    """Of each document the vouchers are 1, R1, 2, R2, … without a gap, and each reversal undoes its voucher."""
    for key, several in ledger.ours(joined.box).items():
        posted = {one.number: one for one in several if not one.reversal}
        undone = {one.number: one for one in several if one.reversal}
        assert posted.keys() == set(range(1, len(posted) + 1)), (key, several)
        assert undone.keys() in (posted.keys(), posted.keys() - {len(posted)}), (key, several)
        for number, one in undone.items():
            assert not ledger.net([one, posted[number]]), (key, number)


def in_ledger(joined: LedgerRig) -> set[tuple[Any, ...]]:
    """Every row of the general ledger, field by field; what was there once must be there for ever."""
    return {tuple(row.items()) for row in joined.box.world.rows("VoucherRowSet")}


def assert_acknowledged(joined: LedgerRig) -> None:
    """Airbase knows of exactly the posted ledger entries, each with the number of its own voucher.

    Airbase lets nobody change a reference once it is set: where a voucher was replaced, the first may be named.
    """
    there = ledger.ours(joined.box)
    for row in joined.box.airbase_rows("ledger_entries"):
        vouchers = {one.id for one in there.get(row["id"], []) if not one.reversal}
        if vouchers:
            assert row["status"] == "sync_complete", row["id"]
            assert row["erp_reference_id"] in vouchers, row["id"]
        else:
            assert (row["status"], row["erp_reference_id"]) == ("sync_ready", None), row["id"]


def assert_quiet(joined: LedgerRig, *, census: bool = False) -> dict[str, Report]:
    """One more run writes nothing, nowhere."""
    before = joined.written(), joined.box.vouchers(), sorted(joined.folder.glob("**/*"))
    reports = joined.run(census=census)
    assert (joined.written(), joined.box.vouchers(), sorted(joined.folder.glob("**/*"))) == before
    assert not any(one.posted or one.corrected or one.created or one.updated for one in reports.values())
    return reports
