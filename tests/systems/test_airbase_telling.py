"""What Airbase is told beside vendors and orders: accounts, tags, postings, numbers of suppliers, payment terms."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest
from reaching import airbase_client

from ml_connector import sandbox
from ml_connector.errors import AuthError, RemoteError, SettingsError, UnreachableError
from ml_connector.records import keys
from ml_connector.records.spend_chart import Acknowledged, ChartAccount, ChartTag
from ml_connector.records.supplier import VendorId
from ml_connector.sandbox.airbase import AirbaseOptions, AirbaseSite
from ml_connector.sandbox.faults import Fault
from ml_connector.sync.plan import Found
from ml_connector.sync.ports import Done, Refused, Result, Unknown, Write
from ml_connector.systems.airbase.acknowledging import AcknowledgementTarget
from ml_connector.systems.airbase.client import AirbaseClient
from ml_connector.systems.airbase.target import AirbaseTarget
from ml_connector.systems.airbase.targets import target_of
from ml_connector.systems.airbase.vendor_ids import VendorIdTarget
from ml_connector.systems.airbase.vendor_terms import VendorTermsEnd

Box = Any  # the sandbox, which is not typed for us
ENTRIES = "/v1/accounting/ledger_entries/"
TOKEN = AirbaseOptions().token
VENDORS = "/v1/accounting/vendors/"


@contextmanager
def started(**options: Any) -> Generator[Box]:
    own = AirbaseOptions(rate_limit=0, prefilled_vendors=3, **options)
    with sandbox.start(sandbox.SandboxOptions(suppliers=3, orders=1, airbase=own)) as box:
        yield box
        assert not box.crashes


@contextmanager
def client_of(box: Box, profile: dict[str, Any] | None = None, secret: str = TOKEN) -> Generator[AirbaseClient]:
    client = airbase_client(box.airbase_url, secret, profile=profile, attempts_max=2)
    try:
        yield client
    finally:
        client.wire.close()


@pytest.fixture
def box() -> Iterator[Box]:
    with started() as box:
        yield box


@pytest.fixture
def client(box: Box) -> Iterator[AirbaseClient]:
    with client_of(box, {"page_size": 5}) as client:
        yield client


def edit(box: Box, op: str, kind: str, row_id: str, **fields: Any) -> None:
    box.airbase.edit({"op": op, "kind": kind, "id": row_id, "fields": fields})


def cause(result: Result) -> str:
    assert isinstance(result, Refused), result
    return result.held.cause


def writes_to(box: Box) -> int:
    return sum(entry.method != "GET" for entry in box.airbase_log.entries())


@pytest.mark.parametrize(
    ("resource", "kind"),
    [
        ("vendors", AirbaseTarget),
        ("tags", AirbaseTarget),
        ("acknowledgements", AcknowledgementTarget),
        ("vendor_ids", VendorIdTarget),
    ],
)
def test_each_resource_has_its_target(client: AirbaseClient, resource: str, kind: type) -> None:
    target = target_of(client, resource)
    assert isinstance(target, kind)
    assert target.batch_max > 0
    assert target.find_max > 0


def test_what_is_only_read_has_no_target(client: AirbaseClient) -> None:
    with pytest.raises(SettingsError, match="payments"):
        target_of(client, "payments")


# --- accounts and tags

ACCOUNT = ChartAccount("7777", "Coffee", True, ("SUB-10", "SUB-20"))
TAG = ChartTag("department", "D777", "Coffee makers", True, ("SUB-10",))


@pytest.mark.parametrize("bulk", [True, False])
@pytest.mark.parametrize(
    ("resource", "key", "record"),
    [("accounts", "7777", ACCOUNT), ("tags", keys.join(("department", "D777")), TAG)],
)
def test_a_chart_goes_there_and_reads_back_as_sent(box: Box, resource: str, key: str, record: Any, bulk: bool) -> None:
    with client_of(box, {} if bulk else {resource: {"bulk_path": ""}}) as client:
        target = AirbaseTarget(client, resource)
        (done,) = target.send([Write(key, "", record)])
        assert isinstance(done, Done)
        assert target.find([key]) == (Found(key, done.target_id, record),)
        changed = msgspec.structs.replace(record, name="Tea", active=False, subsidiaries=())
        assert target.send([Write(key, done.target_id, changed)]) == (done,)
        assert Found(key, done.target_id, changed) in [one for page in target.walk() for one in page]


def test_tags_of_two_labels_under_one_reference_are_two(client: AirbaseClient) -> None:
    other = msgspec.structs.replace(TAG, label="region")
    target = AirbaseTarget(client, "tags")
    both = {keys.join((tag.label, tag.reference)): tag for tag in (TAG, other)}
    assert all(isinstance(one, Done) for one in target.send([Write(key, "", tag) for key, tag in both.items()]))
    assert {one.key: one.record for one in target.find(list(both))} == both


def test_a_tag_without_a_label_or_a_reference_is_not_ours(box: Box, client: AirbaseClient) -> None:
    before = [one for page in AirbaseTarget(client, "tags").walk() for one in page]
    edit(box, "create", "tags", "", name="No label", erp_reference_id="D1")
    edit(box, "create", "tags", "", name="No reference", type_label="department")
    assert [one for page in AirbaseTarget(client, "tags").walk() for one in page] == before


def test_an_account_is_given_its_number(box: Box, client: AirbaseClient) -> None:
    AirbaseTarget(client, "accounts").send([Write("7777", "", ACCOUNT)])
    (row,) = box.airbase.documents("accounts", erp_reference_id="7777")
    assert row["account_number"] == "7777"


def test_a_refused_account_says_which(client: AirbaseClient) -> None:
    odd = msgspec.structs.replace(ACCOUNT, subsidiaries=("SUB-99",))
    (result,) = AirbaseTarget(client, "accounts").send([Write("7777", "", odd)])
    assert isinstance(result, Refused)
    assert "account 7777" in result.held.sentence


# --- postings


def entry_ids(box: Box) -> list[str]:
    return [row["airbase_id"] for row in box.airbase.rows("ledger_entries")]


def told(box: Box, row_id: str) -> tuple[str, Any, Any]:
    row = box.airbase.document("ledger_entries", row_id)
    return row["status"], row["erp_reference_id"], row["error_message"]


def test_an_entry_is_told_once_posted(box: Box, client: AirbaseClient) -> None:
    row_id = entry_ids(box)[0]
    target = AcknowledgementTarget(client)
    assert target.find([row_id, "nobody"]) == (Found(row_id, row_id, Acknowledged("")),)
    write = Write(row_id, row_id, Acknowledged("10/X/2026/1"))
    for _ in range(2):
        assert target.send([write]) == (Done(row_id, row_id),)
        assert told(box, row_id) == ("sync_complete", "10/X/2026/1", None)
    assert target.find([row_id])[0].record == write.after


def test_every_entry_is_walked_once_told_or_not(box: Box, client: AirbaseClient) -> None:
    first = entry_ids(box)[0]
    edit(box, "update", "ledger_entries", first, status="sync_complete", erp_reference_id="V")
    found = [one for page in AcknowledgementTarget(client).walk() for one in page]
    assert sorted(one.key for one in found) == sorted(entry_ids(box))
    assert {one.key: one.record.voucher for one in found}[first] == "V"


def test_an_entry_that_is_gone_is_for_a_person(box: Box, client: AirbaseClient) -> None:
    target = AcknowledgementTarget(client)
    gone, there = entry_ids(box)[:2]
    edit(box, "delete", "ledger_entries", gone)
    results = target.send([Write(gone, gone, Acknowledged("V")), Write(there, there, Acknowledged("W"))])
    assert (cause(results[0]), results[1]) == ("entry_gone", Done(there, there))
    assert cause(target.send([Write("new", "", Acknowledged("V"))])[0]) == "entry_gone"


def test_a_corrected_entry_keeps_the_first_voucher(box: Box, client: AirbaseClient) -> None:
    row_id = entry_ids(box)[0]
    target = AcknowledgementTarget(client)
    target.send([Write(row_id, row_id, Acknowledged("V1"))])
    edit(box, "resend", "ledger_entries", row_id)
    assert target.send([Write(row_id, row_id, Acknowledged("V2"), Acknowledged("V1"))]) == (Done(row_id, row_id),)
    assert told(box, row_id)[:2] == ("sync_complete", "V1")


def test_a_tenant_that_takes_no_reference(box: Box) -> None:
    row_id = entry_ids(box)[0]
    with client_of(box, {"ledger_entries": {"fields": {"reference": ""}}}) as client:
        target = AcknowledgementTarget(client)
        wanted = target.trim(Acknowledged("V1"))
        assert target.find([row_id])[0].record == target.trim(Acknowledged(""))
        assert target.send([Write(row_id, row_id, wanted)]) == (Done(row_id, row_id),)
        assert target.find([row_id])[0].record == wanted == target.trim(Acknowledged("V2"))
    assert told(box, row_id)[:2] == ("sync_complete", None)


@pytest.mark.parametrize("kind", ["reset_after", "malformed_json", "wrong_shape", "truncated"])
def test_a_lost_answer_is_asked_for_again(box: Box, client: AirbaseClient, kind: Any) -> None:
    row_id = entry_ids(box)[0]
    box.faults.add(Fault(kind, method="PATCH", path=ENTRIES, count=1))
    (result,) = AcknowledgementTarget(client).send([Write(row_id, row_id, Acknowledged("V"))])
    assert isinstance(result, Done | Unknown)
    assert told(box, row_id)[:2] == ("sync_complete", "V")


def test_an_answer_that_stays_lost_is_unknown_and_the_rest_is_too(box: Box, client: AirbaseClient) -> None:
    first, second = entry_ids(box)[:2]
    box.faults.add(Fault("reset_after", method="PATCH", path=ENTRIES + first))
    box.faults.add(Fault("reset_before", method="PATCH", path=ENTRIES + second))
    writes = [Write(one, one, Acknowledged("V")) for one in (first, second)]
    assert [type(one) for one in AcknowledgementTarget(client).send(writes)] == [Unknown, Unknown]


def test_nothing_delivered_is_raised(box: Box, client: AirbaseClient) -> None:
    row_id = entry_ids(box)[0]
    write = Write(row_id, row_id, Acknowledged("V"))
    with client_of(box, secret="wrong") as stranger, pytest.raises(AuthError):
        AcknowledgementTarget(stranger).send([write])
    box.faults.add(Fault("status", method="PATCH", path=ENTRIES, options={"status": 429, "retry_after": "0"}))
    with pytest.raises(RemoteError):
        AcknowledgementTarget(client).send([write])
    assert told(box, row_id)[0] == "sync_ready"


def test_what_is_taken_and_not_kept_is_told(box: Box, client: AirbaseClient, monkeypatch: pytest.MonkeyPatch) -> None:
    row_id = entry_ids(box)[0]
    inner = AirbaseSite.answer

    def answer(self: AirbaseSite, request: Any) -> Any:
        return inner(self, msgspec.structs.replace(request, method="GET") if request.method == "PATCH" else request)

    monkeypatch.setattr(AirbaseSite, "answer", answer)
    (result,) = AcknowledgementTarget(client).send([Write(row_id, row_id, Acknowledged("V"))])
    assert isinstance(result, Refused)
    assert "did not keep status, erp_reference_id" in result.held.sentence


# --- numbers of suppliers


def new_vendors(box: Box) -> list[str]:
    return [row["airbase_id"] for row in box.airbase.rows("vendors") if not row["erp_reference_id"]]


def test_a_new_vendor_is_given_its_number(box: Box, client: AirbaseClient) -> None:
    row_id = new_vendors(box)[0]
    target = VendorIdTarget(client)
    assert target.find([row_id]) == (Found(row_id, row_id, VendorId("")),)
    for _ in range(2):
        assert target.send([Write(row_id, row_id, VendorId("S9"), VendorId(""))]) == (Done(row_id, row_id),)
    assert target.find([row_id])[0].record == VendorId("S9")
    assert writes_to(box) == 1
    assert {one.key for page in target.walk() for one in page} == {
        row["airbase_id"] for row in box.airbase.rows("vendors")
    }


def test_a_number_is_neither_changed_nor_given_twice(box: Box, client: AirbaseClient) -> None:
    target = VendorIdTarget(client)
    (taken, *_), (new, other) = (
        [row for row in box.airbase.rows("vendors") if row["erp_reference_id"]],
        new_vendors(box),
    )
    reference = taken["erp_reference_id"]
    assert cause(target.send([Write(new, new, VendorId(reference), VendorId(""))])[0]) == "reference_taken"
    numbered = Write(taken, taken, VendorId("S9"), VendorId(reference))
    assert cause(target.send([numbered])[0]) == "vendor_has_reference"
    assert cause(target.send([Write("x", "", VendorId("S9"))])[0]) == "vendor_gone"
    assert writes_to(box) == 0
    edit(box, "update", "vendors", other, erp_reference_id="S8")
    assert cause(target.send([Write(other, other, VendorId("S9"), VendorId(""))])[0]) == "refused_by_airbase"


# --- payment terms


def carriers(box: Box) -> dict[str, str]:
    return {
        row["erp_reference_id"]: row["airbase_id"] for row in box.airbase.rows("vendors") if row["erp_reference_id"]
    }


def test_terms_are_read_and_set(box: Box, client: AirbaseClient) -> None:
    reference, row_id = next(iter(carriers(box).items()))
    end = VendorTermsEnd(client)
    assert end.read([reference, "nobody"]) == {reference: None}
    for terms in ("Net 30", "Net 30", "Net 60"):
        assert end.set(reference, terms) == Done(reference, row_id)
    assert VendorTermsEnd(client).read([reference]) == {reference: "Net 60"}
    assert VendorTermsEnd(client).set(reference, "Net 10") == Done(reference, row_id)


def test_terms_of_a_vendor_that_is_not_there_once(box: Box, client: AirbaseClient) -> None:
    reference = next(iter(carriers(box)))
    edit(box, "create", "vendors", "", name="Twin", erp_reference_id=reference)
    end = VendorTermsEnd(client)
    assert cause(end.set(reference, "Net 30")) == "doubled_in_airbase"
    assert cause(end.set("nobody", "Net 30")) == "vendor_gone"
    assert writes_to(box) == 0


def test_a_tenant_without_terms() -> None:
    with started(vendor_fields=()) as box:
        reference = next(iter(carriers(box)))
        with client_of(box) as client:
            assert cause(VendorTermsEnd(client).set(reference, "Net 30")) == "refused_by_airbase"
        with client_of(box, {"vendors": {"fields": {"payment_terms": ""}}}) as client:
            end = VendorTermsEnd(client)
            assert end.read([reference]) == {reference: None}
            assert cause(end.set(reference, "Net 30")) == "field_not_named"


def test_terms_whose_answer_is_lost(box: Box, client: AirbaseClient) -> None:
    reference, row_id = next(iter(carriers(box).items()))
    end = VendorTermsEnd(client)
    box.faults.add(Fault("reset_after", method="PATCH", path=VENDORS))
    assert isinstance(end.set(reference, "Net 30"), Unknown)
    assert box.airbase.document("vendors", row_id)["payment_terms"] == "Net 30"
    box.faults.clear()
    box.faults.add(Fault("status", method="PATCH", path=VENDORS, options={"status": 429, "retry_after": "0"}))
    with pytest.raises(RemoteError):
        end.set(reference, "Net 60")
    assert box.airbase.document("vendors", row_id)["payment_terms"] == "Net 30"


def test_a_host_that_is_gone_is_raised() -> None:
    with started() as box:
        pass
    with client_of(box) as client, pytest.raises(UnreachableError):
        VendorTermsEnd(client).read(["S1"])
