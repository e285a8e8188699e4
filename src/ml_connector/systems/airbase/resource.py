"""One kind of record of an Airbase API: where it is, and what its parts are called.

Rule: a name that is "" is not used, neither read nor sent.
Must not know: which kinds there are.
"""

from functools import cached_property
from typing import Literal

import msgspec

Confidence = Literal["seen", "assumed"]


class Resource(msgspec.Struct, frozen=True, dict=True):
    """One kind of record: where it is, how it is looked up, what its fields are called.

    `bulk_path` "": one request a record. `by_reference`: the query parameter of the exact look-up by our key; "": there
    is none. `fields`: canonical name to JSON name; "": not sent. `seen`: canonical names seen in recorded traffic.
    """

    path: str
    bulk_path: str = ""
    bulk_max: int = 100
    by_reference: str = ""
    fields: dict[str, str] = {}
    confidence: Confidence = "assumed"
    seen: frozenset[str] = frozenset()

    def named(self, field: str) -> str:
        """The JSON name of a canonical field; "" when it is not sent."""
        return self.fields.get(field, "")

    @cached_property
    def sent(self) -> frozenset[str]:
        """The canonical fields that have a JSON name."""
        return frozenset(field for field, name in self.fields.items() if name)

    @property
    def called(self) -> str:
        """What its records are called."""
        return self.path.strip("/").rpartition("/")[2].replace("_", " ")
