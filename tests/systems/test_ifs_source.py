"""Reading without loss: caps, repeats, timeouts, circles, rows that move, rows that can't be read."""

import base64
import functools
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from email.utils import formatdate
from types import CodeType
from typing import Any
from urllib.parse import unquote

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reaching import unhurried

from ml_connector.errors import MalformedError, SettingsError, UnreachableError
from ml_connector.records import keys
from ml_connector.records.supplier import Address, SupplierTerms
from ml_connector.sync.detect import Page
from ml_connector.sync.ports import Sight, Source
from ml_connector.systems.http import Anonymous, Patience, Reach, Wire
from ml_connector.systems.ifs.client import IfsClient
from ml_connector.systems.ifs.loading import load
from ml_connector.systems.ifs.odata.answers import explain
from ml_connector.systems.ifs.pager import Plan
from ml_connector.systems.ifs.source import IfsSource

Row = dict[str, Any]
ORIGIN = "https://acme.ifs.cloud"
FIXED = re.compile(r"\w+ eq IfsApp[\w.]+'\w+'")


COLUMNS = ("SupplierId", "Identity", "Company", "AddressId", "OrderNo", "LineNo", "ReleaseNo", "Cf_Modified_At")


@functools.cache
def python_of(text: str) -> CodeType:
    """A filter of comparisons, and, or and brackets as Python; written apart from what it tests."""
    tokens = re.findall(r"'(?:[^']|'')*'|[()]|[^\s()']+", FIXED.sub("1 eq 1", text))
    python = {"eq": "==", "gt": ">", "ge": ">=", "and": "and", "or": "or", "(": "(", ")": ")"}
    code = [
        python[token] if token in python
        else repr(token[1:-1].replace("''", "'")) if token[0] == "'"
        else f"(row[{token!r}] or '')" if token in COLUMNS
        else token if token.isdigit()
        else repr(token)
        for token in tokens
    ]  # fmt: skip
    return compile(" ".join(code), "filter", "eval")


def allows(text: str, row: Row) -> bool:
    return bool(eval(python_of(text), {"row": row}))  # noqa: S307


class FakeIfs:
    """Sets of rows behind an OData door with as many bad habits as wanted."""

    def __init__(self, **sets: list[Row]) -> None:
        self.sets = sets
        self.cap = 10_000
        self.slow_above = 10_000
        self.links = False
        self.before: Callable[[int], None] = lambda _: None
        self.sort: Callable[[Any], Any] = lambda value: value or ""
        self.deaf = False  # does not hear $filter and $skip
        self.date = time.time()
        self.asked: list[dict[str, str]] = []
        self.lock = threading.Lock()

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        with self.lock:
            path, _, query = request.url.raw_path.decode().partition("?")
            options = {name: unquote(value) for name, _, value in (part.partition("=") for part in query.split("&"))}
            options["set"] = path.rsplit("/", 1)[1]
            self.asked.append(options)
            self.before(len(self.asked))
            if int(options["$top"]) > self.slow_above:
                return httpx2.Response(504, json={"error": {"code": "ODP_OPERATION_TIMEOUT", "message": "too slow"}})
            return self._page(options)

    def _page(self, options: dict[str, str]) -> httpx2.Response:
        order = options["$orderby"].split(",")
        rows = sorted(self.sets[options["set"]], key=lambda row: [self.sort(row[column]) for column in order])
        if not self.deaf:
            rows = [row for row in rows if "$filter" not in options or allows(options["$filter"], row)]
            rows = rows[int(options.get("$skip", "0")) :]
        top = min(int(options["$top"]), self.cap)
        names = [*options["$select"].split(","), "@odata.etag"]
        value = [{name: row.get(name) for name in names} for row in rows[:top]]
        body: Row = {"value": value}
        if self.links and len(rows) > top:
            body["@odata.nextLink"] = f"{options['set']}?$select={options['$select']}&$orderby={','.join(order)}&$top=1"
        return httpx2.Response(
            200,
            content=json.dumps(body).encode(),
            headers={"Date": formatdate(self.date, usegmt=True), "Content-Type": "application/json"},
        )

    def client(self, companies: tuple[str, ...] = (), **profile: Any) -> IfsClient:
        wire = Wire(
            "ifs",
            ORIGIN,
            Anonymous(),
            unhurried(),
            reach=Reach(transport=httpx2.MockTransport(self)),
            patience=Patience(pause_s=0.0001),
            explain=explain,
        )
        return IfsClient(wire, load({"page_rows": 100, **profile}), companies)


