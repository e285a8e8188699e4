"""Supplier invoices beside bills."""

from datetime import date
from decimal import Decimal
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_connector.compare.invoices import Comparison, compare, in_words
from ml_connector.records.money import Money
from ml_connector.records.spend import BILL, Document
from ml_connector.records.supplier_invoice import SupplierInvoice

DAY = date(2026, 11, 2)
INVOICE = SupplierInvoice("10", "1", "S1", "INV-0012", DAY, "EUR", Decimal("100.00"), "4711")
DOCUMENT = Document(
    "b1", BILL, "B-1", "approved", "SUB-10", Money(Decimal(100), "EUR"), DAY, supplier_id="S1", invoice_number="12",
    po_number="4711",
)  # fmt: skip


def invoice(invoice_id: str = "1", **fields: object) -> SupplierInvoice:
    return msgspec.structs.replace(INVOICE, invoice_id=invoice_id, **fields)


def bill(document_id: str = "b1", amount: str = "100", currency: str = "EUR", **fields: object) -> Document:
    return msgspec.structs.replace(DOCUMENT, id=document_id, amount=Money(Decimal(amount), currency), **fields)


def test_the_same_invoice_written_otherwise_matches() -> None:
    result = compare([INVOICE], [DOCUMENT], {"10": "SUB-10"})
    (pair,) = result.matched
    assert (pair.invoice, pair.bill) == (INVOICE, DOCUMENT)
    assert result == Comparison(matched=(pair,))
    assert in_words(result) == []


@pytest.mark.parametrize(
    ("other", "differs"),
    [
        (bill(amount="90"), ("amount",)),
        (bill(currency="USD"), ("currency",)),
        (bill(amount="90", currency="USD"), ("amount", "currency")),
        (bill(po_number="4712"), ("order",)),
        (bill(po_number=""), ()),
        (bill(invoice_number="99"), ("number",)),
        (bill(supplier_id=""), ("supplier",)),
        (bill(subsidiary="SUB-20"), ("company",)),
    ],
)
def test_what_differs_is_named(other: Document, differs: tuple[str, ...]) -> None:
    result = compare([INVOICE], [other], {"10": "SUB-10"})
    (pair,) = result.matched or result.differing
    assert pair.differs == differs
    assert len(in_words(result)) == bool(differs)
    assert all(name in " ".join(in_words(result)) for name in differs)


def test_a_difference_reads_like_a_sentence() -> None:
    assert in_words(compare([INVOICE], [bill(amount="90")])) == [
        "Invoice INV-0012 of supplier S1, EUR 100.00, differs from 12: amount EUR 100.00 in IFS, EUR 90.00 in Airbase."
    ]


@pytest.mark.parametrize(
    "other",
    [
        bill(supplier_id="S2"),
        bill(invoice_number="99", po_number=""),
        bill(invoice_number="99", amount="90"),
        bill(supplier_id="", invoice_number="99"),
        bill(supplier_id="", amount="90"),
    ],
)
def test_what_is_not_the_same_is_on_either_side_only(other: Document) -> None:
    result = compare([INVOICE], [other])
    assert (result.only_in_ifs, result.only_in_airbase) == ((INVOICE,), (other,))
    assert len(in_words(result)) == 2


def test_numbers_that_are_empty_are_not_alike() -> None:
    result = compare([invoice(number="", order_no="")], [bill(invoice_number="", po_number="")])
    assert not result.matched
    assert not result.differing


def test_one_that_is_there_twice_is_told() -> None:
    result = compare([invoice("1"), invoice("2", number="012")], [DOCUMENT, bill("b2", invoice_number="99")])
    assert [pair.invoice.invoice_id for pair in result.matched] == ["1"]
    assert [(two.one.invoice_id, two.other.invoice_id) for two in result.doubled_in_ifs] == [("2", "1")]
    assert [one.id for one in result.only_in_airbase] == ["b2"]  # a double is not somebody else's bill
    result = compare([], [DOCUMENT, bill("b2", amount="5")])
    assert [one.id for one in result.only_in_airbase] == ["b1"]
    assert [(two.one.id, two.other.id) for two in result.doubled_in_airbase] == [("b2", "b1")]
    assert any("twice" in sentence for sentence in in_words(result))


def test_the_amount_and_the_order_say_which_of_two_it_is() -> None:
    ours = [invoice("1", amount=Decimal(5)), invoice("2", order_no="9"), invoice("3")]
    result = compare(ours, [DOCUMENT])
    assert [pair.invoice.invoice_id for pair in result.matched] == ["3"]
    assert [two.one.invoice_id for two in result.doubled_in_ifs] == ["1", "2"]


def test_what_does_not_count_is_left_out() -> None:
    assert compare([invoice(state="Cancelled")], [bill(status="denied")]) == Comparison()


invoices = st.lists(
    st.builds(
        SupplierInvoice,
        st.sampled_from(["10", "20"]),
        st.uuids().map(str),
        st.sampled_from(["S1", "S2"]),
        st.sampled_from(["INV-1", "1", "2", ""]),
        st.just(DAY),
        st.sampled_from(["EUR", "USD"]),
        st.sampled_from([Decimal(1), Decimal("1.0"), Decimal(2)]),
        st.sampled_from(["", "4711"]),
    ),
    max_size=6,
)
bills = st.lists(
    st.builds(
        bill,
        st.uuids().map(str),
        st.sampled_from(["1", "2"]),
        st.sampled_from(["EUR", "USD"]),
        supplier_id=st.sampled_from(["S1", "S2", ""]),
        invoice_number=st.sampled_from(["0001", "2", ""]),
        po_number=st.sampled_from(["", "4711"]),
    ),
    max_size=6,
)


@given(invoices, bills, st.integers())
def test_each_is_in_exactly_one_class_whatever_the_order(
    ours: list[SupplierInvoice], theirs: list[Document], seed: int
) -> None:
    result = compare(ours, theirs)
    pairs = [*result.matched, *result.differing]
    told = [pair.invoice for pair in pairs] + list(result.only_in_ifs) + [two.one for two in result.doubled_in_ifs]
    assert sorted(one.invoice_id for one in told) == sorted(one.invoice_id for one in ours)
    bills_told = [pair.bill for pair in pairs] + list(result.only_in_airbase)
    bills_told += [two.one for two in result.doubled_in_airbase]
    assert sorted(one.id for one in bills_told) == sorted(one.id for one in theirs)
    assert all(not pair.differs for pair in result.matched)
    shuffle = Random(seed).shuffle
    shuffle(ours)
    shuffle(theirs)
    assert compare(ours, theirs) == result
