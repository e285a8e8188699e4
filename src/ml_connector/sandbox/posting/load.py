"""Loads of external vouchers: what may be changed when, the check, and the vouchers that are made of them.

Rule: a load is made into vouchers whole or not at all, and only as it was checked.
It must not know HTTP or files.
"""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from ml_connector.sandbox.posting.amounts import in_company_currency
from ml_connector.sandbox.posting.books import Books
from ml_connector.sandbox.posting.draft import Draft, DraftRow, Flaw, Unfit
from ml_connector.sandbox.posting.hold import REFERENCE, USER, demand_none, parts_of
from ml_connector.sandbox.posting.rules import flaws, period_of
from ml_connector.sandbox.posting.series import allot
from ml_connector.sandbox.world import World
from ml_connector.sandbox.world.ledger import CODE_PARTS
from ml_connector.sandbox.world.vouchers import HOLD, HOLD_ROW, LOAD, TRANSACTION

ERROR_TEXT_MAX = 2000
_COPIED = ("Company", "Account", *(f"Code{part}" for part in CODE_PARTS), "CurrencyCode", "Text", "PartyTypeId")
_SAME = ("TransactionDate", "VoucherType", "UserGroup", *REFERENCE)
Values = dict[str, Any]


class Group(NamedTuple):
    """The transactions that become one voucher, that voucher as it is checked, and what is wrong with it."""

    rows: list[Values]
    draft: Draft | None
    flaws: list[Flaw]


def new_load(world: World, values: Values) -> Values:
    """A load with all that IFS adds to it."""
    if Books(world).load_type(values["Company"], values["LoadType"]) is None:
        raise Unfit("ExtLoadType.NOTEXIST", f"The load type {values['LoadType']} does not exist.")
    numbers = [int(row["LoadId"]) for row in world.below(LOAD, (values["Company"],)) if row["LoadId"].isdigit()]
    given = values.get("LoadDate") or world.now().date()
    return {"LoadId": str(max(numbers, default=0) + 1), **values, "LoadDate": given, "Userid": USER}


def demand_changeable(load: Values) -> None:
    """Refuse a change of a load that was made into vouchers."""
    if load["LoadState"] == "Created":
        raise Unfit("ExtLoadInfo.CREATED", f"The load {load['LoadId']} was created and cannot be changed.")


def touch(world: World, transaction: Values) -> None:
    """Note that a transaction comes, changes or goes: its load has to be checked again."""
    key = (transaction["Company"], transaction["LoadId"])
    load = world.get(LOAD, key)
    if load is not None:
        demand_changeable(load)
        if load["LoadState"] != "Loaded":
            world.update(LOAD, key, {"LoadState": "Loaded"})


def check(world: World, load: Values) -> None:
    """Say what is wrong with each transaction, and whether the load may be made into vouchers."""
    demand_changeable(load)
    groups = _groups(world, load, Books(world))
    for group in groups:
        _tell(world, group)
    state = "Failed" if any(group.flaws for group in groups) else "Checked"
    world.update(LOAD, (load["Company"], load["LoadId"]), {"LoadState": state})


def create(world: World, load: Values) -> int:
    """Make a checked load into vouchers in the hold table; how many."""
    demand_changeable(load)
    if load["LoadState"] != "Checked":
        raise Unfit("ExtLoadInfo.NOTCHECKED", f"The load {load['LoadId']} is {load['LoadState']}, not Checked.")
    books = Books(world)
    groups = _groups(world, load, books)
    demand_none([flaw for group in groups for flaw in group.flaws])
    for group in groups:
        _make(world, group, books)
    world.update(LOAD, (load["Company"], load["LoadId"]), {"LoadState": "Created"})
    return len(groups)


def _groups(world: World, load: Values, books: Books) -> list[Group]:
    rows = world.below(TRANSACTION, (load["Company"], load["LoadId"]))
    if not rows:
        raise Unfit("ExtLoadInfo.EMPTY", f"The load {load['LoadId']} has no transactions.")
    kind = books.load_type(load["Company"], load["LoadType"]) or {}
    found: dict[str | None, list[Values]] = defaultdict(list)
    for row in rows:
        usual = {name: row[name] or kind.get(name) for name in ("VoucherType", "UserGroup")}
        found[row["LoadGroupItem"]].append({**row, **usual})
    return [_group(item, members, books) for item, members in found.items()]


