"""Placeholder until the comparison is there; to be overwritten."""

from collections.abc import Callable

from ml_connector.compare.tieout.shapes import Line, TieOut
from ml_connector.errors import SettingsError
from ml_connector.wiring.joined import Joined, Watch, unwatched


def tie_out(
    both: Joined, period: str, *, watch: Watch = unwatched, each: Callable[[Line], None] | None = None
) -> TieOut:
    """Count and sum both sides of a period."""
    raise SettingsError(f"not yet: {both.stored.name} {period} {watch} {each}")
