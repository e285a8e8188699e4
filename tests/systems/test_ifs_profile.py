"""The profile: every name can be changed, no misspelt one goes unnoticed, and `$metadata` has the last word."""

from typing import Any

import msgspec
import pytest

from ml_connector.errors import SettingsError
from ml_connector.systems.ifs import csdl
from ml_connector.systems.ifs.loading import load
from ml_connector.systems.ifs.nearest import nearest
from ml_connector.systems.ifs.standard import DEFAULT


def test_nothing_given_is_the_default() -> None:
    assert load({}) == DEFAULT
    assert DEFAULT.parts["supplier_terms"].place == "/int/ifsapplications/entity/v1/IdentityInvoiceInfoEntity.svc"
    assert DEFAULT.parts["suppliers"].place == "/main/ifsapplications/projection/v1/SupplierHandling.svc"


def test_names_are_changed_and_lose_their_confidence() -> None:
    profile = load(
        {
            "suppliers": {"modified": "Cf_Modified_At", "fields": {"name": "FullName", "country": ""}},
            "orders": {"set": "PurchOrderSet", "paging": "skip"},
            "zone": "Europe/Oslo",
            "page_rows": 100,
        }
    )
    suppliers = profile.parts["suppliers"]
    assert (suppliers.modified, suppliers.fields["name"], suppliers.seen) == ("Cf_Modified_At", "FullName", frozenset())
    assert suppliers.properties == ("SupplierId", "Cf_Modified_At", "FullName", "AssociationNo")
    assert (profile.parts["orders"].set, profile.parts["orders"].paging) == ("PurchOrderSet", "skip")
    assert profile.parts["order_lines"] == DEFAULT.parts["order_lines"]
    assert (profile.zone, profile.page_rows) == ("Europe/Oslo", 100)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"supliers": {}}, "supliers.*suppliers"),
        ({"suppliers": {"modifed": "X"}}, "suppliers.modifed.*modified"),
        ({"suppliers": {"fields": {"nmae": "X"}}}, "suppliers.fields.nmae.*name"),
        ({"suppliers": {"fields": {"name": ""}}}, "name.*left out"),
        ({"suppliers": {"fields": {"country": "A,B"}}}, "country"),
        ({"suppliers": {"fields": {"country": 7}}}, "country"),
        ({"suppliers": {"fields": "x"}}, "fields should be a table"),
        ({"suppliers": {"set": ""}}, "suppliers.set"),
        ({"suppliers": {"key": ["A", "B"]}}, "key should name 1"),
        ({"suppliers": {"key": "A"}}, "key should name 1"),
        ({"suppliers": {"paging": "fast"}}, "paging"),
        ({"suppliers": {"root": "x"}}, "root"),
        ({"suppliers": 3}, "suppliers should be a table"),
        ({"suppliers": {"depth": 2}}, "depth"),
        ({"zone": "Oslo"}, "zone.*Europe/Oslo"),
        ({"zone": 1}, "zone"),
        ({"page_rows": 5001}, "page_rows"),
        ({"page_rows": 0}, "page_rows"),
        ({"page_rows": "1"}, "page_rows"),
        ({"keys_per_request": 0}, "keys_per_request"),
        ({"overlap_s": -1}, "overlap_s"),
    ],
)
def test_mistakes_name_the_key(given: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        load(given)


METADATA = """<?xml version="1.0"?>
<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>
<Schema Namespace="IfsApp.SupplierHandling" xmlns="http://docs.oasis-open.org/odata/ns/edm">
 <EnumType Name="PartyType"><Member Name="Supplier"/><Member Name="Customer"/></EnumType>
 <EntityType Name="Party"><Key><PropertyRef Name="SupplierId"/></Key>
  <Property Name="SupplierId" Type="Edm.String"/><Property Name="Country" Type="Edm.String"/></EntityType>
 <EntityType Name="General" BaseType="IfsApp.SupplierHandling.Party">
  <Property Name="Name" Type="Edm.String"/><Property Name="AssociationNo" Type="Edm.String"/>
  <Property Name="Cf_Modified_At" Type="Edm.DateTimeOffset"/>
  <Property Name="PartyType" Type="IfsApp.SupplierHandling.PartyType"/></EntityType>
 <EntityContainer Name="C"><EntitySet Name="SupplierInfoGeneralSet" EntityType="IfsApp.SupplierHandling.General"/>
 </EntityContainer></Schema></edmx:DataServices></edmx:Edmx>"""


def _problems(**changes: Any) -> list[str]:
    part = msgspec.structs.replace(DEFAULT.parts["suppliers"], **changes)
    return csdl.part_problems("suppliers", part, csdl.parse(METADATA.encode()))


@pytest.mark.parametrize(
    ("name", "found"), [("Name", "SupplierName"), ("SuplierId", "SupplierId"), ("STATE", "State"), ("x", "City")]
)
def test_a_name_inside_another_is_near(name: str, found: str) -> None:
    known = ["Nonce", "luname", "SupplierName", "SupplierId", "State"]
    assert nearest(name, known if name != "x" else ["City"]) == found
    assert nearest(name, []) == ""


def test_metadata_is_read() -> None:
    parsed = csdl.parse(METADATA.encode())
    assert parsed.sets["SupplierInfoGeneralSet"].key == ("SupplierId",)
    assert parsed.sets["SupplierInfoGeneralSet"].properties["Country"] == "Edm.String"
    assert parsed.enums == {"IfsApp.SupplierHandling.PartyType": ("Supplier", "Customer")}
    assert _problems() == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"modified": "Cf_Modifed"},
            "SupplierHandling has no property Cf_Modifed on SupplierInfoGeneralSet in this tenant; "
            "nearest: Cf_Modified_At",
        ),
        ({"set": "SupplierSet"}, "no set SupplierSet in this tenant; nearest: SupplierInfoGeneralSet"),
        ({"fields": {"name": "Nam"}}, "nearest: Name"),
        ({"key": ("Id",)}, "no property Id"),
        ({"key": ("Name",)}, "leaves out SupplierId"),
        ({"company": "Compny"}, "no property Compny"),
        ({"modified": "Name"}, "can't tell when"),
        ({"where": "PartyTyp eq 'x'"}, "no property PartyTyp"),
        ({"where": "PartyType eq IfsApp.SupplierHandling.PartyType'Suplier'"}, "no member Suplier.*nearest: Supplier"),
        ({"where": "PartyType eq IfsApp.PartyType'Supplier'"}, "no enumeration IfsApp.PartyType"),
    ],
)
def test_disagreements_are_sentences(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        assert _problems(**changes) == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<x",
        b"\xff\xfe\x00",
        b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>',
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>',
        b" " * (csdl.SIZE_MAX + 1),
    ],
)
def test_metadata_that_is_none(data: bytes) -> None:
    with pytest.raises(ValueError, match="metadata"):
        csdl.parse(data)


def test_types_that_go_round_in_a_circle_end() -> None:
    looped = METADATA.replace('Name="Party"', 'Name="Party" BaseType="IfsApp.SupplierHandling.General"')
    assert csdl.parse(looped.encode()).sets["SupplierInfoGeneralSet"].key == ("SupplierId",)
