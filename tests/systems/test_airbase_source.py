"""The source against the stand-in Airbase: every row once, in key order, whatever moves, and never much memory."""

import tracemalloc
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reaching import airbase_client

from ml_connector import sandbox
from ml_connector.errors import MalformedError, SettingsError
from ml_connector.records import keys
from ml_connector.records.money import Money
from ml_connector.records.spend import Document
from ml_connector.records.spend_chart import SpendAccount, SpendTag
from ml_connector.records.supplier import NewSupplier, VendorTerms
from ml_connector.records.supplier_invoice import InvoiceReference
from ml_connector.sandbox.airbase import AirbaseOptions, AirbaseSite, SpendOptions
from ml_connector.sandbox.faults import Fault
from ml_connector.sync.detect import Page
from ml_connector.sync.ports import Sight
from ml_connector.systems.airbase import documents
from ml_connector.systems.airbase.client import AirbaseClient
from ml_connector.systems.airbase.profile import DEFAULT
from ml_connector.systems.airbase.source import AirbaseSource
from ml_connector.systems.airbase.spool import FullError, Spool, canonical, mark_of

Box = Any  # the sandbox, which is not typed for us
UTC = ZoneInfo("UTC")
OSLO = ZoneInfo("Europe/Oslo")
LISTS = ("purchase_requests", "bills", "payments", "ledger_entries")


@contextmanager
def started(**options: Any) -> Generator[Box]:
    own = AirbaseOptions(rate_limit=options.pop("rate_limit", 0), **options)
    with sandbox.start(sandbox.SandboxOptions(suppliers=10, orders=1, airbase=own)) as box:
        yield box
        assert not box.crashes


@contextmanager
def client_of(box: Box, profile: dict[str, Any] | None = None) -> Generator[AirbaseClient]:
    client = airbase_client(box.airbase_url, profile=profile)
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
    with client_of(box, {"page_size": 4}) as client:
        yield client


def edit(box: Box, op: str, kind: str, row_id: str, **fields: Any) -> None:
    box.airbase.edit({"op": op, "kind": kind, "id": row_id, "fields": fields})


def swept(source: AirbaseSource) -> list[Page]:
    return [page for part in source.parts for page in source.sweep(part, "")]


def everything(source: AirbaseSource) -> list[Sight]:
    return [sight for page in source.read_all() for sight in page.sights]


def reference_of(value: Any) -> str:
    """The ERP's reference in an object; "" where there is none."""
    return value["erp_reference_id"] if value else ""


def read(source: AirbaseSource, *asked: str) -> list[Sight]:
    return [sight for group in source.read(asked) for sight in group]


def marks(pages: list[Page]) -> dict[str, str]:
    return {row.key: row.mark for page in pages for row in page.rows}


# --- all of a list, in key order


@pytest.mark.parametrize("name", LISTS)
def test_a_sweep_and_a_census_show_every_row_once_in_key_order(box: Box, client: AirbaseClient, name: str) -> None:
    there = sorted(row["airbase_id"] for row in box.airbase.rows(name))
    pages = swept(AirbaseSource(client, name, UTC))
    assert [row.key for page in pages for row in page.rows] == there
    assert pages[-1].upto is None
    assert all(page.upto == page.rows[-1].key for page in pages[:-1])
    assert len(pages) > 1

    source = AirbaseSource(client, name, UTC)
    census = list(source.read_all())
    sights = [sight for page in census for sight in page.sights]
    assert [sight.key for sight in sights] == there
    assert [page.upto for page in census][-1] is None
    assert {sight.key: sight.rows[0].mark for sight in sights} == marks(pages)
    assert all(isinstance(sight.record, Document) and sight.record.id == sight.key for sight in sights)


def test_an_empty_list_is_one_empty_page_to_the_end() -> None:
    with started(documents=0) as box, client_of(box) as client:
        source = AirbaseSource(client, "payments", UTC)
        assert swept(source) == [Page("payments", (), None, complete=True)]
        assert [page.upto for page in source.read_all()] == [None]


