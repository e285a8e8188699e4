"""All that the stand-in Airbase keeps, and the only ways in which it changes.

One rule: a write is checked whole before any of it is stored, so that a refused one leaves no trace.
It must not know HTTP.
"""

import random
import uuid
from collections.abc import Iterable
from typing import Any

import msgspec

from ml_connector.sandbox.airbase import checks
from ml_connector.sandbox.airbase.checks import Wrong
from ml_connector.sandbox.airbase.facts import Facts
from ml_connector.sandbox.airbase.kinds import KINDS, VENDOR_ASSUMED, Kind, checked
from ml_connector.sandbox.airbase.options import AirbaseOptions
from ml_connector.sandbox.airbase.table import Row, Table

_VENDOR_SHOWN = ("id", "airbase_id", "name", "erp_reference_id")


class Refused(Exception):
    """A write that DRF would answer with 400, with the body it would give."""

    def __init__(self, body: Any) -> None:
        super().__init__(body)
        self.body = body


class Bulk(msgspec.Struct, frozen=True):
    """What a bulk write did."""

    created: list[dict[str, Any]]
    updated: list[dict[str, Any]]


class Books:
    """Rows of all kinds; the caller holds the lock."""

    def __init__(self, options: AirbaseOptions, facts: Facts | None = None) -> None:
        self.options = options
        self.facts = facts or Facts()
        self.tables: dict[str, Table] = {name: Table() for name in KINDS}
        self._random = random.Random(options.seed)  # noqa: S311 - made-up ids

    def fresh_id(self) -> str:
        """Make the next id; the same seed makes the same ids."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def shown(self, kind: Kind, row: Row) -> dict[str, Any]:
        """Give a row as a client sees it: vendors are shown as they are now, not as they were."""
        if kind.name == "vendors":
            return self._without_unknown(kind, row)
        if vendor := row.get("vendor"):
            now = self.tables["vendors"].get(vendor["airbase_id"]) or {}
            return {**row, "vendor": {**vendor, **{name: now.get(name) for name in _VENDOR_SHOWN if now}}}
        return dict(row)

    def add(self, kind: Kind, fields: dict[str, Any]) -> dict[str, Any]:
        """Store a row without any check, as someone at work in Airbase itself would."""
        key = fields.get("airbase_id") or self.fresh_id()
        row = {"id": key, "airbase_id": key, **kind.fresh, **fields}
        self.tables[kind.name].put(row)
        return row

    def create(self, kind: Kind, given: Any) -> dict[str, Any]:
        """Store one new row from a client."""
        row, _ = self._staged(kind, _object(given), None, {})
        self.tables[kind.name].put(row)
        return self.shown(kind, row)

    def update(self, kind: Kind, key: str, given: Any) -> dict[str, Any] | None:
        """Change one row from a client, or give None when there is none."""
        current = self.tables[kind.name].get(key)
        if current is None:
            return None
        row, _ = self._staged(kind, _object(given), current, {})
        self.tables[kind.name].put(row)
        return self.shown(kind, row)

    def bulk(self, kind: Kind, given: Any) -> Bulk:
        """Create and update rows from a client, all or none."""
        staged: dict[str, Row] = {}
        created: list[str] = []
        errors: list[dict[str, Any]] = []
        for index, entity in enumerate(self._entities(given)):
            try:
                row, is_new = self._entity(kind, entity, staged)
            except Refused as refused:
                errors.append({"index": index, "errors": refused.body})
                continue
            staged[row["airbase_id"]] = row
            created += [row["airbase_id"]] if is_new else []
        if errors:
            raise Refused({"validation_errors": errors})
        self._put(kind, staged.values())
        return self._told(kind, staged, set(created))

    def _told(self, kind: Kind, staged: dict[str, Row], created: set[str]) -> Bulk:
        return Bulk(
            created=[self.shown(kind, row) for key, row in staged.items() if key in created],
            updated=[self.shown(kind, row) for key, row in staged.items() if key not in created],
        )

    def _put(self, kind: Kind, rows: Iterable[Row]) -> None:
        for row in rows:
            self.tables[kind.name].put(row)

    def _entities(self, given: Any) -> list[Any]:
        fields = _object(given)
        if "entities" not in fields:
            raise Refused({"entities": ["This field is required."]})
        try:
            entities = checks.rows_of(fields["entities"])
        except Wrong as wrong:
            raise Refused({"entities": wrong.said}) from None
        if len(entities) > self.options.bulk_max:
            said = f"Ensure this field has no more than {self.options.bulk_max} elements."
            raise Refused({"entities": [said]})
        return entities

    def _entity(self, kind: Kind, entity: Any, staged: dict[str, Row]) -> tuple[dict[str, Any], bool]:
        fields = _object(entity)
        key = fields.get("airbase_id")
        if not key:
            return self._staged(kind, fields, None, staged)
        current = (staged.get(key) or self.tables[kind.name].get(key)) if isinstance(key, str) else None
        if current is None:
            raise Refused({"airbase_id": [f'Object with airbase_id="{key}" does not exist.']})
        return self._staged(kind, fields, current, staged)

    def _staged(
        self, kind: Kind, given: dict[str, Any], current: Row | None, staged: dict[str, Row]
    ) -> tuple[dict[str, Any], bool]:
        """Make the row that a write asks for, without storing it, and say whether it is a new one."""
        required = kind.required if current is None else ()
        values, errors = checked(kind.fields, required, self._without_unknown(kind, given), self.tables)
        if kind.name == "ledger_entries" and not self._knows_status(values.get("status")):
            errors["status"] = [f'"{values["status"]}" is not a valid choice.']
        current = current or self._twin(kind, values, errors, staged)
        if current and not _keeps_key(current, values):
            errors["erp_reference_id"] = ["This field cannot be changed once it is set."]
        if errors:
            raise Refused(errors)
        if current is not None:
            return {**current, **values}, False
        key = self.fresh_id()
        return {"id": key, "airbase_id": key, **kind.fresh, **values}, True

    def _without_unknown(self, kind: Kind, fields: Row) -> dict[str, Any]:
        """Leave out the vendor fields that this tenant does not have."""
        unknown = set(VENDOR_ASSUMED) - set(self.options.vendor_fields) if kind.name == "vendors" else ()
        return {name: value for name, value in fields.items() if name not in unknown}

    def _knows_status(self, status: str | None) -> bool:
        return status is None or (
            status != "" and status in ("sync_ready", "sync_complete", self.options.failure_status)
        )

    def _twin(self, kind: Kind, values: dict[str, Any], errors: dict[str, Any], staged: dict[str, Row]) -> Row | None:
        """Find the row that already has this erp_reference_id, where the tenant cares."""
        wanted = values.get("erp_reference_id")
        if not wanted or self.options.duplicates == "allow":
            return None
        in_table = self.tables[kind.name].first(erp_reference_id=wanted)
        in_bulk = any(row["erp_reference_id"] == wanted for row in staged.values())
        if in_bulk or (in_table and self.options.duplicates == "reject"):
            errors["erp_reference_id"] = [f"{kind.name} with this erp_reference_id already exists."]
        return in_table


def _object(given: Any) -> dict[str, Any]:
    try:
        return checks.mapping(given)
    except Wrong as wrong:
        raise Refused({"non_field_errors": wrong.said}) from None


def _keeps_key(current: Row, values: dict[str, Any]) -> bool:
    before = current.get("erp_reference_id")
    return not before or values.get("erp_reference_id", before) == before
