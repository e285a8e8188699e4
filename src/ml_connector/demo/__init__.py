"""The main job on made-up systems: a stand-in IFS Cloud, a stand-in Airbase, what moves between them, and the console.

Rule: it shows what the product does with the product's own code; every figure is read off, none is written here.
Must not know: the inside of either stand-in.
"""

import tempfile
from contextlib import ExitStack
from pathlib import Path

from ml_connector import sandbox, wiring
from ml_connector.demo import company, looking, walk
from ml_connector.settings import Installation


def demo(*, stay: bool) -> None:
    """Show the main job, step by step, then the console; `stay`: until it is stopped.

    Raises: ConnectorError.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ml-connector-demo-")))
        installation = Installation(store=f"sqlite:///{folder / 'store.db'}")
        world = stack.enter_context(sandbox.start(company.made_up()))
        store = wiring.open_store(installation)
        stack.callback(store.close)
        company.connect(store, world)
        with wiring.joined(store, company.NAME) as both:
            walk.walk(store, both, world)
        looking.look(store, world, installation, stay=stay)
