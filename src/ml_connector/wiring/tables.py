"""The tables of a profile that people edit row by row, as rows of texts and back.

Rule: a row that is not touched stays as it was written; whether the whole is right is for others to say.
Must not know: how anything is shown, where profiles are kept.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import msgspec

from ml_connector import flows
from ml_connector.errors import SettingsError
from ml_connector.flows.posting.rule_book import CONDITIONS

Data = dict[str, Any]
Fields = dict[str, str]
CELL_MAX = 500
LIMITS = {
    "closed_period": "hold, next_open",
    "late_needs_approval": "yes, no",
    "rounding_max": "0.05",
    "duplicates": "off, warn, hold",
    "duplicate_tolerance": "0",
    "duplicate_days": "90",
    "user_group": "AC",
}


class Column(msgspec.Struct, frozen=True):
    """A column: its name, its heading, an example, and what it may be (empty: any text)."""

    name: str
    title: str
    example: str = ""
    choices: tuple[str, ...] = ()
    needed: bool = False


class Table(msgspec.Struct, frozen=True):
    """A table: where it is in the profile, what it says, how its entries are written. `ordered`: the first that fits.

    `posting`: only where something is posted.
    """

    name: str
    title: str
    about: str
    place: tuple[str, ...]
    columns: tuple[Column, ...]
    entries: Callable[[Any], list[Any]]
    whole: Callable[[Sequence[Any]], Any]
    fields: Callable[[Any], Fields]
    entry: Callable[[Fields], Any]
    ordered: bool = False

    @property
    def posting(self) -> bool:
        """Whether it is about what is posted."""
        return self.place[0] == "posting"

    def of(self, data: Mapping[str, Any]) -> list[Any]:
        """The entries in a profile."""
        found: Any = data
        for part in self.place:
            found = _table(found).get(part, {})
        return self.entries(found)

    def put(self, data: Data, entries: Sequence[Any]) -> Data:
        """A profile with these entries instead."""
        return _put(data, self.place, self.whole(entries))

    def key(self, entry: Any) -> str:
        """What an entry is known by: its first column."""
        return self.fields(entry).get(self.columns[0].name, "")


def put_row(table: Table, data: Data, at: int | None, typed: Fields) -> Data:
    """A profile with a row changed, or one more. Raises: SettingsError."""
    made, entries = table.entry(_checked(table, typed)), table.of(data)
    others = [one for number, one in enumerate(entries) if number != at]
    if not table.ordered and table.name != "rate" and _identity(table, made) in [_identity(table, o) for o in others]:
        raise SettingsError(f"{table.title}: {table.key(made)} is there already; change that row")
    if at is None or at >= len(entries):
        return table.put(data, [*entries, made])
    entries[at] = made
    return table.put(data, entries)


def remove_row(table: Table, data: Data, at: int) -> Data:
    """A profile without a row."""
    return table.put(data, [one for number, one in enumerate(table.of(data)) if number != at])


def move_row(table: Table, data: Data, at: int, to: int) -> Data:
    """A profile with a row at another place; numbers begin at 0."""
    entries = table.of(data)
    if 0 <= at < len(entries):
        entries.insert(max(0, to), entries.pop(at))
    return table.put(data, entries)


def _identity(table: Table, entry: Any) -> tuple[str, str]:
    """What there may be one row for; an account's name may stand for another number in each company."""
    fields = table.fields(entry)
    return table.key(entry), fields.get("company", "") if table.name == "accounts" else ""


def _checked(table: Table, typed: Fields) -> Fields:
    given = {one.name: typed.get(one.name, "").strip() for one in table.columns}
    for one in table.columns:
        if one.needed and not given[one.name]:
            raise SettingsError(f"{one.title} is missing")
        if len(given[one.name]) > CELL_MAX or not given[one.name].isprintable():
            raise SettingsError(f"{one.title}: {CELL_MAX} characters at most, on one line")
        if one.choices and given[one.name] not in ("", *one.choices):
            raise SettingsError(f"{one.title}: one of {', '.join(one.choices)}")
    return given


def _put(data: Data, place: tuple[str, ...], value: Any) -> Data:
    if not place:
        return value
    first, *rest = place
    made = _put(_table(data.get(first)), tuple(rest), value)
    return {**{name: one for name, one in data.items() if name != first}, **({first: made} if made else {})}


