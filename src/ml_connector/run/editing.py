"""Editing: what a person changed is put onto a record as it was read, before anything is decided.

Rule: an edit counts only while the source says what it said when the edit was made; else it ends, and the source's
values count.
Must not know: IFS, Airbase, SQL, HTTP.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from ml_connector.run.job import Pass
from ml_connector.sync import edits
from ml_connector.sync.edits import Edit
from ml_connector.sync.ports import Sight

CHANGED = "the record was changed where it comes from"
UNFIT = "the record has another shape by now"


def edited(now: Pass, sights: Sequence[Sight]) -> Sequence[Sight]:
    """The records as they count."""
    kept = now.job.store.edits([sight.key for sight in sights])
    if not kept:
        return sights
    lapsed: dict[int, str] = {}
    counting = [_edited(now, sight, kept[sight.key], lapsed) if sight.key in kept else sight for sight in sights]
    now.report.lapsed += len(lapsed)
    if lapsed and not now.dry:
        now.job.store.lapse(now.run_id, lapsed)
    return counting


def _edited(now: Pass, sight: Sight, edit: Edit, lapsed: dict[int, str]) -> Sight:
    """One record as it counts; a record that is not there keeps its edit, should it come back as it was."""
    if sight.record is None:
        return sight
    try:
        if edits.basis_of(now.job.flow, sight.record) == edit.basis:
            return msgspec.structs.replace(sight, record=_put(sight.record, edit))
        lapsed[edit.id] = CHANGED
    except (ArithmeticError, LookupError, TypeError, ValueError):
        lapsed[edit.id] = UNFIT
    return sight


def _put(record: Any, edit: Edit) -> Any:
    return edits.put(record, {path: values.after for path, values in edit.fields.items()})