@pytest.mark.parametrize("name", LISTS)
def test_an_id_that_can_be_no_key_holds_its_record_alone(box: Box, client: AirbaseClient, name: str) -> None:
    table, there = box.airbase.books.tables[name], box.airbase.rows(name)
    for odd in ("\x00", "a\x1fb"):
        table.put({**there[0], "id": odd, "airbase_id": odd})
    sights = everything(AirbaseSource(client, name, UTC))
    held = [sight for sight in sights if sight.unreadable]
    assert len(held) == 2, "two records, not one that is there twice"
    assert all("characters that can't be printed" in one.unreadable.sentence for one in held if one.unreadable)
    assert {sight.key for sight in sights if sight.record} == {row["airbase_id"] for row in there}
    source = AirbaseSource(client, name, UTC)
    assert read(source, held[0].key) == [held[0]], "read alone it is held, too, and never taken for gone"
    assert swept(source)


def test_an_unknown_resource_is_refused(client: AirbaseClient) -> None:
    with pytest.raises(SettingsError, match="invoice_references"):
        AirbaseSource(client, "paymants", UTC)


def test_an_id_that_leads_elsewhere_is_not_there(client: AirbaseClient) -> None:
    source = AirbaseSource(client, "payments", UTC)
    assert [(sight.key, sight.there) for sight in next(source.read([".", ".."]))] == [(".", False), ("..", False)]


def test_a_mark_changes_with_its_row_alone(box: Box, client: AirbaseClient) -> None:
    before = marks(swept(AirbaseSource(client, "payments", UTC)))
    changed = sorted(before)[3]
    edit(box, "reverse", "payments", changed)
    after = marks(swept(AirbaseSource(client, "payments", UTC)))
    assert {key for key in before if before[key] != after[key]} == {changed}


# --- the queue of ledger entries


def test_an_entry_that_left_the_queue_is_not_gone(box: Box, client: AirbaseClient) -> None:
    told = box.airbase.rows("ledger_entries")[0]["airbase_id"]
    edit(box, "update", "ledger_entries", told, status="sync_complete", erp_reference_id="10/X/2026/1")
    source = AirbaseSource(client, "ledger_entries", UTC)
    pages = swept(source)
    assert told not in marks(pages)
    assert not any(page.complete for page in pages)
    (sight,) = read(source, told)
    assert sight.record.status == "sync_complete"
    assert told in {sight.key for sight in everything(source)}


@pytest.mark.parametrize("before", ["sync_ready", "sync_complete"])
def test_an_entry_that_changes_sides_while_both_are_read_is_seen(
    client: AirbaseClient, box: Box, monkeypatch: pytest.MonkeyPatch, before: str
) -> None:
    moving = box.airbase.rows("ledger_entries")[-1]["airbase_id"]
    after = {"sync_ready": "sync_complete", "sync_complete": "sync_ready"}[before]
    edit(box, "update", "ledger_entries", moving, status=before)
    once(monkeypatch, "status=sync_complete", lambda: edit(box, "update", "ledger_entries", moving, status=after))
    assert moving in {sight.key for sight in everything(AirbaseSource(client, "ledger_entries", UTC))}


def test_the_only_entry_changes_sides_while_both_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    with started(documents=1) as box, client_of(box) as client:
        only = box.airbase.rows("ledger_entries")[0]["airbase_id"]
        edit(box, "update", "ledger_entries", only, status="sync_complete")
        once(monkeypatch, "status=sync_complete", lambda: edit(box, "resend", "ledger_entries", only))
        assert [sight.key for sight in everything(AirbaseSource(client, "ledger_entries", UTC))] == [only]


# --- while the list moves


def once(monkeypatch: pytest.MonkeyPatch, query: str, act: Callable[[], None]) -> None:
    """Let something happen just before the first answer to a query like this."""
    inner, done = AirbaseSite.answer, list[bool]()

    def answer(self: AirbaseSite, request: Any) -> Any:
        if query in request.query and not done:
            done.append(True)
            act()
        return inner(self, request)

    monkeypatch.setattr(AirbaseSite, "answer", answer)


