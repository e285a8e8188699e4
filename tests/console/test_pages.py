"""What holds for every page: who may look, whose form it is, what is around it."""

from pathlib import Path

import pytest
from rig import NAME
from serving import looking, serving

from ml_connector.console.views import home
from ml_connector.store.rights import Role


def test_without_a_session_one_is_sent_to_sign_in(tmp_path: Path) -> None:
    with serving(tmp_path) as here, here.client() as client:
        answer = client.post(f"{here.url}/sign-out", headers={"Accept": "text/html"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2F&again=1")


def test_a_form_of_another_session_does_nothing(tmp_path: Path) -> None:
    with serving(tmp_path) as here, looking(here.url, here.joined.store, Role.VIEWER) as client:
        assert client.post("/sign-out", headers={"x-csrf": "0" * 64}).status_code == 403
        assert client.post("/sign-out", data={"csrf": "no"}, headers={"x-csrf": ""}).status_code == 403
        assert client.post("/sign-out").status_code == 303
        assert client.post("/sign-out").headers["location"].startswith("/sign-in")


def test_what_can_not_be_looked_at_says_so_in_words(tmp_path: Path) -> None:
    with serving(tmp_path) as here, looking(here.url, here.joined.store, Role.VIEWER) as client:
        page = {"Accept": "text/html"}
        only_posted = client.get("/sign-out", headers=page)
        assert only_posted.status_code == 405
        assert "takes only what its form" in only_posted.text
        odd = client.get(f"/c/{NAME}/journal?since=yesterday", headers=page)
        assert odd.status_code == 422
        assert "Since: a day looks like 2026-09-01" in odd.text
        assert (
            "Number: nothing of this name can be given here"
            in client.get(f"/c/{NAME}/journal?number=1", headers=page).text
        )
        assert "Input should" not in client.get(f"/c/{NAME}/records?limit=abc", headers=page).text
        unspeakable = client.get(f"/c/{NAME}/records?q=%00", headers=page)
        assert (unspeakable.status_code, "String should" in unspeakable.text) == (422, False)
        assert "Q: has a form or signs that it can&#39;t have" in unspeakable.text


def test_a_fault_of_ours_is_told_as_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("Kanarienvogel")

    with serving(tmp_path) as here, looking(here.url, here.joined.store, Role.VIEWER) as client:
        monkeypatch.setattr(home, "overview_of", fail)
        answer = client.get("/c/acme")
    assert answer.status_code == 500
    assert "went wrong" in answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert "Kanarienvogel" not in answer.text
