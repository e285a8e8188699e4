"""What should stand in the general ledger, worked out from Airbase's JSON and IFS's tables alone.

A document comes to one of: posted (with rows), not due, held (with the groups of causes that would explain it).
Amounts are exact decimals, debit positive.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any, NamedTuple

import expected

from ml_connector.sandbox import Sandbox

EXACT = Context(prec=200)
ZERO = Decimal(0)
DECIMALS = {"JPY": 0, "KWD": 3}
CURRENCIES = {"USD", "EUR", "GBP", "SEK", "NOK", "JPY", "KWD"}
LISTS = {"purchase_requests": "purchase_request", "payments": "payment", "ledger_entries": ""}
DEFAULT_RULES: tuple[dict[str, Any], ...] = (
    {"kinds": ["purchase_request"], "debit": "lines", "credit": "accrual"},
    {"kinds": ["payment"], "of": "request", "debit": "accrual", "credit": ["document.bank", "bank"]},
    {"kinds": ["payment"], "debit": "payable", "credit": ["document.bank", "bank"]},
    {"kinds": ["bill"], "debit": "lines", "credit": ["document.payable", "payable"]},
    {"kinds": ["bill_payment"], "debit": ["document.payable", "payable"], "credit": ["document.bank", "bank"]},
    {"kinds": ["bill_payment_load"], "debit": "bill_clearing", "credit": ["document.bank", "bank"]},
    {"kinds": ["bill_payment_unload"], "debit": ["document.bank", "bank"], "credit": "bill_clearing"},
    {
        "kinds": ["virtual_card_*", "physical_card_*"],
        "debit": "lines",
        "credit": ["document.bank", "card_clearing"],
        "negative": "swap",
    },
    {"kinds": ["ach_load"], "debit": "card_clearing", "credit": ["document.bank", "bank"]},
    {"kinds": ["reimbursement"], "debit": "lines", "credit": ["document.payable", "employee_payable"]},
    {
        "kinds": ["reimbursement_payment"],
        "debit": ["document.payable", "employee_payable"],
        "credit": ["document.bank", "bank"],
    },
)


class Row(NamedTuple):
    """A voucher row without its texts."""

    account: str
    parts: tuple[tuple[str, str], ...]
    currency: str
    amount: Decimal
    own: Decimal  # in the company's currency


class Place(NamedTuple):
    """Where a sum belongs."""

    company: str
    account: str
    currency: str
    period: tuple[int, int]


@dataclass
class Outcome:
    """What a document should come to; `rows` also where only the state of the ledger holds it back."""

    state: str  # posted, not_due, held
    causes: frozenset[str] = frozenset()
    company: str = ""
    on: date = date.min
    rows: Counter[Row] = field(default_factory=Counter[Row])
    guarded: bool = False  # held by the state of the ledger alone


class Stop(Exception):
    """The document can't be made a voucher of."""


@dataclass(frozen=True)
class Books:
    """What IFS knows, and the rules of the connection."""

    posting: Mapping[str, Any]
    subsidiaries: Mapping[str, str]  # company to subsidiary
    dimensions: Mapping[str, str]
    currencies: Mapping[str, str]
    accounts: Mapping[tuple[str, str], dict[str, Any]]
    values: Mapping[tuple[str, str, str], dict[str, Any]]
    periods: Mapping[str, list[dict[str, Any]]]
    suppliers: frozenset[str]

    def company(self, subsidiary: str) -> str:
        """The company of a subsidiary; "" for none."""
        return next((company for company, there in self.subsidiaries.items() if there == subsidiary), "")

    def account(self, company: str, name: str) -> str:
        """The account that a name stands for in a company."""
        table = self.posting.get("accounts", {})
        seen: set[str] = set()
        while not name.isdigit():
            assert name not in seen, f"{name} goes in circles"
            seen.add(name)
            own = table.get(company, {})
            name = own.get(name) or table.get(name) or ""
            if not name:
                raise Stop("unnamed")
        return name

    def period(self, company: str, day: date) -> dict[str, Any] | None:
        """The ordinary period of a day."""
        for row in self.periods[company]:
            if row["AccountingPeriod"] <= 12 and row["DateFrom"] <= day <= row["DateUntil"]:
                return row
        return None


