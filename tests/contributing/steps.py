"""What CONTRIBUTING says has to be touched.

Rule: read from its text, so that text and tests can't drift apart.
Must not know: what is added.
"""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
STEP = re.compile(r"^\d+\. `([^`]+)`")


def places(heading: str, name: str) -> set[str]:
    """The files and folders that the steps under a heading name, for something of that name."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    section = re.split(r"^#+ ", text.split(f"# {heading}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
    found = [STEP.match(line) for line in section.splitlines() if line[:1].isdigit()]
    assert found, f"{heading} has no steps"
    assert all(found), f"a step of {heading} does not begin with the file that it touches"
    return {one[1].replace("<name>", name) for one in found if one}


def within(path: str, places: set[str]) -> str:
    """The place that a file is at; "" for none."""
    return next((one for one in places if path == one or (one.endswith("/") and path.startswith(one))), "")