def etag(version: str) -> str:
    inner = base64.b64encode(f'W/"AAA:{version}"'.encode()).decode()
    return f'W/"{inner}"'


def supplier(number: Any, **more: Any) -> Row:
    key = number if isinstance(number, str) else f"S{number:05}"
    return {"SupplierId": key, "Name": f"Name {key}", "AssociationNo": None, "Country": "NO", "@odata.etag": etag("1"),
            **more}  # fmt: skip


def term(number: int | str, company: str = "10", **more: Any) -> Row:
    key = number if isinstance(number, str) else f"S{number:05}"
    return {"Identity": key, "Company": company, "PayTermId": "30", "DefCurrency": "NOK", "ExpireDate": None,
            "@odata.etag": etag("1"), **more}  # fmt: skip


def address(number: int | str, address_id: str = "1", **more: Any) -> Row:
    key = number if isinstance(number, str) else f"S{number:05}"
    return {"SupplierId": key, "AddressId": address_id, "Address1": "Street 1", "Address2": None, "ZipCode": "0150",
            "City": "Oslo", "State": None, "Country": "NO", "@odata.etag": etag("1"), **more}  # fmt: skip


def suppliers(rows: list[Row], terms: list[Row] | None = None, addresses: list[Row] | None = None) -> FakeIfs:
    return FakeIfs(
        SupplierInfoGeneralSet=rows, IdentityInvoiceInfoSet=terms or [], SupplierInfoAddressSet=addresses or []
    )


def order(number: str, **more: Any) -> Row:
    return {"OrderNo": number, "VendorNo": "S1", "Contract": "1", "Company": "10", "CurrencyCode": "NOK",
            "BuyerCode": "B", "OrderDate": "2026-01-02", "Objstate": "Released", "@odata.etag": etag("1"),
            **more}  # fmt: skip


def line(number: str, line_no: str = "1", **more: Any) -> Row:
    return {"OrderNo": number, "LineNo": line_no, "ReleaseNo": "1", "PartNo": None, "Description": "Bolts",
            "BuyQtyDue": 2, "BuyUnitMeas": "PCS", "BuyUnitPrice": "1.10", "CurrencyCode": "NOK",
            "WantedDeliveryDate": None, "Objstate": "Released", "@odata.etag": etag("1"), **more}  # fmt: skip


def orders(rows: list[Row], lines: list[Row] | None = None) -> FakeIfs:
    return FakeIfs(PurchaseOrderSet=rows, PurchaseOrderLineSet=lines or [])


def swept(fake: FakeIfs, cursor: str = "", **profile: Any) -> list[Page]:
    return list(IfsSource(fake.client(**profile), "suppliers").sweep("suppliers", cursor))


def sights(fake: FakeIfs, resource: str = "suppliers", companies: tuple[str, ...] = ()) -> list[Sight]:
    return [sight for page in IfsSource(fake.client(companies), resource).read_all() for sight in page.sights]


def ids(pages: list[Page]) -> list[str]:
    return [row.key for page in pages for row in page.rows]


# Pages


@given(st.sets(st.integers(0, 2000), max_size=400), st.integers(1, 150), st.integers(1, 150), st.booleans())
@settings(max_examples=60, deadline=None)
def test_every_row_once_whatever_the_cap(numbers: set[int], cap: int, page_rows: int, links: bool) -> None:
    fake = suppliers([supplier(number) for number in numbers])
    fake.cap, fake.links = cap, links
    pages = swept(fake, page_rows=page_rows)
    assert ids(pages) == sorted(f"S{number:05}" for number in numbers)
    assert [page.upto for page in pages] == [*(page.rows[-1].key for page in pages[:-1]), None]
    assert all(page.complete for page in pages)


