"""What the docs site has beyond the folder docs: CHANGELOG and CONTRIBUTING, and the decisions in its navigation.

Rule: a link is written as it is right in the repository; here it is made right for the site too.
Must not know: what a page says.
Usage: by mkdocs, as a hook; see mkdocs.yml.
"""

import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
BESIDE = ("CHANGELOG.md", "CONTRIBUTING.md")
DECISIONS = "Decisions"
_LINK = re.compile(r"\]\(([^)\s:]+\.md)")


def on_config(config: MkDocsConfig) -> None:
    """Put every decision into the navigation, where it has a heading for them."""
    found = sorted(path.relative_to(config.docs_dir).as_posix() for path in Path(config.docs_dir).glob("adr/*.md"))
    _fill(config.nav or [], found)


def _fill(entries: list[Any], found: list[str]) -> None:
    for entry in entries:
        for name, below in entry.items() if isinstance(entry, dict) else ():
            if name == DECISIONS:
                entry[name] = found
            elif isinstance(below, list):
                _fill(below, found)


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Take the pages beside README along."""
    for name in BESIDE:
        text = _LINK.sub(lambda link: f"]({link[1].removeprefix('docs/')}", (ROOT / name).read_text())
        files.append(File.generated(config, name, content=text))


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Have links to them lead there."""
    up = "../" * page.file.src_uri.count("/")
    return _LINK.sub(lambda link: f"]({_within(link[1], up)}", markdown)


def _within(link: str, up: str) -> str:
    name = link.removeprefix(f"{up}../")
    return f"{up}{name}" if name in BESIDE else link