@pytest.mark.parametrize("page", [2, 3])
def test_rows_that_shift_to_a_page_already_read_are_not_lost(
    box: Box, client: AirbaseClient, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    there = [row["airbase_id"] for row in box.airbase.rows("purchase_requests")]
    once(monkeypatch, f"page={page}&", lambda: edit(box, "delete", "purchase_requests", there[0]))
    assert set(there[1:]) <= set(marks(swept(AirbaseSource(client, "purchase_requests", UTC))))


def test_a_list_that_only_grows_is_read_to_the_end(
    box: Box, client: AirbaseClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = AirbaseSite.answer

    def answer(self: AirbaseSite, request: Any) -> Any:
        self.edit({"op": "create", "kind": "payments", "fields": {}})
        return inner(self, request)

    monkeypatch.setattr(AirbaseSite, "answer", answer)
    there = {row["airbase_id"] for row in box.airbase.rows("payments")}
    assert there <= set(marks(swept(AirbaseSource(client, "payments", UTC))))


def test_a_throttled_list_is_read_all_the_same(box: Box, client: AirbaseClient) -> None:
    box.faults.add(Fault("status", path="/v1/payments/", percent=40, options={"status": 429, "retry_after": "0"}))
    there = {row["airbase_id"] for row in box.airbase.rows("payments")}
    assert set(marks(swept(AirbaseSource(client, "payments", UTC)))) == there


def test_more_rows_than_are_kept_is_an_error(client: AirbaseClient) -> None:
    source = AirbaseSource(client, "purchase_requests", UTC, rows_max=20)
    with pytest.raises(MalformedError, match="more than 20 rows"):
        swept(source)


# --- by key


def test_what_a_sweep_has_read_is_not_asked_for_again(box: Box, client: AirbaseClient) -> None:
    source = AirbaseSource(client, "payments", UTC)
    found = list(marks(swept(source)))
    asked = client.wire.requests
    sights = read(source, *found, *found)
    assert [sight.key for sight in sights] == found
    assert all(sight.record for sight in sights)
    everything(source)
    assert client.wire.requests == asked


def test_what_it_has_not_is_read_by_id(box: Box, client: AirbaseClient) -> None:
    there = [row["airbase_id"] for row in box.airbase.rows("payments")][:3]
    sights = read(AirbaseSource(client, "payments", UTC), *there, "no such id")
    assert [sight.key for sight in sights] == [*there, "no such id"]
    assert [sight.there for sight in sights] == [True, True, True, False]
    assert client.wire.requests == 4


def test_many_that_it_has_not_are_read_as_a_list(box: Box) -> None:
    with client_of(box, {"find_max": 5}) as client:
        there = [row["airbase_id"] for row in box.airbase.rows("ledger_entries")]
        sights = read(AirbaseSource(client, "ledger_entries", UTC), *there, *map(str, range(9)))
        assert sum(sight.there for sight in sights) == len(there)
        assert client.wire.requests < 10


def test_a_census_after_a_census_reads_anew(box: Box, client: AirbaseClient) -> None:
    source = AirbaseSource(client, "payments", UTC)
    swept(source)
    gone = everything(source)[0].key
    edit(box, "delete", "payments", gone)
    assert gone not in {sight.key for sight in everything(source)}


# --- what a document says


def test_an_entry_is_read_as_it_was_recorded(box: Box, client: AirbaseClient) -> None:
    rows = {row["airbase_id"]: row for row in box.airbase.rows("ledger_entries")}
    for sight in everything(AirbaseSource(client, "ledger_entries", UTC)):
        row, document = rows[sight.key], sight.record
        assert (document.kind, document.status) == (row["type"], row["status"])
        assert document.number == (row["invoice_number"] or sight.key[:8])
        assert document.amount == Money(Decimal(row["total_amount"]), row["currency"]["iso_code"])
        assert document.dated_on == date.fromisoformat(row["entry_date"][:10])
        assert document.supplier_id == reference_of(row["vendor"])
        assert document.bank_account == reference_of(row["bank_account"])
        assert document.payable_account == reference_of(row["ap_account"])
        assert document.applied_to == tuple(one["id"] for one in row["applied_to"] or ())
        assert (document.settlement is None) == (row["amounts"]["settlement_amount"] is None)
        assert document.company_amount == documents.money(row["amounts"]["subsidiary_amount"])
        assert [line.account for line in document.lines] == [
            line["account"]["erp_reference_id"] for line in row["expense_list"]
        ]
        assert [tag.reference for tag in document.tags] == [tag["erp_reference_id"] for tag in row["transaction_tags"]]
        assert (document.url, document.description) == (row["airbase_url"], row["notes"])


def test_a_request_says_who_approved_it_and_when(box: Box, client: AirbaseClient) -> None:
    row = box.airbase.documents("purchase_requests", status="approved")[0]
    approvals = [
        {"approver": {"name": "Late"}, "status": "accepted", "decided_at": "2026-07-03T00:00:00"},
        {"approver": {"name": "Early"}, "status": "accepted", "decided_at": "2026-07-01T00:00:00"},
        {"approver": {"name": "Never"}, "status": "denied", "decided_at": "2026-07-09T00:00:00"},
    ]
    rate = {"rate": "1.0834", "source": "airbase", "date": "2026-07-01T00:00:00"}
    edit(
        box,
        "update",
        "purchase_requests",
        row["airbase_id"],
        approvals=approvals,
        exchange_rate=rate,
        approved_at="2026-07-02T09:00:00",
    )
    (sight,) = read(AirbaseSource(client, "purchase_requests", UTC), row["airbase_id"])
    request = sight.record
    assert (request.kind, request.approver, request.approved) == ("purchase_request", "Late", "2026-07-02T09:00:00")
    assert request.dated_on == date(2026, 7, 2)
    assert (request.rate.rate, request.rate.source, request.rate.on) == (
        Decimal("1.0834"),
        "airbase",
        date(2026, 7, 1),
    )
    assert request.lines[0].category == row["category"] == request.category
    assert request.person == row["requester"]["name"]


def test_a_payment_says_what_left_the_bank(box: Box, client: AirbaseClient) -> None:
    row = box.airbase.documents("payments")[0]
    huge = "12345678901234567890.1234567891"
    changes = {"settlement_amount": huge, "settlement_currency": {"iso_code": "JPY"}, "fee": "1.5"}
    edit(box, "update", "payments", row["airbase_id"], **changes)
    (sight,) = read(AirbaseSource(client, "payments", UTC), row["airbase_id"])
    payment = sight.record
    assert payment.settlement == Money(Decimal(huge), "JPY")
    assert (payment.fee, payment.bill_ids) == (Decimal("1.5"), tuple(row["bill_ids"]))
    edit(box, "update", "payments", row["airbase_id"], settlement_currency=None)
    (sight,) = read(AirbaseSource(client, "payments", UTC), row["airbase_id"])
    assert sight.record.settlement.currency == row["currency"]["iso_code"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"amount": "12,50"}, "the field amount holds '12,50', which is no usable number"),
        ({"amount": None}, "the field amount is empty"),
        ({"amount": {"amount": "5"}}, "the field amount holds a group of fields where a number belongs"),
        ({"amount": "NaN"}, "the field amount holds 'NaN', which is no usable number"),
        ({"currency": None}, "the field currency is empty"),
        ({"currency": {"iso_code": ""}}, "the field currency.currency is empty"),
        ({"status": 5}, "the field status holds a number where text belongs"),
        ({"tags": [{"type_label": ["x"]}]}, "the field tags 1, type_label holds a list where text belongs"),
        ({"subsidiary_amount": {"amount": "1"}}, "the field subsidiary_amount.currency is empty"),
    ],
)
def test_a_document_that_can_not_be_read_stops_only_itself(
    box: Box, client: AirbaseClient, fields: dict[str, Any], said: str
) -> None:
    row = box.airbase.documents("payments")[2]
    edit(box, "update", "payments", row["airbase_id"], **fields)
    sights = everything(AirbaseSource(client, "payments", UTC))
    odd = [sight for sight in sights if sight.unreadable]
    assert [sight.key for sight in odd] == [row["airbase_id"]]
    assert odd[0].rows[0].mark
    assert odd[0].unreadable is not None
    assert odd[0].unreadable.sentence == f"Payment {row['number']} can't be read: {said}."
    assert sum(sight.record is not None for sight in sights) == len(sights) - 1


