"""What becomes of a vendor made in Airbase, and of its number."""

from datetime import date

import msgspec

from ml_connector.flows import vendor_ids
from ml_connector.flows.vendors import map_vendor, retire
from ml_connector.records.posted import LinkedTo
from ml_connector.records.supplier import NewSupplier, VendorId
from ml_connector.sync.flow import Context, Tables
from ml_connector.sync.outcome import Held, Mapped, Owner
from ml_connector.sync.plan import Action, Link, decide

VENDOR = NewSupplier("v-1", "Fjord AS", "NO", "999", "NOK")
HOLD = Context(date(2026, 11, 22), Tables(likely={"v-2": "S7 (same tax id)"}))
CREATE = Context(date(2026, 11, 22), Tables(new_vendors="create"))


def held(vendor: NewSupplier) -> Held:
    result = map_vendor(vendor, HOLD)
    assert isinstance(result, Held)
    return result


def test_it_waits_for_a_person_unless_told_otherwise() -> None:
    result = held(VENDOR)
    assert (result.cause, result.owner, result.idle) == ("vendor_without_supplier", Owner.CLERK, False)
    assert "Fjord AS" in result.sentence
    assert result.sentence.endswith("; no supplier of IFS stands for it.")


def test_a_likely_double_is_named() -> None:
    assert "It may be S7 (same tax id)." in held(msgspec.structs.replace(VENDOR, vendor_id="v-2")).sentence


def test_a_vendor_without_a_name_is_told_by_its_id() -> None:
    assert "Vendor v-1 " in held(msgspec.structs.replace(VENDOR, name="")).sentence


def test_it_is_proposed_as_it_is() -> None:
    assert map_vendor(VENDOR, CREATE) == Mapped(VENDOR)


def test_once_made_it_stays_as_it_was_proposed_whatever_the_setting() -> None:
    renamed = msgspec.structs.replace(VENDOR, name="Fjord Norge AS")
    for context in (HOLD, CREATE):
        linked = msgspec.structs.replace(context, link=Link("v-1", "S1", "", True, VENDOR))
        assert map_vendor(renamed, linked) == Mapped(VENDOR)


def test_a_vendor_that_got_its_number_changes_nothing() -> None:
    link = Link("v-1", "S9", decide("v-1", Mapped(VENDOR), None, None).digest, active=True, kept=VENDOR)
    assert decide("v-1", Mapped(retire(VENDOR), active=False), link, None).action is Action.UNCHANGED


def test_the_vendor_is_told_its_number() -> None:
    assert vendor_ids.map_vendor_id(LinkedTo("S9"), HOLD) == Mapped(VendorId("S9"))
    assert vendor_ids.map_vendor_id(LinkedTo("S9", active=False), HOLD) == Mapped(VendorId("S9"), due=False)
    assert vendor_ids.retire(VendorId("S9")) == VendorId("S9")
