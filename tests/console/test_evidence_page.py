"""Evidence at a click: for whom it is, what comes, what is told of it."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from evidence_story import PERIOD, fill
from serving import API, answering, looking

from ml_connector import wiring
from ml_connector.evidence import checking, signature
from ml_connector.settings import Installation
from ml_connector.store.api_tokens import ApiTokens, Right
from ml_connector.store.rights import Role
from ml_connector.wiring import gathering

PAGE = f"/c/demo/tie-out/{PERIOD}/1"
TWIN = f"{API}/connections/demo/tie-outs/{PERIOD}/1/evidence"


@dataclass
class Console:
    """A console over a store with a tie-out."""

    url: str
    store: wiring.Opened
    tokens: dict[Right, str]

    def click(self, role: Role) -> httpx2.Response:
        with looking(self.url, self.store, role, name=f"somebody-{role}") as person:
            return person.post(f"{PAGE}/evidence")

    def ask(self, method: str, path: str, right: Right) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self.tokens[right]}"}
        return httpx2.request(method, self.url + path, headers=headers, trust_env=False)


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    file = tmp_path_factory.mktemp("console") / "store.db"
    opened = wiring.open_store(Installation(store=f"sqlite:///{file}"))
    fill(opened, count=7, entries=3)
    tokens = {right: ApiTokens(opened.database).create(f"t-{right}", right, "ann") for right in Right}
    with answering(opened) as url:
        yield Console(url, opened, tokens)
    opened.close()


def unpacked(answer: httpx2.Response, folder: Path) -> Path:
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as file:
        file.extractall(folder)
    return folder / f"evidence-{PERIOD}"


@pytest.mark.parametrize("role", [Role.APPROVER, Role.ADMINISTRATOR])
def test_who_approves_or_administers_gets_it(console: Console, role: Role, tmp_path: Path) -> None:
    verdict = checking.check(unpacked(console.click(role), tmp_path))
    assert verdict.sound
    assert verdict.manifest
    assert verdict.manifest.made_by == f"somebody-{role}"
    told = wiring.journal(console.store, "demo").timeline("", "")[-1]
    assert (told.kind, told.facts["person"]) == ("evidence", f"somebody-{role}")


@pytest.mark.parametrize("role", [Role.VIEWER, Role.CLERK])
def test_nobody_else_gets_it_or_is_offered_it(console: Console, role: Role) -> None:
    assert console.click(role).status_code == 403
    with looking(console.url, console.store, role, name=f"looks-{role}") as person:
        assert f'action="{PAGE}/evidence"' not in person.get(PAGE).text
    with looking(console.url, console.store, Role.APPROVER, name="approves") as person:
        assert f'action="{PAGE}/evidence"' in person.get(PAGE).text


def test_programs_that_administer_get_it_too(console: Console, tmp_path: Path) -> None:
    assert checking.check(unpacked(console.ask("POST", TWIN, Right.ADMIN), tmp_path)).sound
    assert console.ask("POST", TWIN, Right.OPERATE).status_code == 403
    assert console.ask("POST", TWIN.replace("/1/", "/99/"), Right.ADMIN).status_code == 404
    (key,) = console.ask("GET", f"{API}/evidence/keys", Right.READ).json()["keys"]
    public = gathering.signing_key(console.store, "ann").public
    assert (key["fingerprint"], key["signs"]) == (signature.fingerprint(public), True)


def test_one_is_made_at_a_time(console: Console) -> None:
    with console.store.database.lock("evidence", 1.0):
        answer = console.ask("POST", TWIN, Right.ADMIN)
    assert (answer.status_code, answer.json()["code"]) == (409, "busy")
