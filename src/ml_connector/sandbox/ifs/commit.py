"""One transaction of a request or changeset: all of it or nothing, and what the ledger says to it at its end.

Rule: a refusal by the ledger looks like any other of the database.
It must not know what is written.
"""

from collections.abc import Generator
from contextlib import contextmanager

from ml_connector.sandbox.ifs.errors import database
from ml_connector.sandbox.posting.draft import Unfit
from ml_connector.sandbox.posting.entry import settled
from ml_connector.sandbox.world import World


@contextmanager
def commit(world: World) -> Generator[None]:
    """All writes within, or none and a refusal."""
    try:
        with settled(world):
            yield
    except Unfit as unfit:
        raise database(400, 20110, str(unfit)) from unfit