def test_ten_thousand_lines_are_read(box: Box, client: AirbaseClient) -> None:
    row = box.airbase.documents("ledger_entries")[0]
    lines = [{**row["expense_list"][0], "line_number": at, "amount": "0.01"} for at in range(1, 10_001)]
    edit(box, "update", "ledger_entries", row["airbase_id"], expense_list=lines)
    source = AirbaseSource(client, "ledger_entries", UTC)
    swept(source)
    (sight,) = read(source, row["airbase_id"])
    assert len(sight.record.lines) == 10_000
    assert sight.record.lines[-1].number == 10_000


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026-07-01T23:30:00", date(2026, 7, 1)),
        ("2026-07-01T23:30:00.123456", date(2026, 7, 1)),
        ("2026-07-01T23:30:00Z", date(2026, 7, 2)),
        ("2026-07-01T23:30:00+05:00", date(2026, 7, 1)),
        ("2026-07-01", date(2026, 7, 1)),
        ("", None),
        ("tomorrow", None),
        ("2026-02-30T00:00:00", None),
        ("9999-12-31T23:59:59Z", None),
        (20260701, None),
        (None, None),
    ],
)
def test_the_day_of_a_document(box: Box, client: AirbaseClient, written: Any, day: date | None) -> None:
    row_id = box.airbase.rows("payments")[0]["airbase_id"]
    edit(box, "update", "payments", row_id, paid_at=written)
    (sight,) = read(AirbaseSource(client, "payments", OSLO), row_id)
    assert sight.unreadable is None
    assert sight.record.dated_on == day


