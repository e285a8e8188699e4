"""The gate: a plan that would change too much waits for a person.

Rule: creating is never gated (it destroys nothing); changing and switching off are, by share of what is there.
Must not know: how an approval was given.
"""

import msgspec

from ml_connector.sync.plan import Action, Tally
from ml_connector.sync.policy import Policy


class Population(msgspec.Struct, frozen=True):
    """How many records of the flow are in the target, and how many of them are active."""

    known: int
    active: int


def objections(tally: Tally, there: Population, policy: Policy) -> tuple[str, ...]:
    """Why this plan should not go ahead unasked; empty when it may."""
    changing = tally.of(Action.UPDATE, Action.DEACTIVATE)
    leaving = tally.of(Action.DEACTIVATE)
    return (
        *_over("change", changing, there.known, policy.change_share_max, policy.free_max),
        *_over("switch off", leaving, there.active, policy.deactivate_share_max, policy.free_max),
        *_late(tally.late if policy.late_waits else 0),
    )


def _late(count: int) -> tuple[str, ...]:
    return (f"it would post {count:,} documents later than their own date",) if count else ()


def _over(verb: str, count: int, there: int, share_max: float, free_max: int) -> tuple[str, ...]:
    """A few go unasked, but never most of what is there: silence of a source looks like that."""
    if count <= max(share_max * there, min(free_max, there / 2)):
        return ()
    return (f"it would {verb} {count:,} of {there:,} records in the target (limit {share_max:.0%})",)
