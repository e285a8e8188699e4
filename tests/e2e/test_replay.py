"""Replay and backfill: what waits is done once its cause is gone, what is done is never done again."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import expected_ledger as ledger
import ledger_rig as rigs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_rig import LedgerRig, ledger_rig
from rig import NAME, Rig, generous, rig, sqlite_url
from sqlalchemy import delete, update

from ml_connector import wiring
from ml_connector.cli.app import main
from ml_connector.errors import SettingsError
from ml_connector.settings import Gate
from ml_connector.store import schema
from ml_connector.store.orders import Orders
from ml_connector.sync.orders import KEYS_MAX, Cause, Extent
from ml_connector.sync.report import Report
from ml_connector.wiring import replaying
from ml_connector.wiring.performing import Performing
from ml_connector.wiring.replaying import Choice, Preview, Would

REQUESTS, PAYMENTS = "purchase_requests", "payments"
FEWER_RULES = [one for one in rigs.LINES if one["category"] not in ("Rent", "Staff")]
Cli = Callable[..., tuple[Any, str, str]]


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """The command line as a shell would call it: exit code, standard output, standard error."""

    def call(joined: Rig, *arguments: str) -> tuple[Any, str, str]:
        capsys.readouterr()
        monkeypatch.setattr("sys.argv", ["ml-connector", "--store", joined.url, *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return ended.value.code or 0, said.out, said.err

    return call


def preview(joined: Rig, limit: int = 1000, **choice: Any) -> Preview:
    chosen = replaying.select(joined.store, NAME, Choice(**choice))
    with wiring.joined(joined.store, NAME) as both:
        return replaying.preview(both, chosen, limit)


def replay(joined: Rig, **choice: Any) -> dict[str, Report]:
    chosen = replaying.select(joined.store, NAME, Choice(**choice))
    with wiring.joined(joined.store, NAME) as both:
        pairs = replaying.carry_out(both, chosen)
    assert not [error for _, error in pairs if error]
    return {report.flow: report for report, _ in pairs}


def backfill(joined: Rig, flow: str, since: date) -> Report:
    with wiring.joined(joined.store, NAME) as both:
        ((report, error),) = both.run([flow], extent=replaying.backfill(joined.store, NAME, flow, since))
    assert error is None
    return report


def would(seen: Preview) -> dict[str, Would]:
    return {one.key: one.would for one in seen.first}


@pytest.mark.parametrize("any_store", ["sqlite", "postgresql"], indirect=True)
def test_mapped_anew_a_replay_by_cause_releases_exactly_those(any_store: str, tmp_path: Path) -> None:
    options = rigs.plain_world(requests=16, payments=4)
    with ledger_rig(any_store, options, tmp_path, rigs.posting(account=FEWER_RULES)) as joined:
        payment = next(iter(joined.wanted(PAYMENTS)))
        joined.edit("update", PAYMENTS, payment, subsidiary={"erp_reference_id": "SUB-99", "name": "Elsewhere"})
        joined.run()
        held = joined.held(REQUESTS).keys()
        assert held
        assert set(would(preview(joined, cause="account_not_mapped")).values()) == {Would.BLOCKED}
        joined.connect(rigs.posting())
        before = joined.written()
        seen = preview(joined, cause="account_not_mapped")
        assert would(seen) == dict.fromkeys(held, Would.POST)
        assert joined.written() == before
        assert {flow: report.posted for flow, report in replay(joined, cause="account_not_mapped").items()} == {
            REQUESTS: len(held)
        }
        assert joined.held(REQUESTS) == {}
        assert joined.held(PAYMENTS).keys() == {payment}
        assert preview(joined, cause="account_not_mapped").first == []
        rigs.assert_rows(joined.wanted(REQUESTS), ledger.ours(joined.box))
        rigs.assert_quiet(joined, census=True)


def test_what_would_happen_is_told_of_each_kind(tmp_path: Path) -> None:
    options = rigs.plain_world(requests=0, payments=6)
    with ledger_rig(sqlite_url(tmp_path), options, tmp_path) as joined:
        keys = sorted(joined.wanted(PAYMENTS))
        new, same, amended, lost, wrong, withdrawn = keys
        joined.box.airbase.edit({"op": "update", "kind": PAYMENTS, "id": new, "fields": {"status": "pending"}})
        joined.run()
        joined.edit("update", PAYMENTS, new, status="settled")
        joined.edit("amend", PAYMENTS, amended, amount="77")
        joined.edit("delete", PAYMENTS, lost)
        joined.edit("update", PAYMENTS, wrong, subsidiary={"erp_reference_id": "SUB-99", "name": "Elsewhere"})
        joined.edit("update", PAYMENTS, withdrawn, status="reversed")
        seen = preview(joined, ids=tuple(keys))
        assert would(seen) == {
            new: Would.POST,
            same: Would.THERE,
            amended: Would.CHANGE,
            lost: Would.BLOCKED,  # a posted document that is gone is looked at by a person
            wrong: Would.BLOCKED,
            withdrawn: Would.SWITCH_OFF,
        }
        by_key = {one.key: one for one in seen.first}
        assert by_key[same].target_id == joined.links(PAYMENTS)[same].target_id
        assert "77" in str(by_key[amended].after) != str(by_key[amended].before)
        assert "SUB-99" in str(by_key[wrong].held)
        done = replay(joined, ids=tuple(keys))[PAYMENTS]
        assert (done.posted, done.corrected, done.held, done.unchanged) == (1, 2, 2, 1)
        assert preview(joined, ids=("never-seen",), flow=PAYMENTS).first[0].would is Would.GONE


def test_a_record_is_named_as_it_is_shown_anywhere(tmp_path: Path) -> None:
    with ledger_rig(sqlite_url(tmp_path), rigs.plain_world(requests=0, payments=2), tmp_path) as joined:
        joined.run()
        key, link = next(iter(sorted(joined.links(PAYMENTS).items())))
        for given_as in (key, link.target_id, link.target_id.rsplit("/", 1)[1], f" {key} "):
            assert replaying.select(joined.store, NAME, Choice((given_as,))) == {PAYMENTS: [key]}, given_as
        assert replaying.key_of(joined.store, NAME, PAYMENTS, link.target_id) == key
        with joined.store.database.write() as connection:
            twins = update(schema.links).where(schema.links.c.flow == PAYMENTS)
            connection.execute(twins.values(target_id=schema.links.c.key + "/77"))
        with pytest.raises(SettingsError, match="say which one"):
            replaying.key_of(joined.store, NAME, PAYMENTS, "77")
        for given_as in ("nobody", "", "a\nb", "x" * 501):
            with pytest.raises(SettingsError):
                replaying.select(joined.store, NAME, Choice((given_as,)))
        with pytest.raises(SettingsError, match="is off"):
            replaying.select(joined.store, NAME, Choice(flow="ledger_entries"))
        with pytest.raises(SettingsError, match="more than can be named"):
            replaying.select(joined.store, NAME, Choice(tuple(map(str, range(1001)))))


def test_a_record_that_was_only_seen_is_known(tmp_path: Path) -> None:
    """An order's line is no record; an order that was never due is one."""
    with rig(sqlite_url(tmp_path), generous(suppliers=10, orders=10)) as joined:
        joined.run()
        orders = {row["OrderNo"] for row in joined.box.world.rows("PurchaseOrderSet")}
        chosen = replaying.select(joined.store, NAME, Choice(tuple(sorted(orders))))
        assert set(chosen["purchase_orders"]) == orders
        before = joined.writes()
        replay(joined, ids=tuple(sorted(orders)))
        assert joined.writes() == before


