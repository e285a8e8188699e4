"""Payment terms of suppliers, kept the same in IFS and Airbase, whichever side sets them.

Rule: a change is what differs from what both sides last agreed on, so that our own writes are no change. An empty term
never travels.
Must not know: property or field names of either API; who wrote what, and when.
"""

from enum import StrEnum

from ml_connector.records.supplier import SupplierTerms
from ml_connector.records.terms import BothTerms, TermsOnBoth, state
from ml_connector.sync.flow import BOTH, Context, End, Flow, Setting
from ml_connector.sync.outcome import Held, Mapped, Owner

APART = TermsOnBoth()  # nothing is to be set, and nothing is agreed


class Lead(StrEnum):
    """Which side the other follows."""

    IFS = "ifs"
    AIRBASE = "airbase"
    HOLD = "hold"  # neither: a person decides


def lead(ifs: str, airbase: str, agreed: str | None, policy: str) -> Lead:
    """Who leads where both sides differ; all terms in Airbase's words, `agreed` None: they never agreed."""
    if agreed is None and not (ifs and airbase):
        return Lead.IFS if ifs else Lead.AIRBASE
    if agreed is not None and ifs == agreed:
        return Lead.AIRBASE
    if agreed is not None and airbase == agreed:
        return Lead.IFS
    return Lead(policy)


def map_terms(both: BothTerms, context: Context) -> Mapped[TermsOnBoth] | Held:
    """Both sides as they should be today: one that is to be left alone is as it was read."""
    if both.supplier is None or both.vendor is None:
        return Mapped(APART, active=False, due=False) if context.agreed else _alone(both)
    current = [one for one in both.supplier.terms if one.expires_on is None or one.expires_on > context.today]
    if not current:
        return Mapped(APART, due=False)
    wanted = _aligned(both, current, context)
    expiries = [one.expires_on for one in current if one.expires_on]
    return wanted if isinstance(wanted, Held) else Mapped(wanted, wake_on=min(expiries, default=None))


def retire(_terms: TermsOnBoth) -> TermsOnBoth:
    """Nothing is set where both sides lost the record."""
    return APART


def _aligned(both: BothTerms, current: list[SupplierTerms], context: Context) -> TermsOnBoth | Held:
    now, leading = state(both), current[0]
    there, said = now.airbase or "", _said(leading, context)
    if said is None:
        return _unmapped(leading)
    if said == there:
        return now
    agreed = context.agreed.airbase if context.agreed else None
    who = lead(said, there, agreed, context.tables.terms_conflict)
    if who is Lead.HOLD:
        return _conflict(leading, said, there, agreed)
    if who is Lead.IFS:
        return TermsOnBoth(now.ifs, said) if said else _cleared(leading, "IFS", there)
    return _into_ifs(now, current, there, context) if there else _cleared(leading, "Airbase", said)


def _into_ifs(now: TermsOnBoth, current: list[SupplierTerms], there: str, context: Context) -> TermsOnBoth | Held:
    """The companies that have the leading company's term move along with it; the others have one of their own."""
    names = sorted(name for name, said in context.tables.payment_terms.items() if said == there)
    if len(names) != 1:
        return _not_in_ifs(current[0], there, names)
    moving = {one.company for one in current if one.payment_term == current[0].payment_term}
    return TermsOnBoth(
        tuple((company, names[0] if company in moving else term) for company, term in now.ifs or ()), there
    )


def _said(terms: SupplierTerms, context: Context) -> str | None:
    """A term of IFS in Airbase's words; None: it has no counterpart."""
    return context.tables.payment_terms.get(terms.payment_term) if terms.payment_term else ""


def _alone(both: BothTerms) -> Held:
    whose = f"Supplier {both.supplier.supplier_id}" if both.supplier else "A vendor"
    return Held(
        "terms_on_one_side", f"{whose} has payment terms on one side only.", "Nothing: it is not compared.", idle=True
    )


def _unmapped(terms: SupplierTerms) -> Held:
    return Held(
        "payment_term_not_mapped",
        f"Payment term {terms.payment_term} of company {terms.company} has no counterpart in Airbase.",
        f'Add "{terms.payment_term}" to [mapping.payment_terms] of the connection, then run again.',
        Owner.CLERK,
        lacks=terms.payment_term,
    )


def _not_in_ifs(terms: SupplierTerms, there: str, names: list[str]) -> Held:
    if names:
        return Held(
            "payment_term_ambiguous",
            f'Airbase says "{there}", which is {" and ".join(names)} in IFS; IFS has {terms.payment_term or "none"}.',
            "Set the one that is meant in IFS, then run again.",
            Owner.CLERK,
        )
    return Held(
        "payment_term_not_mapped",
        f'Payment terms "{there}" were set in Airbase and have no counterpart in IFS.',
        f'Add the IFS term with the value "{there}" to [mapping.payment_terms] of the connection, or set other terms '
        "in Airbase; then run again.",
        Owner.CLERK,
    )


def _cleared(terms: SupplierTerms, where: str, other: str) -> Held:
    return Held(
        "payment_terms_cleared",
        f'{where} has no payment terms any more; the other side still says "{other}" (company {terms.company}).',
        f"Set them again in {where}, or clear them on the other side too; then run again.",
        Owner.CLERK,
    )


def _conflict(terms: SupplierTerms, said: str, there: str, agreed: str | None) -> Held:
    before = f'both said "{agreed}" before' if agreed else "they never agreed"
    return Held(
        "payment_terms_conflict",
        f'IFS says {terms.payment_term or "none"} ("{said}"), Airbase says "{there}"; {before}.',
        "Set the same terms on both sides, or say who wins: [payment_terms] conflict in the profile.",
        Owner.CLERK,
    )


PAYMENT_TERMS = Flow(
    name="payment_terms",
    title="Payment terms, both ways",
    source=End(BOTH, "payment_terms"),
    target=End(BOTH, "payment_terms"),
    source_kind=BothTerms,
    target_kind=TermsOnBoth,
    map=map_terms,
    retire=retire,
    needs=("suppliers",),
    both_ways=True,
    setting=Setting(("payment_terms", "both_ways"), (True,)),
    heeds=(("mapping", "payment_terms"),),
    takes=("payment_terms",),
)