def books(box: Sandbox, posting: Mapping[str, Any], today: date, dimensions: Mapping[str, str]) -> Books:
    """The books as the sandbox has them now."""
    rows, world = box.world.rows, expected.SUBSIDIARIES
    periods: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows("AccountingPeriodSet"):
        periods[row["Company"]].append(row)
    return Books(
        posting,
        world,
        dimensions,
        {row["Company"]: row["CurrencyCode"] for row in rows("CompanySet")},
        {(row["Company"], row["Account"]): row for row in rows("Reference_Account")},
        {
            (row["Company"], part, row[f"Code{part}"]): row
            for part in "BCDEFGHIJ"
            for row in rows(f"Reference_Code{part}")
        },
        periods,
        frozenset(expected.vendors(box, today)),
    )


def documents(box: Sandbox, name: str) -> dict[str, dict[str, Any]]:
    """The documents of a list by id, as JSON."""
    return {row["id"]: row for row in box.airbase_rows(name)}


def outcomes(box: Sandbox, name: str, there: Books) -> dict[str, Outcome]:
    """What each document of a list should come to."""
    return {key: outcome(name, row, there) for key, row in documents(box, name).items()}


# Documents


@dataclass
class Doc:
    """A document as far as posting goes."""

    kind: str
    state: str  # due, standing (need not be there, may stay), withdrawn
    day: date | None
    subsidiary: str
    currency: str
    amount: Decimal
    own: Decimal | None  # in the company's currency
    rate: Decimal | None
    settled: tuple[Decimal, str] | None
    fee: Decimal
    vendor: dict[str, Any] | None
    category: str
    type: str
    request: bool
    bill: bool
    bank: str
    payable: str
    lines: list[dict[str, Any]]
    tags: list[dict[str, Any]]


def doc(name: str, raw: Mapping[str, Any]) -> Doc:
    """A document from its JSON."""
    return {"purchase_requests": _request, "payments": _payment, "ledger_entries": _entry}[name](raw)


def _request(raw: Mapping[str, Any]) -> Doc:
    states = {"approved": "due", "archived": "standing"}
    return Doc(
        kind="purchase_request",
        state=states.get(raw["status"], "withdrawn"),
        day=_day(raw["approved_at"]),
        amount=Decimal(raw["total_amount"]),
        settled=None,
        fee=ZERO,
        type=raw["type"],
        request=False,
        bill=False,
        bank="",
        payable="",
        lines=raw["lines"],
        tags=raw["tags"],
        category=raw["category"] or "",
        **_shared(raw),
    )


def _payment(raw: Mapping[str, Any]) -> Doc:
    settled = raw["settlement_amount"]
    return Doc(
        kind="payment",
        state="due" if raw["status"] == "settled" else "withdrawn",
        day=_day(raw["paid_at"]),
        amount=Decimal(raw["amount"]),
        settled=(Decimal(settled), raw["settlement_currency"]["iso_code"]) if settled is not None else None,
        fee=Decimal(raw["fee"] or 0),
        type=raw["type"],
        request=bool(raw["request_id"]),
        bill=bool(raw["bill_ids"]),
        bank=_reference(raw["bank_account"]),
        payable="",
        lines=[],
        tags=raw["tags"],
        category="",
        **_shared(raw),
    )


def _shared(raw: Mapping[str, Any]) -> dict[str, Any]:
    own, rate = raw["subsidiary_amount"], raw["exchange_rate"]
    return {
        "subsidiary": raw["subsidiary"]["erp_reference_id"],
        "currency": raw["currency"]["iso_code"],
        "own": Decimal(own["amount"]) if own else None,
        "rate": Decimal(rate["rate"]) if rate else None,
        "vendor": raw["vendor"],
    }


