"""By which words a record is found, and what somebody means who looks for one."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_connector.records import keys
from ml_connector.records.money import Money, plain
from ml_connector.records.spend import Document
from ml_connector.records.supplier import AgreedTerms, Supplier, Vendor, VendorTerms
from ml_connector.records.terms import BothTerms
from ml_connector.sync.words import ASKED_MAX, LENGTH_MAX, WORDS_MAX, asked, of_target, words

BILL = Document(
    "8f2c-11", "bill", "B-2041", "approved", "SUB-10", Money(Decimal("41200.50"), "EUR"), date(2026, 9, 30),
    description="Ölwechsel, groß", vendor="Müller & Søn A/S", supplier_id="S000017", invoice_number="INV-00123",
)  # fmt: skip


def finds(query: str, said: frozenset[str]) -> bool:
    meant = asked(query)
    return bool(meant) and all(one & said for one in meant)


@pytest.mark.parametrize(
    "query",
    [
        "41200.50", "41,200.50", "41.200,50", "41200,5", "41200.5", "muller son", "MÜLLER", "Søn", "olwechsel gross",
        "inv-00123", "INV00123", "B-2041", "s000017", "8f2c-11", "Müller 41200.50",
    ],
)  # fmt: skip
def test_a_bill_is_found_as_people_write(query: str) -> None:
    assert finds(query, words(BILL.id, BILL))


@pytest.mark.parametrize(
    "query", ["955.37", "USD 955.37", "955.37 USD", "$955.37", "PAY-100042", "100042", "Iron 955.37"]
)
def test_a_payment_with_ids_that_a_machine_made_up_is_found_by_its_amount(query: str) -> None:
    made_up = "9c7d498a-8f76-4c87-9642-74036988f668"
    payment = Document(
        made_up, "payment", "PAY-100042", "settled", "SUB-20", Money(Decimal("955.37"), "USD"), date(2025, 5, 5),
        vendor="Iron Hill Logistik GmbH & Co. KG", vendor_id="a17a4340-f9c0-4fef-ba1b-1bf13879399b",
        supplier_id="S000051",
    )  # fmt: skip
    assert finds(query, words(made_up, payment))
    assert finds(made_up, words(made_up, payment))


@pytest.mark.parametrize("query", ["41200", "4120050", "Meyer", "Müller 41200", "S000018", "", " ", "%", "*"])
def test_nothing_else_finds_it(query: str) -> None:
    assert not finds(query, words(BILL.id, BILL))


def test_a_thousand_with_one_mark_is_read_in_both_ways() -> None:
    assert asked("1,234") == (frozenset({"1234", "1.234"}),)
    assert finds("0012", frozenset({"12"}))
    assert finds("0012", frozenset({"0012"}))


def test_of_a_currency_only_the_amount_beside_it_says_that_it_is_one() -> None:
    assert asked("USD 955,37") == asked("955,37")
    for query in ("USD 955", "USD office 955.37", "955.37 office USD"):
        assert frozenset({"usd"}) in asked(query)


def test_a_number_is_read_with_its_sign_and_only_if_it_is_one() -> None:
    assert asked("-1,234") == (frozenset({"-1234", "-1.234", "1234"}),)
    assert asked("1,234.567.8") == (frozenset({"234", "12345678"}), frozenset({"567", "12345678"}))
    longest = f"0.{'1' * (LENGTH_MAX - 2)}"
    assert finds(longest, frozenset({longest}))


def test_both_sides_of_a_record_count() -> None:
    said = words("S000017", Supplier("S000017", "Müller"), Vendor("S000017", "Mueller GmbH", True, ("SUB-10",)))
    assert {"s000017", "muller", "mueller", "gmbh"} <= said


def test_all_parts_of_a_key_and_of_a_voucher_are_words() -> None:
    longest = "x" * LENGTH_MAX
    assert words(keys.join(["B", "100", longest])) == {"100", longest}
    assert words("K1", Supplier("K1", f"Bo {longest}y z")) == {"k1", "bo", longest}
    assert of_target(longest) == {longest}
    both = BothTerms(AgreedTerms("S17"), VendorTerms("R5"))
    assert words("S17", both) == {"s17", "r5"}
    assert {"10", "2026", "100234", "10m2026100234"} <= of_target("10/M/2026/100234")


@given(st.text(max_size=300), st.text(max_size=60))
def test_any_text_gives_few_short_words_that_find_it(text: str, name: str) -> None:
    said = words("K1", Supplier("S1", name or "x", text))
    assert len(said) <= WORDS_MAX
    assert all(2 <= len(word) <= LENGTH_MAX for word in said)
    assert len(asked(text)) <= ASKED_MAX
    assert asked(text.upper()) == asked(text.upper().lower()) or not text.isascii()


@given(st.decimals(min_value=10, max_value=10**9, places=2))
def test_an_amount_is_found_however_it_is_grouped(amount: Decimal) -> None:
    said = frozenset({plain(amount)})
    english = f"{amount:,.2f}"
    german = english.translate(str.maketrans(",.", ".,"))
    assert finds(english, said)
    assert finds(german, said)
    assert finds(plain(amount), said)
