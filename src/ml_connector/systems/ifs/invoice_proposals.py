"""Supplier invoices that the spend side proposes to IFS.

Rule: an invoice is made once: it carries the bill's id in a custom field and is found by that. What was entered already
is never entered again, and what is there is never changed from here.
Must not know: bills beyond what a proposal says.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

import msgspec

from ml_connector.errors import MalformedError, UnconfirmedError
from ml_connector.records import keys, money
from ml_connector.records.supplier_invoice import InvoiceProposal, same_worth, told_by
from ml_connector.sync.plan import Found
from ml_connector.sync.ports import Done, Refused, Result, Unknown, Write
from ml_connector.systems.ifs import rows
from ml_connector.systems.ifs.client import IfsClient
from ml_connector.systems.ifs.entities import Entities, Raw, each_result, said
from ml_connector.systems.ifs.odata.literals import name
from ml_connector.systems.ifs.proposal_holds import (
    cancelled,
    differs,
    entered_already,
    gone,
    not_connected,
    unmarked,
    withdrawn,
)

PART = "supplier_invoices"
BATCH_MAX = 20
CANCELLED = "Cancelled"  # an invoice of this state does not stand

KEY_PROPERTY = "Cf_Airbase_Id"  # assumed: a custom field that the tenant adds


Wanted = Callable[[Sequence[str]], Mapping[str, InvoiceProposal]]
Known = dict[tuple[str, str, str], list[Found]]


class ProposalTarget:
    """Supplier invoices of one tenant as a target for `InvoiceProposal`; implements `sync.ports.Target`.

    `wanted`: the proposals of bills, so that those entered by hand are recognised. `linked`: the bills that invoices
    stand for already, by the invoice's id. `key_property`: the custom field (*assumed*) that carries a bill's id.
    Made anew for each run.
    """

    def __init__(
        self,
        client: IfsClient,
        wanted: Wanted = lambda _: {},
        linked: Callable[[], Mapping[str, str]] = dict,
        key_property: str = KEY_PROPERTY,
    ) -> None:
        self._entities = Entities(client, PART)
        self._fields = self._entities.part.fields
        self._wanted = wanted
        self._linked = linked
        self._key_property = name(key_property)

    @property
    def batch_max(self) -> int:
        """How many writes go in one `send`."""
        return BATCH_MAX

    @property
    def find_max(self) -> int:
        """Any number: an invoice that was entered by hand carries no key of ours, so that no walk would show it."""
        return 10**9

    def trim(self, record: InvoiceProposal) -> InvoiceProposal:
        """The record with only what a supplier invoice of this tenant holds; the rest empty."""
        due_on = record.due_on if self._fields["due_on"] else None
        return msgspec.structs.replace(
            record, due_on=due_on, order_no=record.order_no if self._fields["order_no"] else ""
        )

    def walk(self) -> None:
        """None: see `find_max`."""

    def find(self, keys: Sequence[str]) -> tuple[Found, ...]:
        """The invoices that carry these bills' ids, and those entered by hand that are just what a bill says.

        Raises: RemoteError.
        """
        if not keys or not self._marked:
            return ()
        marked = self._read([[(self._key_property, key)] for key in keys])
        return (*marked, *self._entered(sorted({*keys} - {one.key for one in marked})))

    def send(self, writes: Sequence[Write]) -> tuple[Result, ...]:
        """Propose invoices; of those that are there it is only said whether they are as they should be.

        Raises: RemoteError when nothing was delivered.
        """
        if not self._marked:
            said_so = unmarked(self._key_property, self._entities.part.service, self._entities.part.set)
            return tuple(Refused(write.key, said_so) for write in writes)
        if writes[0].target_id:
            there = {one.target_id: one for one in self._read([self._place(write.target_id) for write in writes])}
            return tuple(compared(write, there.get(write.target_id)) for write in writes)
        known = self._alike([write.after for write in writes])
        return each_result([write.key for write in writes], lambda place: self._one(writes[place], known))

    @property
    def _marked(self) -> bool:
        """Whether the tenant has the field that carries a bill's id."""
        return self._key_property in self._entities.shape.properties

    @cached_property
    def _taken(self) -> dict[str, str]:
        """The bills that invoices stand for, by the invoice's id."""
        return dict(self._linked())

    def _entered(self, keys: Sequence[str]) -> Iterator[Found]:
        wanted: Mapping[str, InvoiceProposal] = self._wanted(keys) if keys else {}
        known = self._alike(wanted.values())
        for key, record in wanted.items():
            if twin := self._twin(key, record, known.get(told_by(record), ())):
                yield Found(key, twin.target_id, self.trim(record))

    def _alike(self, records: Iterable[InvoiceProposal]) -> Known:
        """What stands of all invoices of these suppliers in these currencies: a number is written in many ways."""
        whose = sorted({(one.supplier_id, one.currency) for one in records if one.supplier_id})
        columns = (self._fields["supplier_id"], self._fields["currency"])
        known: Known = {}
        for one in self._read([list(zip(columns, values, strict=True)) for values in whose]):
            if one.record.stands:
                known.setdefault(told_by(one.record), []).append(one)
        return known

    def _twin(self, key: str, wanted: InvoiceProposal, alike: Sequence[Found]) -> Found | None:
        """The one invoice that is just what a bill says, and stands for no other bill; from now on for this one."""
        if len(alike) != 1 or alike[0].key or not same_worth(alike[0].record, wanted):
            return None
        return alike[0] if self._taken.setdefault(alike[0].target_id, key) == key else None

    def _one(self, write: Write, known: Known) -> Result:
        companies = self._entities.client.companies
        if companies and write.after.company not in companies:
            return Refused(write.key, not_connected(write.after))
        alike = known.setdefault(told_by(write.after), [])
        own = next((one for one in alike if one.key == write.key), None)
        if own:
            return compared(write, own)
        if twin := self._twin(write.key, write.after, alike):
            return Done(write.key, twin.target_id)
        return Refused(write.key, entered_already(write.after, alike)) if alike else self._made(write, alike)

    def _made(self, write: Write, alike: list[Found]) -> Result:
        try:
            row = self._entities.insert(self._properties(write))
            made = self._found(row)
        except (UnconfirmedError, MalformedError) as error:
            return Unknown(write.key, said(error))
        except (KeyError, ValueError):
            return Unknown(write.key, "the answer shows no invoice")
        if made.key != write.key:
            return Unknown(write.key, "the answer does not show the invoice with its bill's id")
        alike.append(made)
        return Done(write.key, made.target_id)

    def _properties(self, write: Write) -> dict[str, Any]:
        record: InvoiceProposal = write.after
        fields = {
            "supplier_id": record.supplier_id,
            "number": record.number,
            "dated_on": record.dated_on,
            "due_on": record.due_on,
            "currency": record.currency,
            "amount": money.plain(record.amount),
            "order_no": record.order_no,
        }
        named = {self._fields[field]: msgspec.to_builtins(value) for field, value in fields.items() if value}
        return {self._entities.part.key[0]: record.company, **named, self._key_property: write.key}

    def _place(self, target_id: str) -> list[tuple[str, Any]]:
        company, _, invoice_id = target_id.rpartition("/")
        return list(zip(self._entities.part.key, (company, invoice_id), strict=True))

    def _read(self, wanted: Sequence[Sequence[tuple[str, Any]]]) -> tuple[Found, ...]:
        filters = [self._entities.equal(columns) for columns in wanted]
        found = (self._found(row) for row in self._entities.rows_of(filters, more=(self._key_property,)))
        return tuple({one.target_id: one for one in found}.values())

    def _found(self, row: Raw) -> Found:
        company, invoice_id = keys.split(rows.key([row[column] for column in self._entities.part.key]))
        return Found(self._text(row, self._key_property), f"{company}/{invoice_id}", self._record(row, company))

    def _record(self, row: Raw, company: str) -> InvoiceProposal:
        supplier_id, number, currency, order_no, state = (
            self._text(row, self._fields[field]) for field in ("supplier_id", "number", "currency", "order_no", "state")
        )
        dated_on, due_on = (_day(row.get(self._fields[field])) for field in ("dated_on", "due_on"))
        amount = _amount(row.get(self._fields["amount"]))
        return InvoiceProposal(
            company, supplier_id, number, dated_on, due_on, currency, amount, order_no, state != CANCELLED
        )

    def _text(self, row: Raw, column: str) -> str:
        return str(row.get(column) or "").strip() if column else ""


def compared(write: Write, there: Found | None) -> Result:
    """What is to be said of an invoice that is there: it is as it should be, or a person decides."""
    wanted: InvoiceProposal = write.after
    standing = there is not None and there.record.stands
    if wanted.stands == standing and (there is None or not standing or same_worth(there.record, wanted)):
        return Done(write.key, write.target_id or (there.target_id if there else ""))
    if there is None:
        return Refused(write.key, gone(wanted, write.target_id))
    if wanted.stands and not standing:
        return Refused(write.key, cancelled(wanted, there.target_id))
    why = differs(wanted, there) if wanted.stands else withdrawn(wanted, there.target_id)
    return Refused(write.key, why)


def _day(value: object) -> date | None:
    with suppress(ValueError):
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    return None


def _amount(value: object) -> Decimal:
    """The amount; nothing at all when it can't be read, so that it is like no other."""
    with suppress(ValueError):
        return money.exact(value) if isinstance(value, str | int | Decimal) else Decimal(0)
    return Decimal(0)
