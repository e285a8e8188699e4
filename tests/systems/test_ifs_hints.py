"""Hints of IFS event actions: any JSON or XML with a key in it, and whatever else may come."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_connector.flows import FLOWS as KNOWN
from ml_connector.records import keys
from ml_connector.systems.ifs.hints import FLOWS, Finder, Hint, hint
from ml_connector.systems.notices import Unreadable

CALM = settings(deadline=None)
ORDER = Finder(key=("OrderNo",), flow="purchase_orders", event_id="")
NESTED = Finder(key=("Order/OrderNo",), flow="purchase_orders", event_id="")
JSON, XML = "application/json", "text/xml; charset=utf-8"
FOUND = Hint("purchase_orders", "P1")


def said(body: str | bytes, finder: Finder = ORDER, content_type: str = "") -> Hint | str:
    found = hint(body.encode() if isinstance(body, str) else body, content_type, finder)
    return found.sentence if isinstance(found, Unreadable) else found


@pytest.mark.parametrize(
    ("body", "finder"),
    [
        ('{"OrderNo": "P1", "more": [1.5, {}]}', ORDER),
        ('{"OrderNo": " P1 "}', ORDER),
        ('[{"OrderNo": "P1"}]', ORDER),
        ('{"Order": {"OrderNo": "P1"}}', NESTED),
        ('{"Order": [{"OrderNo": "P1"}, {"OrderNo": "P1"}]}', NESTED),
        ("<Order><OrderNo>P1</OrderNo></Order>", ORDER),
        ("<Order><OrderNo>P1</OrderNo></Order>", NESTED),
        ("<Body><Order><OrderNo>P1</OrderNo></Order></Body>", NESTED),
        ("\n <a:M xmlns:a='urn:a'><a:OrderNo>\n P1\n </a:OrderNo></a:M>", ORDER),
        ("<M xmlns='urn:b'><OrderNo><![CDATA[P1]]></OrderNo></M>", ORDER),
        ("<OrderNo>P1</OrderNo>", Finder(key=("OrderNo",), flow="purchase_orders")),
    ],
)
@pytest.mark.parametrize("content_type", ["", JSON, XML])
def test_a_key_is_found_whatever_the_header_says(body: str, finder: Finder, content_type: str) -> None:
    if body == "<OrderNo>P1</OrderNo>":
        assert "nothing usable at OrderNo" in str(said(body, finder, content_type))
    else:
        assert said(body, finder, content_type) == FOUND


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1", "utf-8"])
def test_xml_in_the_encoding_that_it_names(encoding: str) -> None:
    body = f"<?xml version='1.0' encoding='{encoding}'?><M><OrderNo>PÄ1</OrderNo></M>".encode(encoding)
    assert said(body, ORDER, XML) == Hint("purchase_orders", "PÄ1")


def test_a_byte_order_mark_is_no_trouble() -> None:
    assert said(b'\xef\xbb\xbf{"OrderNo": "P1"}') == FOUND
    assert said(b"\xef\xbb\xbf<M><OrderNo>P1</OrderNo></M>") == FOUND


def test_several_parts_make_one_key() -> None:
    finder = Finder(key=("Company", "Row/No"), flow="dimensions", event_id="")
    expected = Hint("dimensions", keys.join(["10", "7"]))
    assert said('{"Company": "10", "Row": {"No": 7}}', finder) == expected
    assert said("<M><Row><No>7</No></Row><Company>10</Company></M>", finder) == expected


@pytest.mark.parametrize(
    ("unit", "flow"), [("PurchaseOrder", "purchase_orders"), ("SupplierInfo", "suppliers"), ("Mystery", "")]
)
def test_the_logical_unit_says_which_flow(unit: str, flow: str) -> None:
    body = json.dumps({"unit": unit, "key": "K1", "event_id": "e1"})
    assert said(body, Finder()) == Hint(flow, "K1", unit, "e1")
    assert set(FLOWS.values()) <= KNOWN.keys()


def test_keys_may_stand_elsewhere_for_each_flow() -> None:
    finder = Finder(unit="lu", keys={"purchase_orders": ("ORDER_NO",), "suppliers": ("SUPPLIER_ID",)})
    orders, suppliers = Hint("purchase_orders", "1", "PurchaseOrder"), Hint("suppliers", "2", "SupplierInfo")
    assert said('{"lu": "PurchaseOrder", "ORDER_NO": 1, "SUPPLIER_ID": 2}', finder) == orders
    assert said('{"lu": "SupplierInfo", "ORDER_NO": 1, "SUPPLIER_ID": 2}', finder) == suppliers


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("", "neither"),
        ("OrderNo=P1", "neither"),
        ("{", "no usable JSON"),
        ('{"OrderNo": "P1"', "no usable JSON"),
        ("<M><OrderNo>P1</M>", "no usable XML"),
        ("<!DOCTYPE M [<!ENTITY x 'P1'>]><M><OrderNo>&x;</OrderNo></M>", "no usable XML"),
        ("<?xml version='1.0' encoding='no-such'?><M/>", "no usable XML"),
        ("{}", "nothing usable at OrderNo"),
        ('{"OrderNo": ""}', "nothing usable at OrderNo"),
        ('{"OrderNo": null}', "nothing usable at OrderNo"),
        ('{"OrderNo": true}', "nothing usable at OrderNo"),
        ('{"OrderNo": 1.5}', "nothing usable at OrderNo"),
        ('{"OrderNo": {"No": "P1"}}', "nothing usable at OrderNo"),
        ('{"OrderNo": "a\\u0000b"}', "nothing usable at OrderNo"),
        ("<M><OrderNo><No>P1</No></OrderNo></M>", "nothing usable at OrderNo"),
        ("<M><OrderNo>P<No>1</No></OrderNo></M>", "nothing usable at OrderNo"),
        ('[{"OrderNo": "P1"}, {"OrderNo": "P2"}]', "several values at OrderNo"),
        ("<M><OrderNo>P1</OrderNo><OrderNo>P2</OrderNo></M>", "several values at OrderNo"),
    ],
)
def test_without_a_key_there_is_a_sentence(body: str, sentence: str) -> None:
    assert sentence in str(said(body))


def test_what_is_too_large_or_too_deep_is_unreadable() -> None:
    assert "larger" in str(said(json.dumps({"OrderNo": "P1", "x": "x" * 2**20})))
    assert "JSON" in str(said("[" * 200_000))
    assert "nothing usable" in str(said("<a>" * 100_000 + "</a>" * 100_000))
    assert "nothing usable" in str(said('{"OrderNo": "' + "x" * 201 + '"}'))
    assert isinstance(said('{"OrderNo": ' + "9" * 6000 + "}"), str)


@CALM
@given(st.binary(max_size=200), st.sampled_from(["", JSON, XML]), st.sampled_from([b"", b"{", b"[", b"<a>", b"<?xml"]))
def test_random_bytes_never_raise(body: bytes, content_type: str, start: bytes) -> None:
    assert isinstance(hint(start + body, content_type, ORDER), Unreadable)


@CALM
@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=50))
def test_the_same_key_in_json_and_in_xml(text: str) -> None:
    if not text.isprintable() or not text.strip():
        return
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    found = said(json.dumps({"OrderNo": text}))
    assert found == said(f"<M><OrderNo>{escaped}</OrderNo></M>")
    assert found == Hint("purchase_orders", text.strip())


@pytest.mark.parametrize("given", [{"key": []}, {"key": [""]}, {"key": ["a"] * 11}, {"kye": ["a"]}, {"key": "a"}])
def test_a_finder_that_makes_no_sense_is_refused(given: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(given, Finder)
