"""Tokens, limits, services: everything before a request reaches a set."""

import json
from typing import Any
from xml.etree import ElementTree

import pytest

EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
METADATA = "/main/ifsapplications/projection/v1/SupplierHandling.svc/$metadata"


def body(answer: Any) -> Any:
    return json.loads(answer.body)


def test_a_token_answer_has_the_recorded_shape(tenant: Any) -> None:
    answer = tenant.log_in(scope="openid microprofile-jwt")
    assert answer.status == 200
    assert list(body(answer)) == [
        "access_token", "expires_in", "refresh_expires_in", "refresh_token", "token_type", "id_token",
        "not-before-policy", "session_state", "scope",
    ]  # fmt: skip
    assert body(answer)["expires_in"] == 180
    assert body(answer)["scope"] == "openid audience microprofile-jwt profile email"


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "other"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"realm": "other"}, 404, "Realm does not exist"),
    ],
)
def test_a_wrong_login_is_refused(tenant: Any, form: dict[str, str], status: int, error: str) -> None:
    answer = tenant.log_in(**form)
    assert (answer.status, body(answer)["error"]) == (status, error)


def test_discovery_names_the_token_endpoint(tenant: Any) -> None:
    answer = tenant.raw("GET", "/auth/realms/acme-prod/.well-known/openid-configuration")
    endpoint = "http://127.0.0.1:8080/auth/realms/acme-prod/protocol/openid-connect/token"
    assert body(answer)["token_endpoint"] == endpoint


def test_without_a_living_token_there_is_nothing(tenant: Any) -> None:
    for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": f"Basic {tenant.token}"}):
        answer = tenant.raw("GET", METADATA, headers=headers)
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_tokens_end_by_age_and_by_revocation(tenant: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from ml_connector.sandbox.ifs import iam

    later = iam.time.monotonic() + 181
    tenant.world.clock.offset_s = 10_000  # the world's clock does not matter
    assert tenant.ask("GET", METADATA).status == 200
    monkeypatch.setattr(iam.time, "monotonic", lambda: later)
    assert tenant.ask("GET", METADATA).status == 401
    tenant.token = body(tenant.log_in())["access_token"]
    assert tenant.ask("GET", METADATA).status == 200
    tenant.site.revoke_tokens()
    assert tenant.ask("GET", METADATA).status == 401


def test_too_many_requests_are_counted_and_told_when_to_return(tenant: Any) -> None:
    tenant.options.rate_limit = 3
    statuses = [tenant.ask("GET", METADATA).status for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    assert tenant.site.throttled == 2
    assert 1 <= int(tenant.ask("GET", METADATA).headers["Retry-After"]) <= 60
    tenant.options.retry_after = False
    assert "Retry-After" not in tenant.ask("GET", METADATA).headers


@pytest.mark.parametrize(
    "path",
    [
        "/main/ifsapplications/projection/v1/NoSuch.svc/Set",
        "/main/ifsapplications/projection/v1/PurchaseOrderLineEntity.svc/PurchaseOrderLineSet",
        "/int/ifsapplications/entity/v1/SupplierHandling.svc/$metadata",
    ],
)
def test_an_unknown_service_is_the_recorded_404(tenant: Any, path: str) -> None:
    answer = tenant.ask("GET", path)
    assert answer.status == 404
    assert answer.body == b'{"error":{"code":"MI_METADATA_NOTFOUND","message":"Metadata not found."}}'
    assert len(answer.body) == 73  # as in the recording


def test_a_refused_service_says_insufficient_privileges(tenant: Any) -> None:
    tenant.options.refuse_services = ("SupplierHandling",)
    answer = tenant.ask("GET", METADATA)
    assert (answer.status, body(answer)["error"]["message"]) == (403, "Insufficient privileges.")


def test_projections_are_also_found_below_int(tenant: Any) -> None:
    assert tenant.ask("GET", METADATA.replace("/main/", "/int/")).status == 200


def test_metadata_describes_types_without_any_nullable(tenant: Any) -> None:
    answer = tenant.ask("GET", METADATA)
    assert b"Nullable" not in answer.body
    schema = ElementTree.fromstring(answer.body).find(f".//{EDM}Schema")  # noqa: S314 - our own XML
    assert schema is not None
    assert schema.get("Namespace") == "IfsApp.SupplierHandling"
    entity = schema.find(f"{EDM}EntityType[@Name='SupplierInfoGeneral']")
    assert entity is not None
    assert [ref.get("Name") for ref in entity.iter(f"{EDM}PropertyRef")] == ["SupplierId"]
    types = {item.get("Name"): item.get("Type") for item in entity.iter(f"{EDM}Property")}
    assert types["CreationDate"] == "Edm.Date"
    assert types["PartyType"] == "IfsApp.SupplierHandling.PartyType"
    assert types["Cf_Modified_At"] == "Edm.DateTimeOffset"


def test_every_metadata_is_well_formed_and_complete(tenant: Any) -> None:
    for table in (each for each in tenant.world.tables.values() if each.served):
        root = "int/ifsapplications/entity" if table.entity_api else "main/ifsapplications/projection"
        answer = tenant.ask("GET", f"/{root}/v1/{table.service}.svc/$metadata")
        schema = ElementTree.fromstring(answer.body)  # noqa: S314 - our own XML
        entity = schema.find(f".//{EDM}EntityType[@Name='{table.entity}']")
        assert entity is not None
        assert set(table.index) <= {item.get("Name") for item in entity.iter(f"{EDM}Property")}
        assert schema.find(f".//{EDM}EntitySet[@Name='{table.name}']") is not None


def test_options_hide_and_rename_properties_everywhere(tenant: Any) -> None:
    tenant.options.missing_properties = ("SupplierHandling.Name",)
    tenant.options.renamed = ("SupplierHandling.AssociationNo=OrgNumber",)
    tenant.options.modified = False
    metadata = tenant.ask("GET", METADATA).body
    row = tenant.get("suppliers('S000002')")
    for gone in ("Name", "AssociationNo", "Cf_Modified_At"):
        assert gone not in row
        assert f'Property Name="{gone}"'.encode() not in metadata
    assert row["OrgNumber"] == tenant.world.get("SupplierInfoGeneralSet", "S000002")["AssociationNo"]
    tenant.refused("suppliers", 400, filter="Name eq 'x'")


def test_the_service_document_lists_the_sets(tenant: Any) -> None:
    found = tenant.get("/main/ifsapplications/projection/v1/VoucherRowsAnalysis.svc/")
    assert {"VoucherRowSet", "Reference_Account", "Reference_CodeJ"} <= {item["name"] for item in found["value"]}
