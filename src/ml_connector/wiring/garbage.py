"""How often Python looks for garbage that refers to itself.

Rule: set once, by whoever starts a process; it changes how long a run takes, and nothing else.
Must not know: what the process does.
"""

import gc

OBJECTS = 20_000  # that are made before Python looks; its own 700 are reached many times within one page of rows


def collect_rarely() -> None:
    """Look less often: rows make no such garbage, and looking among them costs up to a fifth of a run's time."""
    gc.set_threshold(OBJECTS)
