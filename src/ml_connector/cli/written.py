"""What `--help` says of a value and of a command: what a person writes, not the type that the program makes of it.

Rule: a choice lists what there is to choose; an argument that is a text needs no word beside its name.
Must not know: any one command.
"""

import re
import textwrap
from functools import partial
from typing import Any

NUMBERS = ("int", "float")
WIDTH = 62  # of a sentence in a list of commands


def describe(command: Any) -> None:
    """Describe the parameters of a command, and of those below it."""
    for one in command.params:
        one.display_type = partial(_word, one)
        one._get_number_range_help_str = partial(_bounds, one)
    for below in getattr(command, "commands", {}).values():
        below.short_help = shortened(below.help or "", WIDTH)
        describe(below)


def shortened(text: str, width: int) -> str:
    """As much of a sentence as fits and says something: all of it, else a part that ends where it pauses."""
    sentence = " ".join(text.split()).partition(". ")[0]
    clause = re.split("[:;]", sentence)[0]
    while len(clause) > width and "," in clause:
        clause = clause.rpartition(",")[0]
    return textwrap.shorten(sentence if len(sentence) <= width else clause, width, placeholder="…").rstrip(".") + "."


def _word(parameter: Any, ctx: Any = None) -> str:
    del ctx
    kind, bare = parameter.type_descriptor, parameter.bare_type().removeprefix("list[").removesuffix("]")
    if kind.is_choice:
        return f"<{'|'.join(map(str, kind.choices))}>"
    if kind.is_path:
        return "<file>"
    if bare in NUMBERS:
        return "<number>"
    return "" if parameter.param_type_name == "argument" else "<text>"


def _bounds(parameter: Any) -> str | None:
    if parameter.max is not None:
        return f"{parameter.min} to {parameter.max}"
    return f"{parameter.min} or more" if parameter.min is not None else None
