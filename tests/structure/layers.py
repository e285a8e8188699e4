"""The picture of the layers: who may import whom, as the import contracts have it.

Rule: drawn from the contracts and the tree alone, so that it can't say anything else than what is checked.
Must not know: what the layers do.
"""

import tomllib
from collections.abc import Iterator
from html import escape
from pathlib import Path

WIDTH, ROW, GAP, SIDE, HEAD = 960, 56, 14, 150, 34
STYLE = """
  svg { background: #ffffff; font-family: system-ui, sans-serif; }
  .box { fill: #eef5f4; stroke: #0b7a70; }
  .alone { fill: #f7f1e4; stroke: #8a6a1f; }
  .name { fill: #12302d; font-size: 15px; font-weight: 600; }
  .told { fill: #4a5f5c; font-size: 12px; }
  @media (prefers-color-scheme: dark) {
    svg { background: #10201f; }
    .box { fill: #17332f; stroke: #58c2b4; }
    .alone { fill: #33291a; stroke: #d8b25a; }
    .name { fill: #eaf6f4; }
    .told { fill: #b4cac6; }
  }
"""


def drawn(contracts: Path, source: Path) -> str:
    """The picture as SVG."""
    rows = layers(contracts)
    height = HEAD + len(rows) * (ROW + GAP)
    boxes = [box for at, row in enumerate(rows) for box in _row(row, HEAD + at * (ROW + GAP), source)]
    tall = len(rows) * (ROW + GAP) - GAP
    boxes += _box("sandbox", WIDTH - SIDE, HEAD, SIDE - GAP, tall, source, kind="alone")
    titles = ", ".join(" and ".join(row) for row in rows)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
            f"<title>The layers, from the top: {titles}; the sandbox stands alone</title>",
            f"<style>{STYLE}</style>",
            f'<text class="told" x="{GAP}" y="22">Each may import what is below it. Beside one another they are '
            "strangers; the sandbox imports none of them.</text>",
            *boxes,
            "</svg>\n",
        ]
    )


def layers(contracts: Path) -> list[list[str]]:
    """The layers from the top, each with those that stand beside one another."""
    told = tomllib.loads(contracts.read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    (found,) = (one["layers"] for one in told if one["type"] == "layers")
    return [[name.strip() for name in row.replace("|", ":").split(":")] for row in found]


def _row(names: list[str], top: int, source: Path) -> Iterator[str]:
    width = (WIDTH - SIDE - GAP) // len(names)
    for at, name in enumerate(names):
        yield from _box(name, GAP + at * width, top, width - GAP, ROW, source)


def _box(name: str, left: int, top: int, width: int, height: int, source: Path, kind: str = "box") -> Iterator[str]:
    middle, centre = left + width // 2, top + height // 2
    yield f'<rect class="{kind}" x="{left}" y="{top}" width="{width}" height="{height}" rx="6"/>'
    yield f'<text class="name" text-anchor="middle" x="{middle}" y="{centre - 2}">{escape(name)}</text>'
    yield f'<text class="told" text-anchor="middle" x="{middle}" y="{centre + 15}">{_size(source / name)}</text>'


def _size(place: Path) -> str:
    """How large a part is, roughly, so that not every change draws it anew."""
    files = list(place.rglob("*.py")) or [place.with_suffix(".py")]
    lines = sum(len(path.read_text("utf-8").splitlines()) for path in files)
    return f"{lines / 1000:.0f}k lines" if lines >= 1000 else "under 1k lines"
