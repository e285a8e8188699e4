"""What commands have in common: the store they work on, and arguments that mean the same everywhere.

Rule: a store is closed after use, whatever happens.
Must not know: what a command does.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Annotated

import typer

from ml_connector import wiring
from ml_connector.errors import ConnectorError, RefusedError, SettingsError, VaultError
from ml_connector.sync.report import Report

NEEDS_A_PERSON, WRONG_USE, OUT_OF_REACH, INTERRUPTED = 1, 2, 3, 130

Name = Annotated[str, typer.Argument(help="The connection's name.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@contextmanager
def opened(context: typer.Context, *, create: bool = False) -> Generator[wiring.Opened]:
    """The store that this command works on; only `connect` makes a new one."""
    store = wiring.open_store(context.obj, create=create)
    try:
        yield store
    finally:
        store.close()


def exit_code(error: ConnectorError) -> int:
    """The exit code that an error ends with."""
    return WRONG_USE if isinstance(error, SettingsError | RefusedError | VaultError) else OUT_OF_REACH


def exit_code_of(done: Sequence[Report], errors: Sequence[ConnectorError]) -> int:
    """The exit code that runs or plans end with."""
    if errors:
        return max(exit_code(error) for error in errors)
    return NEEDS_A_PERSON if any(report.needs_a_person for report in done) else 0
