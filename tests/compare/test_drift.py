"""Where the charts have parted, and what that stops."""

from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_connector.compare.drift import Difference, Kind, drift, in_words
from ml_connector.records.ledger import Account, AccountTerms, Dimension, Validity, ValueTerms
from ml_connector.records.money import Money
from ml_connector.records.spend import REQUEST, Document, SpendLine, Tag
from ml_connector.records.spend_chart import SpendAccount, SpendTag
from ml_connector.sync.flow import Tables

TODAY = date(2026, 11, 22)
GONE = Validity(until_on=date(2026, 6, 30))
SUBSIDIARIES = {"10": "SUB-10", "20": "SUB-20"}
NAMES = {"SUB-10": "Oslo", "SUB-20": "Bergen"}
TABLES = Tables(SUBSIDIARIES, dimensions={"department": "B", "dept": "B"})


def account(*terms: AccountTerms) -> Account:
    return Account("6110", terms or (AccountTerms("10", "Travel"), AccountTerms("20", "Travel")))


def document(
    number: str, *, uses: str = "6110", tag: str = "", subsidiary: str = "SUB-10", amount: str = "5"
) -> Document:
    tags = (Tag("department", tag),) if tag else ()
    lines = (SpendLine(1, Decimal(amount), uses), SpendLine(2, Decimal(0), uses, tags=tags))
    money = Money(Decimal(amount), "EUR")
    return Document(number, REQUEST, number, "approved", subsidiary, money, TODAY, lines=lines)


def found(
    accounts: list[Account] | None = None,
    there: list[SpendAccount] | None = None,
    documents: list[Document] | None = None,
    **other: Any,
) -> list[Difference]:
    given: dict[str, Any] = {
        "accounts": accounts or [],
        "dimensions": [],
        "companies": ["10", "20"],
        "spend_accounts": there or [],
        "spend_tags": [],
        "spend_subsidiaries": NAMES,
        "open_documents": documents or [],
        "tables": TABLES,
        "today": TODAY,
    }
    return drift(**(given | other))


def test_the_same_on_both_sides_is_no_difference() -> None:
    assert found([account()], [SpendAccount("6110", "Travel", True)], [document("PR-1")]) == []


@pytest.mark.parametrize(
    ("accounts", "there", "kind", "blocked", "sentence"),
    [
        ([account()], [], Kind.ONLY_IN_IFS, 0, "Account 6110 (“Travel”) is in IFS, but not in Airbase."),
        (
            [],
            [SpendAccount("6110", "Travel", True)],
            Kind.ONLY_IN_AIRBASE,
            1,
            "Account 6110 is in Airbase as “Travel”, but not in IFS; it stops 1 open document, EUR 5.00: PR-1.",
        ),
        (
            [],
            [],
            Kind.ONLY_IN_AIRBASE,
            1,
            "Account 6110 is in Airbase as “not listed, but used”, but not in IFS; "
            "it stops 1 open document, EUR 5.00: PR-1.",
        ),
        (
            [account(AccountTerms("10", "Travel", GONE))],
            [SpendAccount("6110", "Travel", True)],
            Kind.EXPIRED,
            1,
            "Account 6110 (“Travel”) is not valid in IFS today (company 10: until 2026-06-30); "
            "it stops 1 open document, EUR 5.00: PR-1.",
        ),
        (
            [account(AccountTerms("20", "Travel"))],
            [SpendAccount("6110", "Travel", True)],
            Kind.MISSING_IN_COMPANY,
            1,
            "Account 6110 (“Travel”) is used in Airbase, but not in company 10; "
            "it stops 1 open document, EUR 5.00: PR-1.",
        ),
        (
            [account()],
            [SpendAccount("6110", "Travel", False)],
            Kind.INACTIVE_IN_AIRBASE,
            0,
            "Account 6110 (“Travel”) is valid in IFS, but switched off in Airbase.",
        ),
        (
            [account()],
            [SpendAccount("6110", "Trips", True)],
            Kind.RENAMED,
            0,
            "Account 6110 is “Travel” in IFS, but “Trips” in Airbase.",
        ),
        (
            [account()],
            [SpendAccount("6110", "Trips", True), SpendAccount("6110", "Travel", True)],
            Kind.DOUBLED_IN_AIRBASE,
            0,
            "Account 6110 is in Airbase more than once: Travel, Trips.",
        ),
    ],
)
def test_accounts(accounts: list[Account], there: list[SpendAccount], kind: Kind, blocked: int, sentence: str) -> None:
    (difference,) = found(accounts, there, [document("PR-1")])
    assert (difference.kind, difference.blocked) == (kind, blocked)
    assert in_words(difference) == sentence


@pytest.mark.parametrize(
    ("accounts", "there"),
    [
        ([], [SpendAccount("6110", "Travel", False)]),
        ([account(AccountTerms("10", "Travel", GONE))], [SpendAccount("6110", "Travel", False)]),
        ([account(AccountTerms("10", "Travel", GONE))], []),
        ([account(AccountTerms("10", "Heads", kind="Statistics"))], []),
        ([account(AccountTerms("30", "Travel"))], []),
        (
            [account(AccountTerms("10", "Travel", GONE), AccountTerms("20", "Trips"))],
            [SpendAccount("6110", "Trips", True)],
        ),
    ],
)
def test_what_nobody_can_use_on_either_side_is_no_difference(
    accounts: list[Account], there: list[SpendAccount]
) -> None:
    assert found(accounts, there) == []


