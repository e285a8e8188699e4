"""Payment terms, invoice statuses and new suppliers: written once, under the version that was read, or not at all."""

from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reaching import ifs_client

from ml_connector.errors import AuthError, MalformedError, UnreachableError
from ml_connector.records import keys
from ml_connector.records.supplier import NewSupplier
from ml_connector.records.supplier_invoice import InvoiceStatus
from ml_connector.sandbox import Sandbox, SandboxOptions, start
from ml_connector.sandbox.faults import Fault
from ml_connector.sync.ports import Done, Refused, Result, Target, Unknown, Write
from ml_connector.systems.ifs import invoices
from ml_connector.systems.ifs.client import IfsClient
from ml_connector.systems.ifs.duplicates import Index, Known, plain_name, plain_tax_id
from ml_connector.systems.ifs.invoices import InvoiceTarget
from ml_connector.systems.ifs.masters import TermsEnd
from ml_connector.systems.ifs.suppliers import SupplierTarget, likely

TERMS, INVOICES = "IdentityInvoiceInfoSet", "ManSuppInvoiceSet"
Row = dict[str, Any]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with start(SandboxOptions(suppliers=30, orders=20, invoices=60)) as started:
        yield started
        assert started.crashes == []


@contextmanager
def client_of(sandbox: Sandbox, **profile: Any) -> Generator[IfsClient]:
    with closing(ifs_client(sandbox, profile)) as client:
        yield client


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[IfsClient]:
    with client_of(sandbox) as made:
        yield made


def patches(sandbox: Sandbox, method: str = "PATCH") -> int:
    return sum(count for (made, _, _), count in sandbox.ifs_log.counts().items() if made == method)


def held(result: Result) -> str:
    assert isinstance(result, Refused), result
    assert result.held.sentence
    assert result.held.remedy
    return result.held.cause


# Payment terms


def agreement(sandbox: Sandbox, company: str = "10") -> Row:
    return next(row for row in sandbox.world.rows(TERMS) if row["Company"] == company)


def term(sandbox: Sandbox, supplier_id: str, company: str = "10") -> str:
    rows = sandbox.world.rows(TERMS)
    return next(row["PayTermId"] for row in rows if (row["Identity"], row["Company"]) == (supplier_id, company))


def test_agreements_are_read(sandbox: Sandbox, client: IfsClient) -> None:
    found = TermsEnd(client).read([row["SupplierId"] for row in sandbox.world.rows("SupplierInfoGeneralSet")])
    told = {(key, one.company): one.payment_term for key, terms in found.items() for one in terms}
    assert told == {(row["Identity"], row["Company"]): row["PayTermId"] for row in sandbox.world.rows(TERMS)}
    assert all([one.company for one in terms] == sorted(one.company for one in terms) for terms in found.values())


def terms_of(sandbox: Sandbox) -> dict[tuple[str, str], Row]:
    rows = sandbox.world.rows(TERMS)
    return {(row["Identity"], row["Company"]): {**row, "Cf_Modified_At": None} for row in rows}


def test_a_term_is_set_in_its_company_only_and_once(sandbox: Sandbox, client: IfsClient) -> None:
    before = terms_of(sandbox)
    both = next(key for key, company in before if company == "20" and (key, "10") in before)
    end = TermsEnd(client)
    assert end.set(both, {"20": "XX", "10": term(sandbox, both)}) == Done(both, both)
    assert terms_of(sandbox) == {**before, (both, "20"): before[both, "20"] | {"PayTermId": "XX"}}
    assert patches(sandbox) == 1
    assert end.set(both, {"20": "XX"}) == Done(both, both)
    assert patches(sandbox) == 1


