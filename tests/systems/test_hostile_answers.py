"""Answers that somebody made to do harm: an error of ours or a record that is held, in little memory."""

import json
import tracemalloc
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import pytest
from reaching import airbase_client, laid_out, unhurried

from ml_connector import errors
from ml_connector.systems import verdict
from ml_connector.systems.airbase.client import AirbaseClient
from ml_connector.systems.airbase.source import AirbaseSource
from ml_connector.systems.http import Anonymous, Wire, json_object
from ml_connector.systems.ifs import csdl
from ml_connector.systems.ifs.client import IfsClient
from ml_connector.systems.ifs.loading import load
from ml_connector.systems.ifs.source import IfsSource

DEEP = b"[" * 100_000
ODD = ("\u00e9", "\\", "a\x7f")
ORIGIN = "https://acme.ifs.cloud"


def wire(status: int, body: bytes, /, **headers: str) -> Wire:
    """A way to a system that always gives the same answer."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    given = httpx2.MockTransport(lambda _: httpx2.Response(status, content=body, headers=named))
    return Wire(
        "ifs", ORIGIN, Anonymous(), unhurried(), **laid_out({"transport": given, "pause_s": 0.0001, "attempts_max": 2})
    )


@pytest.mark.parametrize("location", ["http://[", "//[x]/", "http://a]b/"])
@pytest.mark.parametrize("repeatable", [True, False])
def test_a_redirect_to_no_address_is_refused(location: str, repeatable: bool) -> None:
    kinds = (errors.MalformedError, errors.RefusedError, errors.UnconfirmedError)
    with pytest.raises(kinds):
        wire(302, b"", Location=location).call("write", "POST", "/x", repeatable=repeatable)


@pytest.mark.parametrize("day", ["01 Jan 99999999999999999999", "99999999999999999999 Jan 2026", "01 Jan 10000"])
def test_no_time_to_wait_until_is_too_odd(day: str) -> None:
    odd = f"Thu, {day} 00:00:00 GMT"
    for told in ({"Retry_After": odd}, {"Retry_After": "Thu, 01 Jan 2026 00:00:00 GMT", "Date": odd}):
        with pytest.raises(errors.ThrottledError):
            wire(429, b"{}", **told).call("read", "GET", "/x", repeatable=True)


@pytest.mark.parametrize("body", [DEEP, b'{"a":' * 100_000, b'{"value":' + DEEP, DEEP + b"]" * 100_000])
def test_what_is_too_deep_is_not_json(body: bytes) -> None:
    with pytest.raises(errors.MalformedError, match="not JSON"):
        wire(200, body).call("read", "GET", "/x", repeatable=True)
    with pytest.raises(errors.UnconfirmedError, match="not JSON"):
        wire(200, body).call("write", "POST", "/x", repeatable=False)


@pytest.mark.parametrize("number", ["1e9999999999999999999", "-1E-9999999999999999999"])
def test_a_number_that_nobody_can_hold_is_not_json(number: str) -> None:
    answer = wire(200, f'{{"a":{number}}}'.encode()).call("read", "GET", "/x", repeatable=True)
    with pytest.raises(errors.MalformedError, match="not JSON"):
        json_object(answer, "ifs", "read")


def source(body: str) -> IfsSource:
    """Suppliers of an IFS that answers so when it is asked for their names, and has nothing else."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        more = "SupplierInfoGeneralSet" not in request.url.path or " gt " in request.url.params.get("$filter", "")
        return httpx2.Response(200, content=b'{"value":[]}' if more else body.encode())

    return suppliers_of(answer)


def suppliers_of(answer: Callable[[httpx2.Request], httpx2.Response]) -> IfsSource:
    to = Wire(
        "ifs",
        ORIGIN,
        Anonymous(),
        unhurried(),
        **laid_out({"transport": httpx2.MockTransport(answer), "pause_s": 0.0001}),
    )
    return IfsSource(IfsClient(to, load({"page_rows": 100}), ()), "suppliers")


def page(**more: str) -> str:
    """A page with one supplier, of whom some values are written so."""
    row = {"SupplierId": '"S1"', "Name": '"Acme"', "AssociationNo": "null", "Country": '"NO"'} | more
    return '{"value":[{' + ",".join(f'"{name}":{value}' for name, value in row.items()) + "}]}"