def test_by_when_it_began(tmp_path: Path) -> None:
    options = rigs.plain_world(requests=6, payments=0, missing_category=1.0)
    with ledger_rig(sqlite_url(tmp_path), options, tmp_path) as joined:
        joined.run()
        now = datetime.now(UTC)
        assert len(replaying.select(joined.store, NAME, Choice(since=now - timedelta(hours=1)))[REQUESTS]) == 6
        assert replaying.select(joined.store, NAME, Choice(since=now + timedelta(seconds=1))) == {}


OSLO = ZoneInfo("Europe/Oslo")
NOW = datetime(2026, 9, 10, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2h", NOW - timedelta(hours=2)),
        ("3d", NOW - timedelta(days=3)),
        ("2026-09-01", datetime(2026, 8, 31, 22, tzinfo=UTC)),
        ("2026-01-01T14:30", datetime(2026, 1, 1, 13, 30, tzinfo=UTC)),
        ("2026-01-01T14:30Z", datetime(2026, 1, 1, 14, 30, tzinfo=UTC)),
    ],
)
def test_a_moment_is_in_the_connections_zone(text: str, at: datetime) -> None:
    assert replaying.moment(text, OSLO, NOW) == at


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "0001-01-01", "2027-01-01", "99999999h", "2026-09"])
def test_a_moment_that_is_none_says_so(text: str) -> None:
    with pytest.raises(SettingsError):
        replaying.moment(text, OSLO, NOW)


