"""Doubles: of what would be posted, what looks like something posted before, or by this very run.

Rule: one look-up for any number of documents; what resembles another is held or warned of, as the policy says.
Must not know: IFS, Airbase, SQL, HTTP, what makes two documents alike.
"""

from collections.abc import Sequence

import msgspec

from ml_connector.run.job import Pass
from ml_connector.sync import causes
from ml_connector.sync.flow import Context
from ml_connector.sync.plan import Action, Decision, holding
from ml_connector.sync.ports import Alike


def doubles(now: Pass, decisions: Sequence[Decision], context: Context) -> list[Decision]:
    """Of what would be posted, say what looks like something posted before, or by this very run."""
    policy = now.job.flow.policy
    new = [one for one in decisions if one.action is Action.CREATE and one.trace.alike and policy.doubles != "off"]
    for other in now.job.store.alike(sorted({one.trace.alike for one in new})) if new else ():
        now.likes.setdefault(other.alike, []).append(other)
    keys = {one.key for one in new}
    return [_double(now, one, context) if one.key in keys else one for one in decisions]


def _double(now: Pass, decision: Decision, context: Context) -> Decision:
    others = now.likes.setdefault(decision.trace.alike, [])
    like = next((other for other in others if _resembles(now, decision, other, context)), None)
    if like is None:
        others.append(Alike(decision.trace.alike, decision.key, "", decision.after))
        return decision
    sentence = causes.possibly_double(decision.key, like.key, like.target_id)
    if now.job.flow.policy.doubles == "hold":
        return holding(decision.key, causes.held_as_double(sentence), known=True)
    return msgspec.structs.replace(decision, warnings=(*decision.warnings, sentence))


def _resembles(now: Pass, decision: Decision, other: Alike, context: Context) -> bool:
    return other.key != decision.key and now.job.flow.resembles(decision.after, other.agreed, context)
