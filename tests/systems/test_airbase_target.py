"""The target against the stand-in Airbase: nothing twice, nothing lost, nothing guessed."""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any, Literal

import msgspec
import pytest
from reaching import airbase_client

from ml_connector import sandbox
from ml_connector.errors import AuthError, MalformedError, RefusedError, SettingsError, ThrottledError, UnreachableError
from ml_connector.records.purchase_order import SpendOrder, SpendOrderLine
from ml_connector.records.supplier import Address, Vendor
from ml_connector.sandbox.airbase import AirbaseOptions
from ml_connector.sandbox.airbase.books import Books
from ml_connector.sandbox.airbase.books import Refused as BooksRefused
from ml_connector.sandbox.faults import Fault
from ml_connector.sync.ports import Done, Refused, Result, Unknown, Write
from ml_connector.systems.airbase.client import AirbaseClient
from ml_connector.systems.airbase.target import AirbaseTarget

BULK = "/v1/accounting/vendors/bulk_upsert/"
NO_BULK: dict[str, Any] = {"vendors": {"bulk_path": ""}, "purchase_orders": {"bulk_path": ""}}
Box = Any  # the sandbox, which is not typed for us


@contextmanager
def started(**options: Any) -> Generator[Box]:
    world = sandbox.SandboxOptions(
        suppliers=3, orders=3, airbase=AirbaseOptions(rate_limit=options.pop("rate_limit", 0), **options)
    )
    with sandbox.start(world) as box:
        yield box


@contextmanager
def client_of(
    box: Box, profile: dict[str, Any] | None = None, scheme: Literal["bearer", "token"] = "bearer", **own: Any
) -> Generator[AirbaseClient]:
    client = airbase_client(box.airbase_url, scheme=scheme, profile=profile, total_s=5.0, **own)
    try:
        yield client
    finally:
        client.wire.close()


@pytest.fixture
def box() -> Iterator[Box]:
    with started() as box:
        yield box


@pytest.fixture
def vendors(box: Box) -> Iterator[AirbaseTarget]:
    with client_of(box) as client:
        yield AirbaseTarget(client, "vendors")


def vendor(reference: str, **changes: Any) -> Vendor:
    plain = Vendor(
        reference, f"Name of {reference}", True, ("SUB-10", "SUB-20"), "Net 30", "EUR", Address("Street 1", "Bonn")
    )
    return msgspec.structs.replace(plain, **changes)


def creates(*references: str) -> list[Write]:
    return [Write(reference, "", vendor(reference)) for reference in references]


def order(number: str, vendor_id: str, **changes: Any) -> SpendOrder:
    line = SpendOrderLine(
        1, "1-1", "P1", "Bolt", Decimal("12.500"), "pcs", Decimal("0.333"), Decimal("4.16"), date(2026, 3, 1), "open"
    )
    total = Decimal("12345678901234567890.1234567891")
    plain = SpendOrder(number, vendor_id, "SUB-10", "EUR", total, date(2026, 2, 1), "BOB", "open", (line,))
    return msgspec.structs.replace(plain, **changes)


def ours(box: Box) -> dict[str, list[str]]:
    """The ids in Airbase by our reference."""
    found: dict[str, list[str]] = {}
    for row in box.airbase.rows("vendors"):
        found.setdefault(row["erp_reference_id"], []).append(row["airbase_id"])
    found.pop("", None)
    return found


def ids(results: tuple[Result, ...]) -> dict[str, str]:
    assert all(isinstance(result, Done) for result in results), results
    return {result.key: result.target_id for result in results if isinstance(result, Done)}


def kinds(results: tuple[Result, ...]) -> list[type]:
    return [type(result) for result in results]


def answered_with(
    monkeypatch: pytest.MonkeyPatch, edit: Callable[[dict[str, Any]], dict[str, Any]], when: str = "bulk_upsert"
) -> None:
    """Let the sandbox's JSON answers to some path be edited on their way."""
    from ml_connector.sandbox.airbase import AirbaseSite

    inner = AirbaseSite.answer

    def answer(self: AirbaseSite, request: Any) -> Any:
        given = inner(self, request)
        if when not in request.path:
            return given
        body = msgspec.json.encode(edit(msgspec.json.decode(given.body)))
        return msgspec.structs.replace(given, body=body)

    monkeypatch.setattr(AirbaseSite, "answer", answer)


# --- both kinds, there and back


