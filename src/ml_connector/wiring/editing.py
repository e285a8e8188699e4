"""Editing one record's values: with a reason, by a person, and where the profile says so agreed to by a second one.

Rule: the record is read anew from its source before it is edited; who agrees is not who edited. Whoever edits holds the
flow, so that no run sees half of it.
Must not know: how anything is shown.
"""

from collections.abc import Mapping
from typing import Any

from ml_connector.errors import SettingsError
from ml_connector.records import keys
from ml_connector.store.edits import Body, Edits, KeptEdit
from ml_connector.sync import edits
from ml_connector.sync.edits import FIELDS_MAX, Values
from ml_connector.sync.flow import AnyFlow
from ml_connector.wiring import agreeing, replaying
from ml_connector.wiring.further import title
from ml_connector.wiring.joined import Joined
from ml_connector.wiring.opened import Opened

REASON_MIN, REASON_MAX = 3, 500


def edit(both: Joined, flow_name: str, given: str, typed: Mapping[str, str], reason: str) -> KeptEdit:
    """Edit fields of a record, beside what is edited of it already.

    Raises: SettingsError when a field or the record can't be edited; BusyError while a run holds the flow; RemoteError.
    """
    flow = _flow(both, flow_name)
    said = _reason(reason)
    key = replaying.key_of(both.opened, both.stored.name, flow.name, given)
    if not typed or len(typed) > FIELDS_MAX:
        raise SettingsError(f"what is to be edited? FIELD=VALUE, {FIELDS_MAX} of them at most; {_may(flow)}")
    with both.store(flow).turn():
        record = _read(both, flow, key)
        basis = edits.basis_of(flow, record)
        fields = _fields(both, flow, key, record, typed, basis)
        waits, kept = both.settings.profile.two_persons, of(both.opened, both.stored.name)
        return kept.get(kept.put(flow.name, key, basis, Body(fields, said), both.person, waits=waits))


def undo(both: Joined, flow_name: str, given: str, reason: str = "") -> list[KeptEdit]:
    """End what is edited of a record; what its source says counts again. Raises: SettingsError, BusyError."""
    flow = _flow(both, flow_name)
    key = replaying.key_of(both.opened, both.stored.name, flow.name, given)
    with both.store(flow).turn():
        ended = of(both.opened, both.stored.name).undo(flow.name, key, both.person, _reason(reason) if reason else "")
    if not ended:
        raise SettingsError(f"nothing is edited of {keys.shown(key)}")
    return ended


def approve(both: Joined, number: int) -> KeptEdit:
    """Agree to an edit. Raises: SettingsError when one may not, or need not; BusyError."""
    kept = of(both.opened, both.stored.name)
    waiting = kept.get(number)
    if why := why_not(waiting, both.person, two_persons=both.settings.profile.two_persons):
        raise SettingsError(why)
    with both.store(_flow(both, waiting.flow)).turn():
        return kept.approve(number, both.person)


def why_not(one: KeptEdit, person: str, *, two_persons: bool) -> str:
    """Why somebody can't agree to an edit; "" when they can."""
    return agreeing.why_not(person, f"made edit {one.id}", one.person) if two_persons else ""


def of(opened: Opened, name: str) -> Edits:
    """The edits of a connection."""
    return Edits(opened.database, opened.vault, opened.connections.get(name).id)


def _flow(both: Joined, name: str) -> AnyFlow:
    (flow,) = both.chosen([name])
    return flow


def _may(flow: AnyFlow) -> str:
    return f"of {flow.name} these can be: {', '.join(flow.editable) or 'none'}"


def _reason(reason: str) -> str:
    said = reason.strip()
    if not REASON_MIN <= len(said) <= REASON_MAX or not said.isprintable():
        raise SettingsError(f"say why, in {REASON_MIN} to {REASON_MAX} characters on one line: --reason '…'")
    return said


def _read(both: Joined, flow: AnyFlow, key: str) -> Any:
    """The record as its source has it now."""
    source, _ = both.ends.of(flow)
    sight = next((sight for sights in source.read([key]) for sight in sights if sight.key == key), None)
    if sight is None or not sight.there:
        raise SettingsError(f"{_system(flow)} has no {keys.shown(key)} for the flow {flow.name}")
    if sight.unreadable:
        raise SettingsError(f"it can't be edited: {sight.unreadable.sentence}")
    return sight.record


def _fields(
    both: Joined, flow: AnyFlow, key: str, record: Any, typed: Mapping[str, str], basis: str
) -> dict[str, Values]:
    """What is edited from now on, compared with what the source says; what is as there needs no edit."""
    before = of(both.opened, both.stored.name).in_force(flow.name, key)
    fields = dict(before.fields) if before and before.basis == basis else {}
    try:
        for path, text in typed.items():
            fields[path] = Values(edits.value(record, path), edits.read(record, path, text, flow.editable))
        edits.put(record, {path: values.after for path, values in fields.items()})
    except ValueError as error:
        raise SettingsError(str(error)) from None
    differing = {path: values for path, values in fields.items() if values.before != values.after}
    if not differing:
        raise SettingsError("that is what the record says already; to end an edit: --undo")
    return differing


def _system(flow: AnyFlow) -> str:
    return title(flow.source.system)
