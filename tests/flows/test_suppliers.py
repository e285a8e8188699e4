"""One case for each way a supplier can map."""

from datetime import date

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from ml_connector.flows.suppliers import map_supplier, retire
from ml_connector.records.supplier import Address, Supplier, SupplierTerms, Vendor
from ml_connector.sync.flow import Context, Tables
from ml_connector.sync.outcome import Held, Mapped, Owner

TODAY = date(2026, 11, 22)
YESTERDAY, TOMORROW, LATER = date(2026, 11, 21), date(2026, 11, 23), date(2027, 1, 1)
TABLES = Tables({"10": "SUB-10", "20": "SUB-20"})
ADDRESS = Address("Storgata 1", "Oslo", "0155", "", "NO")


def mapped(*terms: SupplierTerms, tables: Tables = TABLES) -> Mapped[Vendor]:
    result = map_supplier(Supplier("S1", "Fjord AS", terms=terms, address=ADDRESS), Context(TODAY, tables))
    assert isinstance(result, Mapped)
    return result


def held(*terms: SupplierTerms, tables: Tables = TABLES) -> Held:
    result = map_supplier(Supplier("S1", "Fjord AS", terms=terms), Context(TODAY, tables))
    assert isinstance(result, Held)
    return result


def test_a_supplier_of_two_companies_is_a_vendor_of_two_subsidiaries() -> None:
    result = mapped(SupplierTerms("10", "30", "NOK"), SupplierTerms("20", "60", "EUR"))
    assert result == Mapped(Vendor("S1", "Fjord AS", True, ("SUB-10", "SUB-20"), None, "NOK", ADDRESS))


def test_an_expired_company_is_left_out_and_the_next_expiry_is_remembered() -> None:
    result = mapped(SupplierTerms("10", "30", "NOK", YESTERDAY), SupplierTerms("20", "60", "EUR", LATER))
    assert result.record.subsidiaries == ("SUB-20",)
    assert result.record.currency == "EUR"
    assert result.wake_on == LATER


def test_it_expires_on_the_day_itself() -> None:
    assert not mapped(SupplierTerms("10", expires_on=TODAY)).active
    assert mapped(SupplierTerms("10", expires_on=TOMORROW)).active


def test_a_supplier_expired_everywhere_is_off_but_keeps_its_subsidiaries() -> None:
    result = mapped(SupplierTerms("10", expires_on=YESTERDAY))
    assert not result.active
    assert not result.record.active
    assert result.record.subsidiaries == ("SUB-10",)
    assert result.wake_on is None


def test_a_supplier_of_no_company_is_off() -> None:
    assert not mapped().active


def test_a_company_without_subsidiary_holds_the_supplier() -> None:
    result = held(SupplierTerms("10"), SupplierTerms("30"))
    assert result.cause == "company_not_mapped"
    assert "company 30" in result.sentence
    assert "--subsidiary 30=" in result.remedy
    assert (result.owner, result.lacks) == (Owner.ADMINISTRATOR, "30")


def test_a_supplier_expired_everywhere_is_held_only_where_it_is_linked() -> None:
    assert held(SupplierTerms("30", expires_on=YESTERDAY)).idle
    assert not held(SupplierTerms("30")).idle


def test_payment_terms_are_left_alone_without_a_table_and_mapped_with_one() -> None:
    terms = SupplierTerms("10", "30")
    assert mapped(terms).record.payment_terms is None
    assert mapped(terms, tables=Tables(TABLES.subsidiaries, {"30": "Net 30"})).record.payment_terms == "Net 30"


def test_a_payment_term_that_the_table_lacks_holds_the_supplier() -> None:
    result = held(SupplierTerms("10", "45"), tables=Tables(TABLES.subsidiaries, {"30": "Net 30"}))
    assert result.cause == "payment_term_not_mapped"
    assert "45" in result.remedy
    assert (result.owner, result.lacks) == (Owner.CLERK, "45")


def test_an_address_that_is_gone_is_cleared() -> None:
    result = map_supplier(Supplier("S1", "A", terms=(SupplierTerms("10"),)), Context(TODAY, TABLES))
    assert isinstance(result, Mapped)
    assert result.record.address == Address()


def test_a_supplier_that_vanished_is_switched_off_and_nothing_else() -> None:
    vendor = mapped(SupplierTerms("10")).record
    assert retire(vendor) == msgspec.structs.replace(vendor, active=False)


days = st.none() | st.dates(date(2026, 11, 1), date(2026, 12, 31))


@given(st.lists(st.builds(SupplierTerms, st.sampled_from(["10", "20"]), expires_on=days), max_size=3), days)
def test_nothing_changes_before_the_wake_up_day(terms: list[SupplierTerms], day: date | None) -> None:
    supplier = Supplier("S1", "A", terms=tuple(terms))
    now = map_supplier(supplier, Context(TODAY, TABLES))
    assert isinstance(now, Mapped)
    assert now.wake_on is None or now.wake_on > TODAY
    if day and day >= TODAY and (now.wake_on is None or day < now.wake_on):
        then = map_supplier(supplier, Context(day, TABLES))
        assert isinstance(then, Mapped)
        assert then.record == now.record
