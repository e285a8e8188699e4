"""What a run or a plan came to, counted.

Rule: every record read is in exactly one of unchanged, not due, created, updated, deactivated, posted, corrected, held,
refused, uncertain.
Must not know: how it is shown.
"""

import msgspec

from ml_connector.sync.plan import Action, Decision

SAMPLES_MAX = 5


class Report(msgspec.Struct):
    """One flow's figures.

    `adopted` (part of `unchanged`): was in the target already and equal, now linked. `recovered`: changes that an
    earlier run had left open, settled by looking them up.
    """

    flow: str
    state: str = "done"
    census: bool = False
    read: int = 0
    unchanged: int = 0
    not_due: int = 0
    created: int = 0
    updated: int = 0
    deactivated: int = 0
    posted: int = 0
    corrected: int = 0
    held: int = 0
    refused: int = 0
    uncertain: int = 0
    adopted: int = 0
    recovered: int = 0
    requests: dict[str, int] = {}
    seconds: float = 0.0
    plan_id: str = ""
    objections: tuple[str, ...] = ()
    error: str = ""
    samples: list[Decision] = []

    @property
    def needs_a_person(self) -> bool:
        """Whether something waits for somebody."""
        return bool(self.held or self.refused or self.uncertain or self.objections)

    def count(self, action: Action, by: int = 1) -> None:
        """Count decisions that are in effect."""
        name = COUNTED[action]
        setattr(self, name, getattr(self, name) + by)
        if action is Action.ADOPT:
            self.adopted += by

    def sample(self, decision: Decision) -> None:
        """Keep the first few of each kind, to be looked at."""
        alike = sum(1 for kept in self.samples if kept.action == decision.action)
        if alike < SAMPLES_MAX:
            self.samples.append(decision)


COUNTED = {
    Action.CREATE: "created",
    Action.ADOPT: "unchanged",
    Action.UPDATE: "updated",
    Action.DEACTIVATE: "deactivated",
    Action.RELINK: "unchanged",
    Action.UNCHANGED: "unchanged",
    Action.NOT_DUE: "not_due",
    Action.HELD: "held",
}
