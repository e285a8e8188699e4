"""Payment terms both ways: who leads, and what either side should have."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_connector.flows.payment_terms import APART, Lead, lead, map_terms, retire
from ml_connector.records.supplier import AgreedTerms, SupplierTerms, VendorTerms
from ml_connector.records.terms import BothTerms, TermsOnBoth
from ml_connector.sync.flow import Context, Tables
from ml_connector.sync.outcome import Held, Mapped, Owner
from ml_connector.sync.plan import Link

TODAY, PAST, LATER = date(2026, 11, 22), date(2026, 11, 21), date(2027, 1, 1)
TABLE = {"14": "Net 14", "30": "Net 30", "60": "Net 60", "90": "Long", "120": "Long"}


def both(*terms: SupplierTerms, vendor: str | None) -> BothTerms:
    return BothTerms(AgreedTerms("S1", terms), None if vendor is None else VendorTerms("S1", vendor))


def context(agreed: TermsOnBoth | None = None, policy: str = "hold") -> Context:
    link = Link("S1", "S1", "", True, agreed) if agreed else None
    return Context(TODAY, Tables({"10": "SUB-10"}, TABLE, terms_conflict=policy), link=link)


def mapped(given: BothTerms, within: Context) -> Mapped[TermsOnBoth]:
    result = map_terms(given, within)
    assert isinstance(result, Mapped)
    return result


def held(given: BothTerms, within: Context) -> Held:
    result = map_terms(given, within)
    assert isinstance(result, Held)
    return result


def agreed(term: str, name: str) -> TermsOnBoth:
    return TermsOnBoth((("10", term),), name)


@pytest.mark.parametrize(
    ("ifs", "airbase", "before", "policy", "expected"),
    [
        ("Net 30", "Net 14", "Net 14", "hold", Lead.IFS),
        ("Net 30", "Net 14", "Net 30", "hold", Lead.AIRBASE),
        ("Net 30", "Net 14", "Net 60", "hold", Lead.HOLD),
        ("Net 30", "Net 14", "Net 60", "ifs", Lead.IFS),
        ("Net 30", "Net 14", "Net 60", "airbase", Lead.AIRBASE),
        ("Net 30", "Net 14", None, "hold", Lead.HOLD),
        ("Net 30", "Net 14", None, "ifs", Lead.IFS),
        ("Net 30", "Net 14", None, "airbase", Lead.AIRBASE),
        ("Net 30", "", None, "airbase", Lead.IFS),
        ("", "Net 14", None, "ifs", Lead.AIRBASE),
        ("Net 30", "", "Net 30", "ifs", Lead.AIRBASE),
        ("", "Net 30", "Net 30", "ifs", Lead.IFS),
        ("Net 30", "", "", "hold", Lead.IFS),
    ],
)
def test_who_leads(ifs: str, airbase: str, before: str | None, policy: str, expected: Lead) -> None:
    assert lead(ifs, airbase, before, policy) is expected


def test_both_the_same_agree() -> None:
    result = mapped(both(SupplierTerms("10", "30"), vendor="Net 30"), context())
    assert result == Mapped(agreed("30", "Net 30"))


def test_airbase_follows_ifs() -> None:
    given = both(SupplierTerms("10", "60"), vendor="Net 30")
    assert mapped(given, context(agreed("30", "Net 30"))).record == agreed("60", "Net 60")


def test_ifs_follows_airbase_and_the_companies_with_the_leading_term_move_along() -> None:
    old = TermsOnBoth((("10", "30"), ("20", "30"), ("30", "14"), ("40", "30")), "Net 30")
    terms = [SupplierTerms("10", "30"), SupplierTerms("20", "30"), SupplierTerms("30", "14")]
    gone = SupplierTerms("40", "30", expires_on=PAST)
    result = mapped(both(*terms, gone, vendor="Net 60"), context(old))
    assert result.record == TermsOnBoth((("10", "60"), ("20", "60"), ("30", "14"), ("40", "30")), "Net 60")


def test_the_first_current_agreement_leads_until_it_expires() -> None:
    terms = [SupplierTerms("10", "14", expires_on=PAST), SupplierTerms("20", "60", expires_on=LATER)]
    result = mapped(both(*terms, vendor="Net 60"), context())
    assert result.record.airbase == "Net 60"
    assert result.wake_on == LATER


def test_both_changed_to_the_same_agree() -> None:
    given = both(SupplierTerms("10", "60"), vendor="Net 60")
    assert mapped(given, context(agreed("30", "Net 30"))).record == agreed("60", "Net 60")


@pytest.mark.parametrize(("policy", "expected"), [("ifs", agreed("60", "Net 60")), ("airbase", agreed("14", "Net 14"))])
def test_both_changed_apart_is_for_the_policy(policy: str, expected: TermsOnBoth) -> None:
    given = both(SupplierTerms("10", "60"), vendor="Net 14")
    assert mapped(given, context(agreed("30", "Net 30"), policy)).record == expected


def test_both_changed_apart_waits_for_a_person() -> None:
    result = held(both(SupplierTerms("10", "60"), vendor="Net 14"), context(agreed("30", "Net 30")))
    assert (result.cause, result.owner) == ("payment_terms_conflict", Owner.CLERK)
    assert result.sentence == 'IFS says 60 ("Net 60"), Airbase says "Net 14"; both said "Net 30" before.'
    never = held(both(SupplierTerms("10", "60"), vendor="Net 14"), context())
    assert never.sentence == 'IFS says 60 ("Net 60"), Airbase says "Net 14"; they never agreed.'
    cleared = held(both(SupplierTerms("10", ""), vendor="Net 14"), context(agreed("60", "Net 60")))
    assert cleared.sentence == 'IFS says none (""), Airbase says "Net 14"; both said "Net 60" before.'


def test_terms_that_were_never_there_are_filled_in() -> None:
    assert mapped(both(SupplierTerms("10", "30"), vendor=""), context()).record == agreed("30", "Net 30")
    assert mapped(both(SupplierTerms("10", ""), vendor="Net 30"), context()).record == agreed("30", "Net 30")


@pytest.mark.parametrize(("ifs", "airbase", "where"), [("30", "", "Airbase"), ("", "Net 30", "IFS")])
def test_cleared_terms_never_travel(ifs: str, airbase: str, where: str) -> None:
    for policy in ("hold", "ifs", "airbase"):
        given = both(SupplierTerms("10", ifs), vendor=airbase)
        cleared = held(given, context(agreed("30", "Net 30"), policy))
        assert (cleared.cause, cleared.owner) == ("payment_terms_cleared", Owner.CLERK)
        assert cleared.sentence.startswith(f'{where} has no payment terms any more; the other side still says "Net 30"')
        assert cleared.remedy.startswith(f"Set them again in {where}, ")


@pytest.mark.parametrize(
    ("ifs", "airbase", "cause", "lacks", "said"),
    [
        ("45", "Net 30", "payment_term_not_mapped", "45", "Payment term 45 of company 10 "),
        ("30", "Net 45", "payment_term_not_mapped", "", '"Net 45" were set'),
        ("30", "Long", "payment_term_ambiguous", "", '"Long", which is 120 and 90 in IFS; IFS has 30.'),
    ],
)
def test_what_has_no_counterpart_waits(ifs: str, airbase: str, cause: str, lacks: str, said: str) -> None:
    result = held(both(SupplierTerms("10", ifs), vendor=airbase), context(agreed("30", "Net 30")))
    assert (result.cause, result.owner, result.lacks) == (cause, Owner.CLERK, lacks)
    assert said in result.sentence


def test_one_of_two_ifs_terms_for_the_same_stays() -> None:
    assert held(both(SupplierTerms("10", ""), vendor="Long"), context()).sentence.endswith("IFS has none.")
    assert mapped(both(SupplierTerms("10", "120"), vendor="Long"), context()).record == agreed("120", "Long")


@pytest.mark.parametrize(
    ("given", "whose"),
    [
        (both(SupplierTerms("10", "30"), vendor=None), "Supplier S1"),
        (BothTerms(None, VendorTerms("S1", "Net 14")), "A vendor"),
    ],
)
def test_what_is_on_one_side_only_is_left_alone(given: BothTerms, whose: str) -> None:
    alone = held(given, context())
    assert (alone.cause, alone.idle) == ("terms_on_one_side", True)
    assert alone.sentence == f"{whose} has payment terms on one side only."
    assert mapped(given, context(agreed("30", "Net 30"))) == Mapped(APART, active=False, due=False)


@pytest.mark.parametrize("terms", [(), (SupplierTerms("10", "30", expires_on=TODAY),)])
def test_what_is_expired_everywhere_is_left_alone(terms: tuple[SupplierTerms, ...]) -> None:
    for before in (None, agreed("30", "Net 30")):
        assert mapped(both(*terms, vendor="Net 14"), context(before)) == Mapped(APART, due=False)


def test_what_stood_apart_has_never_agreed() -> None:
    result = held(both(SupplierTerms("10", "30"), vendor="Net 14"), context(APART))
    assert result.cause == "payment_terms_conflict"


def test_what_vanished_is_left_alone() -> None:
    assert retire(agreed("30", "Net 30")) == APART


names = st.sampled_from(["", "14", "30", "60"])
vendors = st.sampled_from(["", "Net 14", "Net 30", "Net 60"])


@given(names, vendors, st.none() | vendors, st.sampled_from(["ifs", "airbase", "hold"]))
def test_what_we_wrote_is_no_change(ifs: str, airbase: str, before: str | None, policy: str) -> None:
    given = both(SupplierTerms("10", ifs), vendor=airbase)
    old = None if before is None else TermsOnBoth((), before)
    first = map_terms(given, context(old, policy))
    if isinstance(first, Mapped):
        term = dict(first.record.ifs or ())["10"]
        written = both(SupplierTerms("10", term), vendor=first.record.airbase)
        again = mapped(written, context(first.record, policy))
        assert again.record == first.record
        assert ifs == term or airbase == first.record.airbase  # one side at most moved