@given(
    st.sets(st.integers(0, 500), min_size=1, max_size=150),
    st.lists(st.sets(st.integers(0, 500), max_size=30)),
    st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_rows_that_stay_are_seen_while_others_move(stay: set[int], others: list[set[int]], links: bool) -> None:
    fake = suppliers([supplier(number) for number in stay])
    fake.cap, fake.links = 20, links

    def move(count: int) -> None:
        now = others[count % len(others)] if others else set[int]()
        fake.sets["SupplierInfoGeneralSet"] = [supplier(number) for number in stay | now]

    fake.before = move
    found = ids(swept(fake))
    assert {f"S{number:05}" for number in stay} <= set(found)
    assert found == sorted(set(found))


def test_a_short_page_is_not_the_end() -> None:
    fake = suppliers([supplier(number) for number in range(90)])
    caps = iter([40, 7, 30, 1, 50, 50, 50])

    def vary(_: int) -> None:
        fake.cap = next(caps)

    fake.before = vary
    assert len(ids(swept(fake))) == 90


def test_page_halves_when_overdue_and_recovers() -> None:
    fake = suppliers([supplier(number) for number in range(4000)])
    fake.slow_above = 150

    def quicken(count: int) -> None:
        fake.slow_above = 150 if count < 12 else 10_000

    fake.before = quicken
    assert len(ids(swept(fake, page_rows=800))) == 4000
    tops = [int(options["$top"]) for options in fake.asked]
    assert tops[:4] == [800, 400, 200, 100]
    assert max(tops[4:]) > 100
    assert tops[-1] > 100


def test_smallest_page_overdue_is_an_error() -> None:
    fake = suppliers([supplier(1)])
    fake.slow_above = 10
    with pytest.raises(UnreachableError, match="504: too slow"):
        swept(fake)


def test_rows_out_of_order_stop_the_reading() -> None:
    fake = suppliers([supplier(key) for key in ("a", "B", "c", "D")])
    fake.sort = lambda value: str(value).lower()
    with pytest.raises(MalformedError, match='paging = "skip" for suppliers'):
        swept(fake)


def test_numbers_are_not_cut_into_stretches_of_text() -> None:
    fake = suppliers([supplier("", SupplierId=number) for number in range(2, 30)])
    (whole,) = IfsSource(fake.client(), "suppliers").read_all()
    assert len(whole.sights) == 28
    with pytest.raises(MalformedError, match="its key is not text"):
        list(IfsSource(fake.client(page_rows=18), "suppliers").read_all())  # to 19, between 10 and 2 as texts go


def test_skip_paging_reads_and_sorts_what_is_sorted_otherwise() -> None:
    fake = suppliers([supplier(key) for key in ("a", "B", "c", "D")], [term("B"), term("a")], [address("D")])
    fake.sort = lambda value: str(value).lower()
    fake.cap = 1
    skip = {"paging": "skip"}
    client = fake.client(suppliers=skip, supplier_terms=skip, supplier_addresses=skip)
    source = IfsSource(client, "suppliers")
    assert ids(list(source.sweep("suppliers", ""))) == ["B", "D", "a", "c"]
    found = [sight for page in source.read_all() for sight in page.sights]
    assert [(sight.key, len(sight.rows)) for sight in found] == [("B", 2), ("D", 2), ("a", 2), ("c", 1)]
    assert [sight.key for sight in next(source.read(["c", "B"])) if sight.there] == ["c", "B"]


@pytest.mark.parametrize("paging", ["keyset", "skip"])
def test_a_server_that_gives_the_same_page_again(paging: str) -> None:
    fake = suppliers([supplier(number) for number in range(200)])
    fake.deaf = True
    with pytest.raises(MalformedError, match=r"repeats|ascending"):
        swept(fake, suppliers={"paging": paging})


def _linked(link: str, times: int = 99) -> Callable[[httpx2.Request], httpx2.Response]:
    def answer(request: httpx2.Request) -> httpx2.Response:
        nonlocal times
        times -= 1
        number = 99 - times
        body: Row = {"value": [supplier(number)] if number % 2 else []}
        if times > 0:
            body["@odata.nextLink"] = link.replace("{n}", str(number))
        return httpx2.Response(200, json=body)

    return answer


def _pages(answer: Callable[[httpx2.Request], httpx2.Response]) -> list[Row]:
    client = FakeIfs().client(suppliers={"paging": "skip"})
    client.wire = Wire(
        "ifs",
        ORIGIN,
        Anonymous(),
        unhurried(),
        reach=Reach(transport=httpx2.MockTransport(answer)),
    )
    return [
        row
        for page in client.pages("suppliers", Plan(("SupplierId",), ("SupplierId",), skip=True))
        for row in page.rows
    ]


def test_pages_that_go_round_in_a_circle() -> None:
    with pytest.raises(MalformedError, match="circle"):
        _pages(_linked("SupplierInfoGeneralSet?$skiptoken=1"))


@pytest.mark.parametrize(
    "link", ["https://elsewhere.example/x", "http://acme.ifs.cloud/x", "//elsewhere/x", "/auth/x", "../../X.svc/Y"]
)
def test_next_page_elsewhere_is_not_followed(link: str) -> None:
    with pytest.raises(MalformedError, match="elsewhere"):
        _pages(_linked(link))


def test_next_link_is_followed_through_empty_pages() -> None:
    asked: list[str] = []
    inner = _linked("SupplierInfoGeneralSet?$skiptoken={n}", 6)

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.raw_path.decode())
        return inner(request) if len(asked) <= 6 else httpx2.Response(200, json={"value": []})

    assert len(_pages(answer)) == 3
    assert asked[1].endswith("SupplierInfoGeneralSet?$skiptoken=94")


