"""Edits: a held document is put right and posted, once; when its source changes, the source counts again."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import expected_ledger as ledger
import ledger_rig as rigs
import pytest
from ledger_rig import LedgerRig, ledger_rig
from rig import MODIFIED, NAME, Rig, generous, rig, sqlite_url

from ml_connector import wiring
from ml_connector.cli.app import main
from ml_connector.errors import BusyError, SettingsError
from ml_connector.store.edits import KeptEdit
from ml_connector.sync.report import Report
from ml_connector.wiring import editing, replaying
from ml_connector.wiring.replaying import Choice, Would

PAYMENTS = "payments"
BANK_ONLY = [{**rule, **({"credit": ["document.bank"]} if rule["kinds"] == ["payment"] else {})} for rule in rigs.RULES]
REASON = "The bank confirmed it by mail"


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[Any, str, str]]:
    """The command line as a shell would call it: exit code, standard output, standard error."""

    def call(joined: LedgerRig, *arguments: str) -> tuple[Any, str, str]:
        capsys.readouterr()
        monkeypatch.setattr("sys.argv", ["ml-connector", "--store", joined.url, *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return ended.value.code or 0, said.out, said.err

    return call


def without_bank(joined: LedgerRig) -> tuple[str, Any]:
    """A payment that is held as it names no bank account, and what it should name."""
    key = next(key for key, one in sorted(joined.wanted(PAYMENTS).items()) if one.state == "posted")
    right = ledger.documents(joined.box, PAYMENTS)[key]["bank_account"]
    joined.edit("update", PAYMENTS, key, bank_account=None)
    joined.run()
    assert [one.held.cause for one in joined.held(PAYMENTS).values()] == ["account_missing"]
    return key, right


def edit(joined: LedgerRig, key: str, person: str = "", reason: str = REASON, **typed: str) -> KeptEdit:
    with closing(wiring.Joined(joined.store, NAME, person=person)) as both:
        return editing.edit(both, PAYMENTS, key, typed, reason)


def approve(joined: LedgerRig, number: int, person: str) -> KeptEdit:
    with closing(wiring.Joined(joined.store, NAME, person=person)) as both:
        return editing.approve(both, number)


def replay(joined: LedgerRig, *ids: str) -> tuple[list[Would], dict[str, Report]]:
    """What was foretold, and what came of it."""
    chosen = replaying.select(joined.store, NAME, Choice(ids))
    with wiring.joined(joined.store, NAME) as both:
        foretold = [one.would for one in replaying.preview(both, chosen, 1000).first]
        return foretold, {report.flow: report for report, _ in replaying.carry_out(both, chosen)}


def accounts(joined: LedgerRig, key: str) -> list[set[str]]:
    """The accounts of each voucher of a document."""
    return [{row.account for row in one.rows} for one in ledger.ours(joined.box).get(key, [])]


def told(joined: LedgerRig, key: str) -> list[str]:
    """What the journal tells of a record's edits."""
    entries = wiring.journal(joined.store, NAME).timeline(PAYMENTS, key)
    return [entry.facts["event"] for entry in entries if entry.kind == "edited"]


def test_a_held_payment_is_edited_and_posted_once(any_store: str, tmp_path: Path) -> None:
    options = rigs.plain_world(requests=0, payments=4)
    with ledger_rig(any_store, options, tmp_path, rigs.posting(rule=BANK_ONLY)) as joined:
        key, right = without_bank(joined)
        edit(joined, key, bank_account="1940")
        foretold, done = replay(joined, key)
        assert (foretold, done[PAYMENTS].posted) == ([Would.POST], 1)
        assert [("1940" in each) for each in accounts(joined, key)] == [True]
        assert replay(joined, key)[0] == [Would.THERE]
        rigs.assert_quiet(joined)
        rigs.assert_quiet(joined, census=True)
        assert [("1940" in each) for each in accounts(joined, key)] == [True]
        assert_audited(joined, key)
        joined.edit("update", PAYMENTS, key, bank_account=right)
        report = joined.run()[PAYMENTS]
        assert (report.lapsed, report.corrected) == (1, 1)
        assert told(joined, key) == ["edited", "lapsed"]
        assert_as_in_the_source(joined, key)
        rigs.assert_quiet(joined, census=True)


