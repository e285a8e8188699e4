"""Supplier invoices of IFS: to be read, and to be told what became of them on the spend side.

Rule: an invoice is told by its exact number or order number and its supplier; none is ever made here.
Must not know: documents of the spend side beyond what a key says.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from ml_connector.errors import AuthError, MalformedError, ThrottledError, UnconfirmedError, UnreachableError
from ml_connector.records import keys
from ml_connector.records.supplier_invoice import InvoiceStatus, SupplierInvoice
from ml_connector.sync.outcome import Held, Owner
from ml_connector.sync.plan import Found
from ml_connector.sync.ports import Refused, Result, Write
from ml_connector.systems.ifs import rows
from ml_connector.systems.ifs.client import IfsClient
from ml_connector.systems.ifs.entities import Entities, Raw, bring, each_result, result_of, said
from ml_connector.systems.ifs.pager import Plan
from ml_connector.systems.ifs.pick import Pick, UnreadableError

PART = "supplier_invoices"
NO_SUPPLIER = "-"
RELEASED_BY = "Approved"
RELEASED_FROM = "Preliminary"
WHOLE_FROM = 1000  # keys from which reading all invoices takes fewer requests
BATCH_MAX = 20
DECIDED = ("Approved", "Declined")
SETTLED = ("Paid", "Reversed")


def invoices(client: IfsClient) -> Iterator[SupplierInvoice]:
    """Every supplier invoice, by company and number. Raises: RemoteError, MalformedError for one that can't be read."""
    part = client.profile.parts[PART]
    plan = Plan(part.properties, part.key, skip=part.paging == "skip")
    for page in client.pages(PART, plan):
        for seen in rows.seen(PART, part, page):
            try:
                yield _invoice(Pick("Supplier invoice", part, seen))
            except UnreadableError as error:
                raise MalformedError(client.wire.system, f"read {PART}", str(error)) from None


def _invoice(pick: Pick) -> SupplierInvoice:
    return SupplierInvoice(
        pick.key[0],
        pick.key[1],
        pick.text("supplier_id"),
        pick.text("number"),
        pick.day("dated_on"),
        pick.text("currency"),
        pick.number("amount"),
        pick.text("order_no"),
        pick.text("state"),
        pick.text("status"),
    )


class Reference(msgspec.Struct, frozen=True):
    """What the key of a reference says of the invoice: whose, and which number of which kind."""

    kind: str
    supplier_id: str
    number: str

    @classmethod
    def of(cls, key: str) -> "Reference":
        """The reference in a key: kind and id of a document, "invoice" or "order", supplier or "-", number.

        Space around supplier and number says nothing.
        """
        _, _, kind, supplier_id, number = (part.strip() for part in keys.split(key))
        return cls(kind, "" if supplier_id == NO_SUPPLIER else supplier_id, number)


