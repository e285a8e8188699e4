"""Payment terms both ways: whoever edits where, both sides come to what a plain three-way merge says."""

import shutil
import tempfile
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Literal

import expected
import pytest
import rig as rigs
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from rig import NAME, Rig, sqlite_url

from ml_connector import wiring
from ml_connector.sandbox.faults import Fault
from ml_connector.settings import Gate, Mapping, Terms
from ml_connector.sync.report import Report

Policy = Literal["ifs", "airbase", "hold"]
NAMES = {"0": "Immediate", "14": "Net 14", "30": "Net 30", "30EOM": "Net 30 EOM", "60": "Net 60"}
BACK = {said: term for term, said in NAMES.items()}
FLOWS = ("suppliers", "payment_terms")


@contextmanager
def joined_terms(folder: Path, policy: Policy, suppliers: int = 14, **settings: Any) -> Generator[Rig]:
    """A connection that keeps payment terms the same on both sides."""
    with rigs.started(rigs.generous(suppliers=suppliers, orders=0)) as box:
        with closing(rigs.open_store(sqlite_url(folder))) as store:
            made = rigs.connection(
                box,
                mapping=Mapping(dict(expected.SUBSIDIARIES), payment_terms=NAMES),
                payment_terms=Terms(both_ways=True, conflict=policy),
                gate={name: Gate(1.0, 1.0) for name in FLOWS},
                **settings,
            )
            wiring.connect(store, NAME, made, wiring.Secrets("sandbox-secret", "sandbox-token"))
            yield Rig(box, store, sqlite_url(folder))
        assert box.crashes == [], "the sandbox itself failed"


def agreements(joined: Rig) -> dict[str, dict[str, str]]:
    """The current payment terms in IFS: supplier to company to term."""
    found: dict[str, dict[str, str]] = {}
    for row in joined.box.world.rows("IdentityInvoiceInfoSet"):
        current = row["ExpireDate"] is None or row["ExpireDate"] > joined.today()
        if current and row["Company"] in expected.SUBSIDIARIES and row["PartyType"] == "Supplier":
            found.setdefault(row["Identity"], {})[row["Company"]] = row["PayTermId"]
    return {key: dict(sorted(terms.items())) for key, terms in found.items()}


def vendors(joined: Rig) -> dict[str, dict[str, Any]]:
    """The vendors in Airbase by supplier."""
    return {row["erp_reference_id"]: row for row in joined.box.airbase_rows("vendors") if row["erp_reference_id"]}


def said(joined: Rig) -> dict[str, str]:
    """What Airbase says, by supplier."""
    return {key: row["payment_terms"] or "" for key, row in vendors(joined).items()}


def set_ifs(joined: Rig, supplier: str, company: str, term: str) -> None:
    key = {"Company": company, "Identity": supplier, "PartyType": "Supplier"}
    joined.box.world.update("IdentityInvoiceInfoSet", key, {"PayTermId": term})


def set_airbase(joined: Rig, supplier: str, terms: str | None) -> None:
    row = vendors(joined)[supplier]
    joined.box.airbase.edit({"op": "update", "kind": "vendors", "id": row["id"], "fields": {"payment_terms": terms}})


def held(joined: Rig) -> dict[str, str]:
    """Suppliers whose terms wait for a person, with the cause."""
    opened = wiring.exceptions(joined.store, NAME).open(1000)
    return {one.key: one.held.cause for one in opened if one.flow == "payment_terms"}


def writes(joined: Rig) -> int:
    return joined.box.ifs_log.writes + joined.box.airbase_log.writes


