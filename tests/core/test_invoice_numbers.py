"""Invoice numbers as people mean them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_connector.records.supplier_invoice import normal


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("12", "12"),
        ("INV-0012", "12"),
        ("Invoice No. 0012", "12"),
        ("nr 12", "12"),
        ("2026/0012", "20260012"),
        ("A-007", "a7"),
        ("a 007 b 010", "a7b10"),
        ("0", "0"),
        ("000", "0"),
        ("INV-0", "0"),
        ("inv", "inv"),
        ("Invoice no", "invoiceno"),
        ("Nova 12", "nova12"),
        ("INV-A12", "inva12"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        (" - ", ""),
        ("", ""),
    ],
)
def test_normal(written: str, meant: str) -> None:
    assert normal(written) == meant


texts = st.text("0012ainvoer -/.Nß٣", max_size=12)


@given(texts)
def test_once_is_enough(written: str) -> None:
    assert normal(normal(written)) == normal(written)


@given(texts)
def test_a_number_never_becomes_nothing(written: str) -> None:
    assert bool(normal(written)) == any(character.isalnum() for character in written)


def begins_with_a_digit(text: str) -> bool:
    return next((character.isdecimal() for character in text if character.isalnum()), False)


@given(texts.filter(begins_with_a_digit))
def test_case_and_a_word_before_it_do_not_count(written: str) -> None:
    assert normal(f"Invoice {written}".upper()) == normal(written)