def assert_audited(joined: LedgerRig, key: str) -> None:
    """The record tells who edited what, when, why, from what to what; values and reason are not in the clear."""
    journal = wiring.journal(joined.store, NAME)
    (entry,) = [one for one in journal.timeline(PAYMENTS, key) if one.kind == "edited"]
    assert entry.facts.keys() == {"edit", "event", "person", "fields"}
    assert entry.body == {"reason": REASON, "before": {"bank_account": ""}, "after": {"bank_account": "1940"}}
    assert not journal.verify().broken
    for name in ("edits", "journal"):
        with joined.store.database.read() as connection:
            rows = connection.exec_driver_sql(f"SELECT * FROM {name}").all()  # noqa: S608
        assert REASON not in str(rows)
        assert "1940" not in str(rows)


def assert_as_in_the_source(joined: LedgerRig, key: str) -> None:
    wanted = joined.wanted(PAYMENTS)[key]
    assert ledger.net(ledger.ours(joined.box)[key]) == ledger.net_rows(wanted.rows.elements())
    rigs.assert_chained(joined)


def test_edited_after_posting_it_is_corrected_and_undone_it_is_corrected_back(tmp_path: Path) -> None:
    options = rigs.plain_world(requests=0, payments=4)
    with ledger_rig(sqlite_url(tmp_path), options, tmp_path) as joined:
        joined.run()
        key = next(iter(sorted(joined.links(PAYMENTS))))
        joined.post_in_ifs()
        edit(joined, key, bank_account="1940")
        assert joined.run()[PAYMENTS].corrected == 1  # an ordinary run sees it: the source did not change
        assert [("1940" in each) for each in accounts(joined, key)][-1:] == [True]
        rigs.assert_quiet(joined, census=True)
        joined.post_in_ifs()
        with wiring.joined(joined.store, NAME) as both:
            editing.undo(both, PAYMENTS, key)
        assert joined.run()[PAYMENTS].corrected == 1
        assert told(joined, key) == ["edited", "undone"]
        assert_as_in_the_source(joined, key)
        rigs.assert_quiet(joined, census=True)


def test_a_second_person_agrees_where_two_are_needed(any_store: str, tmp_path: Path) -> None:
    options = rigs.plain_world(requests=0, payments=3)
    rules = rigs.posting(rule=BANK_ONLY)
    with ledger_rig(any_store, options, tmp_path, rules, two_persons=True) as joined:
        key, _ = without_bank(joined)
        made = edit(joined, key, "ann", bank_account="1940")
        assert replay(joined, key)[0] == [Would.BLOCKED]
        with pytest.raises(SettingsError, match="somebody else has to agree"):
            approve(joined, made.id, "ann")
        agreed = approve(joined, made.id, "bo")
        with pytest.raises(SettingsError, match="waits for nobody"):
            approve(joined, made.id, "bo")
        assert (agreed.person, agreed.approved_by) == ("ann", "bo")
        assert replay(joined, key)[1][PAYMENTS].posted == 1
        assert told(joined, key) == ["proposed", "approved"]
        edit(joined, key, "ann", bank_account="1930")  # until somebody agrees, the first one counts
        rigs.assert_quiet(joined, census=True)
        newer = editing.of(joined.store, NAME).listed()[0]
        approve(joined, newer.id, "bo")
        assert told(joined, key) == ["proposed", "approved", "proposed", "replaced", "approved"]
        assert joined.run()[PAYMENTS].corrected == 1
        assert ["1930" in each for each in accounts(joined, key)][-1:] == [True]


def test_a_further_edit_stands_beside_the_first(tmp_path: Path) -> None:
    options = rigs.plain_world(requests=0, payments=2)
    with ledger_rig(sqlite_url(tmp_path), options, tmp_path) as joined:
        joined.run()
        key = next(iter(sorted(joined.links(PAYMENTS))))
        edit(joined, key, bank_account="1940")
        assert set(edit(joined, key, description="Rent").fields) == {"bank_account", "description"}
        own = ledger.documents(joined.box, PAYMENTS)[key]["bank_account"]["erp_reference_id"]
        assert set(edit(joined, key, bank_account=own).fields) == {"description"}
        said = editing.of(joined.store, NAME).listed()[0].fields["description"].before
        with pytest.raises(SettingsError, match="says already"):
            edit(joined, key, description=said)
        assert len(editing.of(joined.store, NAME).listed()) == 1
        assert len(editing.of(joined.store, NAME).listed(ended=True)) == 3


