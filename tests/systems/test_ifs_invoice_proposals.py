"""Supplier invoice proposals: made once, never twice, never changed."""

from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from reaching import ifs_client

from ml_connector.errors import AuthError, RemoteError, UnreachableError
from ml_connector.records.supplier_invoice import InvoiceProposal
from ml_connector.sandbox import Sandbox, SandboxOptions, start
from ml_connector.sandbox.faults import Fault
from ml_connector.sync.ports import Done, Refused, Result, Target, Unknown, Write
from ml_connector.systems.ifs.client import IfsClient
from ml_connector.systems.ifs.invoice_proposals import KEY_PROPERTY, ProposalTarget

INVOICES = "ManSuppInvoiceSet"
Row = dict[str, Any]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with start(SandboxOptions(suppliers=10, orders=5, invoices=20)) as started:
        yield started
        assert started.crashes == []


@contextmanager
def client_of(sandbox: Sandbox, **profile: Any) -> Generator[IfsClient]:
    with closing(ifs_client(sandbox, profile)) as client:
        yield client


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[IfsClient]:
    with client_of(sandbox) as made:
        yield made


def supplier(sandbox: Sandbox) -> str:
    return str(sandbox.world.rows("SupplierInfoGeneralSet")[0]["SupplierId"])


def proposal(sandbox: Sandbox, **fields: Any) -> InvoiceProposal:
    given = InvoiceProposal(
        "10", supplier(sandbox), "A-0042", date(2026, 3, 1), date(2026, 3, 31), "KWD", Decimal("1234.567"), "4711"
    )
    return msgspec.structs.replace(given, **fields)


def sent(target: ProposalTarget, record: InvoiceProposal, key: str = "b-1", target_id: str = "") -> Result:
    (result,) = target.send([Write(key, target_id, target.trim(record))])
    return result


def held(result: Result) -> str:
    assert isinstance(result, Refused), result
    assert result.held.sentence
    assert result.held.remedy
    return result.held.cause


def ours(sandbox: Sandbox, key: str = "b-1") -> list[Row]:
    return [row for row in sandbox.world.rows(INVOICES) if row["Cf_Airbase_Id"] == key]


def entered(sandbox: Sandbox, record: InvoiceProposal, **columns: Any) -> str:
    """An invoice that a person entered in IFS; its id."""
    row = {
        "Company": record.company,
        "Identity": record.supplier_id,
        "InvoiceNo": record.number,
        "InvoiceDate": record.dated_on,
        "Currency": record.currency,
        "GrossCurrAmount": record.amount,
        **columns,
    }
    made = sandbox.world.insert(INVOICES, row)
    return f"{made['Company']}/{made['InvoiceId']}"


def set_in_ifs(sandbox: Sandbox, target_id: str, **columns: Any) -> None:
    company, _, invoice_id = target_id.partition("/")
    sandbox.world.update(INVOICES, {"Company": company, "InvoiceId": Decimal(invoice_id)}, columns)


def writes(sandbox: Sandbox) -> int:
    return sum(count for (method, _, _), count in sandbox.ifs_log.counts().items() if method in ("PATCH", "DELETE"))


def test_an_invoice_is_made_and_found_by_its_bill(sandbox: Sandbox, client: IfsClient) -> None:
    target: Target = ProposalTarget(client)
    record: InvoiceProposal = target.trim(proposal(sandbox))
    assert target.find(["b-1"]) == ()
    (result,) = target.send([Write("b-1", "", record)])
    (row,) = ours(sandbox)
    target_id = f"10/{row['InvoiceId']}"
    assert result == Done("b-1", target_id)
    assert {
        name: row[name] for name in ("Company", "Identity", "InvoiceNo", "Objstate", "PoRefNumber", "Currency")
    } == {
        "Company": "10",
        "Identity": record.supplier_id,
        "InvoiceNo": "A-0042",
        "Objstate": "Preliminary",
        "PoRefNumber": "4711",
        "Currency": "KWD",
    }
    assert (row["InvoiceDate"], row["DueDate"]) == (record.dated_on, record.due_on)
    assert (row["GrossCurrAmount"], row["Cf_Airbase_Status"]) == (Decimal("1234.567"), None)
    (found,) = target.find(["b-1", "b-2"])
    assert (found.key, found.target_id, found.record) == ("b-1", target_id, record)
    assert target.walk() is None
    assert target.find([]) == ()


def test_a_tenant_that_has_fewer_fields_gets_fewer(sandbox: Sandbox) -> None:
    with client_of(sandbox, supplier_invoices={"fields": {"due_on": "", "order_no": ""}}) as client:
        target = ProposalTarget(client)
        assert isinstance(sent(target, proposal(sandbox)), Done)
        (row,) = ours(sandbox)
        assert (row["DueDate"], row["PoRefNumber"]) == (None, None)
        assert target.find(["b-1"])[0].record == target.trim(proposal(sandbox))


