"""Stand-in IFS Cloud and Airbase servers, written from public facts alone.

One rule: nothing here shares code with the connector, so that one misreading is not made twice.
It must not know the connector.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ml_connector.sandbox.running import Sandbox, SandboxOptions, serve, start

__all__ = ["Sandbox", "SandboxOptions", "serve", "start"]


def __getattr__(name: str) -> Any:
    """Load the whole only when it is asked for, so that each part can be used without the others."""
    if name not in __all__:
        raise AttributeError(name)
    from ml_connector.sandbox import running

    return getattr(running, name)
