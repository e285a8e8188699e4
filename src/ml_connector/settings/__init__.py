"""Settings: where the store is, and what a connection is made of.

Rule: everything is checked when it is read; a mistake names the setting and the nearest one that exists.
Must not know: how a setting is used. Secrets are not settings: they go straight to the vault.
"""

from ml_connector.settings.alerting import Alerts
from ml_connector.settings.connections import Airbase, Connection, Further, Ifs, check_move, connection
from ml_connector.settings.environment import Installation, installation, key_file, person, store_file
from ml_connector.settings.profiles import (
    PROFILE_BYTES_MAX,
    Gate,
    Invoices,
    Mapping,
    Profile,
    Terms,
    Web,
    check_profile,
    profile,
    read_profile,
)
from ml_connector.settings.texts import HERE, clock, origin, span, zone

__all__ = [
    "HERE",
    "PROFILE_BYTES_MAX",
    "Airbase",
    "Alerts",
    "Connection",
    "Further",
    "Gate",
    "Ifs",
    "Installation",
    "Invoices",
    "Mapping",
    "Profile",
    "Terms",
    "Web",
    "check_move",
    "check_profile",
    "clock",
    "connection",
    "installation",
    "key_file",
    "origin",
    "person",
    "profile",
    "read_profile",
    "span",
    "store_file",
    "zone",
]
