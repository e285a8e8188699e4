"""Carries out writes: create, change, delete, and bound actions.

Rule: the check of an ETag and the change it allows happen under one lock.
It must not know URLs or how answers look.
"""

from collections.abc import Mapping
from typing import Any

from ml_connector.sandbox.ifs.actions import act
from ml_connector.sandbox.ifs.body import json_object, values_of
from ml_connector.sandbox.ifs.commit import commit
from ml_connector.sandbox.ifs.errors import (
    Refusal,
    bad_value,
    database,
    not_found,
    precondition_failed,
    precondition_missing,
)
from ml_connector.sandbox.ifs.etag import matches
from ml_connector.sandbox.ifs.moment import Moments
from ml_connector.sandbox.ifs.options import IfsOptions
from ml_connector.sandbox.ifs.resource import Paths, Resource, visible
from ml_connector.sandbox.ifs.view import column_name
from ml_connector.sandbox.posting import entry
from ml_connector.sandbox.web import Request
from ml_connector.sandbox.world import Key, Row, Table, World
from ml_connector.sandbox.world.world import Missing, Taken

Values = dict[str, Any]


class Writer:
    """Writes to one world, as one request may."""

    def __init__(self, world: World, options: IfsOptions, moments: Moments) -> None:
        self._world = world
        self._options = options
        self._moments = moments

    def create(self, resource: Resource, request: Request) -> Row:
        """Insert what the body says; every repetition inserts again."""
        table = resource.view.table
        _allow(table, "i")
        values = values_of(request, resource.view, self._world.enums)
        for name in values:
            if not _writable(table, name, "insertable"):
                raise database(
                    400, 20107, f"{table.lu}.NOTINSERTABLE: The field [{column_name(name)}] is not insertable."
                )
        with commit(self._world):
            return self._insert(table, {**dict(resource.within), **values})

    def change(self, resource: Resource, request: Request) -> tuple[Row, bool]:
        """Change the record, or, without If-Match, create it when it is not there; whether it was created."""
        table = resource.view.table
        _allow(table, "u")
        values = values_of(request, resource.view, self._world.enums)
        if_match = request.headers.get("if-match")
        with commit(self._world):
            if if_match is None:
                return self._upsert(resource, values)
            row = self._matched(resource, if_match)
            return self._update(table, row, _updatable(table, row, values)), False

    def delete(self, resource: Resource, request: Request) -> None:
        """Delete the record and what belongs to it."""
        table = resource.view.table
        _allow(table, "d")
        with commit(self._world):
            row = self._matched(resource, request.headers.get("if-match"))
            entry.deleting(self._world, table.name, self._shown(table, row))
            self._world.delete(table.name, _key(table, row))

    def act(self, resource: Resource, request: Request) -> Row:
        """Carry out a bound action."""
        json_object(request.body)
        table = resource.view.table
        with commit(self._world):
            row = self._matched(resource, request.headers.get("if-match"))
            act(self._world, table, row, str(resource.action))
            return self._stored(table, _key(table, row))

    def _matched(self, resource: Resource, if_match: str | None) -> Row:
        if if_match is None:
            raise precondition_missing()
        row = Paths(self._world, self._options.companies).row(resource)
        if not matches(if_match, resource.view.etag(row, self._options.zone)):
            raise precondition_failed()
        return row

    def _upsert(self, resource: Resource, values: Values) -> tuple[Row, bool]:
        table = resource.view.table
        row = self._world.stored(table.name, resource.key or ())
        if row is None:
            given = {name: value for name, value in values.items() if _writable(table, name, "insertable")}
            keys = dict(zip(table.keys, resource.key or (), strict=True))
            return self._insert(table, {**given, **keys}), True
        if not visible(row[table.company_at], self._options.companies):
            raise not_found(table.lu)
        given = {name: value for name, value in values.items() if _writable(table, name, "updatable")}
        return self._update(table, row, given), False

    def _insert(self, table: Table, values: Values) -> Row:
        _demand(table, {**table.defaults, **dict.fromkeys(table.allots, "-"), **_given(values)}, table.index)
        _demand_new(table, _given(values))
        self._check_references(table, values)
        values = entry.inserting(self._world, table.name, values)
        try:
            made = self._world.insert(table.name, values)
        except Taken as taken:
            raise database(400, 20112, f"{table.lu}.FND_RECORD_EXIST: The {table.lu} object already exists.") from taken
        except Missing as missing:
            raise database(400, 20111, f"{table.lu}.FND_RECORD_NOT_EXIST: {missing}.") from missing
        except ValueError as problem:
            raise bad_value(table.entity, str(problem)) from problem
        return self._stored(table, tuple(made[name] for name in table.keys))

    def _update(self, table: Table, row: Row, values: Values) -> Row:
        _demand(table, values, values)
        key = _key(table, row)
        self._world.update(table.name, key, entry.updating(self._world, table.name, self._shown(table, row), values))
        return self._stored(table, key)

    def _check_references(self, table: Table, values: Values) -> None:
        company = values.get("Company")
        if table.name == "PurchaseOrderSet":
            self._demand_row("SupplierInfoGeneralSet", "Supplier", values["VendorNo"])
            self._demand_row("SiteSet", "Site", values["Contract"])
            site = self._world.get("SiteSet", values["Contract"]) or {}
            company = site.get("Company")
        if table.name == "ManSuppInvoiceSet":
            self._demand_row("SupplierInfoGeneralSet", "Supplier", values["Identity"])
        if not visible(company, self._options.companies):
            raise database(400, 20110, f"UserFinance.NOTALLOWED: Company {company} is not allowed for the user.")

    def _demand_row(self, name: str, lu: str, key: str) -> None:
        if self._world.stored(name, (key,)) is None:
            raise database(400, 20111, f"{lu}.FND_RECORD_NOT_EXIST: The {lu} object does not exist.")

    def _shown(self, table: Table, row: Row) -> Values:
        return dict(zip(table.index, row, strict=False))

    def _stored(self, table: Table, key: Key) -> Row:
        row = self._world.stored(table.name, key)
        if row is None:
            raise not_found(table.lu)
        return row