def _table(found: Any) -> Data:
    return cast("Data", found) if isinstance(found, dict) else {}


def _pairs(found: Any) -> list[Any]:
    return list(cast("dict[str, Any]", found).items()) if isinstance(found, dict) else []


def _rows(found: Any) -> list[Any]:
    return list(cast("list[Any]", found)) if isinstance(found, list | tuple) else []


def _flat(name: str, title: str, about: str, place: str, columns: tuple[Column, Column]) -> Table:
    first, second = (one.name for one in columns)
    return Table(
        name,
        title,
        about,
        tuple(place.split(".")),
        columns,
        _pairs,
        dict,
        lambda pair: {first: str(pair[0]), second: str(pair[1])},
        lambda fields: (fields[first], fields[second]),
    )


def _listed(name: str, title: str, about: str, columns: tuple[Column, ...], *, ordered: bool = True) -> Table:
    return Table(name, title, about, ("posting", name), columns, _rows, list, _cells, _row, ordered)


def _cells(row: Any) -> Fields:
    return {name: _cell(value) for name, value in cast("dict[str, Any]", row).items()}


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}={one}" for name, one in cast("dict[str, Any]", value).items())
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in cast("list[Any]", value))
    return str(value)


def _row(fields: Fields) -> dict[str, Any]:
    return {name: _value(name, text) for name, text in fields.items() if text}


def _value(name: str, text: str) -> Any:
    if name == "parts":
        return dict(_part(one) for one in text.split(","))
    if name in ("kinds", "debit", "credit"):
        several = [one.strip() for one in text.split(",") if one.strip()]
        return several if len(several) != 1 else several[0]
    return text


def _part(text: str) -> tuple[str, str]:
    part, equals, value = (one.strip() for one in text.partition("="))
    if not (part and equals and value):
        raise SettingsError(f"code parts look like B=100, C=20; {text[:40]!r} does not")
    return part, value


def _names(found: Any) -> list[Any]:
    """Account names: shared ones, and those of a company."""
    listed: list[Any] = []
    for name, value in _pairs(found):
        own = isinstance(value, dict)
        listed += [(name, *pair) for pair in _pairs(value)] if own else [("", name, value)]
    return listed


