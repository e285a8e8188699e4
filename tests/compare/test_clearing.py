"""What is open on the clearing accounts."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from ml_connector.compare.clearing import ClearingRow, clearing, in_words, story_in_words
from ml_connector.records.money import Money

TODAY = date(2026, 11, 22)


def row(
    story: str,
    amount: str,
    document: str,
    *,
    own: str = "",
    currency: str = "EUR",
    days: int = 0,
    account: str = "2990",
) -> ClearingRow:
    on = TODAY - timedelta(days=days)
    return ClearingRow("10", account, currency, story, Decimal(amount), Decimal(own or amount), document, on)


def test_a_request_and_its_payment_close_the_story() -> None:
    (account,) = clearing([row("r1", "-100", "PR-1", days=9), row("r1", "100.00", "PAY-1")], TODAY)
    assert account.stories == ()
    assert in_words(account) == "Clearing account 2990 of company 10: nothing is open."


def test_what_is_not_paid_is_open_with_its_documents_and_age() -> None:
    rows = [row("r2", "-40", "PR-2", days=3), row("r1", "-100", "PR-1", days=9), row("r1", "60", "PAY-1", days=2)]
    (account,) = clearing(rows, TODAY)
    assert [(one.story, one.documents, one.age_days) for one in account.stories] == [
        ("r1", ("PR-1", "PAY-1"), 9),
        ("r2", ("PR-2",), 3),
    ]
    assert account.open == (Money(Decimal(-80), "EUR"),)
    assert in_words(account) == (
        "Clearing account 2990 of company 10: 2 stories are open, EUR -80.00 (-80 in the company's currency); "
        "the oldest for 9 days."
    )
    assert story_in_words(account.stories[0]) == "PR-1, PAY-1: EUR -40.00 open for 9 days."


def test_what_is_left_over_in_the_companys_currency_only_is_open_too() -> None:
    (account,) = clearing([row("r1", "-100", "PR-1", own="-108", days=1), row("r1", "100", "PAY-1", own="107")], TODAY)
    (story,) = account.stories
    assert (story.open, story.company_amount) == ((), Decimal(-1))
    assert "only -1 in the company's currency open for 1 day" in story_in_words(story)
    assert "1 story is open, -1 in the company's currency" in in_words(account)


def test_currencies_do_not_cancel_each_other() -> None:
    (account,) = clearing([row("r1", "-1", "PR-1"), row("r1", "1", "PAY-1", currency="USD")], TODAY)
    assert account.open == (Money(Decimal(-1), "EUR"), Money(Decimal(1), "USD"))


def test_each_account_is_told_apart() -> None:
    found = clearing([row("r1", "-1", "PR-1", account="2991"), row("r1", "1", "PAY-1")], TODAY)
    assert [(one.account, len(one.stories)) for one in found] == [("2990", 1), ("2991", 1)]


rows = st.lists(
    st.builds(
        row,
        st.sampled_from(["r1", "r2", "r3"]),
        st.sampled_from(["-1", "1", "0.10", "-0.1", "99999999999999999999999999.01"]),
        st.sampled_from("abc"),
        currency=st.sampled_from(["EUR", "JPY"]),
        days=st.integers(0, 5),
        account=st.sampled_from(["2990", "2991"]),
    ),
    max_size=12,
)


@given(rows, st.integers())
def test_whatever_the_order_all_that_is_open_adds_up(given_rows: list[ClearingRow], seed: int) -> None:
    shuffled = list(given_rows)
    Random(seed).shuffle(shuffled)
    found = clearing(given_rows, TODAY)
    assert clearing(shuffled, TODAY) == found
    for account in found:
        left = sum(Fraction(one.company_amount) for one in given_rows if one.account == account.account)
        assert Fraction(account.company_amount) == left
