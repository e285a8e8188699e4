"""The sandbox's stand-in for IFS Cloud."""

from ml_connector.sandbox.ifs.options import IfsOptions
from ml_connector.sandbox.ifs.site import IfsSite

__all__ = ["IfsOptions", "IfsSite"]