@pytest.mark.parametrize("key", [None, "", True, {}])
def test_a_row_without_a_key_stops_the_reading(key: Any) -> None:
    with pytest.raises(MalformedError, match="no usable SupplierId"):
        swept(suppliers([supplier(1) | {"SupplierId": key}]))


def test_control_characters_at_the_edge_of_a_page_lose_nothing() -> None:
    rows = [supplier(f"S{number:03}") for number in range(20)]
    rows[3:3] = [supplier("S002\t"), supplier("S002\t\t")]
    rows.append(supplier("S019\n"))
    fake = suppliers(rows, [term("S002\t")])
    fake.cap = 4
    source = IfsSource(fake.client(page_rows=4), "suppliers")
    whole = list(source.read_all())
    assert all(page.upto is None or page.upto.isascii() for page in whole)
    found = [sight for page in whole for sight in page.sights]
    assert [sight.record.supplier_id for sight in found if sight.record] == [f"S{number:03}" for number in range(20)]
    odd = [sight for sight in found if sight.unreadable]
    assert [sight.key for sight in odd] == ["S002␉", "S002␉␉", "S019␊"]
    assert all(not sight.rows and "control character" in str(sight.unreadable) for sight in odd)
    assert all(page.upto is None or page.upto.isascii() for page in source.sweep("suppliers", ""))
    read = next(source.read(["S002␉", "S001"]))
    assert [(sight.key, sight.there, bool(sight.unreadable)) for sight in read] == [
        ("S002␉", True, True),
        ("S001", True, False),
    ]


@pytest.mark.parametrize("key", ["ZZ1 ", " ZZ1", "ZZ1\u00a0"])
def test_a_key_with_outer_blanks_is_held(key: str) -> None:
    """Airbase drops them: what was created would never be found again."""
    fake = suppliers([supplier("ZZ1"), supplier(key, Name="Zed")], [term("ZZ1"), term(key)])
    source = IfsSource(fake.client(), "suppliers")
    for found in ([sight for page in source.read_all() for sight in page.sights], next(source.read([key, "ZZ1"]))):
        by_key = {sight.key: sight for sight in found}
        assert by_key.keys() == {"ZZ1", key}
        assert by_key["ZZ1"].record.supplier_id == "ZZ1"
        odd = by_key[key]
        assert odd.record is None
        assert odd.unreadable
        assert (odd.unreadable.cause, odd.unreadable.owner) == ("unreadable", "administrator")
        assert f"Supplier {key!r} has a blank at the beginning or end of its key" in odd.unreadable.sentence
        assert [row.key.split("\x1f")[0] for row in odd.rows] == [key, key]


