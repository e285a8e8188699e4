"""A connection's profile, read by those who know what is in it.

Rule: all of it is checked at once, so that a mistake is found when the connection is made.
Must not know: stores, how anything is shown.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from ml_connector.errors import SettingsError
from ml_connector.flows.posting.rule_book import rule_book
from ml_connector.flows.posting.rules import RuleBook
from ml_connector.settings import Connection, Profile, check_profile
from ml_connector.sync.flow import Tables
from ml_connector.systems.airbase import profile as airbase_profile
from ml_connector.systems.ifs import loading as ifs_loading
from ml_connector.systems.ifs import profile as ifs_profile
from ml_connector.systems.ifs.vouchers.landing import Landing, landing
from ml_connector.wiring import choice, further

LANDING = "landing"  # the one table of [posting] that is about IFS


class Read(msgspec.Struct, frozen=True):
    """What a profile comes to; `rules` and `landing` None: nothing is posted. `further`: names by further system."""

    ifs: ifs_profile.Profile
    airbase: airbase_profile.Profile
    rules: RuleBook | None
    landing: Landing | None
    further: Mapping[str, Any] = {}

    def tables(self, connection: Connection) -> Tables:
        """The mapping tables as flows get them."""
        profile = connection.profile
        mapping = profile.mapping
        return Tables(
            mapping.subsidiaries,
            mapping.payment_terms,
            mapping.dimensions,
            self.rules,
            profile.payment_terms.conflict,
            profile.new_vendors or "hold",
        )


def read(connection: Connection) -> Read:
    """A connection's profile, all of it checked.

    Raises: SettingsError.
    """
    profile = connection.profile
    check_profile(profile)
    further.known(connection.systems)
    further.known(profile.systems)
    for by_flow in (profile.gate, profile.alerts.dead_man, profile.web.ifs, profile.web.airbase):
        choice.known(by_flow)
    own = landed(profile)
    rules = _rules(connection, own) if own else None
    named = {name: further.SYSTEMS[name].load(profile.systems.get(name, {})) for name in connection.systems}
    return Read(ifs_loading.load(profile.ifs), airbase_profile.load(profile.airbase), rules, own, named)


def landed(profile: Profile) -> Landing | None:
    """How it says that vouchers land in IFS; None: nothing is posted. Raises: SettingsError."""
    return landing(_table(profile.posting.get(LANDING, {}))) if profile.posting else None


def _rules(connection: Connection, own: Landing) -> RuleBook:
    """The rule book; user group and voucher types are those of the landing."""
    mapping = connection.profile.mapping
    usual = {"user_group": own.user_group, "voucher_types": own.voucher_types}
    raw = usual | {name: value for name, value in connection.profile.posting.items() if name != LANDING}
    return rule_book(raw, subsidiaries=mapping.subsidiaries, dimensions=mapping.dimensions)


def _table(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise SettingsError(f"posting.{LANDING} should be a table")
    return given  # pyright: ignore[reportUnknownVariableType] - checked by its reader
