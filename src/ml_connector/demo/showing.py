"""The whole demo, from the systems to the console.

Rule: whatever it starts ends with it, and nothing is kept.
Must not know: what is shown.
"""

import tempfile
from contextlib import ExitStack
from pathlib import Path

from ml_connector import sandbox, wiring
from ml_connector.demo import company, looking, walk
from ml_connector.settings import Installation


def demo(*, stay: bool, details: bool = False) -> None:
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
            walk.walk(store, both, world, details=details)
        looking.look(store, world, installation, stay=stay)