@pytest.mark.parametrize("profile", [{}, NO_BULK], ids=["bulk", "one by one"])
@pytest.mark.parametrize("scheme", ["bearer", "token"])
def test_vendors_and_orders_go_there_and_read_back_as_sent(
    profile: dict[str, Any], scheme: Literal["bearer", "token"]
) -> None:
    with started(auth=scheme) as box, client_of(box, profile, scheme) as client:
        target = AirbaseTarget(client, "vendors")
        made = ids(target.send(creates("S1", "S2")))
        assert made == {key: there[0] for key, there in ours(box).items()}
        assert {one.key: one.record for one in target.find(["S1", "S2"])} == {"S1": vendor("S1"), "S2": vendor("S2")}

        orders = AirbaseTarget(client, "purchase_orders")
        sent = order("P1", made["S1"])
        order_id = ids(orders.send([Write("P1", "", sent)]))["P1"]
        (found,) = orders.find(["P1", "P2"])
        assert (found.key, found.target_id, found.record) == ("P1", order_id, sent)

        changed = order("P1", made["S2"], status="closed", ordered_on=None, lines=())
        assert orders.send([Write("P1", order_id, changed, sent)]) == (Done("P1", order_id),)
        assert [one.record for page in orders.walk() for one in page] == [changed]
        after = vendor("S1", active=False, name="New", payment_terms="")
        assert target.send([Write("S1", made["S1"], after)]) == (Done("S1", made["S1"]),)
        assert target.find(["S1"])[0].record == after
        assert not box.crashes


def test_thirty_digits_arrive(box: Box) -> None:
    with client_of(box) as client:
        vendor_id = ids(AirbaseTarget(client, "vendors").send(creates("S1")))["S1"]
        AirbaseTarget(client, "purchase_orders").send([Write("P1", "", order("P1", vendor_id))])
    assert box.airbase.rows("purchase_orders")[0]["total_amount"] == "12345678901234567890.1234567891"


def test_a_field_that_is_not_ours_is_left_alone(box: Box, vendors: AirbaseTarget) -> None:
    target_id = ids(vendors.send(creates("S1")))["S1"]
    box.airbase.edit({"op": "update", "kind": "vendors", "id": target_id, "fields": {"email": "a@b.example"}})
    vendors.send([Write("S1", target_id, vendor("S1", payment_terms=None, address=None))])
    (row,) = [row for row in box.airbase.rows("vendors") if row["airbase_id"] == target_id]
    assert (row["payment_terms"], row["address"]["city"], row["email"]) == ("Net 30", "Bonn", "a@b.example")


def test_a_tenant_without_a_field_compares_equal() -> None:
    with started(vendor_fields=()) as box:
        lacking = {"vendors": {"fields": {"payment_terms": "", "currency": "", "address": ""}}}
        with client_of(box, lacking) as client:
            target = AirbaseTarget(client, "vendors")
            target.send(creates("S1"))
            assert target.find(["S1"])[0].record == target.trim(vendor("S1"))


def test_outer_blanks_do_not_make_a_difference(vendors: AirbaseTarget) -> None:
    blanks = vendor("S1", name="  Name  ", payment_terms=" Net 30 ")
    vendors.send([Write("S1", "", blanks)])
    assert vendors.find(["S1"])[0].record == vendors.trim(blanks)


# --- finding


def test_a_key_that_is_there_twice_is_found_twice(box: Box, vendors: AirbaseTarget) -> None:
    vendors.send(creates("S1"))
    vendors.send(creates("S1"))
    assert sorted(one.target_id for one in vendors.find(["S1"])) == sorted(ours(box)["S1"])
    assert len(ours(box)["S1"]) == 2


def test_vendors_without_a_reference_are_not_ours(box: Box, vendors: AirbaseTarget) -> None:
    assert box.airbase.rows("vendors")
    assert [one for page in vendors.walk() for one in page] == []


def test_an_odd_key_finds_only_itself(vendors: AirbaseTarget) -> None:
    keys = ["A&B", "A B+C/ä", "A"]
    vendors.send(creates(*keys))
    assert sorted(one.key for one in vendors.find(keys)) == sorted(keys)
    assert [one.key for one in vendors.find(["A"])] == ["A"]


def test_a_filter_that_is_not_honoured_is_found_out_and_remembered() -> None:
    with started(honour_filters=False) as box, client_of(box) as client:
        target = AirbaseTarget(client, "vendors")
        target.send(creates("S1", "S2"))
        assert [one.key for one in target.find(["S2", "S9"])] == ["S2"]
        box.airbase_log.reset()
        assert [one.key for one in target.find(["S1"])] == ["S1"]
        assert not [entry for entry in box.airbase_log.entries("GET") if "erp_reference_id" in entry.query]