def _entry(raw: Mapping[str, Any]) -> Doc:
    amounts = raw["amounts"]
    own, settled = amounts["subsidiary_amount"], amounts["settlement_amount"]
    return Doc(
        kind=raw["type"],
        state="due" if raw["status"] == "sync_ready" else "standing",
        day=_day(raw["entry_date"]),
        subsidiary=raw["subsidiary"]["erp_reference_id"],
        currency=amounts["transaction_amount"]["currency"]["iso_code"],
        amount=Decimal(amounts["transaction_amount"]["amount"]),
        own=Decimal(own["amount"]) if own else None,
        rate=None,
        settled=(Decimal(settled["amount"]), settled["currency"]["iso_code"]) if settled else None,
        fee=ZERO,
        vendor=raw["vendor"],
        category="",
        type=raw["type"],
        request=False,
        bill=False,
        bank=_reference(raw["bank_account"]),
        payable=_reference(raw["ap_account"]),
        lines=raw["expense_list"],
        tags=raw["transaction_tags"],
    )


def _reference(raw: Mapping[str, Any] | None) -> str:
    return (raw or {}).get("erp_reference_id") or ""


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text[:10]) if text else None


# From document to rows


def outcome(name: str, raw: Mapping[str, Any], there: Books) -> Outcome:
    """What a document should come to now."""
    made = doc(name, raw)
    if made.state == "withdrawn":
        return Outcome("not_due")
    try:
        result = _composed(made, there)
    except Stop as stop:
        result = Outcome("held", frozenset(str(stop).split("|")))
    if made.state == "standing":
        return Outcome("not_due", company=result.company, on=result.on, rows=result.rows)
    return result


def _composed(made: Doc, there: Books) -> Outcome:
    company = there.company(made.subsidiary)
    problems = [*_flaws(made, company)]
    if problems:
        raise Stop("|".join(problems))
    assert made.day is not None
    home = there.currencies[company]
    rule = _rule(made, there)
    if made.amount < 0 and rule.get("negative", "hold") != "swap":
        raise Stop("negative")
    if _unknown_vendor(made, rule):
        raise Stop("supplier")
    rows = _rows(made, rule, company, home, there)
    _must_balance(rows, made)
    guards = frozenset(_guards(made, company, rows, there))
    return Outcome("held" if guards else "posted", guards, company, made.day, Counter(rows), guarded=bool(guards))


def _flaws(made: Doc, company: str) -> Iterable[str]:
    """What is wrong with the document itself, whatever the rules say; several may be."""
    if not company:
        yield "subsidiary"
    if made.day is None:
        yield "date"
    if made.currency not in CURRENCIES:
        yield "currency"
    if made.amount == 0:
        yield "zero"
    amounts = [made.amount, *(Decimal(line["amount"]) for line in made.lines)]
    if made.currency in CURRENCIES and any(rounded(one, made.currency) != one for one in amounts):
        yield "precision"


def _rule(made: Doc, there: Books) -> Mapping[str, Any]:
    given = there.posting.get("rule", ())
    for rule in (*given, *(() if given else DEFAULT_RULES)):
        fits = any(re.fullmatch(kind.replace("*", ".*"), made.kind) for kind in rule["kinds"])
        of = rule.get("of")
        if fits and (of is None or (made.request if of == "request" else made.bill and not made.request)):
            return rule
    raise Stop("type")


def _rows(made: Doc, rule: Mapping[str, Any], company: str, home: str, there: Books) -> list[Row]:
    """All rows; a negative amount turns the signs, nothing else."""
    own, tags = _own(made, home, there), _parts(made.tags, there)
    names = {role: _role(rule, role, company, there) for role in ("fee", "exchange", "rounding")}
    credit = _side(made, rule["credit"], company, there)
    if rule["debit"] == "lines":
        debit = _line_rows(made, own, company, home, there, names["rounding"])
    else:
        debit = [Row(_side(made, rule["debit"], company, there), tags, made.currency, made.amount, own)]
    pays_in = "document.bank" in rule["debit"]  # money arrives
    extras = _settlement(made, own, home, names, tags, there, -1 if pays_in else 1)
    bank = debit[0].account if pays_in else credit
    against = [Row(bank, tags, row.currency, negated(row.amount), negated(row.own)) for row in extras]
    return [*debit, *extras, *against, Row(credit, tags, made.currency, negated(made.amount), negated(own))]


