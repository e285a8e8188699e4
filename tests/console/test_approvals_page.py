"""Approvals in the console: who may agree to what a gate stopped, and that it is then carried out once."""

from collections.abc import Generator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
import rig as rigs
from rig import NAME, Rig, generous, rig, sqlite_url
from serving import answering, looking

from ml_connector import wiring
from ml_connector.settings import Gate
from ml_connector.store.api_tokens import ApiTokens, Right
from ml_connector.store.edits import Body
from ml_connector.store.orders import Orders, Placed
from ml_connector.store.rights import Role
from ml_connector.sync.edits import Values
from ml_connector.sync.orders import Cause, Extent, Order, State
from ml_connector.wiring import approving, editing
from ml_connector.wiring.opened import approvals
from ml_connector.wiring.performing import Performing

PLACE = f"/c/{NAME}/approvals"


class Company:
    """A connection whose gate lets no change pass, with all suppliers changed; a worker carries out what is ordered."""

    def __init__(self, joined: Rig, url: str) -> None:
        self.joined, self.url = joined, url
        self.orders = Orders(joined.store.database)
        self.orders.join("w", "host", 1, "1", 1, 600)

    def order(self, number: str, person: str, extent: Extent | None = None) -> Placed:
        connection_id = self.joined.store.connections.get(NAME).id
        self.orders.place(Order(number, connection_id, "suppliers", extent or Extent(), Cause.PERSON, person))
        return self.carry_out()[-1]

    def carry_out(self) -> list[Placed]:
        done: list[Placed] = []
        with closing(Performing(self.joined.store)) as performing:
            while order := self.orders.claim("w", {}):
                self.orders.end("w", order, performing(order, lambda: False))
                found = self.orders.get(order.id)
                assert found
                done.append(found)
        return done

    def strict(self, *, two_persons: bool) -> None:
        changed = rigs.connection(self.joined.box, gate={"suppliers": Gate(0.0, 0.0, 0)}, two_persons=two_persons)
        wiring.connect(self.joined.store, NAME, changed, wiring.Secrets("", ""))
        for row in self.joined.box.world.rows("SupplierInfoGeneralSet"):
            key = {"SupplierId": row["SupplierId"]}
            op = {"op": "update", "set": "SupplierInfoGeneralSet", "key": key, "values": {"Name": "Renamed"}}
            self.joined.box.edit_ifs(op)

    def waiting(self) -> list[approving.Stopped]:
        return approving.stopped(self.joined.store, NAME)


@pytest.fixture
def company(tmp_path: Path) -> Generator[Company]:
    options = generous(suppliers=12, orders=0)
    with rig(sqlite_url(tmp_path), options) as joined, answering(joined.store) as url:
        joined.run("suppliers")
        yield Company(joined, url)


def test_somebody_else_approves_and_it_is_carried_out_once(company: Company) -> None:
    company.strict(two_persons=True)
    assert company.order("first", "kari").order.state is State.BLOCKED
    (waits,) = company.waiting()
    with looking(company.url, company.joined.store, Role.CLERK, Role.APPROVER, name="kari") as kari:
        page = kari.get(PLACE).text
        assert "would change" in page
        assert "Renamed" in page, "the first records, before and after"
        assert "You ordered it; somebody else has to approve it" in page
        assert "Approve and carry out" not in page
        answer = kari.post(f"{PLACE}/plans/{waits.run.id}")
        assert (answer.status_code, "somebody else" in answer.text) == (422, True)
    with looking(company.url, company.joined.store, Role.CLERK, name="nils") as nils:
        assert nils.post(f"{PLACE}/plans/{waits.run.id}").status_code == 403
    assert company.carry_out() == []
    with looking(company.url, company.joined.store, Role.APPROVER, name="ola") as ola:
        assert "Approve and carry out" in ola.get(PLACE).text
        for _ in range(2):  # a double click
            assert ola.post(f"{PLACE}/plans/{waits.run.id}").status_code == 303
        (done,) = company.carry_out()
        assert (done.order.state, done.order.person) == (State.DONE, "kari")
        assert company.waiting() == []
        assert "Nothing waits for approval" in ola.get(PLACE).text
        assert ola.post(f"{PLACE}/plans/{waits.run.id}").status_code == 422
    told = [one for one in company.joined.box.airbase_rows("vendors") if one["name"] == "Renamed"]
    assert len(told) > 1


