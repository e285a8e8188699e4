"""A port for a server that is started later, or again and again.

Rule: it lies below those that the system itself gives to whoever connects, so that nobody has it by then.
Must not know: who will listen.
"""

import random
import socket
from contextlib import suppress

BELOW = range(20_000, 32_000)
TRIES_MAX = 100


def free_port() -> int:
    """A port of this machine where nobody listens."""
    for port in random.SystemRandom().sample(BELOW, TRIES_MAX):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError(f"somebody listens at each of {TRIES_MAX} ports")
