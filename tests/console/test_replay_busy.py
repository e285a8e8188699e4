"""A look at what a replay would do, while others look."""

import threading
from pathlib import Path

import pytest
from serving import looking, serving

from ml_connector.console import looking_ahead
from ml_connector.store.rights import Role

PLACE = "/c/acme/replay/preview?flow=purchase_orders&cause=supplier_not_linked"


def test_what_others_are_in_the_way_of_comes_after_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(tmp_path) as here, looking(here.url, here.joined.store, Role.CLERK) as client:
        monkeypatch.setattr(looking_ahead, "_FREE", threading.Semaphore(0))
        later = client.get(PLACE, headers={"hx-request": "true"})
        assert later.status_code == 200
        assert "comes after them" in later.text
        assert PLACE.replace("&", "&amp;") in later.text
        assert client.get(PLACE).status_code == 409
        monkeypatch.setattr(looking_ahead, "_FREE", threading.Semaphore(1))
        assert "comes after them" not in client.get(PLACE, headers={"hx-request": "true"}).text