@given(st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001
def test_a_day_is_as_written_or_that_of_the_zone(at: datetime, offset_min: int) -> None:
    assert documents.day_in(at.isoformat(), OSLO) == at.date()
    aware = at.replace(tzinfo=timezone(timedelta(minutes=offset_min)))
    assert documents.day_in(aware.isoformat(), OSLO) == aware.astimezone(OSLO).date()


# --- marks and spools

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_ROWS = st.dictionaries(st.text(max_size=5), _VALUES, max_size=6)


@given(_ROWS, st.randoms(use_true_random=False))
def test_a_mark_stays_whatever_the_order_of_the_fields(row: dict[str, Any], shuffle: Any) -> None:
    mixed = list(row.items())
    shuffle.shuffle(mixed)
    assert mark_of([canonical(dict(mixed))]) == mark_of([canonical(row)])


@given(_ROWS, _ROWS)
def test_rows_that_differ_have_different_marks(one: dict[str, Any], other: dict[str, Any]) -> None:
    same = msgspec.json.encode(one, order="sorted") == msgspec.json.encode(other, order="sorted")
    assert (mark_of([canonical(one)]) == mark_of([canonical(other)])) == same


_FEW = st.dictionaries(st.sampled_from("xy"), st.integers(0, 2))


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["", "k", "l"]), _FEW), max_size=12))
def test_a_spool_holds_the_latest_of_each_row(puts: list[tuple[str, str, dict[str, Any]]]) -> None:
    spool, latest = Spool(), dict[str, tuple[str, dict[str, Any]]]()
    for row_id, key, fields in puts:
        row = {**fields, "airbase_id": row_id}
        assert spool.put(key, row) == (row_id not in latest)
        latest[row_id] = (key, row)
    assert spool.rows == len(latest)
    assert set(spool) == {key for key, _ in latest.values() if key}
    for wanted in ("k", "l"):
        held = tuple(canonical(row) for _, (key, row) in sorted(latest.items()) if key == wanted)
        assert spool.get(wanted) == held
        assert (wanted in spool) == bool(held)