@pytest.mark.parametrize(("parallel", "most"), [(1, 3), (4, 6)])
def test_no_more_than_that_many_are_ahead_and_their_threads_end(parallel: int, most: int) -> None:
    others = set(threading.enumerate())
    fake = suppliers([supplier(number) for number in range(1000)])
    client = fake.client(page_rows=10, parallel=parallel)
    pages = IfsSource(client, "suppliers").sweep("suppliers", "")
    next(pages)
    time.sleep(0.1)
    assert len(fake.asked) <= most  # one given out, one held back to know the last, those ahead
    assert isinstance(pages, Iterator)
    getattr(pages, "close")()  # noqa: B009
    client.close()
    deadline = time.monotonic() + 60
    while _reading(others) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not _reading(others)
    assert len(fake.asked) <= most + 1


def _reading(others: set[threading.Thread]) -> list[str]:
    own = set(threading.enumerate()) - others
    return [thread.name for thread in own if thread.name.startswith(("page", "early"))]


# Changed rows

MODIFIED = {"modified": "Cf_Modified_At"}


def changed_at(number: int, time_text: str | None) -> Row:
    return supplier(number, Cf_Modified_At=time_text)


def test_changes_are_asked_for_by_time_with_an_overlap() -> None:
    fake = suppliers(
        [
            changed_at(1, "2026-01-01T10:00:00Z"),
            changed_at(2, "2026-01-01T07:59:59Z"),
            changed_at(3, "2026-01-01T12:00:00Z"),
            changed_at(4, None),
            changed_at(5, "2026-01-01T08:00:00Z"),
        ]
    )
    pages = swept(fake, "2026-01-01T10:00:00Z", suppliers=MODIFIED)
    assert ids(pages) == ["S00005", "S00001", "S00003"]
    assert [row.modified for page in pages for row in page.rows][-1] == "2026-01-01T12:00:00Z"
    assert not any(page.complete for page in pages)
    assert fake.asked[0]["$filter"] == "Cf_Modified_At ge 2026-01-01T08:00:00Z"
    assert fake.asked[0]["$orderby"] == "Cf_Modified_At,SupplierId"


@given(st.lists(st.integers(0, 5), max_size=60), st.integers(1, 7))
@settings(max_examples=50, deadline=None)
def test_equal_times_at_page_edges_lose_nothing(seconds: list[int], cap: int) -> None:
    fake = suppliers([changed_at(number, f"2026-01-01T10:00:0{second}Z") for number, second in enumerate(seconds)])
    fake.cap = cap
    found = ids(swept(fake, "2026-01-01T10:00:00Z", suppliers=MODIFIED))
    assert sorted(found) == [f"S{number:05}" for number in range(len(seconds))]


@pytest.mark.parametrize("cursor", ["", "never", "2999-01-01T00:00:00Z"])
def test_a_cursor_of_no_use_reads_all(cursor: str) -> None:
    fake = suppliers([changed_at(1, "2026-01-01T10:00:00Z")])
    assert [page.complete for page in swept(fake, cursor, suppliers=MODIFIED)] == [True]


def test_a_time_in_the_future_moves_no_cursor() -> None:
    fake = suppliers([changed_at(1, "2999-01-01T10:00:00Z"), changed_at(2, "2026-01-01T10:00:00Z")])
    rows = swept(fake, suppliers=MODIFIED)[0].rows
    assert [row.modified for row in rows] == ["", "2026-01-01T10:00:00Z"]


def test_a_row_written_just_now_has_no_mark() -> None:
    stamp = time.strftime("%Y%m%d%H%M%S", time.gmtime(time.time() + 7200))
    fake = suppliers([supplier(1, **{"@odata.etag": etag(stamp)}), supplier(2), supplier(3, **{"@odata.etag": None})])
    assert [bool(row.mark) for row in swept(fake)[0].rows] == [False, True, False]


