"""What the docs site has beyond the folder docs: CHANGELOG and CONTRIBUTING, and the decisions in its navigation.

Rule: a link is written as it is right in the repository; here it is made right for the site, which has no source code.
Must not know: what a page says.
Usage: by mkdocs, as a hook; see mkdocs.yml.
"""

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
BESIDE = ("CHANGELOG.md", "CONTRIBUTING.md")
DECISIONS = "Decisions"
_LINK = re.compile(r"(?<!!)\[((?:[^\]\\]|\\.)*)\]\(([^)\s:#]+)(#[^)\s]*)?\)")


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
        files.append(File.generated(config, name, content=(ROOT / name).read_text()))


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Have links lead to where things are on the site; what is not there is only named."""
    return _LINK.sub(lambda link: _relinked(page.file.src_uri, *link.groups("")), markdown)


def _relinked(page: str, label: str, link: str, anchor: str) -> str:
    here = page if page in BESIDE else f"docs/{page}"
    target = _on_site(posixpath.normpath(posixpath.join(posixpath.dirname(here), link)))
    return f"[{label}]({posixpath.relpath(target, posixpath.dirname(page))}{anchor})" if target else label


def _on_site(path: str) -> str:
    if path in BESIDE:
        return path
    return "index.md" if path == "README.md" else path.removeprefix("docs/") if path.startswith("docs/") else ""
