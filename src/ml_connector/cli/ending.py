"""How a command ends when something is wrong: with what was typed, with the machine, or with the connector itself.

Rule: one sentence on stderr, and with --json an object too; a trace only where nobody foresaw it.
Must not know: what a command does.
"""

import errno
import os
import sys
from typing import Any, NoReturn

import typer
from rich.markup import escape
from typer.core import TyperGroup
from typer.exceptions import TyperException

from ml_connector import settings
from ml_connector.cli import show, written
from ml_connector.cli.context import NEEDS_A_PERSON, OUT_OF_REACH, WRONG_USE
from ml_connector.cli.groups import grouped
from ml_connector.cli.logs import trace_of

OURS = {
    "Value error, ": "",
    "Input should be a valid integer, unable to parse string as an integer": "it is no whole number",
    "Input should be a valid number, unable to parse string as a number": "it is no number",
    "Input should be greater than or equal to": "it should be at least",
    "Input should be less than or equal to": "it should be at most",
    "does not match the formats '%Y-%m-%d'": "is no day; it looks like 2026-09-01",
}
UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


class Commands(TyperGroup):
    """The commands, by group; what was typed wrong is told without the words of the library that found it."""

    def __init__(self, *args: Any, **options: Any) -> None:
        """Their parameters are described by what a person writes."""
        super().__init__(*args, **options)
        written.describe(self)

    def main(self, *args: Any, **options: Any) -> NoReturn:
        """Carry out what was typed, and end."""
        try:
            code = super().main(*args, **{**options, "standalone_mode": False})
        except TyperException as error:
            _mistyped(error)
        except typer.Abort:
            if not sys.stdin.isatty():  # nobody was asked
                raise
            failed("the question got no answer, so nothing is changed", WRONG_USE)
        sys.exit(code)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List them, as `--help` does."""
        known = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        width = formatter.width - 6 - max(map(len, known))
        for title, names in grouped(known).items():
            rows = [(name, written.shortened(one.help or "", width)) for name in names if (one := known[name])]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)

    def invoke(self, ctx: Any) -> Any:
        """Carry out the one that was typed."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            for library, ours in OURS.items():
                error.message = error.message.replace(library, ours)
            raise


def _mistyped(error: Any) -> NoReturn:
    """How the command is used, and with --json the same object as any other error has."""
    error.show()
    _show_data(error.format_message(), WRONG_USE)
    sys.exit(WRONG_USE)


def unforeseen(error: Exception) -> NoReturn:
    """Tell where it was, and not a word of it, as that may be a record's or part of a secret."""
    if isinstance(error, OSError):
        _of_the_machine(error)
    show.err.print(escape(trace_of(error)), soft_wrap=True)
    failed("something went wrong in ml-connector itself; please report the lines above", NEEDS_A_PERSON)


def _of_the_machine(error: OSError) -> None:
    """What only whoever runs the machine can put right needs no trace: a file that is closed to us, a full disk."""
    if error.filename is not None and isinstance(error, PermissionError):
        told = f"{error.filename}: {error.strerror}; run it as a user who may, or change its owner"
        failed(f"{told} (now: {settings.person()})", WRONG_USE)
    if error.filename is None and error.errno in UNWRITABLE:
        say_no_more()
        failed(f"the output can't be written: {error.strerror}; free some space, then run again", OUT_OF_REACH)


def failed(sentence: str, code: int) -> NoReturn:
    """End with this sentence."""
    show.err.print(f"[red]error:[/] {escape(sentence)}", soft_wrap=True)
    _show_data(sentence, code)
    sys.exit(code)


def _show_data(sentence: str, code: int) -> None:
    if "--json" in sys.argv:
        try:
            show.data({"error": sentence, "exit_code": code})
        except OSError:
            say_no_more()


def say_no_more() -> None:
    """Nobody reads on, or nothing more can be written: what is left is not tried again when the process ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
