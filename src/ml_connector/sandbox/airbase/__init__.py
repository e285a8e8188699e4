"""The Airbase half of the sandbox."""

from ml_connector.sandbox.airbase.options import AirbaseOptions
from ml_connector.sandbox.airbase.seed import Facts
from ml_connector.sandbox.airbase.site import AirbaseSite

__all__ = ["AirbaseOptions", "AirbaseSite", "Facts"]