def _role(rule: Mapping[str, Any], role: str, company: str, there: Books) -> str:
    usual = {"fee": "fees", "exchange": "exchange", "rounding": "rounding"}[role] if rule in DEFAULT_RULES else ""
    name = rule.get(role, usual)
    return there.account(company, name) if name else ""


def _own(made: Doc, home: str, there: Books) -> Decimal:
    if made.currency == home:
        return made.amount
    if made.own is not None:
        return made.own
    rate = made.rate or _table_rate(made, home, there)
    if rate is None:
        raise Stop("rate")
    return rounded(EXACT.multiply(made.amount, rate), home)


def _table_rate(made: Doc, home: str, there: Books) -> Decimal | None:
    assert made.day is not None
    fitting = [
        one
        for one in there.posting.get("rate", ())
        if one["from"] == made.currency and one["to"] == home and one["on"] <= made.day
    ]
    return Decimal(max(fitting, key=lambda one: one["on"])["rate"]) if fitting else None


def _line_rows(made: Doc, own: Decimal, company: str, home: str, there: Books, rounding: str) -> list[Row]:
    rows: list[Row] = []
    for line in made.lines:
        amount = Decimal(line["amount"])
        share = EXACT.divide(EXACT.multiply(amount, own), made.amount)
        account, extra = _line_account(line, made, company, there)
        parts = dict(extra) | dict(_parts(made.tags, there)) | dict(_parts(line["tags"], there))
        in_own = amount if made.currency == home else rounded(share, home)
        rows.append(Row(account, tuple(sorted(parts.items())), made.currency, amount, in_own))
    left = total(row.amount for row in rows), total(row.own for row in rows)
    missing, missing_own = less(made.amount, left[0]), less(own, left[1])
    if missing_own.copy_abs() > Decimal(there.posting.get("rounding_max", "0.05")):
        raise Stop("lines")
    if (missing or missing_own) and not rounding:
        raise Stop("unnamed")
    if missing or missing_own:
        rows.append(Row(rounding, _parts(made.tags, there), made.currency, missing, missing_own))
    return rows


def _line_account(line: Mapping[str, Any], made: Doc, company: str, there: Books) -> tuple[str, Mapping[str, str]]:
    category, given = line.get("category") or made.category, _reference(line["account"])
    facts: dict[str, set[str]] = {
        "category": {category},
        "type": {made.type},
        "kind": {made.kind},
        "company": {company},
        "subsidiary": {made.subsidiary},
        "given": {given},
        "vendor": {(made.vendor or {}).get("erp_reference_id") or "", (made.vendor or {}).get("name") or ""},
        "tag": {f"{tag['type_label']}={tag['erp_reference_id']}" for tag in (*line["tags"], *made.tags)},
    }
    for rule in there.posting.get("account", ()):
        conditions = {name: wanted for name, wanted in rule.items() if name in facts}
        if all(wanted in facts[name] for name, wanted in conditions.items()):
            if rule["account"] != "given":
                return there.account(company, rule["account"]), rule.get("parts", {})
            if given:
                return given, rule.get("parts", {})
            raise Stop("account")
    raise Stop("account")


def _settlement(
    made: Doc,
    own: Decimal,
    home: str,
    names: Mapping[str, str],
    tags: tuple[tuple[str, str], ...],
    there: Books,
    sign: int,
) -> list[Row]:
    """What went through the bank beside the amount, in the company's currency: fee, exchange difference, rounding."""
    if made.settled is None:
        return []
    amount, currency = made.settled
    if currency != home:
        raise Stop("settlement")
    over = less(amount, own) if sign > 0 else less(own, amount)
    left = less(over, made.fee)
    role = "rounding" if made.currency == home else "exchange"
    if role == "rounding" and left.copy_abs() > Decimal(there.posting.get("rounding_max", "0.05")):
        raise Stop("settlement")
    extras = ((names["fee"], made.fee), (names[role], left))
    if any(value and not account for account, value in extras):
        raise Stop("unnamed")
    return [Row(account, tags, home, value, value) for account, value in extras if value]