def test_while_a_run_holds_the_flow_nobody_edits(tmp_path: Path) -> None:
    options = rigs.plain_world(requests=0, payments=2)
    with ledger_rig(sqlite_url(tmp_path), options, tmp_path) as joined:
        joined.run()
        key = next(iter(sorted(joined.links(PAYMENTS))))
        with wiring.joined(joined.store, NAME) as both:
            run = both.store(both.chosen([PAYMENTS])[0]).turn()
            with run, pytest.raises(BusyError, match="in use by another run"):
                edit(joined, key, bank_account="1940")
        assert not editing.of(joined.store, NAME).listed(ended=True)


def test_the_commands_as_a_person_types_them(tmp_path: Path, cli: Callable[..., tuple[Any, str, str]]) -> None:
    options = rigs.plain_world(requests=0, payments=3)
    with ledger_rig(sqlite_url(tmp_path), options, tmp_path, rigs.posting(rule=BANK_ONLY)) as joined:
        key, _ = without_bank(joined)
        how = ("edit", NAME, PAYMENTS, key)
        for wrong, said in WRONG.items():
            code, _, err = cli(joined, *how, *wrong)
            assert (code, said in err.replace("\n", " ")) == (2, True), (wrong, err)
        assert cli(joined, "edit", NAME, PAYMENTS, "nobody", "category=x", "--reason", REASON)[0] == 2
        assert not editing.of(joined.store, NAME).listed(ended=True)
        code, out, err = cli(joined, *how, "bank_account=1940", "--reason", REASON)
        assert (code, "bank_account: (empty) → 1940" in out, f"replay {NAME} {key}" in err) == (0, True, True)
        code, out, _ = cli(joined, "replay", NAME, key, "--plan")
        assert (code, "payments: post 1" in out) == (0, True)
        code, out, _ = cli(joined, "replay", NAME, key)
        assert (code, "payments: post 1" in out) == (0, True)
        code, out, _ = cli(joined, "record", NAME, key)
        assert all(said in out for said in ("payments edited", f"because: {REASON}", "(empty) → 1940")), out
        code, out, _ = cli(joined, *how, "--undo")
        assert (code, "ended: undone by" in out) == (0, True)
        assert cli(joined, "edits", NAME)[1] == "Nothing is edited.\n"
        assert REASON in cli(joined, "edits", NAME, "--ended")[1]


WRONG = {
    ("bank_account=1940",): "say why",
    ("bank_account=1940", "--reason", "x"): "say why",
    ("--reason", REASON): "what is to be edited?",
    ("bank_account", "--reason", REASON): "is not FIELD=VALUE",
    ("amount=1", "--reason", REASON): "put right where it was made",
    ("bank_acount=1", "--reason", REASON): "nearest: bank_account",
    ("bank_account=", "--reason", REASON): "says already",
    ("bank_account=1", "--undo"): "either FIELD=VALUE or --undo",
    ("--undo",): "nothing is edited",
}


@pytest.mark.parametrize("modified", [False, True])
def test_a_suppliers_name_counts_until_its_source_changes(tmp_path: Path, modified: bool) -> None:
    """Also where the source lists only what changed lately, and with another profile in between."""
    options = generous(suppliers=8, orders=0, modified=modified)
    with rig(sqlite_url(tmp_path), options, ifs=MODIFIED if modified else {}) as joined:
        joined.run()
        (key, *_), again = sorted(vendor_names(joined)), joined.run()
        assert again["suppliers"].updated == 0
        with wiring.joined(joined.store, NAME) as both:
            editing.edit(both, "suppliers", key, {"name": "Right & Co"}, REASON)
            with pytest.raises(SettingsError, match="put right where it was made"):
                editing.edit(both, "suppliers", key, {"tax_id": "1"}, REASON)
        assert joined.run()["suppliers"].updated == 1
        assert vendor_names(joined)[key] == "Right & Co"
        assert [joined.run(census=census)["suppliers"].updated for census in (False, True)] == [0, 0]
        joined.box.world.update("SupplierInfoGeneralSet", {"SupplierId": key}, {"Name": "Newer Ltd"})
        report = joined.run()["suppliers"]
        assert (report.updated, report.lapsed) == (1, 1)
        assert vendor_names(joined)[key] == "Newer Ltd"
        assert editing.of(joined.store, NAME).listed() == []


def vendor_names(joined: Rig) -> dict[str, str]:
    return {row["erp_reference_id"]: row["name"] for row in joined.box.airbase_rows("vendors")}
