"""The command line.

Rule: a command calls `wiring`, shows what came back and ends with an exit code; it decides nothing.
Must not know: SQL, HTTP.
"""

from ml_connector.cli.app import main

__all__ = ["main"]