def _side(made: Doc, names: Any, company: str, there: Books) -> str:
    for name in [names] if isinstance(names, str) else names:
        if not name.startswith("document."):
            return there.account(company, name)
        if found := (made.bank if name == "document.bank" else made.payable):
            return found
    raise Stop("unnamed")


def _parts(tags: Iterable[Mapping[str, Any]], there: Books) -> tuple[tuple[str, str], ...]:
    parts: dict[str, str] = {}
    for tag in tags:
        part = there.dimensions.get(tag["type_label"])
        if part and parts.setdefault(part, tag["erp_reference_id"]) != tag["erp_reference_id"]:
            raise Stop("tags")
    return tuple(sorted(parts.items()))


def _unknown_vendor(made: Doc, rule: Mapping[str, Any]) -> bool:
    """Whether somebody is owed whom IFS does not know; not so where a bank pays at once."""
    at_once = rule["debit"] == "lines" and "document.bank" in rule["credit"]
    return bool(made.vendor) and not _reference(made.vendor) and not at_once


def _must_balance(rows: list[Row], made: Doc) -> None:
    for currency in {row.currency for row in rows}:
        assert not total(row.amount for row in rows if row.currency == currency), made
    assert not total(row.own for row in rows), made


def _guards(made: Doc, company: str, rows: list[Row], there: Books) -> Iterable[str]:
    """What of the ledger's state forbids the voucher today."""
    assert made.day is not None
    if made.vendor:
        key = _reference(made.vendor)
        if key and key not in there.suppliers:
            yield "supplier"
    period = there.period(company, made.day)
    if period is None or period["PeriodStatus"] != "Open":
        yield "period"
    limits = there.posting.get("amount_max", {})
    limit = limits.get(company, limits.get("*"))
    if limit is not None and total(row.own for row in rows if row.own > 0) > Decimal(limit):
        yield "limit"
    for row in rows:
        yield from _row_guards(made.day, company, row, there)


def _row_guards(day: date, company: str, row: Row, there: Books) -> Iterable[str]:
    account = there.accounts.get((company, row.account))
    if account is None or not account["ValidFrom"] <= day <= account["ValidUntil"]:
        yield "account_validity"
        return
    for part in "BCDEFGHIJ":
        value, demand = dict(row.parts).get(part), account[f"ReqCode{part}"]
        if (demand == "Mandatory" and value is None) or (demand == "Blocked" and value is not None):
            yield "code_part"
        elif value is not None:
            known = there.values.get((company, part, value))
            if known is None or not known["ValidFrom"] <= day <= known["ValidUntil"]:
                yield "code_part"


