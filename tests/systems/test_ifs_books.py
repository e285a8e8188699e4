"""The ledger's reference data: whole, of the allowed companies only, in few requests; and as records of a source."""

from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from datetime import date
from typing import Any

import pytest
from reaching import ifs_client

from ml_connector.errors import MalformedError, NotFoundError
from ml_connector.records.ledger import (
    Account,
    Company,
    Dimension,
    Requirement,
    UserGroup,
    Validity,
    ValueTerms,
    VoucherType,
)
from ml_connector.records.supplier import AgreedTerms
from ml_connector.sandbox import Sandbox, SandboxOptions, start
from ml_connector.sync.ports import Sight, Source
from ml_connector.systems.ifs.books import read_books
from ml_connector.systems.ifs.client import IfsClient
from ml_connector.systems.ifs.source import IfsSource

PERIODS, ACCOUNTS = "AccountingPeriodSet", "Reference_Account"
SETS = 14  # that books are made of


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with start(SandboxOptions(suppliers=30, orders=5)) as started:
        yield started
        assert started.crashes == []


@contextmanager
def client_of(sandbox: Sandbox, companies: tuple[str, ...] = ("10", "20"), **profile: Any) -> Generator[IfsClient]:
    with closing(ifs_client(sandbox, profile, companies)) as client:
        yield client


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[IfsClient]:
    with client_of(sandbox) as made:
        yield made


# Books


def test_books_are_whole(sandbox: Sandbox, client: IfsClient) -> None:
    books = read_books(client)
    world = sandbox.world
    assert books.accounts.keys() == {(row["Company"], row["Account"]) for row in world.rows(ACCOUNTS)}
    assert books.values.keys() == {
        (row["Company"], part, row[f"Code{part}"])
        for part in "BCDEFGHIJ"
        for row in world.rows(f"Reference_Code{part}")
    }
    assert books.types.keys() == {(row["Company"], row["VoucherType"]) for row in world.rows("Reference_VoucherType")}
    assert books.groups["10", "AC"] == UserGroup("10", "AC")
    assert books.groups["20", "YE"] == UserGroup("20", "YE", year_end=True)
    assert books.types["10", "M"] == VoucherType("10", "M", "Manual vouchers")
    assert books.companies["10"] == Company("10", "Acme DE 10", "EUR")
    office = books.accounts["10", "6110"]
    assert (office.description, office.kind) == ("Office supplies", "Cost")
    assert office.requirements["B"] is Requirement.MANDATORY
    assert office.requirements["E"] is Requirement.BLOCKED
    assert "C" not in office.requirements
    assert not books.accounts["10", "8310"].validity.holds(date(2026, 1, 1))
    assert not books.values["20", "B", "900"].validity.holds(date(2026, 1, 1))


def test_periods_are_in_order_and_know_their_state(sandbox: Sandbox, client: IfsClient) -> None:
    sandbox.edit_ifs(
        {"op": "insert", "set": PERIODS, "values": {
            "Company": "10", "AccountingYear": 2026, "AccountingPeriod": 14, "DateFrom": "2026-12-31",
            "DateUntil": "2026-12-31", "PeriodStatus": "Open"}}
    )  # fmt: skip
    periods = read_books(client).periods["10"]
    told = [(one.from_on, one.year_end, one.year, one.number) for one in periods]
    assert told == sorted(told)
    assert {one.number for one in periods if not one.year_end} == set(range(1, 13))
    extra = next(one for one in periods if one.number == 14)
    assert (str(extra), extra.year_end, extra.open, extra.from_on) == ("2026-14", True, True, date(2026, 12, 31))
    assert [one.open for one in periods if (one.year, one.number) in ((2025, 6), (2025, 7))] == [False, True]


@pytest.mark.parametrize("cap", [1, 7, 50])
def test_a_server_that_gives_short_pages_loses_nothing(sandbox: Sandbox, client: IfsClient, cap: int) -> None:
    whole = read_books(client)
    sandbox.ifs.options.page_cap = cap
    with client_of(sandbox) as another:
        assert read_books(another) == whole


def test_few_requests(sandbox: Sandbox, client: IfsClient) -> None:
    read_books(client)
    assert client.wire.requests <= SETS + 2


def test_only_allowed_companies(sandbox: Sandbox) -> None:
    with client_of(sandbox, companies=("20",)) as client:
        books = read_books(client)
        seen = {key[0] for table in (books.accounts, books.values, books.types, books.groups) for key in table}
        assert seen == books.companies.keys() == books.periods.keys() == {"20"}


def test_a_tenant_without_code_parts(sandbox: Sandbox, client: IfsClient) -> None:
    for part in "BCDEFGHIJ":
        for row in sandbox.world.rows(f"Reference_Code{part}"):
            sandbox.world.delete(
                f"Reference_Code{part}", {"Company": row["Company"], f"Code{part}": row[f"Code{part}"]}
            )
    assert read_books(client).values == {}
    assert [page.sights for page in IfsSource(client, "dimensions").read_all()] == [()]


