"""Which plans may pass their gate in a run: those that somebody let through, where it takes two somebody else.

Rule: only a plan that was made lately can be let through, so that a mistyped one is not waited for.
Must not know: what is in a plan.
"""

from collections.abc import Collection, Sequence

from ml_connector.errors import SettingsError
from ml_connector.store.approvals import Approvals
from ml_connector.store.runs import Runs
from ml_connector.sync.plan import Tally
from ml_connector.wiring.opened import Opened, approvals

RUNS_BACK = 200
NO_CHANGE = Tally().plan_id


class Gates:
    """The gates of one connection, for one person; `two`: whether it takes a second one."""

    def __init__(self, opened: Opened, name: str, person: str, *, two: bool) -> None:
        self._opened, self._name, self._person, self._two = opened, name, person, two

    @property
    def approvals(self) -> Approvals:
        """What was let through, and used."""
        return approvals(self._opened, self._name)

    def approve(self, plan_id: str) -> None:
        """Let a plan through, as this person. Raises: SettingsError, StoreError."""
        if plan_id not in self._stopped():
            raise SettingsError(f"{self._name} has no plan {plan_id!r}; `plan` and a stopped run name it")
        self.approvals.give(plan_id, self._person)

    def through(self, given: Sequence[str], own: Collection[str]) -> tuple[str, ...]:
        """The plans that may pass in a run that these people have ordered; `given`: let through with the order.

        Raises: SettingsError where nobody lets through what they ordered.
        """
        if given and self._two:
            raise SettingsError(
                f"here nobody approves what they run themselves; somebody other than {self._person} says: "
                f"ml-connector approve {self._name} {given[0]}"
            )
        for plan_id in set(given) & self._stopped():
            self.approve(plan_id)
        return tuple(one.plan_id for one in self.approvals.given() if not self._two or one.person not in own)

    def _stopped(self) -> set[str]:
        """The plans that lately were made or stopped."""
        number = self._opened.connections.get(self._name).id
        recent = Runs(self._opened.database, self._opened.vault, number).recent(RUNS_BACK)
        return {str((run.report or {}).get("plan_id", "")) for run in recent} - {"", NO_CHANGE}
