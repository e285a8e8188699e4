"""From an event in Airbase to a voucher in IFS; and a receiver that is killed loses nothing that it acknowledged."""

import json
from collections.abc import Generator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import expected_ledger as ledger
import ledger_rig as rigs
import msgspec
import posting_hooks as posting
import pytest
import rig
import shooting
from ledger_rig import LedgerRig, ledger_rig
from posting_hooks import SECRET, Sender
from rig import NAME, sqlite_url
from typer.testing import CliRunner

from ml_connector.cli.app import app as commands
from ml_connector.errors import SettingsError
from ml_connector.store.inbox import Inbox, Kept, State
from ml_connector.store.orders import Orders
from ml_connector.sync import orders
from ml_connector.sync.orders import Cause, Ending, Order
from ml_connector.systems.signature import Scheme
from ml_connector.wiring.dispatching import Dispatching
from ml_connector.wiring.performing import Performing
from ml_connector.wiring.receiving import How
from ml_connector.wiring.ticking import Ticking

FLOW = "purchase_requests"
KILLS = 3


@pytest.fixture
def joined(tmp_path: Path) -> Generator[LedgerRig]:
    world = rigs.plain_world(requests=6, cards=0.0, expense_reports=0.0)
    with ledger_rig(sqlite_url(tmp_path), world, tmp_path) as made:
        made.run("suppliers")
        yield made


@pytest.fixture
def owner(joined: LedgerRig) -> int:
    return joined.store.connections.get(NAME).id


def dispatching(joined: LedgerRig, **changed: Any) -> Dispatching:
    ticking = Ticking(joined.store)
    told: dict[str, Any] = {"places": ticking.places, "held_until": ticking.held_until, **changed}
    return Dispatching(joined.store, **told)


def work(joined: LedgerRig) -> list[tuple[Order, Ending]]:
    """Carry out what is ordered, as a worker would."""
    ordered, done = Orders(joined.store.database), list[tuple[Order, Ending]]()
    ordered.join("w", "host", 1, "1", 1, 600)
    with closing(Performing(joined.store)) as performing:
        while order := ordered.claim("w", {}):
            ending = performing(order, lambda: False)
            assert ordered.end("w", order, ending)
            done.append((order, ending))
    ordered.leave("w")
    return done


def came(joined: LedgerRig, owner: int) -> list[Kept]:
    return Inbox(joined.store.database, joined.store.vault).recent(owner, 100)


def send_to(joined: LedgerRig, address: str, hook: Any, **wrong: Any) -> None:
    told = {"url": f"{address}/hooks/airbase/{hook.kept.token}", "secret": SECRET, "backoff_s": 0.01, **wrong}
    joined.box.airbase.options.hooks = msgspec.convert(told, type(joined.box.airbase.options.hooks))


def approve(joined: LedgerRig, key: str) -> None:
    """What Airbase tells of: a request is approved, after it was not."""
    joined.edit("update", FLOW, key, status="created")
    joined.edit("update", FLOW, key, status="approved")


def posted(joined: LedgerRig) -> set[str]:
    return {key for key, several in ledger.ours(joined.box).items() if several}


def test_an_approved_request_becomes_a_voucher(joined: LedgerRig, owner: int) -> None:
    hook = posting.hook(joined.store, owner, "airbase")
    key = str(joined.box.airbase_rows(FLOW)[0]["id"])
    with posting.receiver(joined.store) as address:
        send_to(joined, address, hook)
        approve(joined, key)
        assert joined.box.airbase.hooks.settle()
    dispatch = dispatching(joined)
    assert dispatch.act()
    ((order, ending),) = work(joined)
    assert (order.flow, order.extent.keys, order.cause) == (FLOW, (key,), Cause.WEBHOOK)
    assert (ending.state, ending.figures["posted"]) == (orders.State.DONE, 1)
    assert posted(joined) == {key}
    assert dispatch.act()
    ((event),) = came(joined, owner)
    assert (event.state, event.order_id, event.key, event.verified) == (State.DONE, order.id, key, True)
    assert not dispatch.act()


def test_trouble_on_the_way_changes_nothing(joined: LedgerRig, owner: int) -> None:
    """Repeated, late, out of order, not there at first: each request has one voucher in the end."""
    hook = posting.hook(joined.store, owner, "airbase", How(Scheme("standard")))
    wanted = [str(row["id"]) for row in joined.box.airbase_rows(FLOW)]
    with posting.receiver(joined.store) as address:
        shares = {"duplicated": 0.4, "delayed": 0.3, "reordered": 0.3, "delay_s": 0.05}
        send_to(joined, address, hook, scheme="standard", **shares)
        for key in wanted:
            approve(joined, key)
        assert joined.box.airbase.hooks.settle()
    while dispatching(joined).act():
        work(joined)
    assert posted(joined) == set(wanted)
    rigs.assert_totals(joined, [FLOW])
    kept = came(joined, owner)
    assert sorted(one.key for one in kept) == sorted(wanted)
    assert sum(one.repeats for one in kept) > 0


