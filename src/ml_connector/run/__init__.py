"""The pipeline: recover, detect, read, map, plan, gate, apply. Read it from top to bottom; each stage has its module.

Rule: every flow walks this one path, whatever started it, and nothing here knows which flow it is.
Must not know: IFS, Airbase, SQL, HTTP.
"""

from collections.abc import Sequence
from contextlib import ExitStack

from structlog.contextvars import bound_contextvars

from ml_connector.errors import ConnectorError, StoppedError
from ml_connector.run.applying import apply
from ml_connector.run.considering import consider_all
from ml_connector.run.detecting import changed, everything, since
from ml_connector.run.finding import walk_target
from ml_connector.run.job import Job, Pass
from ml_connector.run.recovering import recover
from ml_connector.sync import causes, gate
from ml_connector.sync.flow import Shape
from ml_connector.sync.gate import Population
from ml_connector.sync.plan import Action
from ml_connector.sync.report import Report

__all__ = ["BASIS", "Job", "plan", "run"]

BASIS = "basis"  # the cursor that remembers with which mapping and profile the flow last ran


def run(job: Job, report: Report) -> None:
    """Bring the target of a flow in line with its source, counting into the report.

    Raises: ConnectorError; what was done until then is settled, what is not certain is looked up by the next run.
    """
    with job.store.turn():
        now = Pass(job, job.store.begin("some" if job.extent.partial else "run"), report)
        report.census, report.posting = job.extent.census, job.flow.shape is Shape.POST
        report.run_id = now.run_id
        with bound_contextvars(run=now.run_id):
            _run(now)


def _run(now: Pass) -> None:
    job, report = now.job, now.report
    report.state = "failed"  # until it is known better: whatever raises, the run's end is recorded
    try:
        _plan(now, recover(now))
        report.objections = () if now.tally.plan_id in job.approved else _objections(now)
        if not report.objections:
            apply(now)
            _keep_cursors(now)
        report.state = "blocked" if report.objections else "done"
    except ConnectorError as error:
        report.state = "stopped" if isinstance(error, StoppedError) else "failed"
        report.error = str(error)
        raise
    finally:
        job.spend()
        job.store.finish(now.run_id, report.state, report)


def plan(jobs: Sequence[Job]) -> list[Report]:
    """What running these flows, in this order, would do; nothing is sent and nothing is kept."""
    with ExitStack() as held:
        passes: list[Pass] = []
        for job in jobs:
            held.enter_context(job.store.turn())
            report = Report(job.flow.name, "plan", census=job.extent.census, posting=job.flow.shape is Shape.POST)
            now = Pass(job, job.store.begin("plan"), report, dry=True)
            held.callback(job.store.finish, now.run_id, "done", now.report)
            _plan(now, set())
            now.report.objections = _objections(now)
            passes.append(now)
        return [now.report for now in passes]


def _plan(now: Pass, again: set[str]) -> None:
    job, store, compared = now.job, now.job.store, 0
    job.watch("look", 0)  # so that whoever watches knows which flow it is, also when nothing comes of it
    begun = store.cursor(BASIS)
    if job.extent.census or not (begun or job.extent.keys):
        walk_target(now)
    now.spurned = store.held_for((causes.ANSWERED_OTHERWISE,))
    now.suspects = store.held_for(causes.IN_TARGET)
    now.ours = store.held_for((causes.HANDED_OVER,))
    now.due = again
    if job.extent.partial:
        _some(now)
    else:
        now.rows_known = store.rows_known()
        now.due |= store.waiting(job.today)
        compared = _all(now, census=job.extent.census or begun != job.basis)
    # What waits and did not come by: with everything read, records that are gone from the source.
    consider_all(now, job.source.read(sorted(now.due)))
    passed = max(0, compared - now.there)
    now.report.read += passed
    now.report.count(Action.UNCHANGED, passed)
    now.report.plan_id = now.tally.plan_id


def _all(now: Pass, *, census: bool) -> int:
    """Consider what changed, or everything; how many records were compared without being read."""
    compared = None if census or now.rows_known == 0 else changed(now)
    if compared is None:
        consider_all(now, everything(now))
    return compared or 0


def _some(now: Pass) -> None:
    """Consider only what was asked for, and look at both sides of it, whatever is remembered."""
    extent = now.job.extent
    now.due.update(extent.keys)
    now.suspects.update(extent.keys)
    if extent.since:
        consider_all(now, since(now, extent.since))


def _keep_cursors(now: Pass) -> None:
    """Remember how far the source was read; a run of some records says nothing of the others."""
    if not now.job.extent.partial:
        now.job.store.keep_cursors(now.cursors | {BASIS: now.job.basis})


def _objections(now: Pass) -> tuple[str, ...]:
    linked = now.job.store.linked()
    there = Population(linked.known + now.met, linked.active + now.met)
    return gate.objections(now.tally, there, now.job.flow.policy)