@pytest.mark.parametrize("number", ["1e999999999", "-1E-999999999", "9" * 4000])
def test_a_number_for_a_name_is_not_written_out(number: str) -> None:
    tracemalloc.start()
    (found,) = next(source(page(Name=number)).read(["S1"]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.unreadable
    assert "the name" in found.unreadable.sentence.lower()
    assert peak < 10_000_000


@pytest.mark.parametrize("number", ["1e999999999", "1e9999999999999999999", "-1E-999999999", "9" * 4000])
def test_a_key_that_nobody_can_use_stops_the_reading(number: str) -> None:
    reading: list[Any] = [
        source(page(SupplierId=number)).sweep("suppliers", ""),
        source(page(SupplierId=number)).read_all(),
    ]
    for pages in reading:
        with pytest.raises(errors.MalformedError):
            list(pages)


def test_an_address_with_a_number_without_end_is_read() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        wanted = request.url.path.endswith("SupplierInfoAddressSet") and " gt " not in request.url.params["$filter"]
        rows = [{"SupplierId": "S1", "AddressId": "9" * 5000}] if wanted else []
        return httpx2.Response(200, json={"value": rows})

    assert next(suppliers_of(answer).read(["S1"]))[0].key == "S1"


@pytest.mark.parametrize("link", ["http://[", "\u2100", *(f"SupplierInfoGeneralSet?$skiptoken={odd}" for odd in ODD)])
def test_a_next_page_at_no_address_is_not_followed(link: str) -> None:
    body = json.dumps({"value": [], "@odata.nextLink": link})
    with pytest.raises(errors.MalformedError, match="the next page"):
        list(source(body).sweep("suppliers", ""))


@pytest.mark.parametrize("odd", ODD)
def test_how_a_link_is_written_that_is_not_needed_does_not_matter(odd: str) -> None:
    """The next page is asked for by its key, so that a server may put a key into its link as it is."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        rows = [] if " gt " in request.url.params.get("$filter", "") else [{"SupplierId": "S1"}]
        link = {"@odata.nextLink": f"SupplierInfoGeneralSet?$skiptoken={odd}"} if rows else {}
        return httpx2.Response(200, json={"value": rows, **link})

    found = suppliers_of(answer).sweep("suppliers", "")
    assert [row.key for page in found for row in page.rows] == ["S1"]


@pytest.mark.parametrize("name", ["invoice_references", "payments"])
@pytest.mark.parametrize("given", ["\x00", "a\nb", "\x1f"])
def test_an_id_that_can_be_no_key_holds_its_record(name: str, given: str) -> None:
    page = {"data": [{"id": given, "invoice_number": "1", "vendor": {"erp_reference_id": "S1"}}]}

    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, json=page if request.url.params["page"] == "1" else {"data": []})

    client = airbase_client(ORIGIN, transport=httpx2.MockTransport(answer))
    pages = list(AirbaseSource(client, name, ZoneInfo("UTC")).read_all())
    sights = [one for each in pages for one in each.sights]
    assert sights
    assert all(one.unreadable and "can't be printed" in one.unreadable.sentence for one in sights)


def test_a_text_that_not_every_database_can_keep_is_held() -> None:
    """On PostgreSQL the whole run would fail for it, time and again."""
    (found,) = next(source(page(Country=r'"N\u0000"')).read(["S1"]))
    assert found.unreadable
    assert "is not usable text" in found.unreadable.sentence
    client = AirbaseClient(wire(200, json.dumps({"id": "a", "number": "N\0", "amount": 1}).encode()))
    (bill,) = next(AirbaseSource(client, "bills", ZoneInfo("UTC")).read(["a"]))
    assert bill.unreadable
    assert "holds a character that no text has" in bill.unreadable.sentence


@pytest.mark.parametrize("value", [b"1.5,", b"{},", b"[],", b'"",'])
def test_so_many_values_that_they_take_all_memory_are_not_read(monkeypatch: pytest.MonkeyPatch, value: bytes) -> None:
    monkeypatch.setattr(verdict, "CROWDED_MIN", 50_000)
    monkeypatch.setattr(verdict, "VALUES_MAX", 20_000)
    body = b'{"value":[' + value * 30_000 + b"0]}"
    with pytest.raises(errors.MalformedError, match="more than 20,000 values") as caught:
        wire(200, body).call("read", "GET", "/x", repeatable=True)
    assert not isinstance(caught.value, verdict.GarbledError), "it is not asked for again"
    with pytest.raises(errors.UnconfirmedError):
        wire(200, body).call("write", "POST", "/x", repeatable=False)
    few = b'{"value":["' + b"x" * 200_000 + b'"]}'
    assert wire(200, few).call("read", "GET", "/x", repeatable=True).body == few


@pytest.mark.parametrize("text", [b"<a>" * 600_000, b"<a " + b'a="" ' * 1_100_000])
def test_so_many_tags_that_they_take_all_memory_are_not_read(text: bytes) -> None:
    tracemalloc.start()
    with pytest.raises(ValueError, match="too large"):
        csdl.parse(text)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000
