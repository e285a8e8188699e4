"""The target of each resource that records can be sent to.

Rule: what is made and changed as a whole has one kind of target; what is only told something has one of its own.
Must not know: flows.
"""

from collections.abc import Callable

from ml_connector.sync.ports import Target
from ml_connector.systems.airbase.acknowledging import AcknowledgementTarget
from ml_connector.systems.airbase.client import AirbaseClient
from ml_connector.systems.airbase.target import AirbaseTarget
from ml_connector.systems.airbase.vendor_ids import VendorIdTarget

_OF_THEIR_OWN: dict[str, Callable[[AirbaseClient], Target]] = {
    "acknowledgements": AcknowledgementTarget,
    "vendor_ids": VendorIdTarget,
}


def target_of(client: AirbaseClient, resource: str) -> Target:
    """The target of a resource. Raises: SettingsError when nothing can be sent there."""
    own = _OF_THEIR_OWN.get(resource)
    return own(client) if own else AirbaseTarget(client, resource)
