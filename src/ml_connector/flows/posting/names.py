"""Names of accounts: what each stands for in each company.

Rule: a name leads to a number, directly or by other names, and never in a circle; a number has a digit.
Must not know: rules.
"""

from collections.abc import Mapping
from typing import Any

from ml_connector.errors import SettingsError
from ml_connector.flows.posting import written
from ml_connector.flows.posting.rules import GIVEN, OF_DOCUMENT, REST

PLACE = "posting.accounts"
Names = Mapping[str, Mapping[str, str]]


def account_names(raw: Any, companies: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """What names stand for, by company that has its own, and `*` for the rest.

    Raises: SettingsError.
    """
    table = written.table(PLACE, raw)
    own: dict[str, Any] = {company: value for company, value in table.items() if isinstance(value, Mapping)}
    shared = _texts(PLACE, {name: value for name, value in table.items() if name not in own})
    found = {REST: _resolved(PLACE, shared, shared)}
    for company, value in own.items():
        written.known(PLACE, company, tuple(companies), "company in [mapping.subsidiaries]")
        place = f"{PLACE}.{company}"
        here = _texts(place, written.table(place, value))
        found[company] = _resolved(place, {**shared, **here}, here) | _resolved(PLACE, {**shared, **here}, shared)
    return found


def account_of_lines(place: str, value: Any, names: Names) -> str:
    """The account of an account rule: a number, a name, or `given`.

    Raises: SettingsError.
    """
    account = written.text(place, value)
    every = tuple(dict.fromkeys(name for own in names.values() for name in own))
    if account == GIVEN or _is_number(account):
        return account
    return written.known(place, account, every, "account name")


def _texts(place: str, table: Mapping[str, Any]) -> dict[str, str]:
    for name in table:
        if name in (*OF_DOCUMENT, GIVEN, REST):
            raise SettingsError(f'{place}: "{name}" has a meaning of its own; give the account another name')
    return {name: written.text(f"{place}.{name}", value) for name, value in table.items()}


def _resolved(place: str, names: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    return {name: _follow(place, names, name) for name in wanted}


def _follow(place: str, names: Mapping[str, str], name: str) -> str:
    way, value = [name], names[name]
    while value in names:
        if value in way:
            raise SettingsError(f"{place}.{name}: the names go in a circle: {' → '.join([*way, value])}")
        way.append(value)
        value = names[value]
    if not _is_number(value):
        written.known(f"{place}.{name}", value, tuple(names), "account name")
    return value


def _is_number(value: str) -> bool:
    return any(character.isdigit() for character in value)