# Records


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_all_parts_are_joined_as_a_dictionary_would(data: st.DataObject) -> None:
    names = st.sampled_from(["A", "A B", "AB", "B", "Å", "a", "B'C", "Z-1"])
    heads = data.draw(st.sets(names))
    terms = data.draw(st.sets(st.tuples(names, st.sampled_from(["10", "20", "3"]))))
    addresses = data.draw(st.sets(st.tuples(names, st.sampled_from(["1", "2", "10"]))))
    fake = suppliers(
        [supplier(name) for name in heads],
        [term(name, company) for name, company in terms],
        [address(name, number, City=number) for name, number in addresses],
    )
    fake.cap = data.draw(st.integers(1, 5))
    source = IfsSource(fake.client(page_rows=data.draw(st.integers(1, 6))), "suppliers")
    pages = list(source.read_all())
    found = [sight for page in pages for sight in page.sights]
    assert [sight.key for sight in found] == sorted(heads | {name for name, _ in terms | addresses})
    for sight in found:
        mine = sorted(company for name, company in terms if name == sight.key)
        homes = sorted((int(number) for name, number in addresses if name == sight.key))
        assert (sight.record is not None) == (sight.key in heads)
        assert len(sight.rows) == (sight.key in heads) + len(mine) + len(homes)
        if sight.record:
            assert [item.company for item in sight.record.terms] == mine
            assert (sight.record.address.city if sight.record.address else None) == (str(homes[0]) if homes else None)
    last = ""
    for page in pages[:-1]:
        assert page.upto
        assert all(last < sight.key <= page.upto for sight in page.sights)
        last = page.upto
    assert pages[-1].upto is None
    asked = [*sorted(heads), "nobody"]
    assert [sight for group in source.read(asked) for sight in group] == [
        next((sight for sight in found if sight.key == key), Sight(key)) for key in asked
    ]


def test_a_supplier_with_all_its_rows() -> None:
    fake = suppliers(
        [supplier(1, Name=" Acme  AS ", AssociationNo="NO 1", **{"@odata.etag": etag("7")})],
        [term(1, "20"), term(1, "10", ExpireDate="2026-03-01"), term(1, "30")],
        [address(1, "2"), address(1, "1", Address2="c/o X")],
    )
    (found,) = sights(fake, companies=("10", "20"))
    assert found.record.name == "Acme  AS"
    assert found.record.terms == (
        SupplierTerms("10", "30", "NOK", date(2026, 3, 1)),
        SupplierTerms("20", "30", "NOK", None),
    )
    assert found.record.address == Address("Street 1, c/o X", "Oslo", "0150", "", "NO")
    assert [keys.shown(row.key) for row in found.rows] == [
        "S00001",
        "S00001 / 10",
        "S00001 / 20",
        "S00001 / 1",
        "S00001 / 2",
    ]


def test_a_key_that_is_text_here_and_a_number_there_stops_the_reading() -> None:
    with pytest.raises(MalformedError, match="text in one set and a number in another"):
        sights(suppliers([supplier("1")], [term("1") | {"Identity": 1}]))


def test_an_order_of_another_company_does_not_exist() -> None:
    fake = orders([order("1"), order("2", Company="99")], [line("1"), line("2")])
    first, second = sights(fake, "purchase_orders", companies=("10", "20"))
    assert first.record.lines[0].unit_price == Decimal("1.10")
    assert (second.key, second.there, len(second.rows)) == ("2", False, 1)
    assert fake.asked[0]["$filter"] == "(Company eq '10') or (Company eq '20')"


def test_a_line_without_a_currency_is_in_that_of_its_order() -> None:
    fake = orders([order("1")], [line("1", "1", CurrencyCode=None), line("1", "2", CurrencyCode="EUR")])
    (found,) = sights(fake, "purchase_orders")
    assert [item.currency for item in found.record.lines] == ["NOK", "EUR"]
    client = fake.client(order_lines={"fields": {"currency": ""}})
    (page,) = IfsSource(client, "purchase_orders").read_all()
    assert [item.currency for item in page.sights[0].record.lines] == ["NOK", "NOK"]


def test_lines_are_ordered_as_people_count() -> None:
    fake = orders([order("1")], [line("1", number) for number in ("1", "10", "2")])
    assert [item.line_no for item in sights(fake, "purchase_orders")[0].record.lines] == ["1", "2", "10"]