def test_a_filter_that_finds_nothing_at_all_is_not_believed(box: Box, vendors: AirbaseTarget) -> None:
    """A tenant whose parameter has another meaning would let everything be created again."""
    vendors.send(creates("S1"))
    wrong = {"vendors": {"by_reference": "page_size=1&erp_reference_id"}}  # quoted: an unknown parameter
    with client_of(box, wrong) as client:
        assert [one.key for one in AirbaseTarget(client, "vendors").find(["S1", "S2"])] == ["S1"]


def test_a_filter_with_empty_answers_is_not_believed(
    box: Box, vendors: AirbaseTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendors.send(creates("S1"))
    from ml_connector.sandbox.airbase import AirbaseSite

    inner = AirbaseSite.answer

    def answer(self: AirbaseSite, request: Any) -> Any:
        given = inner(self, request)
        empty = "erp_reference_id" in request.query
        return msgspec.structs.replace(given, body=b'{"data": []}') if empty else given

    monkeypatch.setattr(AirbaseSite, "answer", answer)
    assert [one.key for one in vendors.find(["S1"])] == ["S1"]


def test_a_filter_that_finds_more_than_asked_is_given_up(
    box: Box, vendors: AirbaseTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that means "contains" looks right until a key is part of another."""
    vendors.send(creates("S1", "S10"))
    from ml_connector.sandbox.airbase import AirbaseSite

    inner = AirbaseSite.answer

    def answer(self: AirbaseSite, request: Any) -> Any:
        query = request.query.replace("erp_reference_id=S1&", "erp_reference_id=&") + "&"
        if query == request.query + "&":
            return inner(self, request)
        rows = [row for row in self.rows("vendors") if "S1" in row["erp_reference_id"]]
        return msgspec.structs.replace(inner(self, request), body=msgspec.json.encode({"data": rows}))

    monkeypatch.setattr(AirbaseSite, "answer", answer)
    assert [one.key for one in vendors.find(["S10"])] == ["S10"]
    assert [entry for entry in box.airbase_log.entries("GET") if "erp_reference_id=S10" in entry.query]
    assert [one.key for one in vendors.find(["S1"])] == ["S1"]
    box.airbase_log.reset()
    vendors.find(["S10"])
    assert not [entry for entry in box.airbase_log.entries("GET") if "erp_reference_id" in entry.query]


def test_before_any_record_is_ours_the_list_is_walked(box: Box, vendors: AirbaseTarget) -> None:
    assert vendors.find(["S1"]) == ()
    assert not [entry for entry in box.airbase_log.entries("GET") if "erp_reference_id" in entry.query]


def test_few_keys_are_looked_up_and_many_are_walked(box: Box) -> None:
    with client_of(box, {"find_max": 2, "page_size": 2}) as client:
        target = AirbaseTarget(client, "vendors")
        target.send(creates("S1", "S2", "S3", "S4"))
        assert target.find_max == 2
        target.find(["S1"])  # the first page shows none of ours, so that this walks, and learns of one
        box.airbase_log.reset()
        assert [one.key for one in target.find(["S4", "S2", "S4"])] == ["S4", "S2"]
        assert len(box.airbase_log.entries("GET")) == 3  # the filter is tried once, then asked twice
        box.airbase_log.reset()
        assert [one.key for one in target.find(["S1", "S2", "S4"])] == ["S1", "S2", "S4"]
        assert [entry.query for entry in box.airbase_log.entries("GET") if "erp_reference_id" in entry.query] == []


def test_a_record_that_moves_to_the_next_page_while_walking_is_given_once(box: Box) -> None:
    with client_of(box, {"page_size": 2}) as client:
        target = AirbaseTarget(client, "vendors")
        target.send(creates("S1", "S2", "S3"))
        walk = target.walk()
        keys = [one.key for _ in range(2) for one in next(walk)]
        first = box.airbase.rows("vendors")[0]["airbase_id"]
        table = box.airbase.books.tables["vendors"]
        rows = list(table)
        for row in rows:
            table.drop(row["airbase_id"])
        box.airbase.edit({"op": "create", "kind": "vendors", "fields": {"name": "new"}})
        for row in rows:
            table.put(row)
        keys += [one.key for page in walk for one in page]
        assert first == rows[0]["airbase_id"]
        assert sorted(keys) == ["S1", "S2", "S3"]


def test_a_record_that_a_page_names_more_than_once_is_given_once(box: Box) -> None:
    with client_of(box, {}) as client:
        target = AirbaseTarget(client, "vendors")
        target.send(creates("S1", "S2"))
        box.faults.add(Fault("duplicate_rows", site="airbase", count=1))
        assert sorted(one.key for page in target.walk() or () for one in page) == ["S1", "S2"]


def after_page(monkeypatch: pytest.MonkeyPatch, act: Callable[[int], None]) -> None:
    """Let something happen in Airbase after each page that is read; `act` is told its number."""
    inner = AirbaseClient.page

    def page(self: AirbaseClient, resource: Any, query: Any, number: int = 1, size: int = 0) -> list[dict[str, Any]]:
        rows = inner(self, resource, query, number, size)
        act(number)
        return rows

    monkeypatch.setattr(AirbaseClient, "page", page)


@pytest.mark.parametrize("how", ["walk", "find"])
def test_a_record_that_moves_to_the_page_before_while_walking_is_not_missed(
    box: Box, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """One that looks as if it were not there is created a second time."""
    with client_of(box, {"page_size": 2, "vendors": {"by_reference": ""}}) as client:
        target = AirbaseTarget(client, "vendors")
        keys = [f"S{number}" for number in range(1, 7)]
        target.send(creates(*keys))
        doomed = [box.airbase.rows("vendors")[0]["airbase_id"]]

        def remove(_: int) -> None:
            if doomed:
                box.airbase.edit({"op": "delete", "kind": "vendors", "id": doomed.pop()})

        after_page(monkeypatch, remove)
        found = [one.key for page in target.walk() for one in page] if how == "walk" else None
        assert sorted(found or [one.key for one in target.find(keys)]) == keys


def test_a_full_page_is_read_again_and_one_that_is_not_full_is_not(box: Box) -> None:
    there = len(box.airbase.rows("vendors"))
    for size, requests in ((there, 4), (there + 1, 2)):
        with client_of(box, {"page_size": size}) as client:
            box.airbase_log.reset()
            assert not [one for page in AirbaseTarget(client, "vendors").walk() for one in page]
            assert len(box.airbase_log.entries("GET")) == requests


def test_a_list_that_never_holds_still_is_not_believed(
    box: Box, vendors: AirbaseTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendors.send(creates("S1"))

    def add(number: int) -> None:
        if number == 1:
            box.airbase.edit({"op": "create", "kind": "vendors", "fields": {"name": "new"}})

    after_page(monkeypatch, add)
    with client_of(box, {"page_size": 2}) as client, pytest.raises(MalformedError, match="keeps changing"):
        list(AirbaseTarget(client, "vendors").walk())


def test_a_row_without_the_key_field_stops_everything(box: Box) -> None:
    """Else nothing would ever be found, and everything created again."""
    with client_of(box, {"vendors": {"fields": {"reference": "external_id"}}}) as client:
        target = AirbaseTarget(client, "vendors")
        with pytest.raises(MalformedError, match="external_id"):
            target.find(["S1"])
        with pytest.raises(MalformedError, match="external_id"):
            list(target.walk())


def test_a_record_that_can_not_be_read_is_there_and_like_no_other(box: Box, vendors: AirbaseTarget) -> None:
    target_id = ids(vendors.send(creates("S1", "S2")))["S1"]
    box.airbase.edit({"op": "update", "kind": "vendors", "id": target_id, "fields": {"is_active": "yes"}})
    found = {one.key: one for one in vendors.find(["S1", "S2"])}
    assert found["S1"].target_id == target_id
    assert found["S1"].record != vendor("S1")
    assert found["S2"].record == vendor("S2")


def test_an_order_that_can_not_be_read_is_there_too(box: Box) -> None:
    with client_of(box) as client:
        vendor_id = ids(AirbaseTarget(client, "vendors").send(creates("S1")))["S1"]
        orders = AirbaseTarget(client, "purchase_orders")
        order_id = ids(orders.send([Write("P1", "", order("P1", vendor_id))]))["P1"]
        spoil = {"op": "update", "kind": "purchase_orders", "id": order_id, "fields": {"total_amount": "much"}}
        box.airbase.edit(spoil)
        (found,) = orders.find(["P1"])
        assert (found.target_id, found.record.status) == (order_id, "unreadable")


# --- sending


@pytest.mark.parametrize("profile", [{}, NO_BULK], ids=["bulk", "one by one"])
def test_a_record_that_is_refused_stops_only_itself(box: Box, profile: dict[str, Any]) -> None:
    with client_of(box, profile) as client:
        target = AirbaseTarget(client, "vendors")
        writes = [*creates("S1"), Write("S2", "", vendor("S2", name="")), *creates("S3")]
        results = target.send(writes)
        assert kinds(results) == [Done, Refused, Done]
        assert isinstance(results[1], Refused)
        held = results[1].held
        assert (held.cause, held.owner) == ("refused_by_airbase", "AP clerk")
        assert held.sentence == "Airbase did not accept vendor S2: name: This field may not be blank."
        assert {key: len(there) for key, there in ours(box).items()} == {"S1": 1, "S3": 1}


def bad(*references: str) -> list[Write]:
    return [Write(reference, "", vendor(reference, name="")) for reference in references]


def refusing(monkeypatch: pytest.MonkeyPatch, edit: Callable[[list[Any]], list[Any]], *, partly: bool = False) -> None:
    """Let the sandbox say other errors of a batch than it found; `partly`: it stores the good ones all the same."""
    inner = Books.bulk

    def bulk(self: Books, kind: Any, given: Any) -> Any:
        try:
            return inner(self, kind, given)
        except BooksRefused as refused:
            errors = refused.body["validation_errors"]
            wrong = {error["index"] for error in errors}
            for place, entity in enumerate(given["entities"]):
                if partly and place not in wrong:
                    self.create(kind, entity)
            raise BooksRefused({"validation_errors": edit(errors)}) from None

    monkeypatch.setattr(Books, "bulk", bulk)


def as_found(errors: list[Any]) -> list[Any]:
    return errors


def first_only(errors: list[Any]) -> list[Any]:
    return errors[:1]


def no_place(errors: list[Any]) -> list[Any]:
    return [{"errors": error["errors"]} for error in errors]


def from_one(errors: list[Any]) -> list[Any]:
    return [{**error, "index": error["index"] + 1} for error in errors]


def only_one_place(errors: list[Any]) -> list[Any]:
    return [errors[0], *no_place(errors[1:])]


@pytest.mark.parametrize("partly", [False, True], ids=["nothing written", "good ones written"])
@pytest.mark.parametrize("edit", [as_found, first_only, no_place, from_one, only_one_place])
def test_bad_records_do_not_stop_their_batch_however_little_is_said_of_them(
    box: Box, vendors: AirbaseTarget, monkeypatch: pytest.MonkeyPatch, edit: Any, partly: bool
) -> None:
    vendors.send(creates("S0"))
    refusing(monkeypatch, edit, partly=partly)
    writes = [*creates("S1"), *bad("S2", "S3"), *creates("S4"), *bad("S5")]
    results = vendors.send(writes)
    assert [result.key for result in results] == [write.key for write in writes]
    assert kinds(results) == [Done, Refused, Refused, Done, Refused]
    assert {result.key: [result.target_id] for result in results if isinstance(result, Done)} == {
        key: there for key, there in ours(box).items() if key != "S0"
    }
    assert all("may not be blank" in result.held.sentence for result in results if isinstance(result, Refused))


def test_a_record_of_ours_whose_id_can_be_no_key_is_there_and_refused_alone(box: Box, vendors: AirbaseTarget) -> None:
    vendors.send(creates("S1", "S2"))
    row = next(row for row in box.airbase.rows("vendors") if row["erp_reference_id"] == "S1")
    box.airbase.books.tables["vendors"].put({**row, "id": "a\x1fb", "airbase_id": "a\x1fb", "erp_reference_id": "S3"})
    found = {one.key: one.target_id for page in vendors.walk() for one in page}
    assert found.keys() == {"S1", "S2", "S3"}, "else it would be created again"
    results = vendors.send([Write(key, found[key], vendor(key, name="New")) for key in ("S3", "S1")])
    assert kinds(results) == [Refused, Done]
    assert isinstance(results[0], Refused)
    assert "can't be printed" in results[0].held.sentence


def test_others_of_a_refused_batch_are_sent_as_one(box: Box, vendors: AirbaseTarget) -> None:
    vendors.send([*creates(*(f"S{number}" for number in range(20))), *bad("T1", "T2")])
    assert len(ours(box)) == 20
    assert len(box.airbase_log.entries("POST")) == 2


def test_a_batch_of_which_all_are_refused_is_sent_once(box: Box, vendors: AirbaseTarget) -> None:
    assert kinds(vendors.send(bad("S1", "S2"))) == [Refused, Refused]
    assert len(box.airbase_log.entries()) == 1


@pytest.mark.parametrize("edit", [as_found, first_only, no_place])
def test_bad_updates_do_not_stop_their_batch(
    box: Box, vendors: AirbaseTarget, monkeypatch: pytest.MonkeyPatch, edit: Any
) -> None:
    made = ids(vendors.send(creates("S1", "S2", "S3")))
    refusing(monkeypatch, edit)
    names = {"S1": "New", "S2": "", "S3": ""}
    box.airbase_log.reset()
    results = vendors.send([Write(key, made[key], vendor(key, name=name)) for key, name in names.items()])
    assert kinds(results) == [Done, Refused, Refused]
    assert not box.airbase_log.entries("GET")
    assert vendors.find(["S1"])[0].record.name == "New"


def test_what_is_there_otherwise_after_a_refusal_is_unknown(
    box: Box, vendors: AirbaseTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    def someone_else(errors: list[Any]) -> list[Any]:
        box.airbase.books.tables["vendors"].put(
            {**box.airbase.rows("vendors")[0], "id": "x", "airbase_id": "x", "erp_reference_id": "S1"}
        )
        return errors

    refusing(monkeypatch, someone_else)
    assert kinds(vendors.send([*creates("S1", "S2"), *bad("S3")])) == [Unknown, Done, Refused]
    assert ours(box)["S1"] == ["x"]


def test_others_of_a_refused_batch_that_can_not_be_looked_up_are_unknown(box: Box, vendors: AirbaseTarget) -> None:
    box.faults.add(Fault(kind="status", site="airbase", method="GET", options={"status": 503}))
    assert kinds(vendors.send([*creates("S1"), *bad("S2")])) == [Unknown, Refused]
    assert len(box.airbase_log.entries("POST")) == 1


def test_what_stops_the_others_of_a_refused_batch_leaves_them_unknown(box: Box, vendors: AirbaseTarget) -> None:
    box.faults.add(Fault(kind="status", site="airbase", method="POST", after=1, options={"status": 429}))
    assert kinds(vendors.send([*creates("S1"), *bad("S2"), *creates("S3")])) == [Unknown, Refused, Unknown]
    assert ours(box) == {}


def test_a_refused_order_tells_what_is_at_stake(box: Box) -> None:
    with client_of(box) as client:
        (result,) = AirbaseTarget(client, "purchase_orders").send([Write("P1", "", order("P1", "nobody"))])
    assert isinstance(result, Refused)
    assert result.held.stake is not None
    assert result.held.stake.currency == "EUR"
    assert "purchase order P1" in result.held.sentence
    assert "nobody" in result.held.sentence


def test_a_batch_refused_without_naming_anyone_is_sent_one_by_one() -> None:
    with started(bulk_max=1) as box, client_of(box) as client:
        target = AirbaseTarget(client, "vendors")
        results = target.send([*creates("S1"), Write("S2", "", vendor("S2", name="")), *creates("S3")])
        assert kinds(results) == [Done, Refused, Done]
        assert {key: len(there) for key, there in ours(box).items()} == {"S1": 1, "S3": 1}


def test_places_outside_the_batch_accuse_nobody(vendors: AirbaseTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    """Places that count from one would refuse the wrong record."""
    refusing(monkeypatch, from_one)
    assert kinds(vendors.send([*bad("S1"), *creates("S2"), *bad("S3")])) == [Refused, Done, Refused]
    assert kinds(vendors.send(bad("S4"))) == [Refused]


@pytest.mark.parametrize("kind", ["reset_after", "truncated", "truncated_json", "malformed_json", "html"])
def test_a_lost_answer_to_a_create_leaves_it_unknown_and_sends_nothing_twice(
    box: Box, vendors: AirbaseTarget, kind: Any
) -> None:
    box.faults.add(Fault(kind=kind, site="airbase", method="POST", count=1))
    results = vendors.send(creates("S1", "S2"))
    assert kinds(results) == [Unknown, Unknown]
    assert len(box.airbase_log.entries("POST")) == 1
    assert {one.key: one.target_id for one in vendors.find(["S1", "S2"])} == {k: v[0] for k, v in ours(box).items()}
    assert ours(box).keys() == {"S1", "S2"}


def test_an_answer_of_the_wrong_shape_leaves_a_create_unknown(box: Box, vendors: AirbaseTarget) -> None:
    box.faults.add(Fault(kind="wrong_shape", site="airbase", method="POST", count=1))
    assert kinds(vendors.send(creates("S1"))) == [Unknown]


def test_a_gateway_error_after_the_work_leaves_it_unknown(box: Box, vendors: AirbaseTarget) -> None:
    options: Any = {"status": 502, "effect": True}
    box.faults.add(Fault(kind="status", site="airbase", method="POST", count=1, options=options))
    assert kinds(vendors.send(creates("S1"))) == [Unknown]
    assert len(ours(box)["S1"]) == 1


def test_one_lost_answer_among_singles_does_not_stop_the_rest(box: Box) -> None:
    with client_of(box, NO_BULK) as client:
        target = AirbaseTarget(client, "vendors")
        box.faults.add(Fault(kind="reset_after", site="airbase", method="POST", after=1, count=1))
        assert kinds(target.send(creates("S1", "S2", "S3"))) == [Done, Unknown, Done]
        assert {key: len(there) for key, there in ours(box).items()} == {"S1": 1, "S2": 1, "S3": 1}


@pytest.mark.parametrize("profile", [{}, NO_BULK], ids=["bulk", "one by one"])
def test_an_update_whose_answer_was_lost_is_sent_again(box: Box, profile: dict[str, Any]) -> None:
    with client_of(box, profile) as client:
        target = AirbaseTarget(client, "vendors")
        target_id = ids(target.send(creates("S1")))["S1"]
        method = "PATCH" if profile else "POST"
        box.faults.add(Fault(kind="reset_after", site="airbase", method=method, count=1))
        assert target.send([Write("S1", target_id, vendor("S1", name="New"))]) == (Done("S1", target_id),)
        assert target.find(["S1"])[0].record.name == "New"
        assert len(ours(box)["S1"]) == 1


def test_an_update_that_never_gets_an_answer_is_unknown_not_undelivered(box: Box, vendors: AirbaseTarget) -> None:
    target_id = ids(vendors.send(creates("S1")))["S1"]
    box.faults.add(Fault(kind="reset_after", site="airbase", method="POST"))
    assert kinds(vendors.send([Write("S1", target_id, vendor("S1", name="New"))])) == [Unknown]


def test_an_update_lost_once_and_then_throttled_is_unknown(box: Box, vendors: AirbaseTarget) -> None:
    target_id = ids(vendors.send(creates("S1")))["S1"]
    box.faults.add(Fault(kind="reset_after", site="airbase", method="POST", count=1))
    box.faults.add(Fault(kind="status", site="airbase", method="POST", after=1, options={"status": 429}))
    assert kinds(vendors.send([Write("S1", target_id, vendor("S1", name="New"))])) == [Unknown]


def test_a_vendor_that_is_gone_refuses_its_update_only(box: Box, vendors: AirbaseTarget) -> None:
    made = ids(vendors.send(creates("S1", "S2")))
    box.airbase.edit({"op": "delete", "kind": "vendors", "id": made["S1"]})
    writes = [Write(key, made[key], vendor(key, name="New")) for key in ("S1", "S2")]
    assert kinds(vendors.send(writes)) == [Refused, Done]


def test_a_vendor_that_is_gone_refuses_a_single_update(box: Box) -> None:
    with client_of(box, NO_BULK) as client:
        (result,) = AirbaseTarget(client, "vendors").send([Write("S1", "gone", vendor("S1"))])
    assert isinstance(result, Refused)
    assert "Not found" in result.held.sentence


@pytest.mark.parametrize("profile", [{}, NO_BULK], ids=["bulk", "one by one"])
def test_nothing_delivered_is_raised(box: Box, profile: dict[str, Any]) -> None:
    with client_of(box, profile, secret="wrong") as client, pytest.raises(AuthError):
        AirbaseTarget(client, "vendors").send(creates("S1"))
    with client_of(box, profile) as client:
        fault = box.faults.add(Fault(kind="status", site="airbase", options={"status": 429}))
        with pytest.raises(ThrottledError):
            AirbaseTarget(client, "vendors").send(creates("S1"))
        box.faults.remove(fault)
    assert ours(box) == {}


def test_a_host_that_is_not_there_is_raised() -> None:
    with started() as box:
        pass
    with client_of(box) as client, pytest.raises(UnreachableError):
        AirbaseTarget(client, "vendors").send(creates("S1"))


def test_a_path_that_is_not_there_is_raised_not_blamed_on_each_record(box: Box) -> None:
    with client_of(box, {"vendors": {"bulk_path": "/v1/nowhere/"}}) as client, pytest.raises(RefusedError):
        AirbaseTarget(client, "vendors").send(creates("S1", "S2"))
    assert len(box.airbase_log.entries("POST")) == 1


def test_a_tenant_that_lets_nobody_write_is_raised() -> None:
    with started(readonly=("vendors",)) as box, client_of(box) as client:
        with pytest.raises(RefusedError, match="405"):
            AirbaseTarget(client, "vendors").send(creates("S1", "S2"))
        assert len(box.airbase_log.entries("POST")) == 1


def test_what_stops_singles_midway_leaves_the_rest_for_a_look_up(box: Box) -> None:
    with client_of(box, NO_BULK) as client:
        box.faults.add(Fault(kind="status", site="airbase", method="POST", after=1, options={"status": 401}))
        results = AirbaseTarget(client, "vendors").send(creates("S1", "S2", "S3"))
        assert kinds(results) == [Done, Unknown, Unknown]
        assert len(box.airbase_log.entries("POST")) == 2
        assert ours(box).keys() == {"S1"}


# --- matching


def test_the_order_of_an_answer_means_nothing(
    box: Box, vendors: AirbaseTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered_with(monkeypatch, lambda body: {"created": body["created"][::-1], "updated": []})
    made = ids(vendors.send(creates("S1", "S2")))
    assert made == {key: there[0] for key, there in ours(box).items()}


def missing(created: list[Any]) -> list[Any]:
    return created[1:]


def twice(created: list[Any]) -> list[Any]:
    return [{**created[0], "airbase_id": "twin"}, *created]


@pytest.mark.parametrize("edit", [missing, twice])
def test_a_doubtful_answer_is_unknown(
    vendors: AirbaseTarget, monkeypatch: pytest.MonkeyPatch, edit: Callable[[list[Any]], list[Any]]
) -> None:
    answered_with(monkeypatch, lambda body: {"created": edit(body["created"]), "updated": []})
    assert kinds(vendors.send(creates("S1", "S2"))) == [Unknown, Done]


@pytest.mark.parametrize("profile", [{}, NO_BULK], ids=["bulk", "one by one"])
def test_a_create_answered_under_another_key_is_refused_not_unknown(box: Box, profile: dict[str, Any]) -> None:
    """No look-up finds it, so that it would be sent again and again; the sandbox drops outer blanks."""
    with client_of(box, profile) as client:
        target = AirbaseTarget(client, "vendors")
        results = target.send(creates("S1", "S2 ", "S3"))
        assert kinds(results) == [Done, Refused, Done]
        assert isinstance(results[1], Refused)
        held = results[1].held
        (there,) = ours(box)["S2"]
        assert (held.cause, held.owner) == ("answered_otherwise", "AP clerk")
        assert held.sentence == (
            f"Airbase answered the new vendor 'S2 ' with another reference: S2 (Airbase id {there})."
        )


def nameless(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "erp_reference_id"}


def emptied(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "erp_reference_id": None}


@pytest.mark.parametrize("edit", [nameless, emptied])
def test_a_create_answered_without_its_key_is_refused(
    vendors: AirbaseTarget, monkeypatch: pytest.MonkeyPatch, edit: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    answered_with(monkeypatch, lambda body: {"created": [edit(body["created"][0]), *body["created"][1:]]})
    results = vendors.send(creates("S1", "S2"))
    assert kinds(results) == [Refused, Done]
    assert isinstance(results[0], Refused)
    assert "reference: none (Airbase id" in results[0].held.sentence


def test_an_update_answered_under_another_key_is_unknown(
    vendors: AirbaseTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    target_id = ids(vendors.send(creates("S1")))["S1"]
    answered_with(monkeypatch, lambda body: {"updated": [{**body["updated"][0], "erp_reference_id": "S2"}]})
    assert kinds(vendors.send([Write("S1", target_id, vendor("S1", name="New"))])) == [Unknown]


def test_an_update_that_shows_another_record_is_unknown(
    vendors: AirbaseTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    target_id = ids(vendors.send(creates("S1")))["S1"]
    answered_with(
        monkeypatch,
        lambda body: {"updated": [{**row, "airbase_id": "other", "id": "other"} for row in body["updated"]]},
    )
    assert kinds(vendors.send([Write("S1", target_id, vendor("S1"))])) == [Unknown]


def test_creates_and_updates_are_not_mixed(vendors: AirbaseTarget) -> None:
    with pytest.raises(ValueError, match="together"):
        vendors.send([*creates("S1"), Write("S2", "id", vendor("S2"))])
    assert vendors.send([]) == ()


def test_the_target_says_how_much_it_takes(box: Box) -> None:
    with client_of(box, {"vendors": {"bulk_max": 7}, "purchase_orders": {"bulk_path": ""}}) as client:
        assert AirbaseTarget(client, "vendors").batch_max == 7
        assert AirbaseTarget(client, "purchase_orders").batch_max == 20
        with pytest.raises(SettingsError, match="invoices"):
            AirbaseTarget(client, "invoices")
