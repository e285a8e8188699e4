"""New suppliers for IFS, proposed by the spend side.

Rule: a supplier is made once: it carries the vendor's id in a custom field and is found by that. Once made, it is IFS's
own and is not changed from here.
Must not know: vendors beyond what a new supplier says.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

from ml_connector.errors import MalformedError, UnconfirmedError
from ml_connector.records.supplier import NewSupplier
from ml_connector.sync.outcome import Held, Owner
from ml_connector.sync.plan import Found
from ml_connector.sync.ports import Done, Refused, Result, Unknown, Write
from ml_connector.systems.ifs import duplicates
from ml_connector.systems.ifs.client import IfsClient
from ml_connector.systems.ifs.duplicates import Known
from ml_connector.systems.ifs.entities import Entities, Raw, each_result, said
from ml_connector.systems.ifs.odata.literals import name
from ml_connector.systems.ifs.pager import Plan

PART = "suppliers"
BATCH_MAX = 20
FIND_MAX = 500

KEY_PROPERTY = "Cf_Airbase_Id"  # assumed: a custom field that the tenant adds


class SupplierTarget:
    """Suppliers of one tenant as a target for `NewSupplier`; implements `sync.ports.Target`.

    `key_property`: the custom field (*assumed*) that carries the id of the vendor which a supplier was made for.
    """

    def __init__(self, client: IfsClient, key_property: str = KEY_PROPERTY) -> None:
        self._entities = Entities(client, PART)
        self._fields = self._entities.part.fields
        self._key_property = name(key_property)

    @property
    def batch_max(self) -> int:
        """How many writes go in one `send`."""
        return BATCH_MAX

    @property
    def find_max(self) -> int:
        """Up to how many keys `find` is cheaper than `walk`."""
        return FIND_MAX

    def trim(self, record: NewSupplier) -> NewSupplier:
        """The record with only what a supplier of this tenant holds; the rest empty."""
        kept = {field: getattr(record, field) for field in ("country", "tax_id") if self._fields[field]}
        return NewSupplier(record.vendor_id, record.name.strip(), **{k: v.strip() for k, v in kept.items()})

    def walk(self) -> None:
        """None: a supplier that was made is IFS's own, so that nobody compares it with what it was made from."""

    def find(self, keys: Sequence[str]) -> tuple[Found, ...]:
        """The suppliers that carry these vendors' ids.

        Raises: RemoteError.
        """
        if not keys or not self._marked:
            return ()
        wanted = [self._entities.equal([(self._key_property, key)]) for key in keys]
        return self._found(self._entities.rows_of(wanted, more=(self._key_property,)))

    def send(self, writes: Sequence[Write]) -> tuple[Result, ...]:
        """Make suppliers; those that are made already are refused.

        Raises: RemoteError when nothing was delivered.
        """
        return each_result([write.key for write in writes], lambda place: self._one(writes[place]))

    @property
    def _marked(self) -> bool:
        """Whether the tenant has the field that carries a vendor's id."""
        return self._key_property in self._entities.shape.properties

    def _found(self, rows: Iterator[Raw] | Sequence[Raw]) -> tuple[Found, ...]:
        key = self._entities.part.key[0]
        return tuple(Found(str(row[self._key_property]), str(row[key]), self._record(row)) for row in rows)

    def _record(self, row: Raw) -> NewSupplier:
        return NewSupplier(
            str(row[self._key_property]),
            *(_text(row, self._fields[field]) for field in ("name", "country", "tax_id")),
        )

    def _one(self, write: Write) -> Result:
        if not self._marked:
            return Refused(write.key, self._unmarked())
        if write.target_id:
            return Refused(write.key, _kept(write.target_id))
        return self._made(write)

    def _made(self, write: Write) -> Result:
        try:
            row = self._entities.insert(self._properties(write))
        except (UnconfirmedError, MalformedError) as error:
            return Unknown(write.key, said(error))
        target_id, carried = row.get(self._entities.part.key[0]), row.get(self._key_property)
        if isinstance(target_id, str) and target_id and carried == write.key:
            return Done(write.key, target_id)
        return Unknown(write.key, "the answer does not show the supplier with its vendor's id")

    def _properties(self, write: Write) -> dict[str, Any]:
        record: NewSupplier = write.after
        given = {field: getattr(record, field) for field in ("name", "country", "tax_id") if self._fields[field]}
        return {self._fields[field]: value for field, value in given.items() if value} | {self._key_property: write.key}

    def _unmarked(self) -> Held:
        part = self._entities.part
        return Held(
            "field_missing_in_ifs",
            f"IFS has no field {self._key_property} on {part.set}, so a supplier made twice could not be told.",
            f"Add a custom field (text, 50) to the supplier in IFS, so that {part.service} shows it as "
            f"{self._key_property}; then run again.",
        )


def likely(client: IfsClient, new: Sequence[NewSupplier]) -> Mapping[str, list[tuple[str, str]]]:
    """The suppliers that each of these may be already, by vendor id: (supplier id, why).

    Reads suppliers and the countries of their banks once. Raises: RemoteError.
    """
    return duplicates.likely(_known(client), new) if new else {}


def _known(client: IfsClient) -> Iterator[Known]:
    countries: dict[str, set[str]] = {}
    bank = client.profile.parts["bank_countries"]
    for row in _all(client, "bank_countries"):
        if country := _text(row, bank.fields["country"]):
            countries.setdefault(str(row[bank.key[0]]), set()).add(country)
    part = client.profile.parts[PART]
    for row in _all(client, PART):
        supplier_id = str(row[part.key[0]])
        titled, tax_id = _text(row, part.fields["name"]), _text(row, part.fields["tax_id"])
        yield Known(supplier_id, titled, tax_id, frozenset(countries.get(supplier_id, ())))


def _all(client: IfsClient, part: str) -> Iterator[Raw]:
    known = client.profile.parts[part]
    plan = Plan(known.properties, known.key, skip=known.paging == "skip")
    with closing(client.pages(part, plan)) as pages:
        for page in pages:
            yield from page.rows


def _text(row: Raw, column: str) -> str:
    return str(row.get(column) or "").strip() if column else ""


def _kept(target_id: str) -> Held:
    return Held(
        "supplier_kept_by_ifs",
        f"Supplier {target_id} was made in IFS for this vendor, and the vendor differs from it by now.",
        "Correct the supplier in IFS, or the vendor; a supplier that is there is not changed from the spend side.",
        Owner.PURCHASING,
    )