def test_replaying_any_selection_any_number_of_times_makes_nothing_twice(tmp_path: Path) -> None:
    options = rigs.plain_world(requests=5, payments=5)
    with ledger_rig(sqlite_url(tmp_path), options, tmp_path) as joined:
        joined.run()
        everything = [*joined.links("suppliers"), *joined.links(REQUESTS), *joined.links(PAYMENTS)]
        documents = [(flow, key) for flow in joined.flows for key in sorted(joined.links(flow))]

        @settings(max_examples=8, deadline=None, derandomize=True)
        @given(
            st.lists(st.sampled_from(documents), max_size=2, unique=True),
            st.lists(st.sampled_from(everything), min_size=1, max_size=12, unique=True),
            st.integers(1, 3),
            st.integers(1, 999),
            st.booleans(),
        )
        def law(changed: list[tuple[str, str]], chosen: list[str], times: int, amount: int, closed: bool) -> None:
            if closed:
                joined.post_in_ifs()
            for flow, key in changed:
                joined.edit("amend", flow, key, amount=str(amount))
            before, vendors = vouchers(joined), joined.written()[1]
            for _ in range(times):
                replay(joined, ids=tuple(chosen))
                preview(joined, ids=tuple(chosen))
            touched = {key for key, one in vouchers(joined).items() if one != before.get(key)}
            assert touched <= {key for _, key in changed} & set(chosen)
            joined.run()
            assert joined.written()[1] == vendors
            assert {key for key, one in vouchers(joined).items() if one != before[key]} <= {key for _, key in changed}
            for flow in joined.flows:
                rigs.assert_stands(joined, flow)
            rigs.assert_chained(joined)

        law()
        rigs.assert_quiet(joined, census=True)


def vouchers(joined: LedgerRig) -> dict[str, str]:
    """All vouchers of each document, in full but for whether the books are closed by now."""
    return {
        key: str([(one.number, one.reversal, one.rows) for one in several])
        for key, several in ledger.ours(joined.box).items()
    }


def forget(joined: LedgerRig, flow: str, keys: Iterable[str]) -> None:
    """Lose what is remembered of records: their links."""
    table = schema.links
    with joined.store.database.write() as connection:
        connection.execute(delete(table).where(table.c.flow == flow, table.c.key.in_(list(keys))))


@pytest.mark.parametrize("any_store", ["sqlite", "postgresql"], indirect=True)
def test_a_backfill_finds_what_a_lost_memory_missed(any_store: str, tmp_path: Path) -> None:
    with ledger_rig(any_store, rigs.plain_world(requests=0, payments=8), tmp_path) as joined:
        joined.run()
        keys = sorted(joined.links(PAYMENTS))
        there = vouchers(joined)
        forget(joined, PAYMENTS, keys[:3])
        rigs.assert_quiet(joined)
        assert len(joined.links(PAYMENTS)) == len(keys) - 3  # an ordinary run sees no reason to look
        found = backfill(joined, PAYMENTS, date(2025, 1, 1))
        assert (found.read, found.adopted, found.posted, found.held) == (len(keys), 3, 0, 0)
        before = joined.written()
        again = backfill(joined, PAYMENTS, date(2025, 1, 1))
        assert (again.unchanged, joined.written(), vouchers(joined)) == (len(keys), before, there)
        rigs.assert_quiet(joined, census=True)


def test_a_backfill_begins_at_its_day(tmp_path: Path) -> None:
    with ledger_rig(sqlite_url(tmp_path), rigs.plain_world(requests=0, payments=8), tmp_path) as joined:
        joined.run("suppliers")
        days = sorted(one.on for one in joined.wanted(PAYMENTS).values() if one.on)
        found = backfill(joined, PAYMENTS, days[4])
        assert found.read == found.posted == sum(day >= days[4] for day in days)
        assert joined.run()[PAYMENTS].posted == 8 - found.posted  # it says nothing of what it did not read
        tomorrow = datetime.now(UTC).date() + timedelta(days=2)
        with pytest.raises(SettingsError, match="yet to come"):
            backfill(joined, PAYMENTS, tomorrow)
        assert replaying.has_days(PAYMENTS)
        assert not replaying.has_days("suppliers")


