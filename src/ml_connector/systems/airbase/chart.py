"""Accounts and tags: Airbase's JSON to what is there, and what should be there to JSON and back.

Rule: what is read back equals what was written, once both are trimmed.
Must not know: HTTP, or which records are ours.
"""

from collections.abc import Mapping
from typing import Any

from ml_connector.records.spend_chart import ChartAccount, ChartTag, SpendAccount, SpendTag
from ml_connector.systems.airbase.client import id_of
from ml_connector.systems.airbase.reading import Fields, Raw
from ml_connector.systems.airbase.resource import Resource
from ml_connector.systems.airbase.translate import named, subsidiary


def spend_account(raw: Raw, resource: Resource) -> SpendAccount:
    """The account that Airbase shows. Raises: FieldError."""
    fields = Fields(raw, resource)
    return SpendAccount(fields.text("reference"), fields.text("name"), fields.flag("active"), id_of(raw))


def spend_tag(raw: Raw, resource: Resource) -> SpendTag:
    """The tag that Airbase shows. Raises: FieldError."""
    fields = Fields(raw, resource)
    label, reference, name = (fields.text(field) for field in ("label", "reference", "name"))
    return SpendTag(label, reference, name, fields.flag("active"), id_of(raw))


def account_body(account: ChartAccount, resource: Resource) -> dict[str, Any]:
    """The JSON of an account; its number is its reference."""
    written = {"reference": account.reference, "number": account.reference, **_shared(account)}
    return named(resource, "", written)


def tag_body(tag: ChartTag, resource: Resource) -> dict[str, Any]:
    """The JSON of a tag."""
    return named(resource, "", {"label": tag.label, "reference": tag.reference, **_shared(tag)})


def account(raw: Raw, resource: Resource) -> ChartAccount:
    """An account as a mapping would yield it. Raises: FieldError."""
    fields = Fields(raw, resource)
    return ChartAccount(fields.text("reference"), fields.text("name"), fields.flag("active"), _subsidiaries(fields))


def tag(raw: Raw, resource: Resource) -> ChartTag:
    """A tag as a mapping would yield it. Raises: FieldError."""
    fields = Fields(raw, resource)
    label, reference, name = (fields.text(field) for field in ("label", "reference", "name"))
    return ChartTag(label, reference, name, fields.flag("active"), _subsidiaries(fields))


def unreadable_account(key: str) -> ChartAccount:
    """What stands for an account whose fields can't be read: it equals none that a mapping yields."""
    return ChartAccount(key, "", active=True)


def unreadable_tag(key: str) -> ChartTag:
    """What stands for a tag whose fields can't be read: it equals none that a mapping yields."""
    return ChartTag("", key, "", active=True)


def trim_account(record: ChartAccount, resource: Resource) -> ChartAccount:
    """The account as this tenant would hold it."""
    return ChartAccount(record.reference, **_trimmed(record, resource))


def trim_tag(record: ChartTag, resource: Resource) -> ChartTag:
    """The tag as this tenant would hold it."""
    return ChartTag(record.label, record.reference, **_trimmed(record, resource))


def _shared(record: ChartAccount | ChartTag) -> Mapping[str, Any]:
    return {
        "name": record.name,
        "active": record.active,
        "subsidiaries": [{"erp_reference_id": reference} for reference in record.subsidiaries],
    }


def _trimmed(record: ChartAccount | ChartTag, resource: Resource) -> dict[str, Any]:
    sent = resource.named
    return {
        "name": record.name.strip(),
        "active": record.active if sent("active") else True,
        "subsidiaries": tuple(sorted(set(record.subsidiaries))) if sent("subsidiaries") else (),
    }


def _subsidiaries(fields: Fields) -> tuple[str, ...]:
    return tuple(subsidiary(entry) for entry in fields.rows("subsidiaries"))
