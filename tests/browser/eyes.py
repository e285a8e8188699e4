"""Somebody who looks at pages with a real browser, and minds what people mind: errors, what can't be read, what is cut
off. Pictures are taken where `PICTURES` names a folder.
"""

import base64
import os
from collections.abc import Collection, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, BrowserContext, Locator, Page, Response, ViewportSize

WIDE, NARROW = (1280, 860), (390, 844)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
ALL = tuple((scheme, width) for scheme in SCHEMES for width, _ in (WIDE, NARROW))
DARK_IN_A_HAND = ("dark", NARROW[0])  # its colours and its layout are looked at in the others
SEVERE = ("serious", "critical")
QUALITY = 50
HEIGHT_MAX = 1000
FOLDER = os.environ.get("PICTURES", "")
AXE = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text()
RUN = "async () => (await axe.run({resultTypes: ['violations']})).violations"


@dataclass
class Eyes:
    """A person's browser on one console; `troubles`: what went wrong in it so far."""

    context: BrowserContext
    page: Page
    url: str
    troubles: list[str] = field(default_factory=list[str])

    def go(self, path: str) -> Response:
        """Go to an address of the console; it has to be there."""
        answer = self.page.goto(path if path.startswith("http") else self.url + path)
        assert answer is not None
        assert answer.ok, f"{path}: {answer.status} {self.page.inner_text('body')[:500]}"
        return answer

    def press(self, name: str) -> None:
        """Press a button, and stay until it is answered: who goes elsewhere at once takes it back."""
        with self.page.expect_response(lambda answer: answer.request.method == "POST"):
            self.page.get_by_role("button", name=name).click()

    def follow(self, link: Locator) -> None:
        """Follow a link to its page."""
        with self.page.expect_navigation():
            link.click()

    def glance(self, name: str) -> None:
        """Look closely at the page as it is; one picture is enough."""
        self.picture(name, kept=((SCHEMES[0], WIDE[0]),))

    def picture(self, name: str, kept: Collection[tuple[str, int]] = ALL) -> None:
        """Look closely at the page as it is: both schemes, both widths; of those that are `kept`, pictures."""
        for scheme in SCHEMES:
            for width, height in (WIDE, NARROW):
                self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                self.page.set_viewport_size({"width": width, "height": height})
                if (scheme, width) != DARK_IN_A_HAND:
                    self._check(f"{name} ({scheme}, {width})", cut_off=width)
                if (scheme, width) in kept:
                    _take(self.page, name, scheme, width)
        self.page.emulate_media(color_scheme="light")
        self.page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})

    def _check(self, place: str, cut_off: int) -> None:
        for one in self._violations():
            if one["impact"] in SEVERE:
                nodes = "; ".join(f"{node['html'][:200]} {node['failureSummary'][:300]}" for node in one["nodes"][:3])
                self.troubles.append(f"{place}: {one['id']}: {one['help']}: {nodes}")
        wide = self.page.evaluate("document.documentElement.scrollWidth")
        if wide > cut_off:
            self.troubles.append(f"{place}: {wide} pixels wide")

    def _violations(self) -> list[dict[str, Any]]:
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE)
        return self.page.evaluate(RUN)

    def calm(self) -> None:
        """Nothing has gone wrong since last asked."""
        troubles, self.troubles[:] = list(self.troubles), []
        assert not troubles, "\n".join(troubles)


@contextmanager
def looking(
    browser: Browser, url: str, cookie: tuple[str, str] | None = None, *, scripts: bool = True
) -> Generator[Eyes]:
    """Somebody at a console; `cookie`: of who has signed in; `scripts`: whether their browser runs any."""
    size = ViewportSize(width=WIDE[0], height=WIDE[1])
    context = browser.new_context(viewport=size, color_scheme="light", java_script_enabled=scripts)
    if cookie:
        context.add_cookies([{"name": cookie[0], "value": cookie[1], "url": url}])
    eyes = Eyes(context, context.new_page(), url)
    watch(eyes, eyes.page)
    try:
        yield eyes
        eyes.calm()
    finally:
        context.close()


def watch(eyes: Eyes, page: Page) -> None:
    """Mind what goes wrong in a page, also where nobody sees it."""
    page.on("console", lambda said: eyes.troubles.append(f"{page.url}: {said.text}") if said.type == "error" else None)
    page.on("pageerror", lambda error: eyes.troubles.append(f"{page.url}: {error}"))
    page.on("requestfailed", lambda asked: _failed(eyes, asked.url, asked.failure))


def _failed(eyes: Eyes, url: str, failure: str | None) -> None:
    if failure != "net::ERR_ABORTED":  # what was left for another page
        eyes.troubles.append(f"{url}: {failure}")


def _take(page: Page, name: str, scheme: str, width: int) -> None:
    if not FOLDER:
        return
    folder = Path(FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    tall = min(int(page.evaluate("document.documentElement.scrollHeight")), HEIGHT_MAX)
    page.set_viewport_size({"width": width, "height": max(tall, 600)})
    session: Any = page.context.new_cdp_session(page)
    told = session.send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
    session.detach()
    (folder / f"{name}-{scheme}-{width}.webp").write_bytes(base64.b64decode(told["data"]))
