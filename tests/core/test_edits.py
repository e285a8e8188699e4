"""Edits put onto records: what is edited changes, nothing else does."""

import re
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_connector.flows.payments import PAYMENTS
from ml_connector.flows.suppliers import SUPPLIERS
from ml_connector.records import codec
from ml_connector.records.money import Money
from ml_connector.records.spend import Document, SpendLine, Tag
from ml_connector.records.supplier import Supplier
from ml_connector.sync import edits

TEXTS = st.text(st.characters(categories=("L", "N", "P", "Zs")), max_size=20).filter(str.isprintable)
TAGS = st.lists(st.builds(Tag, TEXTS, TEXTS), max_size=3).map(tuple)
LINES = st.lists(st.builds(SpendLine, st.just(1), st.just(Decimal("7.10")), TEXTS, TEXTS, tags=TAGS), max_size=4)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    money = Money(Decimal("10.50"), "EUR")
    made = Document("P1", "payment", "PAY-1", "settled", "SUB-10", money, date(2026, 3, 1))
    return codec.decode(
        codec.encode({**fields(made), "tags": draw(TAGS), "lines": draw(LINES), "category": draw(TEXTS)}), Document
    )


def fields(document: Document) -> dict[str, Any]:
    return {name: getattr(document, name) for name in document.__struct_fields__}


def paths(document: Document) -> list[str]:
    several = [(f"lines[{number}]", line) for number, line in enumerate(document.lines, 1)]
    tags = [
        f"{at}tags[{number}].reference"
        for at, of in (("", document), *((f"{a}.", o) for a, o in several))
        for number, _ in enumerate(of.tags, 1)
    ]
    return ["category", "invoice_number", *tags, *(f"{at}.category" for at, _ in several)]


@given(documents(), st.data())
def test_what_is_edited_changes_and_nothing_else(document: Document, data: st.DataObject) -> None:
    chosen = data.draw(st.dictionaries(st.sampled_from(paths(document)), TEXTS, max_size=4))
    before = {path: edits.value(document, path) for path in chosen}
    after = {path: edits.read(document, path, text, PAYMENTS.editable) for path, text in chosen.items()}
    edited = edits.put(document, after)
    assert {path: edits.value(edited, path) for path in chosen} == chosen
    others = set(paths(document)) - chosen.keys()
    assert all(edits.value(edited, path) == edits.value(document, path) for path in others)
    assert edits.put(edited, before) == document
    assert (edited.amount, edited.dated_on, edited.id) == (document.amount, document.dated_on, document.id)


def test_a_list_is_given_as_json() -> None:
    document = Document("P1", "payment", "N", "settled", "S", Money(Decimal(1), "EUR"), None)
    given_as = edits.read(document, "tags", '[{"label": "department", "reference": "100"}]', PAYMENTS.editable)
    assert edits.put(document, {"tags": given_as}).tags == (Tag("department", "100"),)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("amount", "put right where it was made"),
        ("amount.amount", "put right where it was made"),
        ("lines[1].amount", "put right where it was made"),
        ("dated_on", "put right where it was made"),
        ("id", "put right where it was made"),
        ("supplier_id", "put right where it was made"),
        ("company_amount.currency", "there is no currency"),
        ("catgory", "there is no field catgory; nearest: category"),
        ("number_", "nearest: number, po_number"),
        ("zzz", "there is no field zzz; there are: id, kind, number, "),
        ("tags", "tags is no text; write it as JSON, such as [{"),
        ("lines[0].category", "counted from 1"),
        ("lines[2].category", "there are 1"),
        ("lines.category", "say which entry"),
        ("lines[1]", "name a field of it, such as lines[1].number"),
        ("bill_ids[1]", "name a field of it, such as bill_ids[1].…"),
        ("category[1]", "is no list"),
        ("category.x", "there is no x"),
        ("__class__", "there is no field"),
        ("a" * 500 + "!", "names no field"),
        ("", "names no field"),
    ],
)
def test_what_cannot_be_edited_says_so(path: str, said: str) -> None:
    line = SpendLine(1, Decimal(1))
    document = Document(
        "P1", "payment", "N", "settled", "S", Money(Decimal(1), "EUR"), None, lines=(line,), bill_ids=("b",)
    )
    with pytest.raises(ValueError, match=re.escape(said)):
        edits.read(document, path, "3", PAYMENTS.editable)


@pytest.mark.parametrize("text", ["x" * 2001, "a\nb", "\x1b[31m"])
def test_a_value_that_is_no_line_of_text(text: str) -> None:
    document = Document("P1", "payment", "N", "settled", "S", Money(Decimal(1), "EUR"), None)
    with pytest.raises(ValueError, match="characters"):
        edits.read(document, "category", text, PAYMENTS.editable)
    assert edits.read(document, "category", "x" * 2000, PAYMENTS.editable) == "x" * 2000


def test_a_list_of_other_things_is_refused() -> None:
    document = Document("P1", "payment", "N", "settled", "S", Money(Decimal(1), "EUR"), None)
    with pytest.raises(ValueError, match="tags is no text"):
        edits.read(document, "tags", '[{"label": 1}]', PAYMENTS.editable)


def test_of_any_other_record_an_edit_is_bound_to_all_of_it() -> None:
    one, other = Supplier("S1", "Acme"), Supplier("S1", "Acme AB")
    assert edits.basis_of(SUPPLIERS, one) == codec.digest(one)
    assert edits.basis_of(SUPPLIERS, other) == codec.digest(other)


def test_of_a_document_an_edit_is_bound_to_what_a_correction_depends_upon() -> None:
    document = Document("P1", "payment", "N", "settled", "S", Money(Decimal(1), "EUR"), None)
    other = codec.decode(codec.encode({**fields(document), "url": "https://elsewhere"}), Document)
    dearer = codec.decode(codec.encode({**fields(document), "amount": Money(Decimal(2), "EUR")}), Document)
    assert edits.basis_of(PAYMENTS, document) == edits.basis_of(PAYMENTS, other)
    assert edits.basis_of(PAYMENTS, document) != edits.basis_of(PAYMENTS, dearer)


def test_an_edit_whose_field_changed_its_type_says_so() -> None:
    document = Document("P1", "payment", "N", "settled", "S", Money(Decimal(1), "EUR"), None)
    with pytest.raises(ValueError, match="category is of another type by now"):
        edits.put(document, {"category": 5})


@pytest.mark.parametrize(("editable", "said"), [((), "nothing"), (("category", "tags"), "category, tags")])
def test_what_can_be_edited_is_told(editable: tuple[str, ...], said: str) -> None:
    document = Document("P1", "payment", "N", "settled", "S", Money(Decimal(1), "EUR"), None)
    with pytest.raises(ValueError, match=f"; what can be edited: {said}$"):
        edits.read(document, "amount", "1", editable)
