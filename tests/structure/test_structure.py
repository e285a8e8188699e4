"""The shape of the code: its limits hold, and what the page on architecture says of it is so."""

import re
import xml.etree.ElementTree as ET  # what is parsed is our own
from pathlib import Path

import layers
import measure
import pytest
import redraw

NEAR = 0.1  # how far a size in the table may be from the tree's
LINES_MAX, FUNCTION_P90_MAX, MODULE_P90_MAX = 400, 15, 250
PARAMETERS_P90_MAX, REPEATED_MAX = 4, 1.0


@pytest.fixture(scope="module")
def figures() -> measure.Figures:
    """The tree's."""
    return measure.measured(redraw.SOURCE)


def test_nothing_is_imported_in_a_circle(figures: measure.Figures) -> None:
    assert figures.circles == figures.loose == ()  # nor for types, nor within functions


def test_parts_stay_small(figures: measure.Figures) -> None:
    assert figures.module_lines.largest <= LINES_MAX
    assert figures.module_lines.p90 <= MODULE_P90_MAX
    assert figures.function_lines.middle < 10
    assert figures.function_lines.p90 <= FUNCTION_P90_MAX
    assert figures.parameters.p90 <= PARAMETERS_P90_MAX
    assert figures.repeated <= REPEATED_MAX


def test_what_is_public_is_described_and_typed(figures: measure.Figures) -> None:
    assert (figures.documented, figures.typed) == (100, 100)


def test_the_table_says_what_the_tree_is_like(figures: measure.Figures) -> None:
    ours, *models = redraw.written(redraw.PAGE.read_text("utf-8"))
    assert len(models) >= 5
    told, found = _numbers(ours), _numbers(redraw.row(redraw.OWN, figures))
    far = [(one, other) for one, other in zip(told, found, strict=True) if abs(one - other) > max(1, NEAR * other)]
    assert not far, "write it anew: python tests/structure/redraw.py"


def _numbers(cells: list[str]) -> list[float]:
    return [float(one) for cell in cells[1:] for one in re.findall(r"\d+(?:\.\d+)?", cell.replace(",", ""))]


def test_every_module_that_the_page_leads_to_is_there() -> None:
    links = re.findall(r"\]\(((?:\.\./)+(?:src|tests)/[^)]+)\)(?: `([\w.]+)`)?", redraw.PAGE.read_text("utf-8"))
    assert len(links) > 20
    for link, name in links:
        place = (redraw.PAGE.parent / link).resolve()
        assert place.is_file(), link
        assert not name or re.search(rf"(?:def|class) {name.split('.')[-1]}\b", place.read_text("utf-8")), (link, name)


def test_the_picture_shows_every_layer_in_its_order() -> None:
    drawn = ET.fromstring(redraw.PICTURE.read_text("utf-8"))  # noqa: S314
    names = [text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text") if text.get("class") == "name"]
    there = [name for row in layers.layers(redraw.ROOT / "pyproject.toml") for name in row]
    assert names == [*there, "sandbox"]


# The measuring itself


def _tree(folder: Path, **files: str) -> Path:
    root = folder / "made"
    root.mkdir()
    for name, text in {"__init__": "", **files}.items():
        (root / f"{name}.py").write_text(text)
    return root


def test_a_circle_is_found_and_one_for_types_is_told_apart(tmp_path: Path) -> None:
    lazily = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from made import d\n"
    files = {
        "a": "from made.b import x\n",
        "b": "from . import a\n",
        "c": "import made.a\n",
        "d": "from made import e\n",
    }
    found = measure.measured(_tree(tmp_path, **files, e=lazily))
    assert found.circles == (("made.a", "made.b"),)
    assert found.loose == (("made.a", "made.b"), ("made.d", "made.e"))


def test_what_is_not_described_or_typed_counts(tmp_path: Path) -> None:
    told = '"""A module."""\ndef told() -> None:\n    """Do."""\n'
    text = f"{told}def untold(a, *, b):\n    return 1\ndef _own():\n    pass\n"
    found = measure.measured(_tree(tmp_path, a=text, __init__='"""All."""\n'))
    assert (found.documented, found.typed) == (75, 33)
    assert found.parameters == measure.Spread(0, 0, 2)
    assert found.function_lines == measure.Spread(2, 2, 2)


def test_lines_that_stand_twice_count_whatever_is_said_between_them(tmp_path: Path) -> None:
    lines = [f"x{number} = {number}" for number in range(measure.RUN)]
    found = measure.measured(_tree(tmp_path, a="\n".join([*lines, "y = 1"]), b="\n# said\n".join([*lines, "z = 2"])))
    assert found.repeated == pytest.approx(100 * 2 * measure.RUN / (2 * measure.RUN + 2), abs=0.1)