def test_an_account_expired_in_one_company_stops_the_documents_of_that_one_only() -> None:
    accounts = [account(AccountTerms("10", "Travel", GONE), AccountTerms("20", "Travel"))]
    documents = [document("PR-1"), document("PR-2", subsidiary="SUB-20")]
    (difference,) = found(accounts, [SpendAccount("6110", "Travel", True)], documents)
    assert (difference.kind, difference.blocks) == (Kind.EXPIRED, ("PR-1",))


@pytest.mark.parametrize(
    ("values", "there", "expected"),
    [
        ([ValueTerms("10", "Sales")], [SpendTag("dept", "100", "Sales", True)], []),
        ([ValueTerms("10", "Sales")], [], [(Kind.ONLY_IN_IFS, "department 100")]),
        ([ValueTerms("10", "Sales", GONE)], [SpendTag("dept", "100", "Sales", True)], [(Kind.EXPIRED, "dept 100")]),
        ([], [SpendTag("department", "100", "Sales", True)], [(Kind.ONLY_IN_AIRBASE, "department 100")]),
        ([], [SpendTag("colour", "red", "Red", True)], []),
    ],
)
def test_tags(values: list[ValueTerms], there: list[SpendTag], expected: list[tuple[Kind, str]]) -> None:
    dimensions = [Dimension("B", "100", tuple(values)), Dimension("C", "7", (ValueTerms("10", "Oslo"),))]
    result = found(dimensions=dimensions, spend_tags=there)
    assert [(one.kind, one.what) for one in result] == expected


def test_a_tag_stops_the_documents_that_carry_it() -> None:
    tag = SpendTag("department", "100", "Sales", True)
    documents = [document("PR-1", uses="", tag="100"), document("PR-2", uses="", tag="200")]
    result = found(spend_tags=[tag], documents=documents)
    assert [(one.what, one.blocks) for one in result] == [
        ("department 100", ("PR-1",)),
        ("department 200", ("PR-2",)),
    ]


def test_subsidiaries() -> None:
    documents = [document("PR-1", uses="", subsidiary="SUB-99"), document("PR-2", uses="", subsidiary="SUB-20")]
    result = found(
        companies=["10", "20", "30"], spend_subsidiaries={"SUB-10": "Oslo", "SUB-7": "Rome"}, documents=documents
    )
    assert [in_words(one) for one in result] == [
        "Subsidiary SUB-99 (“”) of Airbase stands for no company of this connection; "
        "it stops 1 open document, EUR 5.00: PR-1.",
        "Company 20 is mapped to SUB-20, which Airbase does not have; it stops 1 open document, EUR 5.00: PR-2.",
        "Subsidiary SUB-7 (“Rome”) of Airbase stands for no company of this connection.",
        "Company 30 is mapped to nothing, which Airbase does not have.",
    ]


def test_what_stops_most_comes_first_and_names_only_the_first_of_them() -> None:
    many = [document(f"PR-{number:03d}", uses="7000", amount="0.1") for number in range(30)]
    there = [SpendAccount("6110", "Travel", True), SpendAccount("7000", "Food", True)]
    first, second = found(None, there, [*many, document("PR-900")])
    assert (first.what, first.blocked, len(first.blocks), second.blocked) == ("account 7000", 30, 20, 1)
    assert first.stake == (Money(Decimal("3.0"), "EUR"),)
    assert in_words(first).endswith("PR-019 and 10 more.")


validities = st.sampled_from([Validity(), GONE])
accounts_of = st.lists(
    st.builds(
        Account,
        st.sampled_from(["1", "2", "3"]),
        st.lists(
            st.builds(AccountTerms, st.sampled_from(["10", "20"]), st.sampled_from("ab"), validities),
            max_size=2,
            unique_by=lambda one: one.company,
        ).map(tuple),
    ),
    max_size=3,
    unique_by=lambda one: one.account,
)
spends = st.lists(
    st.builds(SpendAccount, st.sampled_from(["1", "2", "3"]), st.sampled_from("ab"), st.booleans()), max_size=4
)
documents_of = st.lists(
    st.builds(
        document,
        st.integers(0, 99).map(str),
        uses=st.sampled_from(["1", "2", "4"]),
        subsidiary=st.sampled_from(["SUB-10", "SUB-20"]),
    ),
    max_size=6,
    unique_by=lambda one: one.number,
)


@settings(max_examples=150)
@given(accounts_of, spends, documents_of, st.integers())
def test_a_document_is_stopped_exactly_when_its_company_can_not_post_to_its_account(
    accounts: list[Account], there: list[SpendAccount], documents: list[Document], seed: int
) -> None:
    result = found(accounts, there, documents)
    by_company = {("SUB-" + t.company, a.account): t.validity.holds(TODAY) for a in accounts for t in a.terms}
    stopped = {one.number for one in documents if not by_company.get((one.subsidiary, one.lines[0].account))}
    assert {number for one in result for number in one.blocks} == stopped
    assert len({(one.kind, one.what) for one in result}) == len(result)
    shuffle = Random(seed).shuffle
    for given_list in (accounts, there, documents):
        shuffle(given_list)
    assert found(accounts, there, documents) == result