@pytest.mark.parametrize(
    ("kind", "there"),
    [("reset_after", 1), ("truncated", 1), ("html", 1), ("wrong_shape", 1), ("reset_before", 0), ("status", 0)],
)
def test_an_invoice_whose_making_was_not_answered_is_looked_for(
    sandbox: Sandbox, client: IfsClient, kind: Any, there: int
) -> None:
    options: dict[str, Any] = {"status": 500} if kind == "status" else {}
    sandbox.faults.add(Fault(kind, site="ifs", method="POST", path="/int", count=1, options=options))
    target = ProposalTarget(client)
    assert isinstance(sent(target, proposal(sandbox)), Unknown)
    assert len(target.find(["b-1"])) == len(ours(sandbox)) == there
    result = sent(target, proposal(sandbox))
    (row,) = ours(sandbox)
    assert result == Done("b-1", f"10/{row['InvoiceId']}")


@pytest.mark.parametrize("answer", ['{"Company":"10","InvoiceId":1001}', '{"Company":"10"}', "{}"])
def test_an_answer_about_another_invoice_is_not_believed(sandbox: Sandbox, client: IfsClient, answer: str) -> None:
    options: dict[str, Any] = {"status": 201, "effect": True, "body": answer, "content_type": "application/json"}
    sandbox.faults.add(Fault("status", site="ifs", method="POST", path="/int", count=1, options=options))
    assert isinstance(sent(ProposalTarget(client), proposal(sandbox)), Unknown)
    assert len(ours(sandbox)) == 1


def test_one_that_was_entered_by_hand_is_taken_as_it_is(sandbox: Sandbox, client: IfsClient) -> None:
    target_id = entered(sandbox, proposal(sandbox, number="a 42", dated_on=date(2025, 1, 1)))
    before = sandbox.world.digest()
    target = ProposalTarget(client)
    assert sent(target, proposal(sandbox)) == Done("b-1", target_id)
    assert held(sent(target, proposal(sandbox), "b-2")) == "invoice_entered_already"
    assert (
        held(sent(ProposalTarget(client, linked=lambda: {target_id: "b-9"}), proposal(sandbox), "b-3"))
        == "invoice_entered_already"
    )
    assert sandbox.world.digest() == before


def test_one_that_was_entered_by_hand_is_found_for_one_bill_only(sandbox: Sandbox, client: IfsClient) -> None:
    target_id = entered(sandbox, proposal(sandbox, number="a 42", dated_on=date(2025, 1, 1)))
    said = {
        "b-1": proposal(sandbox),
        "b-2": proposal(sandbox),
        "b-3": proposal(sandbox, amount=Decimal(1)),
        "b-4": proposal(sandbox, supplier_id=""),
    }
    target = ProposalTarget(client, lambda keys: {key: said[key] for key in keys})
    (found,) = target.find(sorted(said))
    assert (found.key, found.target_id, found.record) == ("b-1", target_id, said["b-1"])
    assert target.find(["b-1"]) == (found,)
    assert held(sent(target, said["b-2"], "b-2")) == "invoice_entered_already"
    linked = ProposalTarget(client, lambda keys: {key: said[key] for key in keys}, lambda: {target_id: "b-2"})
    assert [one.key for one in linked.find(sorted(said))] == ["b-2"]


@pytest.mark.parametrize(
    ("changed", "columns"),
    [
        ({"amount": Decimal("1234.568")}, {}),
        ({"company": "20"}, {}),
        ({"number": "A 42"}, {"Cf_Airbase_Id": "b-9"}),
        ({"amount": Decimal(1)}, {"Objstate": "Paid"}),
    ],
)
def test_one_that_is_there_otherwise_is_not_made_again(
    sandbox: Sandbox, client: IfsClient, changed: dict[str, Any], columns: Row
) -> None:
    target_id = entered(sandbox, proposal(sandbox, **changed), **columns)
    before = sandbox.world.digest()
    result = sent(ProposalTarget(client), proposal(sandbox))
    assert held(result) == "invoice_entered_already"
    assert isinstance(result, Refused)
    assert target_id in result.held.sentence
    assert "A-0042" in result.held.sentence
    assert sandbox.world.digest() == before


@pytest.mark.parametrize(
    ("changed", "columns"),
    [({"number": "A-420"}, {}), ({"currency": "EUR"}, {}), ({"amount": Decimal(5)}, {"Objstate": "Cancelled"})],
)
def test_another_one_or_a_cancelled_one_is_in_nobodys_way(
    sandbox: Sandbox, client: IfsClient, changed: dict[str, Any], columns: Row
) -> None:
    entered(sandbox, proposal(sandbox, **changed), **columns)
    assert isinstance(sent(ProposalTarget(client), proposal(sandbox)), Done)
    assert len(ours(sandbox)) == 1


def test_two_that_are_there_are_both_named(sandbox: Sandbox, client: IfsClient) -> None:
    ids = [entered(sandbox, proposal(sandbox)) for _ in range(2)]
    result = sent(ProposalTarget(client), proposal(sandbox))
    assert held(result) == "invoice_entered_already"
    assert isinstance(result, Refused)
    assert all(one in result.held.sentence for one in ids)


