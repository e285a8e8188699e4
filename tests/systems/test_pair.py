"""Two systems as one: reading, setting, and payment terms that go both ways through the whole pipeline."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ml_connector import run as pipeline
from ml_connector.errors import ConnectorError, UnreachableError
from ml_connector.flows.payment_terms import PAYMENT_TERMS
from ml_connector.records import codec
from ml_connector.records.supplier import AgreedTerms, SupplierTerms, VendorTerms
from ml_connector.records.terms import BothTerms, TermsOnBoth
from ml_connector.store.connections import Connections
from ml_connector.store.db import Database
from ml_connector.store.flow_store import FlowStore
from ml_connector.store.vault import Vault
from ml_connector.sync.detect import Page, Row
from ml_connector.sync.flow import Tables
from ml_connector.sync.orders import Extent
from ml_connector.sync.outcome import Held
from ml_connector.sync.policy import Policy
from ml_connector.sync.ports import Done, Refused, Result, Sight, SightPage, Unknown, Write
from ml_connector.sync.report import Report
from ml_connector.systems.pair import PairSource, PairTarget

TODAY = date(2026, 11, 22)
TABLE = {"14": "Net 14", "30": "Net 30", "60": "Net 60"}


class Listed:
    """One side as a source, over a mapping that may change meanwhile."""

    def __init__(self, part: str, read: Callable[[], Mapping[str, Any]], page: int = 2) -> None:
        self.parts = self.heads = (part,)
        self.depth = 1
        self.keys_per_request = self.rows_per_request = page
        self._read = read

    def sweep(self, part: str, cursor: str) -> Iterator[Page]:
        for page in self.read_all():
            yield Page(part, tuple(row for sight in page.sights for row in sight.rows), page.upto, complete=True)

    def read_all(self) -> Iterator[SightPage]:
        sights = [self._sight(key) for key in sorted(self._read())]
        size = self.rows_per_request
        while len(sights) > size:
            yield SightPage(tuple(sights[:size]), sights[size - 1].key)
            sights = sights[size:]
        yield SightPage(tuple(sights), None)

    def read(self, keys: Sequence[str]) -> Iterator[tuple[Sight, ...]]:
        yield tuple(self._sight(key) for key in keys)

    def _sight(self, key: str) -> Sight:
        record = self._read().get(key)
        if record is None:
            return Sight(key)
        rows = (Row(self.parts[0], key, codec.digest(record)),)
        return Sight(key, unreadable=record, rows=rows) if isinstance(record, Held) else Sight(key, record, rows)


def source(left: Mapping[str, Any], right: Mapping[str, Any], sizes: tuple[int, int] = (2, 3)) -> PairSource:
    one, other = Listed("left", lambda: left, sizes[0]), Listed("right", lambda: right, sizes[1])
    return PairSource(one, other, lambda mine, theirs: (mine, theirs))


keyed = st.dictionaries(st.sampled_from("abcdefghij"), st.integers(1, 3))


@given(keyed, keyed, st.integers(1, 4), st.integers(1, 4))
def test_every_record_comes_once_in_key_order_whatever_the_pages(
    left: dict[str, int], right: dict[str, int], one: int, other: int
) -> None:
    pages = list(source(left, right, (one, other)).read_all())
    seen = {sight.key: sight.record for page in pages for sight in page.sights}
    assert seen == {key: (left.get(key), right.get(key)) for key in left.keys() | right.keys()}
    assert [sight.key for page in pages for sight in page.sights] == sorted(seen)
    assert [page.upto is None for page in pages] == [False] * (len(pages) - 1) + [True]
    after = ""
    for page in pages:
        assert all(after < sight.key and (page.upto is None or sight.key <= page.upto) for sight in page.sights)
        assert page.upto is None or page.upto > after
        after = page.upto or after


@given(keyed, keyed, st.lists(st.sampled_from("abcdefghijkl"), unique=True))
def test_each_key_that_is_asked_for_comes_once(left: dict[str, int], right: dict[str, int], asked: list[str]) -> None:
    sights = [sight for group in source(left, right).read(asked) for sight in group]
    assert sorted(sight.key for sight in sights) == sorted(asked)
    for sight in sights:
        assert sight.there == (sight.key in left or sight.key in right)
        assert len(sight.rows) == (sight.key in left) + (sight.key in right)


def test_the_parts_of_both_sides_are_swept_and_the_left_one_counts() -> None:
    pair = source({"a": 1}, {"b": 2})
    assert (pair.parts, pair.heads, pair.depth) == (("left", "right"), ("left",), 1)
    assert (pair.keys_per_request, pair.rows_per_request) == (2, 2)
    assert [row.key for page in pair.sweep("right", "") for row in page.rows] == ["b"]
    assert [row.key for page in pair.sweep("left", "") for row in page.rows] == ["a"]


def test_what_one_side_can_not_read_is_held() -> None:
    odd = Held("odd", "It is odd.", "Mend it.")
    (group,) = source({"a": odd}, {"a": 1}).read(["a"])
    assert (group[0].unreadable, group[0].record, len(group[0].rows)) == (odd, None, 2)


def test_sides_that_can_not_be_told_apart_are_no_pair() -> None:
    with pytest.raises(ValueError, match="different names"):
        PairSource(Listed("same", dict), Listed("same", dict))


class World:
    """Both sides in memory, with faults to order."""

    def __init__(self) -> None:
        self.ifs: dict[str, dict[str, str]] = {}
        self.airbase: dict[str, str] = {}
        self.faults: list[str] = []  # what becomes of the next writes: "lost", "not there", "down" or "fine"
        self.meanwhile: list[Callable[[], None]] = []  # what people do just before the next look at a side
        self.writes = 0

    def source(self) -> PairSource:
        return PairSource(Listed("ifs", self._agreements), Listed("vendors", self._vendors, 3))

    def _agreements(self) -> dict[str, AgreedTerms]:
        return {
            key: AgreedTerms(key, tuple(SupplierTerms(company, term) for company, term in sorted(terms.items())))
            for key, terms in self.ifs.items()
        }

    def _vendors(self) -> dict[str, VendorTerms]:
        return {key: VendorTerms(key, terms) for key, terms in self.airbase.items()}

    def written(self, key: str, write: Callable[[], None]) -> Result:
        fault = self.faults.pop(0) if self.faults else "fine"
        if fault == "down":
            raise UnreachableError("test", "set")
        if fault != "not there":
            write()
            self.writes += 1
        return Done(key, f"{key} as this side calls it") if fault == "fine" else Unknown(key, fault)


class InIfs:
    def __init__(self, world: World) -> None:
        self._world = world

    def read(self, keys: Sequence[str]) -> dict[str, tuple[SupplierTerms, ...]]:
        if self._world.meanwhile:
            self._world.meanwhile.pop(0)()
        there = {key: self._world.ifs[key] for key in keys if key in self._world.ifs}
        return {key: tuple(SupplierTerms(*pair) for pair in sorted(terms.items())) for key, terms in there.items()}

    def set(self, supplier_id: str, terms: Mapping[str, str]) -> Result:
        return self._world.written(supplier_id, lambda: self._world.ifs[supplier_id].update(terms))


class InAirbase:
    def __init__(self, world: World) -> None:
        self._world = world

    def read(self, keys: Sequence[str]) -> dict[str, str | None]:
        return {key: self._world.airbase[key] or None for key in keys if key in self._world.airbase}

    def set(self, reference: str, terms: str) -> Result:
        return self._world.written(reference, lambda: self._world.airbase.update({reference: terms}))


def world(ifs: Mapping[str, str], airbase: str) -> World:
    made = World()
    made.ifs, made.airbase = {"S1": dict(ifs)}, {"S1": airbase}
    return made


def target(made: World) -> PairTarget:
    return PairTarget(InIfs(made), InAirbase(made))


WAS = TermsOnBoth((("10", "30"), ("20", "30")), "Net 30")
IN_IFS = TermsOnBoth((("10", "60"), ("20", "30")), "Net 30")
IN_AIRBASE = TermsOnBoth((("10", "30"), ("20", "30")), "Net 60")


def sent(made: World, after: TermsOnBoth, before: TermsOnBoth | None = WAS) -> Result:
    (result,) = target(made).send([Write("S1", "S1", after, before)])
    return result


@pytest.mark.parametrize("after", [IN_IFS, IN_AIRBASE, WAS, TermsOnBoth(), TermsOnBoth(None, "Net 60")])
def test_only_the_side_that_differs_is_set(after: TermsOnBoth) -> None:
    made = world({"10": "30", "20": "30"}, "Net 30")
    assert isinstance(sent(made, after), Done)
    expected = TermsOnBoth(WAS.ifs if after.ifs is None else after.ifs, after.airbase or WAS.airbase)
    assert target(made).find(["S1"])[0].record == expected
    assert made.writes == (expected != WAS)


@pytest.mark.parametrize(
    ("ifs", "airbase"), [({"10": "14", "20": "30"}, "Net 30"), ({"10": "14", "20": "14"}, "Net 14")]
)
def test_a_side_that_was_changed_meanwhile_is_left_alone(ifs: dict[str, str], airbase: str) -> None:
    made = world(ifs, airbase)
    result = sent(made, IN_IFS)
    assert isinstance(result, Refused)
    assert result.held.cause == "changed_meanwhile"
    assert (made.writes, made.ifs["S1"]) == (0, ifs)


def test_what_is_there_already_is_not_set_again() -> None:
    made = world({"10": "60", "20": "30"}, "Net 30")
    assert isinstance(sent(made, IN_IFS), Done)
    assert made.writes == 0


def test_what_was_set_in_part_is_completed() -> None:
    made = world({"10": "60", "20": "30"}, "Net 30")
    assert isinstance(sent(made, TermsOnBoth((("10", "60"), ("20", "60")), "Net 30")), Done)
    assert made.ifs["S1"] == {"10": "60", "20": "60"}


def test_nothing_is_ever_made() -> None:
    (result,) = target(World()).send([Write("S1", "", WAS)])
    assert isinstance(result, Refused)


def test_what_is_on_neither_side_is_empty_on_both() -> None:
    (found,) = target(World()).find(["S9"])
    assert found.record == TermsOnBoth((), "")


def test_a_side_that_is_down_stops_the_rest_only_once_something_was_sent() -> None:
    made = World()
    made.ifs, made.airbase = {key: {"10": "30"} for key in "abc"}, dict.fromkeys("abc", "Net 30")
    before = TermsOnBoth((("10", "30"),), "Net 30")
    writes = [Write(key, key, TermsOnBoth((("10", "60"),), "Net 30"), before) for key in "abc"]
    made.faults = ["down"]
    with pytest.raises(UnreachableError):
        target(made).send(writes)
    made.faults = ["fine", "down"]
    assert [type(result) for result in target(made).send(writes)] == [Done, Unknown, Unknown]


def test_what_was_read_is_found_once_and_then_looked_for() -> None:
    made = world({"10": "30"}, "Net 30")
    read = made.source()
    paired = PairTarget(InIfs(made), InAirbase(made), read)
    assert [sight.key for group in read.read(["S1"]) for sight in group] == ["S1"]
    made.airbase["S1"] = "Net 60"
    assert [paired.find(["S1"])[0].record.airbase for _ in range(2)] == ["Net 30", "Net 60"]
    assert [found.record.airbase for page in paired.walk() for found in page] == ["Net 60"]
    made.airbase["S1"] = "Net 14"
    assert paired.find(["S1"])[0].record.airbase == "Net 14"


def test_what_was_read_before_a_write_is_not_found_after_it() -> None:
    made = world({"10": "30", "20": "30"}, "Net 30")
    read = made.source()
    paired = PairTarget(InIfs(made), InAirbase(made), read)
    assert [len(group) for group in read.read(["S1"])] == [1]
    paired.send([Write("S1", "S1", IN_AIRBASE, WAS)])
    assert paired.find(["S1"])[0].record == IN_AIRBASE


class Connected:
    """The flow of both sides through the real pipeline and store."""

    def __init__(self, db: Database, vault: Vault, name: str, policy: str) -> None:
        self.world = World()
        self._policy = policy
        kinds = (BothTerms, TermsOnBoth)
        connection = Connections(db, vault).save(name, {}, {})
        self.store = FlowStore(db, vault, connection.id, PAYMENT_TERMS.name, *kinds)

    def run(self, *, census: bool = False) -> Report:
        free = Policy(change_share_max=1.0, deactivate_share_max=1.0)
        flow = msgspec.structs.replace(PAYMENT_TERMS, policy=free)
        read = self.world.source()
        tables = Tables({"10": "SUB-10"}, TABLE, terms_conflict=self._policy)
        both = PairTarget(InIfs(self.world), InAirbase(self.world), read)
        report = Report(flow.name)
        job = pipeline.Job(flow, read, both, self.store, tables, TODAY, "basis", Extent(census), quiet_s=0)
        pipeline.run(job, report)
        return report


@pytest.fixture(scope="module")
def opened() -> Iterator[tuple[Database, Vault]]:
    with _store() as both:
        yield both


class _store:  # noqa: N801 - reads as a function where it is used
    """A store in a folder of its own."""

    def __enter__(self) -> tuple[Database, Vault]:
        memory = Path("/dev/shm")  # noqa: S108 - commits reach the disk, which is not what is tested here
        self._folder = tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None)
        self._db = Database.open(f"sqlite:///{self._folder.name}/store.db")
        return self._db, Vault.open(self._db, bytes(range(32)), None)

    def __exit__(self, *_: object) -> None:
        self._db.close()
        self._folder.cleanup()


def test_a_day_in_the_life(opened: tuple[Database, Vault]) -> None:
    both = Connected(*opened, "day", "hold")
    world = both.world
    world.ifs = {"S1": {"10": "30", "20": "30"}, "S2": {"10": "60"}, "S3": {"10": "14"}, "S4": {"10": "30"}}
    world.airbase = {"S1": "Net 30", "S2": "", "S3": "Net 60", "S5": "Net 14"}
    report = both.run()
    assert (report.updated, report.adopted, report.held, report.not_due) == (1, 1, 1, 2)
    assert world.airbase["S2"] == "Net 60"
    world.airbase["S1"] = "Net 14"
    world.ifs["S2"]["10"] = "30"
    report = both.run()
    assert (report.updated, report.held) == (2, 1)
    assert (world.ifs["S1"], world.airbase["S2"]) == ({"10": "14", "20": "14"}, "Net 30")
    writes = world.writes
    for census in (False, True):
        report = both.run(census=census)
        assert (report.updated, report.held, world.writes) == (0, 1, writes)
    world.airbase["S3"] = "Net 14"
    del world.airbase["S2"]
    assert both.run().held == 0
    world.airbase["S2"] = "Net 30"
    del world.ifs["S1"], world.airbase["S1"]
    report = both.run()
    assert (report.updated, report.held, report.deactivated, world.writes) == (0, 0, 0, writes)
    assert both.run(census=True).held == 0


def test_undoing_what_was_written_is_a_change(opened: tuple[Database, Vault]) -> None:
    both = Connected(*opened, "undone", "hold")
    both.world.ifs, both.world.airbase = {"S1": {"10": "30"}, "S2": {"10": "30"}}, dict.fromkeys(("S1", "S2"), "Net 30")
    both.run()
    both.world.ifs["S1"]["10"] = "60"
    both.run()
    both.world.airbase["S1"] = "Net 30"
    both.run()
    assert both.world.ifs["S1"] == {"10": "30"}


KEYS = ("S1", "S2", "S3")
COMPANIES = ("10", "20")


class BothWays(RuleBasedStateMachine):
    """People edit both sides, runs in between: it converges, by no more writes than edits, as the policy says."""

    machines = 0
    store: tuple[Database, Vault]

    @initialize(policy=st.sampled_from(["ifs", "airbase", "hold"]))
    def connect(self, policy: str) -> None:
        BothWays.machines += 1
        self.policy = policy
        self.both = Connected(*self.store, f"machine-{BothWays.machines}", policy)
        self.world = self.both.world
        self.world.ifs = {key: dict.fromkeys(COMPANIES, "30") for key in KEYS}
        self.world.airbase = dict.fromkeys(KEYS, "Net 30")
        self.edits = 0
        self.agreed: dict[str, str | None] = dict.fromkeys(KEYS)  # None: not known for certain

    @rule(key=st.sampled_from(KEYS), company=st.sampled_from(COMPANIES), term=st.sampled_from(sorted(TABLE)))
    def edit_ifs(self, key: str, company: str, term: str) -> None:
        self.world.ifs[key][company] = term
        self.edits += 1

    @rule(key=st.sampled_from(KEYS), terms=st.sampled_from([*sorted(TABLE.values()), ""]))
    def edit_airbase(self, key: str, terms: str) -> None:
        self.world.airbase[key] = terms
        self.edits += 1

    @rule(census=st.booleans())
    def run_undisturbed(self, census: bool) -> None:
        leading = {key: TABLE[self.world.ifs[key]["10"]] for key in KEYS}
        before, there = dict(self.agreed), dict(self.world.airbase)
        self.both.run(census=census)
        for key in KEYS:
            if before[key] is not None:
                self._check(key, before[key] or "", leading[key], there[key])
            self._note(key)

    def _check(self, key: str, before: str, ifs: str, airbase: str) -> None:
        expected = (
            airbase
            if ifs == before
            else ifs
            if airbase == before
            else {"ifs": ifs, "airbase": airbase}.get(self.policy)
        )
        if ifs == airbase:
            expected = ifs
        result = (TABLE[self.world.ifs[key]["10"]], self.world.airbase[key])
        assert result == ((expected, expected) if expected else (ifs, airbase))  # held, or cleared: nothing moves

    def _note(self, key: str) -> None:
        if TABLE[self.world.ifs[key]["10"]] == self.world.airbase[key]:
            self.agreed[key] = self.world.airbase[key]

    @rule(
        faults=st.lists(st.sampled_from(["lost", "not there", "down", "fine"]), min_size=1, max_size=5),
        edit=st.none() | st.tuples(st.sampled_from(KEYS), st.sampled_from(sorted(TABLE)), st.booleans()),
    )
    def run_disturbed(self, faults: list[str], edit: tuple[str, str, bool] | None) -> None:
        self.world.faults = list(faults)
        if edit:
            self.world.meanwhile = [lambda: self._edit(*edit)]
        with suppress(ConnectorError):
            self.both.run()
        self.world.faults, self.world.meanwhile = [], []
        self.agreed = dict.fromkeys(KEYS)

    def _edit(self, key: str, term: str, in_ifs: bool) -> None:
        if in_ifs:
            self.edit_ifs(key, "10", term)
        else:
            self.edit_airbase(key, TABLE[term])

    @invariant()
    def writes_are_bounded_by_edits(self) -> None:
        if hasattr(self, "world"):
            assert self.world.writes <= self.edits

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        self.both.run()
        held = self.both.run().held
        writes = self.world.writes
        assert self.both.run(census=True).held == held
        assert self.world.writes == writes
        apart = [key for key in KEYS if TABLE[self.world.ifs[key]["10"]] != self.world.airbase[key]]
        assert len(apart) == held
        if self.policy != "hold":
            assert all(not self.world.airbase[key] for key in apart)


def test_it_converges(opened: tuple[Database, Vault]) -> None:
    BothWays.store = opened
    BothWays.TestCase.settings = settings(max_examples=25, stateful_step_count=12, deadline=None)
    BothWays.TestCase("runTest").debug()
