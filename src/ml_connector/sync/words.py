"""Words: by what a record is found, and what somebody means who looks for one.

Rule: upper and lower case, accents and punctuation make no difference, nor does the way in which a number is written.
Must not know: where words are kept.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from functools import cache
from typing import Any

import msgspec

from ml_connector.records import keys
from ml_connector.records.money import Money, exact, plain

WORDS_MAX, ASKED_MAX = 16, 8
LENGTH_MIN, LENGTH_MAX = 2, 40
# In the order in which they matter: when a record has more words than are kept, the last ones go.
REFERENCES = (
    "supplier_id",
    "reference",
    "order_no",
    "number",
    "id",
    "invoice_number",
    "po_number",
    "vendor_id",
    "account",
    "value",
    "voucher",
    "tax_id",
)
AMOUNTS = ("amount", "company_amount", "settlement", "total")
TEXTS = ("name", "vendor", "text", "description")
PARTS = ("supplier", "vendor")  # of records that are made of one of each side
_UNDECOMPOSED = str.maketrans({"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"})
_MADE_UP = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")  # nobody looks for a part of it
_BREAK = re.compile(r"[\W_]+")
_GROUPED = re.compile(r"-?\d{1,3}(?:[,.'’]\d{3})+(?:[.,]\d+)?")
_CODE = re.compile(r"[A-Za-z]{3}")
_AROUND = ',;:!?()"$€£¥'
_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)?")

Asked = tuple[frozenset[str], ...]


def words(key: str, *records: Any) -> frozenset[str]:
    """The words of a record, by its key and what is known of it on either side."""
    there = [one for record in records if record is not None for one in _parts(record)]
    kinds = tuple(map(type, there))
    references = dict.fromkeys(one for one in _values(there, _placed(kinds, REFERENCES)) if isinstance(one, str))
    found = dict.fromkeys(_joined(part) for part in keys.split(key))
    found |= dict.fromkeys(map(_joined, references))
    found |= dict.fromkeys(_amounts(_values(there, _placed(kinds, AMOUNTS))))
    found |= dict.fromkeys(part for one in references if not _MADE_UP.fullmatch(one) for part in _split(one))
    for text in _values(there, _placed(kinds, TEXTS)):
        if isinstance(text, str):
            found |= dict.fromkeys(_split(text))
    return frozenset([word for word in found if LENGTH_MIN <= len(word) <= LENGTH_MAX][:WORDS_MAX])


def of_target(target_id: str) -> frozenset[str]:
    """The words of what a record is linked to: all of its id, and each part."""
    found = [_joined(target_id)[:LENGTH_MAX], *map(_joined, target_id.split("/"))]
    return frozenset(word for word in found if LENGTH_MIN <= len(word) <= LENGTH_MAX)


def asked(query: str) -> Asked:
    """What is looked for: of each word or number the ways in which it may be kept, all of which may be meant."""
    pieces = [piece.strip(_AROUND) for piece in query.split()]
    kept = [piece for at, piece in enumerate(pieces) if not _is_currency(piece, pieces[max(0, at - 1) : at + 2])]
    found = dict.fromkeys(one for piece in kept for one in _meant(piece) if one)
    return tuple(found)[:ASKED_MAX]


def folded(text: str) -> str:
    """A text as it is compared."""
    if text.isascii():
        return text.lower()
    bare = unicodedata.normalize("NFKD", text.casefold().translate(_UNDECOMPOSED))
    return "".join(sign for sign in bare if not unicodedata.combining(sign))


def _is_currency(piece: str, around: Iterable[str]) -> bool:
    """Whether it is said of the amount beside it, as in USD 955.37: an amount is kept without."""
    return bool(_CODE.fullmatch(piece)) and any("." in one or "," in one for one in around if _read(one))


def _meant(written: str) -> Iterator[frozenset[str]]:
    if amounts := _read(written):
        yield frozenset({*amounts, _joined(written)})
        return
    whole = _joined(written)  # an id may be kept as one word
    yield from (frozenset({part, whole}) for part in _split(written))


def _read(written: str) -> set[str]:
    """The numbers that a piece may be: 1,234 is read in both ways."""
    found: set[str] = set()
    if _GROUPED.fullmatch(written):
        mark = next(sign for sign in written if not sign.isdigit() and sign != "-")
        found.add(written.replace(mark, "").replace(",", "."))
    if _NUMBER.fullmatch(written):
        found.add(written.replace(",", "."))
    return {plain(exact(number)) for number in found if number.count(".") < 2 and len(number) <= LENGTH_MAX}


def _parts(record: Any) -> Iterator[Any]:
    yield record
    for name in PARTS:
        inner = getattr(record, name, None)
        if isinstance(inner, msgspec.Struct):
            yield inner


def _amounts(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        number = value.amount if isinstance(value, Money) else value
        if isinstance(number, Decimal):
            yield plain(number)


@cache
def _placed(kinds: tuple[type, ...], names: tuple[str, ...]) -> list[tuple[int, str]]:
    """Which of these records have which of these fields, in the order of the names."""
    return [(at, name) for name in names for at, kind in enumerate(kinds) if hasattr(kind, name)]


def _values(records: Sequence[Any], placed: Iterable[tuple[int, str]]) -> list[Any]:
    return [getattr(records[at], name) for at, name in placed]


def _joined(text: str) -> str:
    return text.lower() if text.isascii() and text.isalnum() else _BREAK.sub("", folded(text))


def _split(text: str) -> list[str]:
    """The words of a text; a single sign is none, as nothing is found by it."""
    return [word[:LENGTH_MAX] for word in _BREAK.split(folded(text)) if len(word) >= LENGTH_MIN]
