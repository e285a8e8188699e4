"""Plots as SVG, for pages that are light or dark: bars side by side, and lines over axes.

Rule: text stays text, colours follow what the reader's system prefers, and nothing is loaded from elsewhere.
Must not know: what is plotted.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import NamedTuple, Protocol

WIDTH, LEFT, RIGHT, TOP = 760, 150, 30, 56
BOTTOM, BAR, GAP, LINE = 316, 16, 12, 18
HUES = ("#1f77b4", "#e07a1f", "#2f9e5b", "#b0479a", "#8a6d3b", "#c43c3c", "#5a6acf", "#6b7280")
STYLE = """
text{font:13px system-ui,sans-serif;fill:#222}.title{font-weight:600;font-size:15px}.small{font-size:11px;fill:#555}
.axis{stroke:#888;stroke-width:1}.grid{stroke:#888;stroke-opacity:.25}.back{fill:#fff}
@media(prefers-color-scheme:dark){text{fill:#e6e6e6}.small{fill:#aaa}.back{fill:#16181d}}
"""
Points = Sequence[tuple[float, float]]


class Group(NamedTuple):
    """Bars that belong together; a bar without a value is told as such."""

    name: str
    bars: Sequence[tuple[str, float | None]]


def bars(title: str, unit: str, groups: Sequence[Group]) -> str:
    """Horizontal bars; the longest bar of each group is as wide as the plot."""
    colours = _colours(name for group in groups for name, _ in group.bars)
    parts, y = list[str](), TOP
    for group in groups:
        parts.append(_text(LEFT, y + 4, group.name, "small"))
        most = max((value for _, value in group.bars if value), default=1.0)
        for place, (name, value) in enumerate(group.bars):
            parts += _bar(y + LINE * (place + 1) - 6, name, value, most, unit, colours[name])
        y += LINE * (len(group.bars) + 1) + GAP
    return _drawn(title, y, parts)


def _bar(y: float, name: str, value: float | None, most: float, unit: str, colour: str) -> list[str]:
    label = _text(LEFT - 8, y + 12, name, anchor="end")
    if value is None:
        return [label, _text(LEFT + 4, y + 12, "not measured", "small")]
    width = max(1.5, (WIDTH - LEFT - RIGHT - 90) * value / most)
    drawn = f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR - 3}" rx="2" fill="{colour}"/>'
    return [label, drawn, _text(LEFT + width + 6, y + 12, f"{number(value)} {unit}")]


def lines(
    title: str, across: str, up: str, series: Mapping[str, Points], limit: tuple[str, float] | None = None
) -> str:
    """Lines over a logarithmic axis; upwards too, unless there is a level that is marked: then from 0."""
    every = [point for points in series.values() for point in points]
    xs = Logarithmic([x for x, _ in every])
    ys = Linear(limit[1]) if limit else Logarithmic([y for _, y in every])
    plot = _Plot(xs, ys)
    parts = [*plot.grid(), _text(LEFT, TOP - 8, up, "small")]
    parts.append(_text(WIDTH - RIGHT, BOTTOM + 34, across, "small", "end"))
    colours = _colours(series)
    for place, (name, points) in enumerate(series.items()):
        parts += [*plot.line(points, colours[name]), *_named(place, name, colours[name])]
    parts += plot.level(*limit) if limit else []
    return _drawn(title, BOTTOM + 60 + -(-len(series) // 3) * LINE, parts)


def _named(place: int, name: str, colour: str) -> list[str]:
    x, y = LEFT + place % 3 * 200, BOTTOM + 54 + place // 3 * LINE
    return [f'<rect x="{x}" y="{y - 10}" width="12" height="12" rx="2" fill="{colour}"/>', _text(x + 18, y, name)]


class Scale(Protocol):
    """Where a value is between the ends of an axis."""

    @property
    def marks(self) -> Sequence[float]:
        """The values that are named."""
        ...

    def share(self, value: float) -> float:
        """From 0 to 1."""
        ...


class Logarithmic:
    """An axis of whole decades."""

    def __init__(self, values: Sequence[float]) -> None:
        there = [math.log10(value) for value in values if value > 0] or [0.0]
        self._low, high = math.floor(min(there)), math.ceil(max(there))
        self._high = max(high, self._low + 1)

    @property
    def marks(self) -> Sequence[float]:
        """Each power of ten."""
        return [10.0**power for power in range(self._low, self._high + 1)]

    def share(self, value: float) -> float:
        """From 0 to 1."""
        return (math.log10(max(value, 10.0**self._low)) - self._low) / (self._high - self._low)


class Linear:
    """An axis from 0 to a third above a level."""

    def __init__(self, level: float) -> None:
        self._level = level

    @property
    def marks(self) -> Sequence[float]:
        """Each third of the level."""
        return [self._level * place / 3 for place in range(5)]

    def share(self, value: float) -> float:
        """From 0 to 1."""
        return min(1.0, value / (self._level * 4 / 3))


class _Plot:
    """Where a value is drawn."""

    def __init__(self, xs: Scale, ys: Scale) -> None:
        self._xs, self._ys = xs, ys

    def x(self, value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * self._xs.share(value)

    def y(self, value: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * self._ys.share(value)

    def grid(self) -> list[str]:
        parts: list[str] = []
        for x, said in ((self.x(mark), number(mark)) for mark in self._xs.marks):
            parts += [_stroke(x, TOP, x, BOTTOM, "grid"), _text(x, BOTTOM + 16, said, "small", "middle")]
        for y, said in ((self.y(mark), number(mark)) for mark in self._ys.marks):
            parts += [_stroke(LEFT, y, WIDTH - RIGHT, y, "grid"), _text(LEFT - 8, y + 4, said, "small", "end")]
        return parts

    def line(self, points: Points, colour: str) -> list[str]:
        places = [(self.x(x), self.y(y)) for x, y in sorted(points)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        drawn = f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.5"/>'
        return [drawn, *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in places)]

    def level(self, name: str, value: float) -> list[str]:
        y = self.y(value)
        ends = f'x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"'
        dashed = f'<line {ends} class="axis" stroke-dasharray="6 4"/>'
        return [dashed, _text(WIDTH - RIGHT, y - 5, name, "small", "end")]


def number(value: float) -> str:
    """A figure as it is read: three digits that count, thousands apart."""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}" if value >= 0.001 else f"{value:.1e}"


def _colours(names: Iterable[str]) -> dict[str, str]:
    return {name: HUES[place % len(HUES)] for place, name in enumerate(dict.fromkeys(names))}


def _stroke(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def _text(x: float, y: float, said: str, kind: str = "", anchor: str = "start") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{named}>{escape(said)}</text>'


def _drawn(title: str, height: float, parts: Sequence[str]) -> str:
    size = f'viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(title)}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size}>'
    back = f'<rect class="back" width="{WIDTH}" height="{height:.0f}" rx="6"/>'
    return "\n".join([head, f"<style>{STYLE}</style>", back, _text(14, 24, title, "title"), *parts, "</svg>"]) + "\n"
