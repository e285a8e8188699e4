"""One case for each way an account can map."""

from datetime import date, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_connector.flows.accounts import map_account, retire
from ml_connector.records.ledger import Account, AccountTerms, Validity
from ml_connector.records.spend_chart import ChartAccount
from ml_connector.sync.flow import Context, Tables
from ml_connector.sync.outcome import Mapped

TODAY = date(2026, 11, 22)
PAST, SOON, LATER = date(2026, 11, 21), date(2026, 11, 23), date(2027, 1, 1)
CONTEXT = Context(TODAY, Tables({"10": "SUB-10", "20": "SUB-20"}))


def mapped(*terms: AccountTerms, today: date = TODAY) -> Mapped[ChartAccount]:
    result = map_account(Account("6110", terms), msgspec.structs.replace(CONTEXT, today=today))
    assert isinstance(result, Mapped)
    return result


def test_it_is_there_for_the_subsidiaries_whose_company_may_use_it() -> None:
    result = mapped(AccountTerms("10", "Travel"), AccountTerms("20", "Reise"))
    assert result == Mapped(ChartAccount("6110", "Travel", True, ("SUB-10", "SUB-20")))


def test_the_first_company_that_may_use_it_names_it() -> None:
    result = mapped(AccountTerms("10", "Travel", Validity(until_on=PAST)), AccountTerms("20", "Reise"))
    assert result.record == ChartAccount("6110", "Reise", True, ("SUB-20",))


def test_a_company_without_a_subsidiary_has_no_say() -> None:
    assert mapped(AccountTerms("05", "Other"), AccountTerms("10", "Travel")).record.name == "Travel"
    alone = mapped(AccountTerms("05", "Other", Validity(until_on=SOON)))
    assert (alone.active, alone.due, alone.wake_on) == (False, False, None)
    assert alone.record == ChartAccount("6110", "6110", False, ())


@pytest.mark.parametrize(
    ("validity", "active", "wake_on"),
    [
        (Validity(), True, None),
        (Validity(TODAY, TODAY), True, SOON),
        (Validity(SOON, LATER), False, SOON),
        (Validity(None, PAST), False, None),
        (Validity(PAST, LATER), True, LATER + timedelta(days=1)),
        (Validity(None, date.max), True, None),
    ],
)
def test_validity_decides(validity: Validity, active: bool, wake_on: date | None) -> None:
    result = mapped(AccountTerms("10", "Travel", validity))
    assert (result.active, result.record.active, result.due, result.wake_on) == (active, active, active, wake_on)


@pytest.mark.parametrize("kind", ["Statistics", "StatisticsOpeningBalance"])
def test_a_statistical_account_need_not_be_there(kind: str) -> None:
    result = mapped(AccountTerms("10", "Heads", kind=kind))
    assert not result.due
    assert not result.active


def test_an_account_that_vanished_is_switched_off_and_nothing_else() -> None:
    account = mapped(AccountTerms("10", "Travel")).record
    assert retire(account) == msgspec.structs.replace(account, active=False)


days = st.none() | st.dates(date(2026, 11, 1), date(2026, 12, 31))
several = st.lists(
    st.builds(
        AccountTerms, st.sampled_from(["05", "10", "20"]), st.sampled_from("ab"), st.builds(Validity, days, days)
    ),
    max_size=3,
)


@given(several, st.dates(TODAY, date(2027, 1, 31)))
def test_nothing_changes_before_the_wake_up_day(terms: list[AccountTerms], day: date) -> None:
    now = mapped(*terms)
    assert now.wake_on is None or now.wake_on > TODAY
    if now.wake_on is None or day < now.wake_on:
        assert mapped(*terms, today=day).record == now.record