def _group(item: str | None, rows: list[Values], books: Books) -> Group:
    if wrong := _group_flaws(item, rows):
        return Group(rows, None, wrong)
    found: list[Flaw] = []
    drafts: list[DraftRow] = []
    for at, row in enumerate(rows):
        try:
            drafts.append(_draft_row(row, books))
        except Unfit as unfit:
            code, _, text = str(unfit).partition(": ")
            found.append(Flaw(code, text, at))
    first = rows[0]
    draft = Draft(
        first["Company"],
        first["VoucherType"],
        first["UserGroup"],
        first["TransactionDate"],
        None,
        drafts,
        first["Text"],
    )
    return Group(rows, draft, found or flaws(draft, books))


def _group_flaws(item: str | None, rows: list[Values]) -> list[Flaw]:
    if item is None:
        return [Flaw("ExtTransactions.NOGROUPITEM", "The transaction has no load group item.")]
    first = rows[0]
    found = [name for name in _SAME if any(row[name] != first[name] for row in rows)]
    unlike = [Flaw("ExtTransactions.UNLIKE", f"{name} is not the same throughout {item}.") for name in found]
    missing = [name for name in ("TransactionDate", "VoucherType", "UserGroup") if first[name] is None]
    return [*unlike, *(Flaw("ExtTransactions.NOVALUE", f"{name} must have a value.") for name in missing)]


def _draft_row(row: Values, books: Books) -> DraftRow:
    amount, own = row["CurrencyAmount"], row["Amount"]
    if amount is not None and own is None:
        own = in_company_currency(amount, row["CurrencyCode"], row["CurrencyRate"], books.currency(row["Company"]))
    return DraftRow(row["Account"], parts_of(row), row["CurrencyCode"], amount, own, row["Text"])


def _tell(world: World, group: Group) -> None:
    for at, row in enumerate(group.rows):
        said = "; ".join(str(flaw) for flaw in group.flaws if flaw.row in (None, at))[:ERROR_TEXT_MAX] or None
        if said != row["ErrorText"]:
            world.update(TRANSACTION, (row["Company"], row["LoadId"], row["RecordNo"]), {"ErrorText": said})


def _make(world: World, group: Group, books: Books) -> None:
    draft, first = group.draft, group.rows[0]
    period = period_of(draft, books) if draft is not None else None
    if draft is None or period is None:
        raise Unfit("ExtLoadInfo.NOTCHECKED", "The load has to be checked again.")
    kind = books.voucher_type(draft.company, draft.voucher_type) or {}
    key: Values = {
        "Company": draft.company,
        "VoucherType": draft.voucher_type,
        "AccountingYear": period.year,
        "VoucherNo": allot(world, draft.company, draft.voucher_type, period.year),
    }
    head = {
        "VoucherDate": draft.dated_on,
        "AccountingPeriod": period.number,
        "UserGroup": draft.user_group,
        "VoucherText": draft.text,
        "VoucherStatus": "AwaitingApproval",
        "EntryDate": world.now().date(),
        "Userid": USER,
        "FunctionGroup": kind.get("VoucherGroup"),
    }
    reference = {name: first[name] for name in REFERENCE}
    world.insert(HOLD, {**key, **head, **reference})
    _make_rows(world, {**key, **reference}, group.rows, draft.rows, books.currency(draft.company))


def _make_rows(
    world: World, common: Values, rows: Sequence[Values], drafts: Sequence[DraftRow], company_currency: str
) -> None:
    for at, (row, draft) in enumerate(zip(rows, drafts, strict=True), 1):
        one = Decimal(1) if draft.currency == company_currency else None
        copied = {name: row[name] for name in _COPIED}
        rate = {"CurrencyRate": one if row["CurrencyRate"] is None else row["CurrencyRate"]}
        world.insert(HOLD_ROW, {**copied, **rate, **_sides(draft), **common, "RowNo": Decimal(at)})


def _sides(draft: DraftRow) -> Values:
    amount, own = draft.amount or Decimal(0), draft.company_amount or Decimal(0)
    if (own or amount) >= 0:
        return {"CurrencyDebetAmount": amount, "DebetAmount": own}
    return {"CurrencyCreditAmount": -amount, "CreditAmount": -own}
