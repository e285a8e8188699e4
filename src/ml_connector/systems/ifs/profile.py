"""What a tenant's IFS is like: the names that it uses, and how its sets may be read.

Rule: names and habits are data; which there are by default, and how a tenant's own are read, have their modules.
Must not know: requests, rows, any one set.
"""

from typing import Literal

import msgspec

ROOTS = {
    "projection": "/main/ifsapplications/projection/v1",
    "projection-int": "/int/ifsapplications/projection/v1",
    "entity": "/int/ifsapplications/entity/v1",
}
UTC_AWARE = "UTC-aware"


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entity set.

    `key`: the properties that identify a row, those of the record first; `depth`: how many of them identify the record.
    `fields`: from our names to properties; "" is not read. `actions`: from our names to those of bound actions and
    child sets. `modified`: property with the time of the last change.
    `company`: property to keep to the allowed companies by. `where`: a fixed filter. `paging` "skip" is for sets that
    can't be sorted by code point. `seen`: fields whose property was seen in real use; the rest is assumed.
    """

    service: str
    set: str
    key: tuple[str, ...]
    fields: dict[str, str]
    actions: dict[str, str] = {}
    root: Literal["projection", "projection-int", "entity"] = "projection"
    depth: int = 1
    modified: str = ""
    company: str = ""
    where: str = ""
    paging: Literal["keyset", "skip"] = "keyset"
    confidence: Literal["seen", "assumed"] = "assumed"
    seen: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()

    @property
    def place(self) -> str:
        """The path of the service."""
        return f"{ROOTS[self.root]}/{self.service}.svc"

    @property
    def properties(self) -> tuple[str, ...]:
        """All properties to read, each once."""
        wanted = [*self.key, self.modified, *self.fields.values()]
        return tuple(dict.fromkeys(name for name in wanted if name))


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The names and habits of a tenant.

    `zone`: the IANA zone of times written `…Z`; "" unknown; "UTC-aware": the tenant's services honour the header that
    makes them UTC.
    """

    parts: dict[str, Part]
    zone: str = ""
    page_rows: int = 5000
    keys_per_request: int = 50
    overlap_s: int = 7200
    parallel: int = 8
