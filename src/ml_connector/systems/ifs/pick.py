"""Values out of raw rows.

Rule: a value is taken as it is or the record is unreadable; nothing is guessed. Text loses the space around it.
Must not know: requests, records.
"""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

from ml_connector.records import keys, money
from ml_connector.sync.outcome import Held, Owner
from ml_connector.systems.ifs.profile import Part
from ml_connector.systems.ifs.rows import Seen

T = TypeVar("T")
NUL = "\0"  # which not every database can keep
_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:T00:00:00(?:\.0+)?(?:Z|[+-]\d{2}:\d{2})?)?")


class UnreadableError(Exception):
    """A record can't be made of its rows; says why a person should look."""

    def __init__(self, sentence: str, remedy: str, owner: Owner) -> None:
        super().__init__(sentence)
        self.held = Held("unreadable", sentence, remedy, owner)


class Pick:
    """The values of one row, by our names."""

    def __init__(self, title: str, part: Part, seen: Seen) -> None:
        self._kind = title
        self._part = part
        self._fields = part.fields
        self._raw = seen.raw
        self.key = keys.split(seen.row.key)

    @property
    def _title(self) -> str:
        return f"{self._kind} {' / '.join(self.key)}"

    def text(self, field: str) -> str:
        """A text; "" when there is none. Raises: UnreadableError."""
        value = self._value(field)
        if value is None or (isinstance(value, str) and NUL not in value):
            text = (value or "").strip()
        elif isinstance(value, int | Decimal) and not isinstance(value, bool):
            text = money.plain(self.number(field))
        else:
            raise self._shape(field, "usable text" if isinstance(value, str) else "text")
        if not text and field in self._part.required:
            raise self._missing(field)
        return text

    def needed(self, field: str) -> str:
        """A text that must be there. Raises: UnreadableError."""
        text = self.text(field)
        if not text:
            raise self._missing(field)
        return text

    def number(self, field: str) -> Decimal:
        """An exact number. Raises: UnreadableError."""
        value = self._value(field)
        if value is None or value == "":
            raise self._missing(field)
        try:
            return money.exact(value)
        except ValueError:
            raise self._shape(field, "a number") from None

    def day(self, field: str) -> date | None:
        """A date; None when there is none. Raises: UnreadableError."""
        value = self._value(field)
        if value is None or value == "":
            return None
        found = _DATE.fullmatch(value) if isinstance(value, str) else None
        try:
            return date.fromisoformat(found.group(1)) if found else self._no_date(field)
        except ValueError:
            return self._no_date(field)

    def needed_day(self, field: str) -> date:
        """A date that must be there. Raises: UnreadableError."""
        day = self.day(field)
        if day is None:
            raise self._missing(field)
        return day

    def whole(self, at: int) -> int:
        """A whole number, from this place of the key. Raises: UnreadableError."""
        text = self.key[at]
        if not (text.isascii() and text.isdigit() and len(text) <= money.DIGITS_MAX):
            raise UnreadableError(
                f"{self._part.key[at]} of {self._title} is not a whole number.",
                "Correct the profile's name for it.",
                Owner.ADMINISTRATOR,
            )
        return int(text)

    def one_of(self, field: str, known: Mapping[str, T]) -> T:
        """What a text stands for, whatever its case. Raises: UnreadableError."""
        text = self.text(field).lower()
        if text not in known:
            raise self._shape(field, f"one of {', '.join(name for name in known if name)}")
        return known[text]

    def _value(self, field: str) -> Any:
        name = self._fields[field]
        return self._raw.get(name) if name else None

    def _no_date(self, field: str) -> date:
        raise self._shape(field, "a date")

    def _missing(self, field: str) -> UnreadableError:
        return UnreadableError(
            f"{self._title} has no {_words(field)} in IFS.",
            f"Fill it in there ({self._part.fields[field]}), then run again.",
            Owner.PURCHASING,
        )

    def _shape(self, field: str, kind: str) -> UnreadableError:
        return UnreadableError(
            f"The {_words(field)} of {self._title} is not {kind}.",
            f"Correct it in IFS, or the profile's name for it ({self._part.fields[field]}).",
            Owner.ADMINISTRATOR,
        )


def _words(field: str) -> str:
    return field.removesuffix("_on").replace("_", " ")
