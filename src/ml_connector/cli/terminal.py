"""A terminal, to which nothing that a record says is a command.

Rule: control characters in a text are shown as a mark; only our own styles make sequences that a terminal obeys.
Must not know: what is shown.
"""

import re
from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

MARK = "\ufffd"
_COMMANDS = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")  # also what turns the direction of text


class Terminal(Console):
    """A console whose texts are text."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """What is shown, piece by piece."""
        for piece in super().render(renderable, options):
            yield piece if piece.control else Segment(plain(piece.text), piece.style)


def plain(text: str) -> str:
    """A text without what a terminal might obey."""
    return text if text.isprintable() else _COMMANDS.sub(MARK, text)


def json_of(text: str) -> str:
    """JSON in which no character is left that a terminal might obey; it means the same."""
    return _COMMANDS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
