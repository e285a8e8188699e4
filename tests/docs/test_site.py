"""The docs as a site: it builds without a warning and asks no other host for anything; its search works from files."""

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import chromium
import pytest
from playwright.sync_api import Page, expect, sync_playwright

ROOT = Path(__file__).parents[2]
# What a browser fetches by itself; where a reader may click to is another matter.
FETCHED = re.compile(r"<(?:script|img|iframe|source|video|link)\b[^>]*?\b(?:src|href)=[\"']?(?:https?:)?//[^>]*>")
STYLED = re.compile(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//[^)\"';]+")
WORKER = "e8e412dbcfea9b7e31b5ffa288d7b6035915e714c542f4176a0cdbe262fc9609"
DIAGRAM = 'class="mermaid"'  # the theme fetches what draws it from another host

pytestmark = pytest.mark.xdist_group("site")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built strictly."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240)
    assert built.returncode == 0, built.stderr
    assert "WARNING" not in built.stderr
    return folder


@pytest.fixture(scope="module")
def page(site: Path) -> Generator[tuple[Page, list[str]]]:
    """Its first page as opened from the folder, and each address that was asked for."""
    with sync_playwright() as playwright:
        browser = chromium.start(playwright)
        if browser is None:
            (pytest.fail if chromium.demanded() else pytest.skip)(chromium.MISSING)
        opened = browser.new_page()
        asked: list[str] = []
        opened.on("request", lambda request: asked.append(request.url))
        opened.goto((site / "index.html").as_uri())
        yield opened, asked
        browser.close()


def test_every_page_of_the_docs_is_in_it(site: Path) -> None:
    pages = {path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")}
    built = {path.relative_to(site) for path in site.rglob("*.html")}
    assert pages | {Path("CHANGELOG.html"), Path("CONTRIBUTING.html")} == built - {Path("404.html")}


def test_every_page_can_be_reached_from_the_navigation(site: Path) -> None:
    text = (site / "index.html").read_text()
    unreached = [path for path in site.rglob("*.html") if f'href="{path.relative_to(site)}"' not in text]
    assert {path.name for path in unreached} <= {"404.html", "index.html"}


def test_what_lets_search_work_from_files_is_as_it_was_published() -> None:
    """The polyfill `iframe-worker` 1.0.4, from npm; no tool would notice another one."""
    digest = hashlib.sha256((ROOT / "docs" / "assets" / "iframe-worker.js").read_bytes()).hexdigest()
    assert digest == WORKER


def test_nothing_is_fetched_from_another_host(site: Path) -> None:
    for path in [*site.rglob("*.html"), *site.rglob("*.css"), *site.rglob("*.svg")]:
        text = path.read_text()
        assert not FETCHED.findall(text), path
        assert not STYLED.findall(text), path
        assert DIAGRAM not in text, path


def test_a_reader_without_a_network_finds_what_they_look_for(page: tuple[Page, list[str]]) -> None:
    opened, asked = page
    words = opened.get_by_role("textbox", name="Search")
    words.click()
    expect(opened.locator(".md-search-result__meta")).to_have_text("Type to start searching", timeout=20_000)
    words.press_sequentially("hold table")
    expect(opened.locator(".md-search-result__link").first).to_be_visible(timeout=20_000)
    assert [address for address in asked if not address.startswith("file:")] == []