@pytest.mark.parametrize(
    ("name", "key", "values", "words"),
    [
        (
            PERIODS,
            {"Company": "10", "AccountingYear": 2026, "AccountingPeriod": 3},
            {"DateFrom": None},
            "read periods.*no from",
        ),
        (
            PERIODS,
            {"Company": "10", "AccountingYear": 2026, "AccountingPeriod": 3},
            {"PeriodStatus": None},
            "read periods.*no status",
        ),
    ],
)
def test_what_cannot_be_read_names_its_set(
    sandbox: Sandbox, client: IfsClient, name: str, key: dict[str, Any], values: dict[str, Any], words: str
) -> None:
    sandbox.world.update(name, key, values)
    with pytest.raises(MalformedError, match=words):
        read_books(client)


def test_an_unknown_requirement_is_not_guessed(sandbox: Sandbox, client: IfsClient) -> None:
    sandbox.world.enums = {**sandbox.world.enums, "AccountRequest": ("Can", "Mandatory", "Blocked", "Perhaps")}
    sandbox.world.update(ACCOUNTS, {"Company": "10", "Account": "6110"}, {"ReqCodeB": "Perhaps"})
    with pytest.raises(MalformedError, match="requires b of Reference_Account 6110 / 10 is not one of can, mandatory"):
        read_books(client)
    found = {sight.key: sight for page in IfsSource(client, "accounts").read_all() for sight in page.sights}
    assert found["6110"].unreadable
    assert found["6110"].unreadable.cause == "unreadable"
    assert sum(sight.record is not None for sight in found.values()) == len(found) - 1


def test_a_set_that_is_not_there_is_an_error(sandbox: Sandbox) -> None:
    with client_of(sandbox, periods={"set": "Nowhere"}) as client, pytest.raises(NotFoundError):
        read_books(client)


# Sources


def all_of(source: Source) -> list[Sight]:
    return [sight for page in source.read_all() for sight in page.sights]


@pytest.mark.parametrize("resource", ["accounts", "dimensions", "supplier_terms"])
def test_records_are_the_same_however_they_are_read(sandbox: Sandbox, client: IfsClient, resource: str) -> None:
    sandbox.ifs.options.page_cap = 5
    source: Source = IfsSource(client, resource)
    found = all_of(source)
    assert found
    assert [sight.key for sight in found] == sorted(sight.key for sight in found)
    assert all(sight.record for sight in found)
    again = {sight.key: sight for group in source.read([sight.key for sight in reversed(found)]) for sight in group}
    assert again == {sight.key: sight for sight in found}
    swept = {row for part in source.parts for page in source.sweep(part, "") for row in page.rows}
    assert swept == {row for sight in found for row in sight.rows}
    for sight in found:
        assert len({row.part for row in sight.rows} & set(source.heads)) == 1


def test_an_account_has_its_terms_by_company(client: IfsClient) -> None:
    source = IfsSource(client, "accounts")
    assert (source.parts, source.heads, source.depth) == (("accounts",), ("accounts",), 1)
    ((sight,),) = source.read(["6110"])
    assert isinstance(sight.record, Account)
    assert [terms.company for terms in sight.record.terms] == ["10", "20"]


def test_a_code_part_value_is_asked_for_in_its_own_set_only(sandbox: Sandbox, client: IfsClient) -> None:
    source = IfsSource(client, "dimensions")
    assert source.heads == source.parts
    assert source.depth == 2
    keys = ["B\x1f100", "B\x1fNONE", "Z\x1f1"]
    found = {sight.key: sight for group in source.read(keys) for sight in group}
    valid = Validity(date(2000, 1, 1), date(2049, 12, 31))
    assert found["B\x1f100"].record == Dimension(
        "B", "100", tuple(ValueTerms(company, "Administration", valid) for company in ("10", "20"))
    )
    assert not found["B\x1fNONE"].there
    assert not found["Z\x1f1"].there
    sets = {path.rpartition("/")[2] for method, path, _ in sandbox.ifs_log.counts() if method == "GET"}
    assert sets == {"Reference_CodeB"}


def test_agreed_terms_are_a_suppliers(sandbox: Sandbox, client: IfsClient) -> None:
    rows = sandbox.world.rows("IdentityInvoiceInfoSet")
    found = {sight.key: sight.record for sight in all_of(IfsSource(client, "supplier_terms"))}
    assert all(isinstance(record, AgreedTerms) and record.supplier_id == key for key, record in found.items())
    told = {(key, one.company, one.payment_term) for key, record in found.items() for one in record.terms}
    assert told == {(row["Identity"], row["Company"], row["PayTermId"]) for row in rows}
