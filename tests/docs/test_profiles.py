"""What the pages show of a profile can be read as one; a page's blocks together are one profile."""

import re
import tomllib
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from ml_connector import settings
from ml_connector.wiring import profile

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"```toml\n(.*?)```", re.DOTALL)
PAGES = [page for page in sorted(DOCS.rglob("*.md")) if "```toml" in page.read_text()]
# What a profile is read for; pages show a part of it.
CONNECTION: dict[str, Any] = {
    "ifs": {"url": "https://acme.ifs.cloud", "realm": "acmeprd", "client_id": "mlconnector", "companies": ["10", "20"]},
    "airbase": {"url": "https://api.airbase.io"},
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_shows_of_a_profile_can_be_read(page: Path) -> None:
    together: dict[str, Any] = {}
    for text in BLOCK.findall(page.read_text()):
        told = tomllib.loads(text)
        settings.profile(told)
        joined(together, told)
    given = msgspec.convert(CONNECTION, settings.Connection)
    profile.read(msgspec.structs.replace(given, profile=settings.profile(together)))


def joined(into: dict[str, Any], more: dict[str, Any]) -> None:
    """Put a block's tables to those before it."""
    for name, given in more.items():
        before: Any = into.setdefault(name, given)
        if before is given:
            continue
        if isinstance(given, dict):
            joined(before, cast("dict[str, Any]", given))
        else:
            into[name] = [*before, *given] if isinstance(given, list) else given
