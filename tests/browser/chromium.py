"""The Chromium of the browser tests: which one there is, and how to get one. Run as a script, it gets one.

Rule: it counts only if it starts. Without any these tests are skipped, loudly; where CI is set, they fail.
Must not know: what is looked at.
"""

import os
import shutil
import subprocess
import sys

from playwright.sync_api import Browser, Error, Playwright, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",  # which root can't have; what is looked at is ours
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--font-render-hinting=none",
)
PATIENCE_S = 600
MISSING = (
    "NO CHROMIUM: the browser tests are skipped, the console's pages are not looked at. Install the package chromium, "
    "or run .venv/bin/playwright install chromium"
)


def start(playwright: Playwright) -> Browser | None:
    """The system's Chromium, else playwright's own; None when there is none that starts."""
    for path in [*filter(None, map(shutil.which, NAMES)), None]:
        try:
            return playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        except Error:
            continue
    return None


def demanded() -> bool:
    """Whether these tests may not be skipped."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


def starts() -> bool:
    """Whether there is one that starts."""
    with sync_playwright() as playwright:
        browser = start(playwright)
        if browser:
            browser.close()
        return browser is not None


def install() -> None:
    """Get one where that is allowed: as root from the system's packages, else as playwright's own download."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        _ran("apt-get", "update", "-qq")
        if _ran("apt-get", "install", "-qqy", "--no-install-recommends", "chromium", "fonts-dejavu-core") and starts():
            return
    _ran(sys.executable, "-m", "playwright", "install", "--only-shell", "chromium")


def main() -> int:
    """Make sure that there is one; the exit code."""
    if starts():
        return 0
    install()
    if starts():
        return 0
    rule = "!" * 80
    sys.stderr.write(f"\n{rule}\n{MISSING}\n{rule}\n\n")
    return int(demanded())


def _ran(*command: str) -> bool:
    try:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        return (
            subprocess.run(command, env=environment, timeout=PATIENCE_S, check=False, stdout=sys.stderr).returncode == 0
        )
    except (OSError, subprocess.TimeoutExpired):
        return False


if __name__ == "__main__":
    sys.exit(main())
