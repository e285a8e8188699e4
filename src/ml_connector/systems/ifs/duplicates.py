"""Suppliers that may be the one somebody is about to add.

Rule: it points out, with its reason; a person decides. Equal after normalising is a reason, likeness alone is none.
Must not know: requests, how suppliers are read.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping

import msgspec

from ml_connector.records.supplier import NewSupplier

# Legal forms, which people leave out or write in their own way.
_FORMS = re.compile(
    "ab|ag|aps|as|asa|bv|co|company|corp|corporation|gmbh|inc|incorporated|kg|limited|llc|llp|ltd|nv|oyj?|plc|sa|sarl|"
    "sas|spa|srl|the"
)
_WORD = re.compile(r"\w+")
_PREFIX = re.compile(r"[A-Z]{2}(?=\d)")
_ODD = str.maketrans({"æ": "ae", "ø": "o", "ß": "ss", "ł": "l", "&": " "})
_FEW = 2


class Known(msgspec.Struct, frozen=True):
    """A supplier that is there already, with the countries of its banks."""

    supplier_id: str
    name: str
    tax_id: str = ""
    bank_countries: frozenset[str] = frozenset()


class Index:
    """Suppliers by what they may be recognised by."""

    def __init__(self, suppliers: Iterable[Known]) -> None:
        self._known: dict[str, Known] = {}
        self._by_name: dict[str, list[str]] = {}
        self._by_tax_id: dict[str, list[str]] = {}
        self._by_word: dict[str, list[str]] = {}
        for supplier in suppliers:
            self._add(supplier)

    def like(self, new: NewSupplier) -> list[tuple[str, str]]:
        """The suppliers that may be this one, each with its reasons."""
        words, tax_id = plain_name(new.name), plain_tax_id(new.tax_id)
        found: dict[str, list[str]] = {}
        for supplier_id in self._by_tax_id.get(tax_id, ()):
            found.setdefault(supplier_id, []).append("has the same tax id")
        for supplier_id in self._by_name.get(" ".join(words), ()):
            found.setdefault(supplier_id, []).append("has the same name")
        for supplier_id in self._alike(words, new.bank_country):
            found.setdefault(supplier_id, []).append(f"has a like name and a bank in {new.bank_country} too")
        return [(supplier_id, " and ".join(why[:_FEW])) for supplier_id, why in sorted(found.items())]

    def _add(self, supplier: Known) -> None:
        words = plain_name(supplier.name)
        self._known[supplier.supplier_id] = supplier
        _put(self._by_name, " ".join(words), supplier.supplier_id)
        _put(self._by_tax_id, plain_tax_id(supplier.tax_id), supplier.supplier_id)
        if supplier.bank_countries:
            for word in set(words):
                _put(self._by_word, word, supplier.supplier_id)

    def _alike(self, words: tuple[str, ...], country: str) -> list[str]:
        if not country:
            return []
        near = {supplier_id for word in words for supplier_id in self._by_word.get(word, ())}
        return [supplier_id for supplier_id in near if _is_alike(words, country, self._known[supplier_id])]


def likely(suppliers: Iterable[Known], new: Iterable[NewSupplier]) -> Mapping[str, list[tuple[str, str]]]:
    """The suppliers that each new one may be, by vendor id: (supplier id, why)."""
    index = Index(suppliers)
    return {one.vendor_id: index.like(one) for one in new}


def _is_alike(words: tuple[str, ...], country: str, other: Known) -> bool:
    theirs = plain_name(other.name)
    shared, either = set(words) & set(theirs), set(words) | set(theirs)
    return words != theirs and country in other.bank_countries and 3 * len(shared) >= 2 * len(either)


def plain_name(name: str) -> tuple[str, ...]:
    """A name's words without case, accents, punctuation and legal form."""
    folded = _decomposed(_decomposed(name).casefold()).translate(_ODD).replace(".", "")
    words = _WORD.findall("".join(character for character in folded if not unicodedata.combining(character)))
    return tuple(word for word in words if not _FORMS.fullmatch(word)) or tuple(words)


def _decomposed(text: str) -> str:
    return unicodedata.normalize("NFKD", text)


def plain_tax_id(tax_id: str) -> str:
    """A tax id's letters and digits, without the country before them."""
    return _PREFIX.sub("", "".join(character for character in tax_id.upper() if character.isalnum()))


def _put(index: dict[str, list[str]], key: str, supplier_id: str) -> None:
    if key:
        index.setdefault(key, []).append(supplier_id)
