"""What a run or a plan came to, counted.

Rule: every record read is in exactly one of unchanged, not due, created, updated, deactivated, posted, corrected, held,
refused, uncertain.
Must not know: how it is shown.
"""

import msgspec

from ml_connector.sync.plan import Action, Decision

SAMPLES_MAX = 5
WARNINGS_MAX = 20


class Report(msgspec.Struct):
    """One flow's figures.

    `adopted` (part of `unchanged`): was in the target already and equal, now linked. `recovered`: changes that an
    earlier run had left open, settled by looking them up. `posting`: a flow of documents. `late`: take effect later
    than their own date. `unannounced`: made, although no webhook told of them. `lapsed`: edits that ended, as their
    record was changed in the source. `warned`: may be doubles, the first of them in `warnings`. `second_person`:
    whoever runs a stopped plan can't approve it.
    """

    flow: str
    state: str = "done"
    run_id: str = ""
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
    posting: bool = False
    late: int = 0
    warned: int = 0
    warnings: list[str] = []
    unannounced: int = 0
    lapsed: int = 0
    requests: dict[str, int] = {}
    throttled: dict[str, int] = {}
    seconds: float = 0.0
    plan_id: str = ""
    objections: tuple[str, ...] = ()
    error: str = ""
    second_person: bool = False
    samples: list[Decision] = []

    @property
    def needs_a_person(self) -> bool:
        """Whether something waits for somebody."""
        return bool(self.held or self.refused or self.uncertain or self.objections)

    def count(self, action: Action, by: int = 1) -> None:
        """Count decisions that are in effect."""
        name = (POSTED if self.posting else COUNTED).get(action) or COUNTED[action]
        setattr(self, name, getattr(self, name) + by)
        if action is Action.ADOPT:
            self.adopted += by

    def sample(self, decision: Decision) -> None:
        """Count what is remarkable, and keep the first few decisions of each kind to be looked at."""
        self.late += decision.late
        self.warned += bool(decision.warnings)
        self.warnings.extend(decision.warnings[: WARNINGS_MAX - len(self.warnings)])
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
POSTED = {Action.CREATE: "posted", Action.UPDATE: "corrected", Action.DEACTIVATE: "corrected"}