def test_a_spool_is_full_only_for_new_rows() -> None:
    spool = Spool(1)
    spool.put("k", {"id": "a"})
    spool.put("k", {"id": "a", "more": 1})
    with pytest.raises(FullError):
        spool.put("k", {"id": "b"})


def test_payments_take_little_memory() -> None:
    options = SpendOptions(payments=300, vendor_count=10)
    with started(spend=options) as box:
        rows = box.airbase.documents("payments")
    spool = Spool()
    tracemalloc.start()
    for number in range(4_000):
        row = {**rows[number % len(rows)], "airbase_id": f"{number:036d}", "number": f"PAY-{number}"}
        spool.put(row["airbase_id"], row)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert held < 6 * 2**20


# --- what else there is to read


def test_references_to_invoices_are_one_list_in_key_order(box: Box, client: AirbaseClient) -> None:
    source = AirbaseSource(client, "invoice_references", UTC)
    assert (source.parts, source.heads, source.depth) == (
        ("purchase_requests", "payments"),
        ("purchase_requests", "payments"),
        5,
    )
    by_sweep = marks(swept(source))
    sights = everything(AirbaseSource(client, "invoice_references", UTC))
    assert [sight.key for sight in sights] == sorted(by_sweep)
    assert {sight.key: sight.rows[0].mark for sight in sights} == by_sweep
    for sight in sights:
        reference: InvoiceReference = sight.record
        supplier = reference.supplier_id or "-"
        assert sight.key == keys.join((reference.kind, reference.id, reference.number_kind, supplier, reference.number))
    assert {sight.record.kind for sight in sights} == {"purchase_request", "payment"}
    assert read(AirbaseSource(client, "invoice_references", UTC), sights[0].key) == [sights[0]]


