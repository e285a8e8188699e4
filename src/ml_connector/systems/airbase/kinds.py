"""What tells vendors, orders, accounts and tags apart, for the parts that treat all alike.

Rule: a record of ours is one whose key fields are filled; a row that does not even show the field is an error.
Must not know: how rows are fetched or sent.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from ml_connector.errors import MalformedError, SettingsError
from ml_connector.records import keys
from ml_connector.sync.plan import Found
from ml_connector.sync.ports import Write
from ml_connector.systems.airbase import chart, translate
from ml_connector.systems.airbase.client import SYSTEM, Raw, id_of
from ml_connector.systems.airbase.profile import KEYS, Profile
from ml_connector.systems.airbase.resource import Resource


class Kind(msgspec.Struct, frozen=True):
    """One kind of record with its translations."""

    name: str
    resource: Resource
    write: Callable[[Any, Resource], dict[str, Any]]
    read: Callable[[Raw, Resource], Any]
    unreadable: Callable[[str], Any]
    cut: Callable[[Any, Resource], Any]

    @property
    def key_fields(self) -> tuple[str, ...]:
        """The JSON names of the fields that our key is made of."""
        return tuple(self.resource.named(field) for field in KEYS[self.name])

    def key(self, row: Mapping[str, Any]) -> str:
        """Our key of a row; "" when it carries none.

        Raises: MalformedError when the row has no such field: then nothing could ever be found.
        """
        given = [self._part(row, field) for field in self.key_fields]
        return keys.SEPARATOR.join(given) if all(given) else ""

    def _part(self, row: Mapping[str, Any], field: str) -> str:
        if field not in row:
            raise MalformedError(SYSTEM, f"read {self.name}", f"a record has no field {field}")
        part = row[field]
        if part is not None and not isinstance(part, str):
            raise MalformedError(SYSTEM, f"read {self.name}", f"the field {field} is not text")
        return part or ""

    def trim(self, record: Any) -> Any:
        """The record as this tenant would hold it."""
        return self.cut(record, self.resource)

    def found(self, row: Raw) -> Found | None:
        """The row as the pipeline sees it; None when it is not ours.

        One that can't be read is there all the same (else it would be created again), as a record unlike any other.
        """
        key = self.key(row)
        if not key:
            return None
        try:
            record = self.read(row, self.resource)
        except ValueError:
            record = self.unreadable(key)
        return Found(key, id_of(row), self.trim(record))

    def entity(self, write: Write) -> dict[str, Any]:
        """A write as an entity of a bulk call."""
        body = self.write(self.trim(write.after), self.resource)
        return {"airbase_id": write.target_id, **body} if write.target_id else body

    def fields(self, write: Write) -> dict[str, Any]:
        """A write as the body of a call of its own; an update leaves out the keys, which can't be changed."""
        body = self.entity(write)
        if not write.target_id:
            return body
        fixed = {"airbase_id", *self.key_fields, self.resource.named("reference")}
        return {name: value for name, value in body.items() if name not in fixed}


def kind_of(profile: Profile, name: str) -> Kind:
    """The kind of a resource's name.

    Raises: SettingsError when nothing can be written there.
    """
    if name not in _TRANSLATIONS:
        raise SettingsError(f"Airbase has no resource {name} that records can be sent to")
    resource: Resource = getattr(profile, name)
    return Kind(name, resource, *_TRANSLATIONS[name])


Translations = tuple[
    Callable[[Any, Resource], dict[str, Any]],
    Callable[[Any, Resource], Any],
    Callable[[str], Any],
    Callable[[Any, Resource], Any],
]
_TRANSLATIONS: dict[str, Translations] = {
    "vendors": (
        translate.vendor_body,
        translate.vendor,
        translate.unreadable_vendor,
        translate.trim_vendor,
    ),
    "purchase_orders": (
        translate.order_body,
        translate.order,
        translate.unreadable_order,
        translate.trim_order,
    ),
    "accounts": (
        chart.account_body,
        chart.account,
        chart.unreadable_account,
        chart.trim_account,
    ),
    "tags": (
        chart.tag_body,
        chart.tag,
        chart.unreadable_tag,
        chart.trim_tag,
    ),
}
