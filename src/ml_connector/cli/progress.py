"""Progress of a run on a terminal.

Rule: shown on stderr, and only to a person.
Must not know: what a flow does.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from ml_connector.cli import show
from ml_connector.wiring import Watch

STAGES = {"look": "looking at the target", "compare": "comparing", "read": "reading", "write": "writing"}


@contextmanager
def progress() -> Generator[Watch]:
    """Something to tell how far a run is."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=show.err, transient=True, disable=not show.err.is_terminal) as bar:
        task = bar.add_task("starting")

        def watch(flow: str, stage: str, done: int) -> None:
            bar.update(task, description=f"{flow}: {STAGES.get(stage, stage)}, {done:,}")

        yield watch


@contextmanager
def reading() -> Generator[Callable[[int, str], None]]:
    """Something to tell how many services were read."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=show.err, transient=True, disable=not show.err.is_terminal) as bar:
        task = bar.add_task("reading the catalogue")

        def watch(read: int, service: str) -> None:
            bar.update(task, description=f"{read:,} services read; {service}")

        yield watch