class InvoiceTarget:
    """The status of supplier invoices; implements `sync.ports.Target` for `InvoiceStatus`.

    `release`: an invoice that gets the status "Approved" is released first, by the bound action of the profile.
    """

    def __init__(self, client: IfsClient, *, release: bool = False) -> None:
        self._client = client
        self._entities = Entities(client, PART)
        self._fields = self._entities.part.fields
        self._action = self._entities.part.actions.get("release", "") if release else ""

    @property
    def batch_max(self) -> int:
        """How many writes go in one `send`."""
        return BATCH_MAX

    @property
    def find_max(self) -> int:
        """Any number: invoices carry no key of ours, so that there is nothing to walk by."""
        return 10**9

    def trim(self, record: InvoiceStatus) -> InvoiceStatus:
        """The record as it is: it has one field."""
        return record

    def walk(self) -> None:
        """None: see `find_max`."""

    def find(self, keys: Sequence[str]) -> tuple[Found, ...]:
        """The invoices that these keys refer to; an order, or a number without a supplier, may have several.

        Raises: RemoteError.
        """
        wanted: dict[Reference, list[str]] = {}
        for key in keys:
            wanted.setdefault(Reference.of(key), []).append(key)
        found = self._rows(list(wanted)) if wanted else ()
        return tuple(
            Found(key, self._id(row), InvoiceStatus(_text(row, self._fields["status"])))
            for row in found
            for reference in self._references(row)
            for key in wanted.get(reference, ())
        )

    def send(self, writes: Sequence[Write]) -> tuple[Result, ...]:
        """Set the status of each invoice.

        Raises: RemoteError when nothing was delivered.
        """
        return each_result([write.key for write in writes], lambda place: self._one(writes[place]))

    def _rows(self, references: Sequence[Reference]) -> Iterable[Raw]:
        if len(references) >= WHOLE_FROM:
            return self._entities.rows("")
        unique: dict[tuple[Any, ...], Raw] = {}
        for row in self._entities.rows_of([self._filter(reference) for reference in references]):
            unique[tuple(row[column] for column in self._entities.part.key)] = row
        return unique.values()

    def _filter(self, reference: Reference) -> str:
        columns = [(self._column(reference.kind), reference.number)]
        if reference.supplier_id:
            columns.append((self._fields["supplier_id"], reference.supplier_id))
        return self._entities.equal(columns)

    def _column(self, kind: str) -> str:
        return self._fields["order_no" if kind == "order" else "number"]

    def _references(self, row: Raw) -> Iterator[Reference]:
        """All that may refer to a row."""
        supplier_id = _text(row, self._fields["supplier_id"])
        for kind in ("invoice", "order"):
            number = _text(row, self._column(kind))
            yield from (Reference(kind, whose, number) for whose in {supplier_id, ""})

    def _id(self, row: Raw) -> str:
        return "/".join(keys.split(rows.key([row[column] for column in self._entities.part.key])))

    def _one(self, write: Write) -> Result:
        if not write.target_id:
            return Refused(write.key, _not_found(write.key))
        if not self._fields["status"]:
            return Refused(write.key, _no_field())
        status: str = write.after.status
        column = self._fields["status"]
        brought = bring(
            lambda: self._invoice(write.target_id),
            lambda row: _suffices(_text(row, column), status),
            lambda row: self._told(row, column, status),
        )
        return result_of(write.key, write.target_id, brought)

    def _invoice(self, target_id: str) -> Raw | None:
        company, _, number = target_id.rpartition("/")
        columns = list(zip(self._entities.part.key, (company, number), strict=True))
        return next(iter(self._entities.rows(self._entities.equal(columns), most=1)), None)

    def _told(self, row: Raw, column: str, status: str) -> Raw | None:
        """The status set; before it, the release, whose answer is the version to go on from."""
        if not self._action or status != RELEASED_BY or _text(row, self._fields["state"]) != RELEASED_FROM:
            return self._entities.patch(row, {column: status})
        released = self._entities.act(row, self._action)
        try:
            return self._entities.patch(released or self._invoice(self._id(row)) or row, {column: status})
        except (AuthError, ThrottledError, UnreachableError) as error:
            raise UnconfirmedError(error.system, error.operation, f"released, but {said(error)}") from None


def _text(row: Raw, column: str) -> str:
    return str(row.get(column) or "").strip() if column else ""


def _suffices(there: str, wanted: str) -> bool:
    """Whether nothing is to be said: what was paid is not merely approved again by the request that led to it."""
    return there == wanted or (wanted in DECIDED and there in SETTLED)


def _not_found(key: str) -> Held:
    reference = Reference.of(key)
    whose = f" of supplier {reference.supplier_id}" if reference.supplier_id else ""
    what = f"for purchase order {reference.number}" if reference.kind == "order" else f"with number {reference.number}"
    return Held(
        "invoice_not_found",
        f"There is no supplier invoice {what}{whose} in IFS.",
        "Enter the invoice in IFS, or correct its number on the spend side; then run again.",
        Owner.CLERK,
    )


def _no_field() -> Held:
    return Held(
        "field_not_named",
        "The profile names no property for the status on a supplier invoice.",
        "Add a custom field to the supplier invoice in IFS, and name it: [ifs.supplier_invoices.fields] status.",
    )