def test_who_made_a_token_does_not_approve_what_it_ordered(company: Company) -> None:
    company.strict(two_persons=True)
    store = company.joined.store
    ApiTokens(store.database).create("script", Right.OPERATE, "kari")
    company.order("first", "token:script")
    (waits,) = company.waiting()
    with looking(company.url, store, Role.ADMINISTRATOR, Role.APPROVER, name="kari") as kari:
        assert "A token that you made ordered it" in kari.get(PLACE).text
        assert kari.post(f"{PLACE}/plans/{waits.run.id}").status_code == 422
    approvals(store, NAME).give(waits.plan_id, "kari")  # as on the command line
    assert company.order("again", "token:script").order.state is State.BLOCKED
    (waits,) = company.waiting()
    with looking(company.url, store, Role.APPROVER, name="ola") as ola:
        assert ola.post(f"{PLACE}/plans/{waits.run.id}").status_code == 303
    assert company.carry_out()[-1].order.state is State.DONE


def test_a_plan_that_comes_back_waits_anew(company: Company) -> None:
    company.strict(two_persons=True)
    company.order("first", "kari")
    (waits,) = company.waiting()
    kept = approvals(company.joined.store, NAME)
    kept.give(waits.plan_id, "ola")
    kept.use(waits.plan_id)
    assert company.waiting() == [], "it was let through"
    assert company.order("second", "kari").order.state is State.BLOCKED
    assert [one.plan_id for one in company.waiting()] == [waits.plan_id]


def test_where_one_person_is_enough(company: Company) -> None:
    company.strict(two_persons=False)
    company.order("first", "kari")
    (waits,) = company.waiting()
    with looking(company.url, company.joined.store, Role.APPROVER, name="kari") as kari:
        kari.post(f"{PLACE}/plans/{waits.run.id}")
    (done,) = company.carry_out()
    assert done.order.state is State.DONE


def test_the_same_plan_waits_once_and_a_later_run_takes_its_place(company: Company) -> None:
    company.strict(two_persons=True)
    company.order("first", "kari")
    company.order("second", "nils")
    (waits,) = company.waiting()
    assert waits.order
    assert waits.order.order.person == "nils", "the latest"
    loose = rigs.connection(company.joined.box, two_persons=True)
    company.joined.store.connections.save(NAME, msgspec.to_builtins(loose), {})
    assert company.order("third", "kari").order.state is State.DONE
    assert company.waiting() == []


def test_a_replay_that_was_stopped_waits_until_it_is_let_through(company: Company) -> None:
    company.strict(two_persons=True)
    keys = tuple(one["erp_reference_id"] for one in company.joined.box.airbase_rows("vendors"))
    company.order("some", "kari", Extent(keys=keys[:4]))
    company.order("others", "kari", Extent(keys=keys[4:6]))
    assert len(company.waiting()) == 2, "one does not replace the other"
    approving.approve(company.joined.store, NAME, company.waiting()[0].run.id, "ola")
    company.order("others again", "kari", Extent(keys=keys[4:6]))
    assert len(company.waiting()) == 1


def test_of_a_run_on_the_command_line_nothing_is_ordered(company: Company) -> None:
    company.strict(two_persons=True)
    company.joined.try_run()
    (waits,) = company.waiting()
    assert waits.order is None
    assert approving.approve(company.joined.store, NAME, waits.run.id, "ola") is None
    assert company.carry_out() == []


def test_where_one_is_enough_what_was_run_on_the_command_line_is_carried_out_too(company: Company) -> None:
    company.strict(two_persons=False)
    company.joined.try_run()
    (waits,) = company.waiting()
    with looking(company.url, company.joined.store, Role.APPROVER, name="ola") as ola:
        for _ in range(2):
            ola.post(f"{PLACE}/plans/{waits.run.id}")
    (done,) = company.carry_out()
    assert (done.order.state, done.order.person) == (State.DONE, "ola")
    assert company.waiting() == []


def test_edits_and_settings_wait_for_a_second_person_too(company: Company) -> None:
    company.strict(two_persons=True)
    store = company.joined.store
    body = Body({"name": Values("Acme <b>", "Acme")}, "It was misspelt.")
    number = editing.of(store, NAME).put("suppliers", "S000001", "basis", body, "kari", waits=True)
    changed = rigs.connection(company.joined.box, two_persons=True, quiet_s=60.0)
    wiring.connect(store, NAME, changed, wiring.Secrets("", ""), person="kari", note="Wait a minute.")
    with looking(company.url, store, Role.CLERK, Role.APPROVER, name="kari") as kari:
        page = kari.get(PLACE).text
        assert "Acme &lt;b&gt;" in page
        assert "It was misspelt." in page
        assert "Wait a minute." in page
        assert kari.post(f"{PLACE}/edits/{number}").status_code == 422
    with looking(company.url, store, Role.APPROVER, name="ola") as ola:
        for _ in range(2):  # a double click
            assert ola.post(f"{PLACE}/edits/{number}").status_code == 303
        assert "It was misspelt." not in ola.get(PLACE).text
    (done,) = company.carry_out()
    assert (done.order.id, done.order.extent.keys) == (f"edit/{number}", ("S000001",))
    assert editing.of(store, NAME).get(number).approved_by == "ola"