def test_what_was_tampered_with_leads_nowhere_and_the_poll_finds_it(joined: LedgerRig, owner: int) -> None:
    hook = posting.hook(joined.store, owner, "airbase")
    first, *others = [str(row["id"]) for row in joined.box.airbase_rows(FLOW)]
    with posting.receiver(joined.store) as address:
        send_to(joined, address, hook)
        approve(joined, first)
        assert joined.box.airbase.hooks.settle()
        send_to(joined, address, hook, attempts=1, tampered=1.0)
        for key in others:
            approve(joined, key)
        assert joined.box.airbase.hooks.settle()
    assert [one.key for one in came(joined, owner)] == [first]
    dispatching(joined).act()
    work(joined)
    assert posted(joined) == {first}
    report = joined.run(FLOW)[FLOW]
    assert posted(joined) == {first, *others}
    assert (report.posted, report.unannounced) == (len(others), len(others))


def test_an_event_of_a_flow_that_is_off_is_kept_and_says_so(joined: LedgerRig, owner: int) -> None:
    hook = posting.hook(joined.store, owner, "airbase")
    with posting.receiver(joined.store) as address, Sender(address, hook) as sender:
        sender.send(posting.event(1, "bill_approved"))
    dispatching(joined).act()
    ((event),) = came(joined, owner)
    assert (event.state, "entered_in" in event.note) == (State.OFF, True)
    assert work(joined) == []


def test_in_a_blackout_the_order_waits(joined: LedgerRig, owner: int) -> None:
    hook = posting.hook(joined.store, owner, "airbase")
    with posting.receiver(joined.store) as address, Sender(address, hook) as sender:
        sender.send(posting.event(1))

    def in_an_hour(_owner: int, _flow: str) -> datetime:
        return datetime.now(UTC) + timedelta(hours=1)

    assert dispatching(joined, held_until=in_an_hour).act()
    (order,) = Orders(joined.store.database).open()
    assert order.waits


@pytest.mark.parametrize("any_store", ["sqlite", "postgresql"], indirect=True)
def test_a_killed_receiver_loses_nothing_that_it_acknowledged(any_store: str) -> None:
    with closing(rig.open_store(any_store)) as store:
        figures = shooting.under_fire(store, any_store, KILLS)
    assert figures.kills == KILLS
    assert len(figures.acknowledged) >= KILLS * 20
    assert not figures.lost


# The commands


def command(joined: LedgerRig, *words: str) -> Any:
    result = CliRunner().invoke(commands, ["--store", joined.url, *words])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout) if "--json" in words else result.stdout


def test_set_up_by_command(joined: LedgerRig, owner: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with posting.receiver(joined.store) as address:
        monkeypatch.setenv("ML_CONNECTOR_PUBLIC_URL", f"{address}/")
        made = command(joined, "hook", NAME, "airbase", "--prefix", "sha256=", "--json")
        body = posting.event(1)
        signed = {"X-Airbase-Signature": "sha256=" + posting.signature(body, made["secret"])["X-Airbase-Signature"]}
        with Sender("", posting.hook(joined.store, owner, "ifs")) as sender:
            assert sender.line.post(made["url"], content=body, headers=signed).status_code == 200
        shown = command(joined, "hook", NAME, "airbase", "--json")
        assert (shown["url"], shown["secret"], shown["scheme"]["prefix"]) == (made["url"], None, "sha256=")
        turned = command(joined, "hook", NAME, "airbase", "--rotate", "--json")
        assert (turned["url"], turned["secrets"]) == (made["url"], 2)
        assert turned["secret"] not in (made["secret"], None)
        listed = command(joined, "hooks", NAME, "--json")["hooks"]
        assert [one["system"] for one in listed] == ["airbase", "ifs"]
    told = command(joined, "hooks", NAME)
    assert made["secret"] not in told
    assert '"key" in its body is the number of the record' in told
    (event,) = command(joined, "inbox", NAME, "--json")["events"]
    assert (event["state"], event["verified"], event["key"]) == ("waiting", True, "pr-1")
    assert "pr-1" in command(joined, "inbox", NAME)
    command(joined, "hook", NAME, "airbase", "--remove")
    assert [one["system"] for one in command(joined, "hooks", NAME, "--json")["hooks"]] == ["ifs"]


IMPOSSIBLE = (
    ("airbase", "--flow", "purchase_orders"),
    ("ifs", "--flow", "payments"),
    ("ifs", "--flow", "unknown"),
    ("ifs", "--key", " "),
    ("airbase", "--header", "no header"),
    ("airbase", "--secret-env", "NOT_SET"),
    ("airbase", "--secret-env", "SHORT"),
    ("airbase", "--scheme", "standard", "--secret-env", "NO_BASE64"),
    ("airbase", "--remove"),
)


def test_a_hook_that_can_not_work_is_not_made(joined: LedgerRig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHORT", "short")
    monkeypatch.setenv("NO_BASE64", "whsec_not base64")
    for words in IMPOSSIBLE:
        result = CliRunner().invoke(commands, ["--store", joined.url, "hook", NAME, *words])
        assert isinstance(result.exception, SettingsError), words
        assert "not base64" not in str(result.exception)
    assert command(joined, "hooks", NAME, "--json")["hooks"] == []