def _allow(table: Table, verb: str) -> None:
    if verb not in table.verbs:
        what = {"i": "insert", "u": "update", "d": "delete"}[verb]
        raise Refusal(500, "ODP_ILLEGAL_STATE", f"The entity set {table.name} does not support {what}.")


def _writable(table: Table, name: str, how: str) -> bool:
    return name in table.by_name and getattr(table.by_name[name], how)


def _updatable(table: Table, row: Row, values: Values) -> Values:
    """The values without unchanged keys; a refusal when another cannot be updated."""
    for name, value in values.items():
        unchanged_key = name in table.keys and row[table.index[name]] == value
        if not _writable(table, name, "updatable") and not unchanged_key:
            raise database(400, 20106, f"{table.lu}.NOTUPDATABLE: The field [{column_name(name)}] is not updatable.")
    return {name: value for name, value in values.items() if name not in table.keys}


def _given(values: Values) -> Values:
    return {name: value for name, value in values.items() if value is not None}


def _demand(table: Table, values: Values, names: Mapping[str, object]) -> None:
    for name in names:
        if table.by_name[name].required and values.get(name) is None:
            raise _missing(table, name)


def _demand_new(table: Table, values: Values) -> None:
    for name in table.demands:
        if name not in values:
            raise _missing(table, name)


def _missing(table: Table, name: str) -> Refusal:
    text = f"Error.NULLVALUE: Field [{column_name(name)}] is mandatory for {table.lu} and requires a value."
    return database(400, 20124, text)


def _key(table: Table, row: Row) -> Key:
    return tuple(row[at] for at in table.key_at)