def test_a_row_that_changed_meanwhile_is_read_again_once(sandbox: Sandbox, client: IfsClient) -> None:
    supplier_id = agreement(sandbox)["Identity"]
    sandbox.faults.add(Fault("stale_etag", site="ifs", method="PATCH", count=1))
    assert TermsEnd(client).set(supplier_id, {"10": "XX"}) == Done(supplier_id, supplier_id)
    assert term(sandbox, supplier_id) == "XX"
    sandbox.faults.clear()
    sandbox.faults.add(Fault("stale_etag", site="ifs", method="PATCH"))
    result = TermsEnd(client).set(supplier_id, {"10": "YY"})
    assert held(result) == "refused_by_ifs"
    assert isinstance(result, Refused)
    assert "at the same time" in result.held.sentence
    assert term(sandbox, supplier_id) == "XX"


@pytest.mark.parametrize(
    ("kind", "options", "sent"),
    [
        ("reset_after", {}, 1),
        ("truncated", {}, 1),
        ("html", {}, 1),
        ("reset_before", {}, 2),
        ("status", {"status": 500}, 2),
    ],
)
def test_a_lost_answer_is_looked_up(
    sandbox: Sandbox, client: IfsClient, kind: Any, options: dict[str, Any], sent: int
) -> None:
    supplier_id = agreement(sandbox)["Identity"]
    sandbox.faults.add(Fault(kind, site="ifs", method="PATCH", count=1, options=options))
    assert TermsEnd(client).set(supplier_id, {"10": "XX"}) == Done(supplier_id, supplier_id)
    assert term(sandbox, supplier_id) == "XX"
    assert patches(sandbox) == sent


def test_without_any_answer_it_stays_unknown(sandbox: Sandbox, client: IfsClient) -> None:
    supplier_id = agreement(sandbox)["Identity"]
    sandbox.faults.add(Fault("reset_before", site="ifs", method="PATCH"))
    assert isinstance(TermsEnd(client).set(supplier_id, {"10": "XX"}), Unknown)
    sandbox.faults.clear()
    sandbox.faults.add(Fault("reset_after", site="ifs", method="PATCH", count=1))
    sandbox.faults.add(Fault("status", site="ifs", path="/int", method="GET", after=2, options={"status": 403}))
    assert isinstance(TermsEnd(client).set(supplier_id, {"10": "XX"}), Unknown)


@pytest.mark.parametrize(
    ("terms", "cause"),
    [({"77": "30"}, "company_not_connected"), ({"10": "X" * 21}, "refused_by_ifs"), ({"20": "30"}, "no_agreement")],
)
def test_what_cannot_be_set_is_refused(sandbox: Sandbox, client: IfsClient, terms: dict[str, str], cause: str) -> None:
    known = terms_of(sandbox)
    alone = next(key for key, company in known if company == "10" and (key, "20") not in known)
    before = sandbox.world.digest()
    assert held(TermsEnd(client).set(alone, terms)) == cause
    assert sandbox.world.digest() == before


def test_no_right_to_write_stops_all(sandbox: Sandbox, client: IfsClient) -> None:
    sandbox.faults.add(Fault("status", site="ifs", method="PATCH", options={"status": 403}))
    with pytest.raises(AuthError):
        TermsEnd(client).set(agreement(sandbox)["Identity"], {"10": "XX"})


# Supplier invoices


def invoice(sandbox: Sandbox, **where: Any) -> Row:
    rows = sandbox.world.rows(INVOICES)
    return next(row for row in rows if all(row[name] == value for name, value in where.items()))


def key_of(row: Row, kind: str = "invoice", supplier: str | None = None) -> str:
    number = row["InvoiceNo"] if kind == "invoice" else row["PoRefNumber"]
    return keys.join(("bill", "b1", kind, supplier or row["Identity"], number))


def id_of(row: Row) -> str:
    return f"{row['Company']}/{row['InvoiceId']}"


def test_invoices_are_read(sandbox: Sandbox, client: IfsClient) -> None:
    found = list(invoices.invoices(client))
    assert [(one.company, one.invoice_id, one.number, one.amount) for one in found] == [
        (row["Company"], str(row["InvoiceId"]), row["InvoiceNo"], row["GrossCurrAmount"])
        for row in sorted(sandbox.world.rows(INVOICES), key=lambda row: (row["Company"], row["InvoiceId"]))
    ]