class Model:
    """A three-way merge by hand: what both sides should say, from what they said when they last agreed."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.agreed: dict[str, str] = {}
        self.ifs: dict[str, dict[str, str]] = {}
        self.airbase: dict[str, str] = {}
        self.held: set[str] = set()

    def read(self, joined: Rig) -> None:
        """What both sides say now."""
        self.ifs, self.airbase = agreements(joined), said(joined)

    def merge(self) -> None:
        """What one run makes of it."""
        self.held = set()
        for supplier, terms in self.ifs.items():
            self._one(supplier, terms)

    def _one(self, supplier: str, terms: dict[str, str]) -> None:
        leading = next(iter(terms.values()))
        left, right, base = NAMES[leading], self.airbase[supplier], self.agreed.get(supplier)
        if left == right:
            self.agreed[supplier] = left
            return
        winner = self._winner(left, right, base)
        if winner == "hold" or (winner == "airbase" and right not in BACK):
            self.held.add(supplier)
        elif winner == "ifs":
            self.airbase[supplier] = self.agreed[supplier] = left
        else:
            moved = {company: BACK[right] if term == leading else term for company, term in terms.items()}
            self.ifs[supplier] = moved
            self.agreed[supplier] = right

    def _winner(self, left: str, right: str, base: str | None) -> str:
        if base is None:
            return self.policy if right else "ifs"
        if left == base:
            return "airbase"
        return "ifs" if right == base else self.policy


def run(joined: Rig) -> dict[str, Report]:
    return joined.run(*FLOWS)


def test_the_first_run_fills_airbase_from_ifs(tmp_path: Path) -> None:
    with joined_terms(tmp_path, "hold") as joined:
        run(joined)
        wanted = {key: NAMES[next(iter(terms.values()))] for key, terms in agreements(joined).items()}
        assert {key: text for key, text in said(joined).items() if key in wanted} == wanted
        before = writes(joined)
        run(joined)
        assert writes(joined) == before


@pytest.mark.parametrize("policy", ["ifs", "airbase", "hold"])
def test_each_side_follows_the_other_and_conflicts_go_by_the_policy(tmp_path: Path, policy: Policy) -> None:
    with joined_terms(tmp_path, policy) as joined:
        run(joined)
        first, second, third, fourth = list(agreements(joined))[:4]
        company = next(iter(agreements(joined)[first]))
        old = agreements(joined)
        set_ifs(joined, first, company, "60" if old[first][company] != "60" else "30")
        set_airbase(joined, second, "Net 14" if said(joined)[second] != "Net 14" else "Net 60")
        model = Model(policy)
        model.agreed = {key: NAMES[next(iter(terms.values()))] for key, terms in old.items()}
        for key in (third, fourth):
            company = next(iter(old[key]))
            set_ifs(joined, key, company, "0" if old[key][company] != "0" else "60")
            set_airbase(joined, key, "Net 30 EOM" if said(joined)[key] != "Net 30 EOM" else "Net 14")
        model.read(joined)
        model.merge()
        run(joined)
        assert (agreements(joined), said(joined)) == (model.ifs, model.airbase)
        assert held(joined).keys() == model.held
        assert set(held(joined).values()) == ({"payment_terms_conflict"} if policy == "hold" else set())


def test_terms_cleared_or_unknown_in_airbase_never_reach_ifs(tmp_path: Path) -> None:
    with joined_terms(tmp_path, "airbase") as joined:
        run(joined)
        first, second = list(agreements(joined))[:2]
        before = agreements(joined)
        set_airbase(joined, first, None)
        set_airbase(joined, second, "Whenever you like")
        run(joined)
        assert agreements(joined) == before
        assert held(joined) == {first: "payment_terms_cleared", second: "payment_term_not_mapped"}
        set_airbase(joined, first, NAMES[next(iter(before[first].values()))])
        set_airbase(joined, second, "Net 14")
        run(joined)
        assert held(joined) == {}
        assert next(iter(agreements(joined)[second].values())) == "14"


@pytest.mark.parametrize("site", ["ifs", "airbase"])
@pytest.mark.parametrize("kind", ["reset_before", "reset_after", "html"])
def test_a_lost_answer_is_looked_up(tmp_path: Path, site: Any, kind: Any) -> None:
    with joined_terms(tmp_path, "ifs", timeout_s=2.0) as joined:
        run(joined)
        first, second = list(agreements(joined))[:2]
        set_airbase(joined, first, "Net 14" if said(joined)[first] != "Net 14" else "Net 60")
        company, term = next(iter(agreements(joined)[second].items()))
        set_ifs(joined, second, company, "60" if term != "60" else "30")
        model = Model("ifs")
        model.agreed = {key: NAMES[next(iter(terms.values()))] for key, terms in agreements(joined).items()}
        model.agreed |= {first: NAMES[next(iter(agreements(joined)[first].values()))], second: said(joined)[second]}
        model.read(joined)
        model.merge()
        number = joined.box.faults.add(Fault(kind, site=site, method="PATCH", count=1))
        for _ in range(4):
            joined.try_run()
        assert joined.box.faults.fired(number) == 1
        assert (agreements(joined), said(joined)) == (model.ifs, model.airbase)


class Merging(RuleBasedStateMachine):
    """Clerks on both sides, runs in between; writes are bounded by edits."""

    @initialize(policy=st.sampled_from(["ifs", "airbase", "hold"]))
    def begin(self, policy: Policy) -> None:
        """Both sides agree to begin with."""
        self.folder = Path(tempfile.mkdtemp())
        self.context = joined_terms(self.folder, policy, suppliers=6)
        self.joined = self.context.__enter__()
        run(self.joined)
        self.model = Model(policy)
        self.model.read(self.joined)
        self.model.merge()
        self.edits = 0
        self.written = writes(self.joined)

    def supplier(self, number: int) -> str:
        """One that is bought from."""
        keys = list(agreements(self.joined))
        return keys[number % len(keys)]

    @rule(number=st.integers(0, 100), company=st.integers(0, 1), term=st.sampled_from(sorted(NAMES)))
    def edit_ifs(self, number: int, company: int, term: str) -> None:
        """A buyer agrees on other terms."""
        supplier = self.supplier(number)
        companies = list(agreements(self.joined)[supplier])
        set_ifs(self.joined, supplier, companies[company % len(companies)], term)
        self.edits += 1

    @rule(number=st.integers(0, 100), terms=st.sampled_from([*BACK, "Whenever", ""]))
    def edit_airbase(self, number: int, terms: str) -> None:
        """A clerk sets other terms."""
        set_airbase(self.joined, self.supplier(number), terms or None)
        self.edits += 1

    @rule()
    def merge(self) -> None:
        """A run does what the model does, with no more writes than there were edits; the next one writes nothing."""
        self.model.read(self.joined)
        self.model.merge()
        run(self.joined)
        assert (agreements(self.joined), said(self.joined)) == (self.model.ifs, self.model.airbase)
        assert held(self.joined).keys() == self.model.held
        assert writes(self.joined) - self.written <= len(expected.SUBSIDIARIES) * self.edits
        self.written, self.edits = writes(self.joined), 0

    def teardown(self) -> None:
        """Runs without edits converge, and then write nothing."""
        if not hasattr(self, "joined"):
            return
        try:
            self.merge()
            run(self.joined)
            assert writes(self.joined) == self.written
        finally:
            self.context.__exit__(None, None, None)
            shutil.rmtree(self.folder)


Merging.TestCase.settings = settings(
    max_examples=8, stateful_step_count=14, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestMerging = Merging.TestCase
