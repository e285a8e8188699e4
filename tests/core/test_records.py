import csv
import hashlib
import io
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_connector.records import codec, keys, money, sheet
from ml_connector.records.chaining import GENESIS, Header
from ml_connector.records.money import Money
from ml_connector.records.supplier import Address, AgreedTerms, Supplier, SupplierTerms, VendorTerms
from ml_connector.records.terms import BothTerms, TermsOnBoth, state
from ml_connector.records.voucher import VoucherRow, turnover

parts = st.lists(
    st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), min_size=1), min_size=1, max_size=4
)
numbers = st.decimals(allow_nan=False, allow_infinity=False, places=15, min_value=-(10**29), max_value=10**29)


@given(parts)
def test_split_undoes_join(some: list[str]) -> None:
    assert keys.split(keys.join(some)) == tuple(some)


@given(parts, parts)
def test_joined_keys_sort_like_their_parts(left: list[str], right: list[str]) -> None:
    assert (keys.join(left) < keys.join(right)) == (left < right)


@pytest.mark.parametrize("bad", [[""], ["a", ""], ["a\x1fb"], ["a\nb"], ["\x00"]])
def test_a_key_with_control_characters_is_refused(bad: list[str]) -> None:
    with pytest.raises(ValueError, match="not usable as a key"):
        keys.join(bad)


def test_a_row_belongs_to_the_first_parts_of_its_key() -> None:
    assert keys.parent(keys.join(["4711", "1", "2"]), 1) == "4711"
    assert keys.parent(keys.join(["10", "F", "4711"]), 2) == keys.join(["10", "F"])
    assert keys.parent("4711", 1) == keys.parent("4711", 2) == "4711"


@given(numbers)
def test_plain_text_keeps_the_value(number: Decimal) -> None:
    assert Decimal(money.plain(number)) == number
    assert "E" not in money.plain(number)


@given(numbers, st.integers(0, 12))
def test_trailing_zeros_change_no_digest(number: Decimal, zeros: int) -> None:
    padded = Decimal(f"{number:f}" + ("." if "." not in f"{number:f}" else "") + "0" * zeros)
    assert codec.digest(Money(number, "EUR")) == codec.digest(Money(padded, "EUR"))
    assert codec.digest(number) == codec.digest(padded)
    assert codec.digest([(number, "x")]) == codec.digest([(padded, "x")]) != codec.digest([(number, "y")])


@given(numbers, numbers)
def test_different_amounts_have_different_digests(left: Decimal, right: Decimal) -> None:
    same = codec.digest(Money(left, "EUR")) == codec.digest(Money(right, "EUR"))
    assert same == (left == right)


@given(numbers)
def test_thirty_digits_survive_the_codec(number: Decimal) -> None:
    back = codec.decode(codec.encode(Money(number, "KWD")), Money)
    assert back.amount.as_tuple() == number.as_tuple()


def _units(number: Decimal, places: int) -> int:
    sign, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    return (-1 if sign else 1) * int("".join(map(str, digits))) * 10 ** (exponent + places)


@given(numbers, numbers)
def test_sums_and_products_are_exact(left: Decimal, right: Decimal) -> None:
    assert _units(money.total([left, right]), 15) == _units(left, 15) + _units(right, 15)
    assert _units(money.times(left, right), 30) == _units(left, 15) * _units(right, 15)


@pytest.mark.parametrize("bad", [1.5, True, "1,5", "NaN", "Infinity", "", "1e999", "x", None])
def test_what_is_not_an_exact_number_is_refused(bad: object) -> None:
    with pytest.raises(ValueError, match=r"not a|float"):
        money.exact(bad)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("most", "more"), [("9" * 60, "9" * 61), (f"-{'9' * 60}", f"-{'9' * 61}"), ("1E+60", "1E+61"), ("1E-60", "1E-61")]
)
def test_sixty_digits_are_usable_and_no_more(most: str, more: str) -> None:
    assert money.exact(most) == Decimal(most)
    with pytest.raises(ValueError, match="not a usable number"):
        money.exact(more)


def test_what_is_no_amount_is_shown_as_far_as_it_is_short() -> None:
    with pytest.raises(ValueError, match=f"^not a number: '{'x' * 40}'$"):
        money.exact("x" * 50)
    with pytest.raises(ValueError, match=f"^not a usable number: '{'1' * 40}'$"):
        money.exact("1" * 61)


@pytest.mark.parametrize(
    ("number", "currency", "text"),
    [("1.005", "EUR", "1.01"), ("1.5", "JPY", "2"), ("1.0005", "KWD", "1.001"), ("-1.005", "USD", "-1.01")],
)
def test_rounding_is_half_up_to_the_currencys_decimals(number: str, currency: str, text: str) -> None:
    assert str(money.rounded(Decimal(number), currency)) == text


def test_a_difference_names_the_fields_that_differ() -> None:
    before = Supplier("S1", "Acme", terms=(SupplierTerms("10", "30"),))
    after = msgspec.structs.replace(before, name="Acme AB", address=Address(city="Oslo"))
    assert set(codec.difference(before, after)) == {"name", "address"}
    assert codec.difference(before, before) == {}
    assert codec.difference(None, before)["name"] == (None, "Acme")
    assert codec.difference(before, None)["name"] == ("Acme", None)


def test_where_no_record_is_there_are_no_terms() -> None:
    assert state(BothTerms()) == TermsOnBoth((), "")
    there = BothTerms(AgreedTerms("S1", (SupplierTerms("10", "30"),)), VendorTerms("S1", " Net 30 "))
    assert state(there) == TermsOnBoth((("10", "30"),), "Net 30")


def test_the_debit_side_of_a_voucher() -> None:
    rows = [VoucherRow("1", "EUR", number, number) for number in map(Decimal, ("0.50", "7", "-7.50"))]
    assert turnover(rows) == Decimal("7.50")


def test_an_entry_is_hashed_as_it_always_was() -> None:
    header = Header(7, 12, "2026-11-26T01:55:00+00:00", b"run-1", "suppliers", "S1", "settled", '{"a":1}', None)
    fields = b'1:72:1225:2026-11-26T01:55:00+00:005:run-19:suppliers2:S17:settled7:{"a":1}'
    assert header.hash(GENESIS) == hashlib.sha256(GENESIS + fields + b"-").digest()
    body = bytes(range(32))
    assert header._replace(body_digest=body).hash(body) == hashlib.sha256(body + fields + b"32:" + body).digest()


def test_a_table_keeps_numbers_and_disarms_the_rest() -> None:
    kept = ["-12.50", "plain", "a,b", "1e5", "X=1"]
    computed = ["=1+1", "+1", "-x", "@a", " =1", "\ta", "-1.2.3", "-²", "=1 "]
    written = sheet.sheet(["-", "b"], [[None, *kept], computed, computed])
    disarmed = [f"'{cell}" for cell in computed]
    assert list(csv.reader(io.StringIO(written))) == [["'-", "b"], ["", *kept], disarmed, disarmed]