def test_an_invoice_that_cannot_be_read_is_named(sandbox: Sandbox, client: IfsClient) -> None:
    row = sandbox.world.rows(INVOICES)[7]
    sandbox.world.update(
        INVOICES, {"Company": row["Company"], "InvoiceId": row["InvoiceId"]}, {"GrossCurrAmount": None}
    )
    with pytest.raises(MalformedError, match=f"{row['InvoiceId']}.*no amount"):
        list(invoices.invoices(client))


def test_invoices_are_found_by_number_or_order_and_supplier(sandbox: Sandbox, client: IfsClient) -> None:
    target: Target = InvoiceTarget(client)
    row = invoice(sandbox, InvoiceNo="INV-00003")
    ordered = next(row for row in sandbox.world.rows(INVOICES) if row["PoRefNumber"])
    same_order = [one for one in sandbox.world.rows(INVOICES) if one["PoRefNumber"] == ordered["PoRefNumber"]]
    own, anyone = key_of({**row, "InvoiceNo": f" {row['InvoiceNo']} "}), key_of(row, supplier="-")
    other = keys.join(("bill", "b2", "invoice", "NOBODY", row["InvoiceNo"]))
    by_order = key_of(ordered, "order")
    found = target.find([own, anyone, other, by_order, key_of({**row, "InvoiceNo": "INV-3"})])
    assert sorted((one.key, one.target_id) for one in found) == sorted(
        [(own, id_of(row)), (anyone, id_of(row)), *((by_order, id_of(one)) for one in same_order)]
    )
    assert target.find([]) == ()