def _named(entries: Sequence[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {name: value for company, name, value in entries if not company}
    for company, name, value in entries:
        if company:
            found.setdefault(company, {})[name] = value
    return found


def _gates(fields: Fields) -> tuple[str, dict[str, Any]]:
    own: dict[str, Any] = {}
    for name, read in (("change_share_max", float), ("deactivate_share_max", float), ("free_max", int)):
        if text := fields[name]:
            own[name] = _number(text, read)
    return fields["flow"], own


def _number(text: str, read: Callable[[str], Any]) -> Any:
    try:
        found = read(text)
    except ValueError:
        raise SettingsError(f"{text[:40]!r} is no number; shares look like 0.5, counts like 20") from None
    if not 0 <= found < 1e9:
        raise SettingsError(f"{text} is no share and no count")
    return found


def _limits(found: Any) -> list[Any]:
    return [(name, value) for name, value in _pairs(found) if name in LIMITS]


def _limit(fields: Fields) -> tuple[str, Any]:
    name, text = fields["name"], fields["value"]
    if name == "late_needs_approval":
        if text not in ("yes", "no"):
            raise SettingsError("Late postings need approval: yes or no")
        return name, text == "yes"
    return name, _number(text, int) if name == "duplicate_days" else text


def _limit_shown(pair: Any) -> Fields:
    value = pair[1]
    return {"name": pair[0], "value": ("yes" if value else "no") if isinstance(value, bool) else str(value)}


class _Limits(Table, frozen=True):
    """The scalars of `[posting]`, which has more in it."""

    def put(self, data: Data, entries: Sequence[Any]) -> Data:
        """A profile with these limits."""
        posting = {name: value for name, value in data.get("posting", {}).items() if name not in LIMITS}
        return _put(data, ("posting",), {**dict(entries), **posting})


_PER_COMPANY = Column("company", "Company", "10, or * for the others", needed=True)
TABLES: tuple[Table, ...] = (
    _flat(
        "subsidiaries",
        "Companies",
        "Which Airbase subsidiary stands for which IFS company.",
        "mapping.subsidiaries",
        (
            Column("company", "IFS company", "10", needed=True),
            Column("value", "Airbase subsidiary", "SUB-10", needed=True),
        ),
    ),
    _flat(
        "payment_terms",
        "Payment terms",
        "What an IFS payment term is in Airbase. Empty: terms are left alone.",
        "mapping.payment_terms",
        (Column("term", "IFS term", "30", needed=True), Column("value", "Airbase terms", "Net 30", needed=True)),
    ),
    _flat(
        "dimensions",
        "Dimensions",
        "Into which code part the tags of a label go.",
        "mapping.dimensions",
        (
            Column("label", "Label of the tag", "Project", needed=True),
            Column("value", "Code part", "B", tuple("BCDEFGHIJ"), needed=True),
        ),
    ),
    Table(
        "accounts",
        "Named accounts",
        "What the names in the rules stand for: for all companies, or for one.",
        ("posting", "accounts"),
        (
            Column("name", "Name", "bank", needed=True),
            Column("company", "Only company", "10"),
            Column("account", "Account", "1920", needed=True),
        ),
        _names,
        _named,
        lambda one: {"company": one[0], "name": one[1], "account": str(one[2])},
        lambda fields: (fields["company"], fields["name"], fields["account"]),
    ),
    _listed(
        "account",
        "Accounts of lines",
        "To which account a line goes. The first row counts whose conditions are all met; one without any takes all.",
        (
            *(Column(name, name.capitalize() if name != "given" else "Account in Airbase") for name in CONDITIONS),
            Column("account", "Goes to account", "6300, a name, or given", needed=True),
            Column("parts", "Code parts", "B=100, C=20"),
        ),
    ),
    _listed(
        "rule",
        "Posting rules",
        "Between which accounts a document moves. The first that takes it counts; without any, the built-in ones do.",
        (
            Column("name", "Name", "Bill", needed=True),
            Column("kinds", "Kinds", "bill, virtual_card_*", needed=True),
            Column("of", "Only of a", "", ("request", "bill")),
            Column("debit", "Debit", "lines", needed=True),
            Column("credit", "Credit", "document.payable, payable", needed=True),
            Column("fee", "Fees to", "fees"),
            Column("exchange", "Exchange to", "exchange"),
            Column("rounding", "Rounding to", "rounding"),
            Column("negative", "A negative amount", "", ("swap", "hold")),
        ),
    ),
    _listed(
        "rate",
        "Rates",
        "Where Airbase gives no rate.",
        (
            Column("from", "One unit of", "EUR", needed=True),
            Column("to", "Costs in", "NOK", needed=True),
            Column("rate", "Rate", "11.52", needed=True),
            Column("on", "From the day", "2026-07-01", needed=True),
            Column("source", "Source", "Norges Bank", needed=True),
        ),
        ordered=False,
    ),
    Table(
        "gate",
        "Gates",
        "Above these shares of what is in Airbase a plan waits for approval; up to so many records no share counts.",
        ("gate",),
        (
            Column("flow", "Flow", "", tuple(flows.FLOWS), needed=True),
            Column("change_share_max", "Share changed", "0.5"),
            Column("deactivate_share_max", "Share switched off", "0.05"),
            Column("free_max", "Records free", "20"),
        ),
        _pairs,
        dict,
        lambda pair: {"flow": pair[0], **{name: str(value) for name, value in pair[1].items() if value is not None}},
        _gates,
    ),
    _Limits(
        "limits",
        "Limits of posting",
        "When documents wait: " + ", ".join(f"{name} ({example})" for name, example in LIMITS.items()) + ".",
        ("posting",),
        (Column("name", "Limit", "", tuple(LIMITS), needed=True), Column("value", "Value", "hold", needed=True)),
        _limits,
        dict,
        _limit_shown,
        _limit,
    ),
    _flat(
        "amount_max",
        "Largest voucher",
        "A voucher above this waits, in company currency.",
        "posting.amount_max",
        (_PER_COMPANY, Column("value", "At most", "50000.00", needed=True)),
    ),
    _flat(
        "voucher_types",
        "Voucher types",
        "Which voucher type a company's vouchers get.",
        "posting.voucher_types",
        (_PER_COMPANY, Column("value", "Voucher type", "M", needed=True)),
    ),
)
BY_NAME = {one.name: one for one in TABLES}
