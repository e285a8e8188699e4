"""The check names what a tenant lacks, what can't be done without it, and what to type."""

from collections.abc import Generator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from reaching import ifs_client

from ml_connector.sandbox import Sandbox, SandboxOptions, start
from ml_connector.sandbox.faults import Fault
from ml_connector.sandbox.ifs import IfsOptions
from ml_connector.systems.ifs import check
from ml_connector.systems.ifs.client import IfsClient
from ml_connector.systems.ifs.standard import DEFAULT
from ml_connector.systems.step import Step

ALL = tuple(DEFAULT.parts)
VOUCHERS = ("hold_vouchers", "hold_rows")


@contextmanager
def tenant(**options: Any) -> Generator[tuple[IfsClient, Sandbox]]:
    profile = options.pop("profile", {})
    with start(SandboxOptions(suppliers=20, orders=10, invoices=5, ifs=IfsOptions(**options))) as sandbox:
        with closing(ifs_client(sandbox, profile)) as client:
            yield client, sandbox
        assert sandbox.crashes == []


def failed(client: IfsClient, parts: tuple[str, ...] = ALL, **more: Any) -> dict[str, Step]:
    return {step.name: step for step in check.steps(client, parts, **more) if not step.ok}


def test_every_part_belongs_to_one_group() -> None:
    grouped = [part for group in check.GROUPS for part in group.parts]
    assert sorted(grouped) == sorted(ALL)
    assert set(check.USUAL) < set(ALL)
    assert len({group.title for group in check.GROUPS}) == len(check.GROUPS)


def test_all_is_there() -> None:
    with tenant() as (client, _):
        steps = list(check.steps(client, ALL))
        assert [step.name for step in steps if not step.ok] == []
        assert len(steps) == 3 + 2 * len(check.GROUPS) + 4
        ledger = next(step for step in steps if step.name == "names of the ledger")
        assert "Reference_CodeJ" in ledger.result
        rows = next(step for step in steps if step.name == "rows of the ledger")
        assert "empty for this user: code_e" in rows.result


def test_each_service_is_described_once() -> None:
    with tenant() as (client, sandbox):
        list(check.steps(client, ALL))
        asked = [count for (_, path, _), count in sandbox.ifs_log.counts().items() if path.endswith("$metadata")]
        assert asked == [1] * len({part.service for part in DEFAULT.parts.values()})


@pytest.mark.parametrize(
    ("options", "group", "words", "without"),
    [
        (
            {"renamed": ("VoucherEntryHandling.ReferenceNumber=RefNo",)},
            "manual vouchers",
            "no property ReferenceNumber on HoldVoucherSet in this tenant; nearest: ",
            "vouchers can't be posted",
        ),
        (
            {"missing_properties": ("ManSuppInvoiceEntity.Cf_Airbase_Status",)},
            "supplier invoices",
            "no property Cf_Airbase_Status",
            "nor their status set",
        ),
        (
            {"profile": {"loads": {"actions": {"create": "ExtLoadInfo_Make"}}}},
            "external vouchers",
            "neither action nor rows called ExtLoadInfo_Make in this tenant; nearest: ExtLoadInfo_Create",
            "as external vouchers",
        ),
        (
            {"profile": {"loads": {"service": "ExternalVouchers"}, "load_rows": {"service": "ExternalVouchers"}}},
            "external vouchers",
            "This tenant has no service ExternalVouchers.",
            "as external vouchers",
        ),
        (
            {"profile": {"hold_rows": {"set": "HoldRows"}}},
            "manual vouchers",
            "has no set HoldRows in this tenant; nearest: HoldVoucherRowSet",
            "vouchers can't be posted",
        ),
    ],
)
def test_what_is_missing_and_what_it_costs(options: dict[str, Any], group: str, words: str, without: str) -> None:
    with tenant(**options) as (client, _):
        step = failed(client, connection="acme")[f"names of {group}"]
        assert words in step.result
        assert without in step.result
        assert "ml-connector discover acme" in step.remedy


def test_a_service_that_is_not_granted() -> None:
    with tenant(refuse_services=("VoucherRowsAnalysis",)) as (client, _):
        step = failed(client)["names of the ledger"]
        assert step.result.count("This user may not read VoucherRowsAnalysis") == 1
        assert step.remedy.startswith("Grant this projection")


def test_parts_that_are_not_in_use_are_not_asked_for() -> None:
    with tenant(refuse_services=("VoucherEntryHandling", "ManSuppInvoiceEntity")) as (client, sandbox):
        assert failed(client, check.USUAL) == {}
        assert not any("Voucher" in path for _, path, _ in sandbox.ifs_log.counts())
        assert failed(client, ("voucher_rows", "companies")) == {}
        assert "names of manual vouchers" in failed(client, VOUCHERS)


def test_a_custom_field_that_is_needed_beside_the_profile() -> None:
    with tenant() as (client, _):
        step = failed(client, ("suppliers",), more={"suppliers": ("Cf_Nowhere",)})["names of suppliers"]
        assert "no custom field Cf_Nowhere on SupplierInfoGeneralSet" in step.result
        assert failed(client, ("suppliers",), more={"suppliers": ("Name",)}) == {}


def test_out_of_reach_is_not_taken_for_a_wrong_name() -> None:
    with tenant() as (client, sandbox):
        sandbox.faults.add(Fault("status", site="ifs", path="/int", options={"status": 503}))
        found = failed(client)
        assert found["names of supplier_terms"].unreachable
        assert "has no" not in found["names of supplier_terms"].result
        assert "names of suppliers" not in found
