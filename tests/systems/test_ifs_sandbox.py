"""The whole client against the stand-in IFS: over sockets, with its tokens, its filters and its faults."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from reaching import ifs_client

from ml_connector.sandbox import Sandbox, SandboxOptions, start
from ml_connector.systems.ifs import check
from ml_connector.systems.ifs.client import IfsClient
from ml_connector.systems.ifs.source import IfsSource


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with start(SandboxOptions(suppliers=300, orders=200)) as started:
        yield started
        assert started.crashes == []


Connect = Callable[..., IfsClient]


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Connect]:
    made: list[IfsClient] = []

    def connect(secret: str = "", companies: tuple[str, ...] = ("10", "20"), **profile: Any) -> IfsClient:
        made.append(ifs_client(sandbox, {"page_rows": 100, **profile}, companies, secret=secret))
        return made[-1]

    yield connect
    for one in made:
        one.close()


def test_every_step_of_the_check_is_fine(client: Connect) -> None:
    steps = list(check.steps(client()))
    assert [step.name for step in steps if not step.ok] == []
    assert [step.name for step in steps][:3] == ["host", "realm", "token"]
    assert len(steps) == 3 + 2 * 8 + 3


def test_a_wrong_secret_ends_the_check(client: Connect) -> None:
    *_, last = check.steps(client(secret="wrong"))
    assert (last.name, last.ok) == ("token", False)
    assert "secret" in last.result
    assert "secret" in last.remedy


def test_wrong_names_and_hidden_companies_are_said(client: Connect) -> None:
    wrong = client(companies=("10", "77"), suppliers={"fields": {"name": "Nam"}})
    failed = {step.name: step for step in check.steps(wrong) if not step.ok}
    assert "nearest: Name" in failed["names of suppliers"].result
    assert "rows of suppliers" in failed
    assert "77" in failed["companies"].result


def test_all_records_are_read_and_read_again_by_key(client: Connect) -> None:
    mine = client()
    for resource, count in (("suppliers", 300), ("purchase_orders", 200)):
        source = IfsSource(mine, resource)
        found = [sight for page in source.read_all() for sight in page.sights]
        assert len([sight for sight in found if sight.record]) == count
        again = [sight for group in source.read([sight.key for sight in found]) for sight in group]
        assert [sight.record for sight in again] == [sight.record for sight in found]
        for part in source.parts:
            swept = {row.key for page in source.sweep(part, "") for row in page.rows}
            assert swept == {row.key for sight in found for row in sight.rows if row.part == part}


def test_changes_by_time(client: Connect) -> None:
    source = IfsSource(client(suppliers={"modified": "Cf_Modified_At"}), "suppliers")
    rows = [row for page in source.sweep("suppliers", "") for row in page.rows]
    cursor = sorted(row.modified for row in rows)[150]
    pages = list(source.sweep("suppliers", cursor))
    found = {row.key for page in pages for row in page.rows}
    assert {row.key for row in rows if row.modified >= cursor} <= found
    assert len(found) < 300


def test_revoked_tokens_are_renewed(client: Connect, sandbox: Sandbox) -> None:
    mine = client()
    source = IfsSource(mine, "suppliers")
    begun = source.read_all()
    next(begun)
    sandbox.revoke_tokens()
    assert sum(1 for page in begun for _ in page.sights) > 0