@pytest.mark.parametrize(
    ("kind", "fields", "expected"),
    [
        ("purchase_requests", {"status": "approved", "invoice_number": "I1"}, ("invoice", "I1", "Approved")),
        ("purchase_requests", {"status": "denied", "invoice_number": "I1"}, ("invoice", "I1", "Declined")),
        ("purchase_requests", {"status": "created", "invoice_number": " I1 "}, ("invoice", "I1", "")),
        ("purchase_requests", {"invoice_number": None, "po_number": "P\n1"}, ("order", "P 1", "Approved")),
        ("payments", {"status": "settled", "invoice_number": "", "po_number": "P1"}, ("order", "P1", "Paid")),
        ("payments", {"status": "reversed", "invoice_number": "I1"}, ("invoice", "I1", "Reversed")),
        ("payments", {"status": "pending", "invoice_number": "I1"}, ("invoice", "I1", "")),
    ],
)
def test_what_a_reference_says(
    box: Box, client: AirbaseClient, kind: str, fields: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    row_id = box.airbase.documents(kind, status={"payments": "settled"}.get(kind, "approved"))[0]["airbase_id"]
    edit(box, "update", kind, row_id, **fields)
    sights = everything(AirbaseSource(client, "invoice_references", UTC))
    (reference,) = [sight.record for sight in sights if keys.split(sight.key)[1] == row_id]
    assert (reference.number_kind, reference.number, reference.status) == expected


def test_a_document_without_a_number_refers_to_nothing(box: Box, client: AirbaseClient) -> None:
    row = box.airbase.rows("payments")[0]
    source = AirbaseSource(client, "invoice_references", UTC)
    key = next(key for key in marks(swept(source)) if keys.split(key)[1] == row["airbase_id"])
    edit(box, "update", "payments", row["airbase_id"], invoice_number=None, po_number=None)
    source = AirbaseSource(client, "invoice_references", UTC)
    assert key not in marks(swept(source))
    assert read(source, key) == [Sight(key)]


def test_an_unreadable_reference_is_not_lost(box: Box, client: AirbaseClient) -> None:
    row_id = box.airbase.rows("payments")[0]["airbase_id"]
    edit(box, "update", "payments", row_id, invoice_number=["x"])
    sights = everything(AirbaseSource(client, "invoice_references", UTC))
    (odd,) = [sight for sight in sights if sight.unreadable]
    assert keys.split(odd.key)[1] == row_id


def test_vendor_terms_are_those_of_vendors_with_a_supplier() -> None:
    with started(prefilled_vendors=3) as box, client_of(box) as client:
        vendors = [row for row in box.airbase.rows("vendors") if row["erp_reference_id"]]
        edit(box, "update", "vendors", vendors[0]["airbase_id"], payment_terms="Net 30")
        source = AirbaseSource(client, "vendor_terms", UTC)
        assert source.parts == ("vendor_terms",)
        records = {sight.key: sight.record for sight in everything(source)}
        assert records == {
            row["erp_reference_id"]: VendorTerms(row["erp_reference_id"], "Net 30" if row is vendors[0] else "")
            for row in vendors
        }
        asked = client.wire.requests
        assert read(source, "nobody") == [Sight("nobody")]
        assert client.wire.requests == asked


def test_a_supplier_with_two_vendors_is_for_a_person() -> None:
    with started(prefilled_vendors=2) as box, client_of(box) as client:
        reference = box.airbase.rows("vendors")[0]["erp_reference_id"]
        edit(box, "create", "vendors", "", name="Twin", erp_reference_id=reference)
        (odd,) = [sight for sight in everything(AirbaseSource(client, "vendor_terms", UTC)) if sight.unreadable]
        assert (odd.key, len(odd.rows)) == (reference, 1)
        assert odd.unreadable is not None
        assert "2 times" in odd.unreadable.sentence


@pytest.mark.parametrize("honour_filters", [True, False])
def test_new_vendors_are_those_without_a_supplier(honour_filters: bool) -> None:
    with started(prefilled_vendors=3, honour_filters=honour_filters) as box, client_of(box) as client:
        new = [row for row in box.airbase.rows("vendors") if not row["erp_reference_id"]]
        fields = {"tax_id": "T1", "bank_country": "SE", "currency": "EUR", "address": {"country": "SE"}}
        edit(box, "update", "vendors", new[0]["airbase_id"], **fields)
        edit(box, "update", "vendors", new[1]["airbase_id"], is_active=False)
        (sight,) = everything(AirbaseSource(client, "new_vendors", UTC))
        row_id = new[0]["airbase_id"]
        assert sight.record == NewSupplier(row_id, new[0]["name"], "SE", "T1", "EUR", "SE")


def test_accounts_and_tags_that_are_there(box: Box, client: AirbaseClient) -> None:
    accounts = [sight.record for sight in everything(AirbaseSource(client, "accounts", UTC))]
    assert {one.id: one for one in accounts} == {
        row["airbase_id"]: SpendAccount(row["erp_reference_id"], row["name"], row["is_active"], row["airbase_id"])
        for row in box.airbase.rows("accounts")
    }
    tags = [sight.record for sight in everything(AirbaseSource(client, "tags", UTC))]
    assert {(one.label, one.reference, one.name, one.active) for one in tags} == {
        (row["type_label"], row["erp_reference_id"], row["name"], row["is_active"]) for row in box.airbase.rows("tags")
    }
    assert all(isinstance(one, SpendTag) for one in tags)


def test_a_tenant_with_other_names_is_read_by_its_profile(box: Box) -> None:
    row = box.airbase.rows("payments")[0]
    edit(box, "update", "payments", row["airbase_id"], paid_on="2026-01-02T00:00:00", paid_at=None)
    with client_of(box, {"payments": {"fields": {"paid_at": "paid_on"}}}) as client:
        (sight,) = read(AirbaseSource(client, "payments", UTC), row["airbase_id"])
        assert sight.record.dated_on == date(2026, 1, 2)
    assert DEFAULT.payments.named("paid_at") == "paid_at"