def test_of_two_bills_with_one_number_the_first_is_made(sandbox: Sandbox, client: IfsClient) -> None:
    record = proposal(sandbox)
    twin = msgspec.structs.replace(record, number="a/42", amount=Decimal(7))
    first, second = ProposalTarget(client).send([Write("b-1", "", record), Write("b-2", "", twin)])
    assert isinstance(first, Done)
    assert held(second) == "invoice_entered_already"
    assert ours(sandbox, "b-2") == []


def test_what_is_there_is_compared_and_never_changed(sandbox: Sandbox, client: IfsClient) -> None:
    target = ProposalTarget(client)
    made = sent(target, proposal(sandbox))
    assert isinstance(made, Done)
    more = proposal(sandbox, amount=Decimal(2000))
    none = proposal(sandbox, stands=False)
    result = sent(target, more, target_id=made.target_id)
    assert held(result) == "invoice_differs"
    assert isinstance(result, Refused)
    assert "KWD 2,000.000 in Airbase, KWD 1,234.567 there" in result.held.sentence
    assert held(sent(target, none, target_id=made.target_id)) == "invoice_withdrawn"
    assert sent(target, proposal(sandbox, number="a 42"), target_id=made.target_id) == made
    set_in_ifs(sandbox, made.target_id, GrossCurrAmount=Decimal(2000))
    assert sent(target, more, target_id=made.target_id) == made
    set_in_ifs(sandbox, made.target_id, Objstate="Cancelled")
    assert sent(target, none, target_id=made.target_id) == made
    assert held(sent(target, more, target_id=made.target_id)) == "invoice_cancelled"
    assert writes(sandbox) == 0


def test_one_that_is_gone_is_only_missed_by_an_approved_bill(sandbox: Sandbox, client: IfsClient) -> None:
    target = ProposalTarget(client)
    assert sent(target, proposal(sandbox, stands=False), target_id="10/9999") == Done("b-1", "10/9999")
    assert held(sent(target, proposal(sandbox), target_id="10/9999")) == "invoice_gone"


def test_what_ifs_refuses_is_held_and_the_rest_goes_on(sandbox: Sandbox, client: IfsClient) -> None:
    target = ProposalTarget(client)
    records = [
        proposal(sandbox, number="x" * 51),
        proposal(sandbox, supplier_id="NOBODY"),
        proposal(sandbox),
    ]
    results = target.send([Write(f"b-{at}", "", record) for at, record in enumerate(records)])
    assert [held(result) for result in results[:2]] == ["refused_by_ifs"] * 2
    assert isinstance(results[2], Done)


def test_without_the_custom_field_nothing_is_proposed(sandbox: Sandbox, client: IfsClient) -> None:
    target = ProposalTarget(client, key_property="Cf_Nowhere")
    before = sandbox.world.digest()
    result = sent(target, proposal(sandbox))
    assert held(result) == "field_missing_in_ifs"
    assert isinstance(result, Refused)
    assert "Cf_Nowhere" in result.held.remedy
    assert target.find(["b-1"]) == ()
    assert sandbox.world.digest() == before


def test_nothing_is_proposed_to_a_company_that_is_not_read(sandbox: Sandbox, client: IfsClient) -> None:
    assert held(sent(ProposalTarget(client), proposal(sandbox, company="30"))) == "company_not_connected"
    assert ours(sandbox) == []


def test_no_right_to_write_stops_all(sandbox: Sandbox, client: IfsClient) -> None:
    sandbox.faults.add(Fault("status", site="ifs", method="POST", path="/int", options={"status": 403}))
    with pytest.raises(AuthError):
        sent(ProposalTarget(client), proposal(sandbox))
    assert ours(sandbox) == []


def test_without_a_look_at_what_is_there_nothing_is_sent(sandbox: Sandbox, client: IfsClient) -> None:
    target = ProposalTarget(client)
    target.find(["b-1"])
    sandbox.faults.add(Fault("status", site="ifs", path="/int", method="GET", options={"status": 403}))
    with pytest.raises(AuthError):
        sent(target, proposal(sandbox))
    assert ours(sandbox) == []
    sandbox.close()
    with pytest.raises(UnreachableError):
        sent(target, proposal(sandbox), target_id="10/1001")


@pytest.mark.parametrize("left_out", ["Company", "Identity", "InvoiceNo", "InvoiceDate", "Currency", "GrossCurrAmount"])
def test_the_sandbox_demands_what_an_invoice_needs(sandbox: Sandbox, client: IfsClient, left_out: str) -> None:
    fields: Row = {
        "Company": "10",
        "Identity": supplier(sandbox),
        "InvoiceNo": "1",
        "InvoiceDate": "2026-03-01",
        "Currency": "EUR",
        "GrossCurrAmount": "1",
        KEY_PROPERTY: "b-1",
    }
    entities = ProposalTarget(client)._entities  # pyright: ignore[reportPrivateUsage]
    del fields[left_out]
    with pytest.raises(RemoteError, match=r"mandatory|not allowed"):
        entities.insert(fields)
    assert ours(sandbox) == []