def test_a_replay_is_ordered_and_carried_out_by_a_worker(tmp_path: Path, cli: Cli) -> None:
    with ledger_rig(sqlite_url(tmp_path), rigs.plain_world(requests=0, payments=4), tmp_path) as joined:
        joined.run("suppliers")
        keys = sorted(joined.wanted(PAYMENTS))
        assert cli(joined, "replay", NAME, *keys, "--flow", PAYMENTS, "--enqueue")[0] == 0
        assert cli(joined, "backfill", NAME, PAYMENTS, "--since", "2025-01-01", "--enqueue")[0] == 0
        placed = [one.order for one in Orders(joined.store.database).recent()]
        assert {(one.cause, one.extent) for one in placed} == {
            (Cause.REPLAY, Extent(keys=tuple(keys))),
            (Cause.BACKFILL, Extent(since=date(2025, 1, 1))),
        }
        perform = Performing(joined.store)
        try:
            figures = [perform(one, lambda: False).figures for one in sorted(placed, key=lambda one: one.cause)]
        finally:
            perform.close()
        assert [one.get("posted", 0) for one in figures] == [4, 0]


def test_many_records_are_several_orders(tmp_path: Path) -> None:
    with rig(sqlite_url(tmp_path), generous(suppliers=1, orders=0)) as joined:
        many = [f"S{number}" for number in range(KEYS_MAX + 1)]
        made = replaying.orders_for(joined.store, NAME, {"suppliers": many, "purchase_orders": []}, "ann")
        assert [len(one.extent.keys) for one in made] == [KEYS_MAX, 1]
        assert [key for one in made for key in one.extent.keys] == many
        assert {(one.cause, one.person, one.flow) for one in made} == {(Cause.REPLAY, "ann", "suppliers")}
        assert len({one.id for one in made}) == 2


def test_the_commands_as_a_person_types_them(tmp_path: Path, cli: Cli) -> None:
    options = rigs.plain_world(requests=6, payments=2, missing_category=1.0)
    with ledger_rig(sqlite_url(tmp_path), options, tmp_path) as joined:
        assert cli(joined, "replay", NAME) == (0, "Nothing waits for a person, so there is nothing to replay.\n", "")
        joined.run()
        code, out, _ = cli(joined, "replay", NAME, "--plan", "--limit", "2")
        assert (code, out.count("still blocked 6"), out.count("\n  still blocked")) == (1, 1, 2)
        assert "… and 4 more: --limit 6" in out
        code, out, _ = cli(joined, "replay", NAME, "--cause", "nothing_such")
        assert (code, "No record fits. What waits: account_not_mapped" in out) == (0, True)
        code, out, _ = cli(joined, "replay", NAME, "--cause", "account_not_mapped", "--since", "1h", "--json")
        assert (code, '"still blocked": 6' in out, '"left": 0' in out) == (1, True, True)
        key = next(iter(joined.links(PAYMENTS)))
        code, out, _ = cli(joined, "replay", NAME, key)
        assert (code, f"already there {key}: {joined.links(PAYMENTS)[key].target_id}" in out) == (0, True)
        for wrong in (["nobody"], ["--since", "soon"], ["--flow", "nothing"], ["--limit", "-1"]):
            assert cli(joined, "replay", NAME, *wrong)[0] == 2
        assert cli(joined, "backfill", NAME, PAYMENTS, "--since", "2099-01-01")[0] == 2
        assert "have no date" in cli(joined, "backfill", NAME, "suppliers", "--since", "2026-01-01", "--plan")[2]
        run = wiring.joined(joined.store, NAME)
        with run as both, both.store(both.chosen([PAYMENTS])[0]).turn():
            code, _, err = cli(joined, "replay", NAME, key)
            assert (code, "in use by another run" in err.replace("\n", " ")) == (3, True)


def test_the_gate_stops_a_replay_until_it_is_approved(tmp_path: Path, cli: Cli) -> None:
    options = rigs.plain_world(requests=0, payments=5)
    gates = {"suppliers": Gate(1.0, 1.0), PAYMENTS: Gate(0.5, 0.5)}
    with ledger_rig(sqlite_url(tmp_path), options, tmp_path, gate=gates) as joined:
        joined.run()
        keys = sorted(joined.links(PAYMENTS))
        for key in keys:
            joined.edit("amend", PAYMENTS, key, amount="3")
        before = vouchers(joined)
        code, out, _ = cli(joined, "replay", NAME, *keys)
        assert (code, "STOPPED" in out, vouchers(joined)) == (1, True, before)
        (line,) = [line for line in out.splitlines() if "go ahead: " in line]
        command = line.split("go ahead: ml-connector ")[1].split()
        assert command[:2] == ["replay", NAME]
        code, out, _ = cli(joined, *command)
        assert code == 0, out
        rigs.assert_stands(joined, PAYMENTS)
