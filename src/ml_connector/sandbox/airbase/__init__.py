"""The Airbase half of the sandbox."""

from ml_connector.sandbox.airbase.facts import Facts
from ml_connector.sandbox.airbase.options import AirbaseOptions, HookOptions, SpendOptions
from ml_connector.sandbox.airbase.site import AirbaseSite

__all__ = ["AirbaseOptions", "AirbaseSite", "Facts", "HookOptions", "SpendOptions"]
