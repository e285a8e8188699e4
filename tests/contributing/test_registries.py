"""What a flow says of itself is true: what it proposes turns it on, and what it depends on is there."""

import tomllib
from typing import Any

import msgspec
import pytest

from ml_connector import settings
from ml_connector.console.views import flow_words
from ml_connector.flows import DOCUMENTS, FLOWS
from ml_connector.settings import Airbase, Connection, Ifs, Profile
from ml_connector.sync.flow import End
from ml_connector.wiring import choice, further, parts

SET = [name for name, flow in FLOWS.items() if flow.setting]


def connection(profile: Profile) -> Connection:
    return Connection(Ifs("https://a.ifs.cloud", "realm", "client", ("10",)), Airbase("https://a.io"), profile)


def profile_of(name: str) -> tuple[Profile, list[str]]:
    """The profile that is proposed for a flow, and the documents that it posts."""
    setting = FLOWS[name].setting
    assert setting
    data: dict[str, Any] = tomllib.loads(setting.written.replace("] ", "]\n", 1))
    return settings.profile(data), data.get("posting", {}).get("documents", [])


@pytest.mark.parametrize("name", SET)
def test_what_is_proposed_turns_it_on_and_without_it_it_is_off(name: str) -> None:
    profile, documents = profile_of(name)
    assert name in choice.on(connection(profile), documents)
    assert name not in choice.on(connection(Profile()), ())


def test_what_needs_no_setting_is_on_unless_its_system_is_not_connected() -> None:
    own = connection(Profile())
    lacking = {name for name, flow in FLOWS.items() if further.unconnected(own, flow)}
    assert choice.on(own, ()) == FLOWS.keys() - set(SET) - lacking


def test_a_setting_and_a_system_are_both_told(monkeypatch: pytest.MonkeyPatch) -> None:
    flow: Any = msgspec.structs.replace(FLOWS["payments"], target=End("elsewhere", "told"))
    monkeypatch.setitem(FLOWS, "payments", flow)
    monkeypatch.setitem(further.SYSTEMS, "elsewhere", flow)  # whatever it is
    both = '[posting] documents = ["payments"], and ml-connector connect NAME --system elsewhere=https://…'
    assert choice.how("payments") == both
    assert choice.off("payments").endswith(both)


def test_what_posts_by_the_rule_book_is_documents() -> None:
    assert all(FLOWS[name].shape == "post" for name in DOCUMENTS)
    assert set(DOCUMENTS) >= {"purchase_requests", "payments", "ledger_entries"}
    assert "supplier_invoices" not in DOCUMENTS


def test_a_way_from_what_is_linked_to_a_further_system_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told: Any = msgspec.structs.replace(FLOWS["acknowledgements"], target=End("elsewhere", "told"))
    monkeypatch.setitem(FLOWS, "told", told)
    monkeypatch.setitem(further.SYSTEMS, "elsewhere", told)  # whatever it is
    monkeypatch.setitem(further.TITLES, "elsewhere", "Elsewhere")
    assert flow_words.way("told") == "the connector → Elsewhere"


@pytest.mark.parametrize("name", FLOWS)
def test_what_it_heeds_is_in_a_profile(name: str) -> None:
    for place in FLOWS[name].heeds:
        here: Any = Profile()
        for part in place:
            assert part in msgspec.structs.asdict(here)
            here = getattr(here, part)


@pytest.mark.parametrize("name", FLOWS)
def test_what_it_reads_and_writes_is_checked(name: str) -> None:
    flow, needs = FLOWS[name], FLOWS[name].needs
    checked = {*parts.of_ifs((name, *needs), None), *parts.of_airbase((name, *needs))}
    for end, has in ((flow.source, "sources"), (flow.target, "targets")):
        if end.system in further.SYSTEMS:
            assert end.resource in getattr(further.SYSTEMS[end.system], has)
        elif end.system != "links":
            assert set({**parts.IFS, **parts.AIRBASE}.get(end.resource, (end.resource,))) <= checked
