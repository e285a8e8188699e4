"""Which tables of a profile people edit row by row, and how each of their entries is written as texts.

Rule: a table says in a controller's words what it is for; what is in a cell comes back as it was.
Must not know: how rows are put in and taken away, how anything is shown.
"""

from collections.abc import Callable, Sequence
from typing import Any, cast

from ml_connector import flows
from ml_connector.errors import SettingsError
from ml_connector.flows.posting.rule_book import CONDITIONS
from ml_connector.wiring.tables import Column, Data, Fields, Table, placed

LIMITS = {
    "closed_period": "hold, next_open",
    "late_needs_approval": "yes, no",
    "rounding_max": "0.05",
    "duplicates": "off, warn, hold",
    "duplicate_tolerance": "0",
    "duplicate_days": "90",
    "user_group": "AC",
}


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
        alone=(first,),
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
        return placed(data, ("posting",), {**dict(entries), **posting})


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
        alone=("name", "company"),
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
        alone=("flow",),
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
        alone=("name",),
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