def rounded(amount: Decimal, currency: str) -> Decimal:
    """Half away from zero, to the decimals of the currency."""
    return amount.quantize(Decimal(1).scaleb(-DECIMALS.get(currency, 2)), ROUND_HALF_UP, EXACT)


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum."""
    result = ZERO
    for amount in amounts:
        result = EXACT.add(result, amount)
    return result


def less(left: Decimal, right: Decimal) -> Decimal:
    """The exact difference."""
    return EXACT.subtract(left, right)


def negated(amount: Decimal) -> Decimal:
    """The exact negative."""
    return EXACT.minus(amount)


# What the sandbox holds

REFERENCE = re.compile(r"(?P<key>[0-9a-f]{8}-[0-9a-f-]{27})(?:/(?P<reversal>R?)(?P<number>\d+))?(?=\W|$)")


@dataclass(frozen=True)
class Standing:
    """A voucher of ours as the sandbox has it."""

    key: str
    reversal: bool
    number: int
    voucher: Mapping[str, Any]

    @property
    def place(self) -> str:
        """Where it lies: hold or ledger."""
        return self.voucher["place"]

    @property
    def id(self) -> str:
        """Its number, as the connector writes it."""
        return "/".join(str(self.voucher[name]) for name in ("company", "type", "year", "no"))

    @property
    def rows(self) -> Counter[Row]:
        """Its rows."""
        return Counter(row_of(row) for row in self.voucher["rows"])


def row_of(row: Mapping[str, Any]) -> Row:
    """A row as this module writes it."""
    amount, own = less(row["currency_debit"], row["currency_credit"]), less(row["debit"], row["credit"])
    return Row(row["account"], tuple(sorted(row["parts"].items())), row["currency"], amount, own)


def ours(box: Sandbox) -> dict[str, list[Standing]]:
    """Every voucher of ours in hold table and ledger by document, 1, R1, 2, …; fails on one that is there twice."""
    found: dict[str, list[Standing]] = defaultdict(list)
    seen: Counter[tuple[str, bool, int]] = Counter()
    for one in every(box):
        found[one.key].append(one)
        seen[one.key, one.reversal, one.number] += 1
    assert not [reference for reference, count in seen.items() if count > 1], "a voucher is there twice"
    return {key: sorted(several, key=lambda one: (one.number, one.reversal)) for key, several in found.items()}


def every(box: Sandbox) -> Iterator[Standing]:
    """Every voucher of ours in hold table and ledger, also one that is there twice."""
    return (one for one in map(_ours, box.vouchers()) if one)


def _ours(voucher: Mapping[str, Any]) -> Standing | None:
    if voucher["serie"] not in (None, "AIRBASE"):
        return None
    text = voucher["number"] if voucher["serie"] else voucher["text"]
    match = REFERENCE.match(text or "")
    if match is None:
        return None
    return Standing(match["key"], match["reversal"] == "R", int(match["number"] or 1), voucher)


def net(standing: Iterable[Standing]) -> dict[tuple[str, tuple[tuple[str, str], ...], str], tuple[Decimal, Decimal]]:
    """What all vouchers of a document come to, by account, code parts and currency; what is zero is left out."""
    return net_rows(row for one in standing for row in one.rows.elements())


def net_rows(
    rows: Iterable[Row],
) -> dict[tuple[str, tuple[tuple[str, str], ...], str], tuple[Decimal, Decimal]]:
    """What rows come to."""
    sums: dict[tuple[str, tuple[tuple[str, str], ...], str], tuple[Decimal, Decimal]] = {}
    for row in rows:
        amount, own = sums.get(row[:3], (ZERO, ZERO))
        sums[row[:3]] = EXACT.add(amount, row.amount), EXACT.add(own, row.own)
    return {place: both for place, both in sums.items() if any(both)}


def assert_balanced(box: Sandbox) -> None:
    """Every voucher of ours balances in each of its currencies and in the company's."""
    for several in ours(box).values():
        for one in several:
            rows = list(one.rows.elements())
            assert rows, one.id
            assert not total(row.own for row in rows), one.id
            for currency in {row.currency for row in rows}:
                assert not total(row.amount for row in rows if row.currency == currency), one.id


def totals_wanted(wanted: Iterable[Outcome], there: Books) -> dict[Place, tuple[Decimal, Decimal]]:
    """Totals by company, account, currency and period, of what is posted on its own day."""
    sums: dict[Place, tuple[Decimal, Decimal]] = {}
    for one in wanted:
        if one.state == "posted":
            period = there.period(one.company, one.on)
            assert period is not None
            _add(sums, one.company, (int(period["AccountingYear"]), int(period["AccountingPeriod"])), one.rows)
    return sums


def totals_there(box: Sandbox) -> dict[Place, tuple[Decimal, Decimal]]:
    """The same totals of all vouchers of ours, wherever they lie."""
    sums: dict[Place, tuple[Decimal, Decimal]] = {}
    for several in ours(box).values():
        for one in several:
            period = int(one.voucher["year"]), int(one.voucher["period"])
            _add(sums, one.voucher["company"], period, one.rows)
    return sums


def _add(sums: dict[Place, tuple[Decimal, Decimal]], company: str, period: tuple[int, int], rows: Counter[Row]) -> None:
    for row in rows.elements():
        place = Place(company, row.account, row.currency, period)
        amount, own = sums.get(place, (ZERO, ZERO))
        sums[place] = EXACT.add(amount, row.amount), EXACT.add(own, row.own)