def test_many_are_found_as_few_are(sandbox: Sandbox, client: IfsClient, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [
        key_of(row, kind) for row in sandbox.world.rows(INVOICES) for kind in ("invoice", "order") if row["PoRefNumber"]
    ]
    few = InvoiceTarget(client).find(asked)
    monkeypatch.setattr(invoices, "WHOLE_FROM", 1)
    many = InvoiceTarget(client).find(asked)
    assert sorted((one.key, one.target_id) for one in few) == sorted((one.key, one.target_id) for one in many)
    assert len(few) >= len(asked) / 2


def status(client: IfsClient, row: Row, text: str, *, release: bool = False) -> Result:
    (result,) = InvoiceTarget(client, release=release).send([Write(key_of(row), id_of(row), InvoiceStatus(text))])
    return result


def test_a_status_is_set_and_seen_again(sandbox: Sandbox, client: IfsClient) -> None:
    row = invoice(sandbox, InvoiceNo="INV-00003")
    assert status(client, row, "Paid") == Done(key_of(row), id_of(row))
    assert invoice(sandbox, InvoiceNo="INV-00003") == row | {"Cf_Airbase_Status": "Paid"}
    (found,) = InvoiceTarget(client).find([key_of(row)])
    assert found.record == InvoiceStatus("Paid")
    assert status(client, row, "Paid") == Done(key_of(row), id_of(row))
    assert patches(sandbox) == 1


@pytest.mark.parametrize(("fault", "sent"), [("", 1), ("reset_after", 1), ("reset_before", 2), ("stale_etag", 2)])
def test_an_approved_invoice_is_released_once_before_its_status_is_set(
    sandbox: Sandbox, client: IfsClient, fault: Any, sent: int
) -> None:
    row = invoice(sandbox, Objstate="Preliminary")
    if fault:
        sandbox.faults.add(Fault(fault, site="ifs", method="POST", path="/int", count=1))
    assert status(client, row, "Approved", release=True) == Done(key_of(row), id_of(row))
    now = invoice(sandbox, InvoiceId=row["InvoiceId"])
    assert now["Cf_Airbase_Status"] == "Approved"
    assert now["Objstate"] != "Preliminary"
    assert sum(count for (_, path, _), count in sandbox.ifs_log.counts().items() if "Release" in path) == sent


def test_a_release_without_the_status_after_it_is_not_taken_for_nothing_sent(
    sandbox: Sandbox, client: IfsClient
) -> None:
    row = invoice(sandbox, Objstate="Preliminary")
    sandbox.faults.add(Fault("status", site="ifs", method="PATCH", options={"status": 403}))
    assert isinstance(status(client, row, "Approved", release=True), Unknown)
    sandbox.faults.clear()
    assert isinstance(status(client, row, "Approved", release=True), Done)
    assert sum(count for (_, path, _), count in sandbox.ifs_log.counts().items() if "Release" in path) == 1


def test_other_states_and_statuses_are_not_released(sandbox: Sandbox, client: IfsClient) -> None:
    first, second = invoice(sandbox, Objstate="Preliminary"), invoice(sandbox, Objstate="Paid")
    assert isinstance(status(client, first, "Declined", release=True), Done)
    assert isinstance(status(client, second, "Approved", release=True), Done)
    assert [row["Objstate"] for row in sandbox.world.rows(INVOICES)].count("Preliminary") > 0
    assert not any("Release" in path for _, path, _ in sandbox.ifs_log.counts())


def test_refusals_are_of_one_invoice_only(sandbox: Sandbox, client: IfsClient) -> None:
    row = invoice(sandbox, InvoiceNo="INV-00003")
    writes = [
        Write(key_of(row), "", InvoiceStatus("Paid")),
        Write("k1", "10/999999", InvoiceStatus("Paid")),
        Write("k2", id_of(row), InvoiceStatus("x" * 51)),
        Write("k3", id_of(row), InvoiceStatus("Paid")),
    ]
    results = InvoiceTarget(client).send(writes)
    assert [held(result) for result in results[:3]] == ["invoice_not_found", "refused_by_ifs", "refused_by_ifs"]
    assert results[3] == Done("k3", id_of(row))


def test_a_tenant_without_the_field_is_told_so(sandbox: Sandbox) -> None:
    row = invoice(sandbox, InvoiceNo="INV-00003")
    with client_of(sandbox, supplier_invoices={"fields": {"status": ""}}) as client:
        assert held(status(client, row, "Paid")) == "field_not_named"


def test_once_something_was_sent_nothing_is_raised(sandbox: Sandbox, client: IfsClient) -> None:
    rows = sandbox.world.rows(INVOICES)[:3]
    writes = [Write(key_of(row), id_of(row), InvoiceStatus("Paid")) for row in rows]
    sandbox.faults.add(Fault("status", site="ifs", method="PATCH", after=1, options={"status": 403}))
    results = InvoiceTarget(client).send(writes)
    assert [type(result) for result in results] == [Done, Unknown, Unknown]
    with pytest.raises(AuthError):
        InvoiceTarget(client).send(writes[1:])


# New suppliers

MARKED: dict[str, Any] = {"suppliers": {"fields": {"tax_id": ""}}}
NEW = NewSupplier("v-1", "Brand New Ltd", "NO")


def made(target: SupplierTarget, record: NewSupplier = NEW) -> Result:
    (result,) = target.send([Write(record.vendor_id, "", target.trim(record))])
    return result


def test_a_supplier_is_made_and_found_by_its_vendor(sandbox: Sandbox) -> None:
    with client_of(sandbox, **MARKED) as client:
        target = SupplierTarget(client, "AssociationNo")
        assert target.find(["v-1"]) == ()
        result = made(target)
        assert isinstance(result, Done)
        row = sandbox.world.get("SupplierInfoGeneralSet", {"SupplierId": result.target_id})
        assert row
        assert (row["Name"], row["Country"], row["AssociationNo"]) == ("Brand New Ltd", "NO", "v-1")
        (found,) = target.find(["v-1", "v-2"])
        assert (found.key, found.target_id, found.record) == ("v-1", result.target_id, target.trim(NEW))
        changed = target.send([Write("v-1", result.target_id, NEW)])
        assert held(changed[0]) == "supplier_kept_by_ifs"


@pytest.mark.parametrize(("fault", "there"), [("reset_after", 1), ("html", 1), ("reset_before", 0)])
def test_a_supplier_whose_making_was_not_answered_is_looked_for(sandbox: Sandbox, fault: Any, there: int) -> None:
    sandbox.faults.add(Fault(fault, site="ifs", method="POST", path="/main", count=1))
    with client_of(sandbox, **MARKED) as client:
        target = SupplierTarget(client, "AssociationNo")
        assert isinstance(made(target), Unknown)
        assert len(target.find(["v-1"])) == there
        assert sum(row["AssociationNo"] == "v-1" for row in sandbox.world.rows("SupplierInfoGeneralSet")) == there


def test_what_ifs_refuses_of_a_supplier_is_held(sandbox: Sandbox) -> None:
    with client_of(sandbox, **MARKED) as client:
        target = SupplierTarget(client, "AssociationNo")
        assert held(made(target, NewSupplier("v-2", "x" * 101))) == "refused_by_ifs"
        assert isinstance(made(target), Done)


def test_without_the_custom_field_no_supplier_is_made(sandbox: Sandbox, client: IfsClient) -> None:
    target = SupplierTarget(client, "Cf_Nowhere")
    before = sandbox.world.digest()
    result = made(target)
    assert held(result) == "field_missing_in_ifs"
    assert isinstance(result, Refused)
    assert "Cf_Nowhere" in result.held.remedy
    assert target.find(["v-1"]) == ()
    assert sandbox.world.digest() == before


def test_nothing_was_sent_when_ifs_is_out_of_reach(sandbox: Sandbox) -> None:
    with client_of(sandbox, **MARKED) as client:
        target = SupplierTarget(client, "AssociationNo")
        target.find(["v-1"])
        sandbox.close()
        with pytest.raises(UnreachableError):
            made(target)


def test_likely_duplicates_are_pointed_out(sandbox: Sandbox, client: IfsClient) -> None:
    rows = sandbox.world.rows("SupplierInfoGeneralSet")
    known = next(row for row in rows if row["AssociationNo"])
    new = [
        NewSupplier("same", f"  {known['Name'].upper()} Ltd."),
        NewSupplier("tax", "Nobody at all", tax_id=known["AssociationNo"].lower()),
        NewSupplier("none", "Nobody at all"),
    ]
    found = likely(client, new)
    assert (known["SupplierId"], "has the same name") in found["same"]
    assert (known["SupplierId"], "has the same tax id") in found["tax"]
    assert found["none"] == []
    assert likely(client, []) == {}


KNOWN = (
    Known("S1", "Müller & Söhne GmbH", "DE 123456789", frozenset({"DE"})),
    Known("S2", "Nordic Paper Trading AS", "", frozenset({"NO", "SE"})),
    Known("S3", "Zed", "NO-987"),
)


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (NewSupplier("v", "MULLER SOHNE"), [("S1", "has the same name")]),
        (NewSupplier("v", "X", tax_id="123.456.789"), [("S1", "has the same tax id")]),
        (
            NewSupplier("v", "Müller & Söhne", tax_id="DE123456789", bank_country="DE"),
            [("S1", "has the same tax id and has the same name")],
        ),
        (NewSupplier("v", "Nordic Paper", bank_country="SE"), [("S2", "has a like name and a bank in SE too")]),
        (NewSupplier("v", "Nordic Paper", bank_country="FI"), []),
        (NewSupplier("v", "Nordic Paper"), []),
        (NewSupplier("v", "Zed Ltd", tax_id="987"), [("S3", "has the same tax id and has the same name")]),
        (NewSupplier("v", "", tax_id=""), []),
    ],
)
def test_reasons(new: NewSupplier, expected: list[tuple[str, str]]) -> None:
    assert Index(KNOWN).like(new) == expected


@given(st.text(max_size=30), st.text(max_size=20))
def test_normalising_is_settled_at_once(name: str, tax_id: str) -> None:
    assert plain_name(" ".join(plain_name(name))) == plain_name(name)
    assert all(character.isalnum() for character in plain_tax_id(tax_id))
