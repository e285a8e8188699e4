"""The gate: a plan that would change too much waits for a person.

Rule: creating is never gated (it destroys nothing); changing and switching off are, by share of what is known.
Must not know: how an approval was given.
"""

from ml_connector.sync.plan import Action, Tally
from ml_connector.sync.policy import Policy


def objections(tally: Tally, known: int, policy: Policy) -> tuple[str, ...]:
    """Why this plan should not go ahead unasked; empty when it may."""
    changing = tally.of(Action.UPDATE, Action.DEACTIVATE)
    leaving = tally.of(Action.DEACTIVATE)
    return (
        *_over("change", changing, known, policy.change_share_max, policy.free_max),
        *_over("switch off", leaving, known, policy.deactivate_share_max, policy.free_max),
    )


def _over(verb: str, count: int, known: int, share_max: float, free_max: int) -> tuple[str, ...]:
    if count <= free_max or count <= share_max * known:
        return ()
    return (f"it would {verb} {count:,} of {known:,} records in the target (limit {share_max:.0%})",)
