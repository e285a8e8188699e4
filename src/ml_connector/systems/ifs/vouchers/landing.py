"""How vouchers land in a tenant: by a load of external vouchers, as manual vouchers, or by a file.

Rule: every setting has a default; a name nobody knows is refused with the nearest known one.
Must not know: requests, vouchers.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from ml_connector.errors import SettingsError
from ml_connector.records.ledger import CODE_PARTS
from ml_connector.systems.ifs.nearest import nearest

WHERE = "posting.landing"
# Source: docs/reference/assumed.md, template STDVOU; columns are counted from 0.
STDVOU = {
    "item": 0,
    "year": 1,
    "account": 2,
    **{f"code_{part.lower()}": place for place, part in enumerate(CODE_PARTS, 3)},
    "currency": 12,
    "amount": 15,
    "company_amount": 18,
    "text": 24,
    "date": 31,
}
EXTRA_COLUMNS = ("type", "group", "party", "serie", "reference")
SEPARATORS = "; , | ^ ~ \t"  # none of them is ever part of a number, a date or a reference
_SERIE = re.compile(r"[A-Za-z0-9_-]{1,50}")
_SIZES = {"rows_max": (2, 100_000), "vouchers_per_load": (1, 1000)}
_LENGTHS = {"load_type": (1, 20), "user_group": (1, 30), "reverse_text": (1, 60)}
_COLUMN_MAX = 500


class Landing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The settings of a landing.

    `voucher_types`: company (or `*`) to voucher type; "": that of the load type. `layout`: which column of a file holds
    what, where that differs from STDVOU. `serie`: the reference serie that marks vouchers as ours.
    """

    kind: Literal["external", "manual", "file"] = "external"
    load_type: str = "AIRBASE"
    user_group: str = "AC"
    voucher_types: dict[str, str] = {}
    folder: str = ""
    layout: dict[str, int] = {}
    separator: str = ";"
    rows_max: int = 5000
    vouchers_per_load: int = 200
    serie: str = "AIRBASE"
    reverse_text: str = "Reversal of"

    def voucher_type(self, company: str) -> str:
        """The voucher type of a company; "" leaves it to the load type."""
        usual = "M" if self.kind == "manual" else ""
        return self.voucher_types.get(company, self.voucher_types.get("*", usual))

    @property
    def columns(self) -> dict[str, int]:
        """Which column of a file holds what."""
        return {**STDVOU, **self.layout}

    @property
    def refers(self) -> bool:
        """Whether vouchers carry their reference in the fields for it; else their texts begin with it."""
        return self.kind != "file" or {"serie", "reference"} <= self.layout.keys()


def landing(raw: Mapping[str, Any]) -> Landing:
    """The landing that a profile's table says.

    Raises: SettingsError that names the key, and for an unknown one the nearest known.
    """
    _known(WHERE, raw, Landing.__struct_fields__)
    try:
        found = msgspec.convert(dict(raw), Landing)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{WHERE}: {error}") from None
    _check_sizes(found)
    _check_types(found)
    _check_file(found)
    return found


def _known(where: str, given: Iterable[str], known: Iterable[str]) -> None:
    known = tuple(known)
    for name in given:
        if name not in known:
            raise SettingsError(f"{where}.{name} is not known; nearest: {nearest(name, known)}")


def _check_sizes(found: Landing) -> None:
    for name, (least, most) in _SIZES.items():
        if not least <= getattr(found, name) <= most:
            raise SettingsError(f"{WHERE}.{name} should be from {least} to {most}")
    for name, (least, most) in _LENGTHS.items():
        value = getattr(found, name)
        if not least <= len(value) <= most or value != " ".join(value.split()):
            raise SettingsError(f"{WHERE}.{name} should be a text of {least} to {most} characters")
    if not _SERIE.fullmatch(found.serie):
        raise SettingsError(f"{WHERE}.serie should be up to 50 letters, digits, hyphens and underscores")


def _check_types(found: Landing) -> None:
    least = 1 if found.kind == "manual" else 0
    for company, code in found.voucher_types.items():
        if not least <= len(code) <= 3 or code != code.strip():
            raise SettingsError(f"{WHERE}.voucher_types.{company}: {code!r} is no voucher type")


def _check_file(found: Landing) -> None:
    if found.kind == "file" and not found.folder:
        raise SettingsError(f"{WHERE}.folder is needed where vouchers go by file")
    if found.folder and not found.folder.startswith("/"):
        raise SettingsError(f"{WHERE}.folder should be a full path such as /var/lib/ml-connector/vouchers")
    if found.separator == " " or len(found.separator) != 1 or found.separator not in SEPARATORS:
        raise SettingsError(f"{WHERE}.separator should be one of {' '.join(SEPARATORS.split())} or a tab")
    _known(f"{WHERE}.layout", found.layout, (*STDVOU, *EXTRA_COLUMNS))
    taken: dict[int, str] = {}
    for name, column in found.columns.items():
        if not 0 <= column <= _COLUMN_MAX:
            raise SettingsError(f"{WHERE}.layout.{name} should be from 0 to {_COLUMN_MAX}")
        if column in taken:
            raise SettingsError(f"{WHERE}.layout.{name}: column {column} holds {taken[column]} already")
        taken[column] = name
    if "serie" in found.layout and "reference" not in found.layout:
        raise SettingsError(f"{WHERE}.layout.serie is of use only beside landing.layout.reference")