@pytest.mark.parametrize(
    ("rows", "lines", "words"),
    [
        ([order("1", VendorNo=None)], [], "Purchase order 1 has no supplier id"),
        ([order("1", CurrencyCode=" ")], [], "has no currency"),
        ([order("1", OrderDate="yesterday")], [], "ordered of Purchase order 1 is not a date"),
        ([order("1", OrderDate="2026-02-30")], [], "not a date"),
        ([order("1", OrderDate="2026-02-03T10:00:00Z")], [], "not a date"),
        ([order("1", Objstate={"x": 1})], [], "state of Purchase order 1 is not text"),
        ([order("1")], [line("1", BuyQtyDue="many")], "quantity of Purchase order line 1 / 1 / 1 is not a number"),
        ([order("1")], [line("1", BuyQtyDue=None)], "has no quantity"),
        ([order("1")], [line("1", BuyUnitPrice=True)], "not a number"),
        ([order("1")], [line("1", BuyUnitPrice="NaN")], "not a number"),
        ([order("1")], [line("1", BuyUnitPrice=[])], "not a number"),
    ],
)
def test_what_cannot_be_read_is_held_and_the_rest_goes_on(rows: list[Row], lines: list[Row], words: str) -> None:
    found = sights(orders([*rows, order("2")], [*lines, line("2")]), "purchase_orders")
    assert found[0].record is None
    assert found[0].unreadable
    assert found[0].unreadable.cause == "unreadable"
    assert words in found[0].unreadable.sentence
    assert found[0].unreadable.remedy
    assert len(found[0].rows) == 1 + len(lines)
    assert found[1].record


def test_numbers_are_exact() -> None:
    fake = orders([order("1")], [line("1", BuyQtyDue=12345678901234567890, BuyUnitPrice="0.10000000000000000001")])
    found = sights(fake, "purchase_orders")[0].record.lines[0]
    assert (found.quantity, found.unit_price) == (Decimal(12345678901234567890), Decimal("0.10000000000000000001"))


def test_read_by_key_is_chunked_and_asks_once_where_it_can() -> None:
    fake = suppliers([supplier(number) for number in range(300)], [term(number) for number in range(300)])
    source = IfsSource(fake.client(keys_per_request=50), "suppliers")
    for part in source.parts:
        list(source.sweep(part, ""))
    begun = len(fake.asked)
    found = [sight for group in source.read([f"S{number:05}" for number in range(120)]) for sight in group]
    assert len(found) == 120
    asked = [options["set"] for options in fake.asked[begun:]]
    assert asked.count("SupplierInfoGeneralSet") == 3
    assert asked.count("IdentityInvoiceInfoSet") == 3
    assert all(len(options.get("$filter", "")) < 6000 for options in fake.asked)


def test_child_rows_beyond_a_cap_are_read() -> None:
    fake = orders([order("1")], [line("1", str(number)) for number in range(57)])
    fake.cap = 10
    (found,) = next(IfsSource(fake.client(), "purchase_orders").read(["1"]))
    assert len(found.record.lines) == 57


def test_rows_not_asked_for_are_refused() -> None:
    fake = suppliers([supplier(1), supplier(2)])
    fake.deaf = True
    with pytest.raises(MalformedError, match="not asked for"):
        list(IfsSource(fake.client(), "suppliers").read(["S00001"]))


def test_the_same_key_asked_twice_and_none() -> None:
    source = IfsSource(suppliers([supplier(1)]).client(), "suppliers")
    assert [len(group) for group in source.read(["S00001", "S00001"])] == [1]
    assert list(source.read([])) == []


def test_it_is_a_source() -> None:
    source: Source = IfsSource(suppliers([]).client(), "purchase_orders")
    assert (source.parts, source.depth, source.keys_per_request) == (("orders", "order_lines"), 1, 50)
    assert [page.upto for page in IfsSource(suppliers([]).client(), "suppliers").read_all()] == [None]
    with pytest.raises(SettingsError, match="no resource"):
        IfsSource(suppliers([]).client(), "invoices")
