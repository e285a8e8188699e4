"""The journal looked at from its end: whatever is asked for, all of what fits comes, once and in order."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ml_connector.store import journal_pages
from ml_connector.store.db import Database
from ml_connector.store.journal import Journal, Kind, Line
from ml_connector.store.journal_pages import NO_MORE, Filter, JournalPages
from ml_connector.store.vault import Vault

BEGIN = datetime(2040, 1, 1, tzinfo=UTC)
COUNT = 60


@pytest.fixture
def pages(db: Database, vault: Vault, connection_id: int, monkeypatch: pytest.MonkeyPatch) -> JournalPages:
    """Sixty entries, one an hour, after that of the connection itself; a page looks at seven."""
    monkeypatch.setattr(journal_pages, "STRETCH", 7)
    monkeypatch.setattr(journal_pages, "STREAM_PAGE", 3)
    hours = iter(range(COUNT))
    written = Journal(db, vault, connection_id, lambda: BEGIN + timedelta(hours=next(hours)))
    for number in range(COUNT):
        line = Line(
            (Kind.HELD, Kind.SETTLED, Kind.NOTED)[number % 3],
            {"person": f'k"{number % 4}', "n": number},
            f"K{number % 5}",
            ("bills", "suppliers")[number % 2],
            f"run{number // 10}",
            {"secret": number},
        )
        with db.write() as connection:
            written.append(connection, [line])
    return JournalPages(db, vault, connection_id)


def every(pages: JournalPages, chosen: Filter, limit: int) -> list[int]:
    found: list[int] = []
    before: int | None = NO_MORE
    while before:
        part = pages.part(chosen, limit, before)
        assert part.before is None or part.before < before, "looking further always comes to an end"
        found += [one.seq for one in part.entries]
        before = part.before
    return found


def test_all_that_fits_comes_once_newest_first(pages: JournalPages) -> None:
    def maybe(*values: str) -> st.SearchStrategy[str]:
        return st.sampled_from(("", *values))

    hours = st.none() | st.integers(-2, COUNT + 2).map(lambda hour: BEGIN + timedelta(hours=hour))
    filters = st.builds(
        Filter,
        maybe("held", "settled"),
        maybe("bills", "none"),
        maybe("K1", "K2"),
        maybe("run3"),
        maybe('k"1', "k"),
        hours,
        hours,
    )
    entries = list(pages.stream(Filter(run_id="")))

    @settings(
        max_examples=40,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(filters, st.integers(1, 9))
    def holds(chosen: Filter, limit: int) -> None:
        wanted = [one.seq for one in entries if fits(chosen, one)]
        assert every(pages, chosen, limit) == wanted[::-1]
        assert [one.seq for one in pages.stream(chosen)] == wanted

    def fits(chosen: Filter, one: journal_pages.JournalEntry) -> bool:
        named = {"kind": one.kind, "flow": one.flow, "key": one.key, "run_id": one.run_id}
        named |= {"person": one.facts.get("person", "")}
        said = all(getattr(chosen, name) in ("", value) for name, value in named.items())
        return said and (chosen.since or one.at) <= one.at and (chosen.until is None or one.at < chosen.until)

    assert len(entries) == COUNT + 1  # the first is that of the connection
    holds()


def test_one_record_is_told_newest_first_with_bodies_and_hashes(pages: JournalPages) -> None:
    first = pages.of("bills", "K0", 2)
    then = pages.of("bills", "K0", 100, first[-1].seq)
    numbers = [one.facts["n"] for one in (*first, *then)]
    assert numbers == [50, 40, 30, 20, 10, 0]
    assert first[0].body == {"secret": 50}
    assert len({one.hash for one in (*first, *then)}) == len(numbers)
    assert len(first[0].hash) == 64
