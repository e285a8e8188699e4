"""What Airbase is told of a posting."""

from datetime import date

import msgspec

from ml_connector.flows.acknowledgements import ACKNOWLEDGEMENTS, map_posted, retire
from ml_connector.records.posted import LinkedTo
from ml_connector.records.spend_chart import Acknowledged
from ml_connector.sync import gate
from ml_connector.sync.flow import Context, Tables
from ml_connector.sync.gate import Population
from ml_connector.sync.outcome import Mapped
from ml_connector.sync.plan import Link, Tally

FRESH = Context(date(2026, 11, 22), Tables())
TOLD = msgspec.structs.replace(FRESH, link=Link("e-1", "e-1", "", True, Acknowledged("10/X/2026/1")))


def test_what_is_posted_is_told() -> None:
    assert map_posted(LinkedTo("10/X/2026/1"), FRESH) == Mapped(Acknowledged("10/X/2026/1"))


def test_what_is_told_keeps_the_first_voucher() -> None:
    assert map_posted(LinkedTo("10/X/2026/3"), TOLD) == Mapped(Acknowledged("10/X/2026/1"))


def test_what_was_withdrawn_before_it_was_told_is_not_told() -> None:
    assert map_posted(LinkedTo("10/X/2026/2", active=False), FRESH) == Mapped(Acknowledged("10/X/2026/2"), due=False)


def test_what_was_told_stays_told() -> None:
    assert map_posted(LinkedTo("10/X/2026/2", active=False), TOLD) == Mapped(Acknowledged("10/X/2026/1"))
    assert retire(Acknowledged("10/X/2026/1")) == Acknowledged("10/X/2026/1")


def test_any_number_may_be_told_again() -> None:
    tally = Tally({"update": 500, "deactivate": 500})
    assert not gate.objections(tally, Population(1000, 1000), ACKNOWLEDGEMENTS.policy)
