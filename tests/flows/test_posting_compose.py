"""Documents become vouchers: case by case, and as laws."""

import tomllib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_connector.flows.ledger_entries import LEDGER_ENTRIES
from ml_connector.flows.payments import PAYMENTS
from ml_connector.flows.posting.admit import admit
from ml_connector.flows.posting.amounts import share
from ml_connector.flows.posting.flow import CODING, posting_flow
from ml_connector.flows.posting.mapping import map_document, references, retire
from ml_connector.flows.posting.rule_book import rule_book
from ml_connector.flows.posting.trace import normal, resembles, trace
from ml_connector.flows.purchase_requests import PURCHASE_REQUESTS
from ml_connector.records import money, voucher
from ml_connector.records.ledger import AccountTerms, Books, Company, Requirement
from ml_connector.records.money import Money
from ml_connector.records.spend import Document, Rate, SpendLine, Tag
from ml_connector.records.voucher import Voucher, VoucherRow
from ml_connector.sync.flow import Context, End, Reference, Setting, Shape, Tables
from ml_connector.sync.outcome import Held, Mapped, Owner
from ml_connector.sync.plan import Link
from ml_connector.sync.policy import Policy

SUBSIDIARIES = {"10": "SUB-10", "20": "SUB-20"}
DIMENSIONS = {"department": "B", "team": "B", "project": "F"}
ACCOUNTS = {
    "accrual": "2990",
    "payable": "2440",
    "bank": "1930",
    "card_clearing": "1940",
    "bill_clearing": "1950",
    "fees": "6570",
    "exchange": "7960",
    "rounding": "3740",
}
LINES = [
    {"category": "Office supplies", "account": "6110", "parts": {"B": "100"}},
    {"vendor": "S7", "account": "6540"},
    {"tag": "project=P-001", "account": "4010"},
    {"category": "As shown", "account": "given"},
    {"category": "Named", "account": "bank"},
    {"category": "Only in 20", "account": "only"},
]
RAW: dict[str, Any] = {
    "documents": ["purchase_requests", "payments"],
    "accounts": {**ACCOUNTS, "20": {"only": "6999"}},
    "account": LINES,
    "rate": [{"from": "JPY", "to": "USD", "rate": "0.0067", "on": "2026-07-01", "source": "ECB"}],
}
BLOCKS_F = AccountTerms("10", "Accrued", requirements={"F": Requirement.BLOCKED})
BOOKS = Books(
    companies={"10": Company("10", "Ten", "USD"), "20": Company("20", "Twenty", "KWD")},
    accounts={("10", "2990"): BLOCKS_F, ("10", "2440"): AccountTerms("10", "Payable")},
)
DAY = date(2026, 7, 2)


def context(agreed: Any = None, **posting: Any) -> Context:
    book = rule_book({**RAW, **posting}, subsidiaries=SUBSIDIARIES, dimensions=DIMENSIONS)
    link = Link("pr-1", "10/M/2026/1", "", True, agreed) if agreed else None
    return Context(
        date(2026, 7, 10), Tables(SUBSIDIARIES, dimensions=DIMENSIONS, rules=book), {}, books=BOOKS, link=link
    )


CONTEXT = context()
WHOSE = {
    "unknown_currency": Owner.ADMINISTRATOR,
    "subsidiary_not_mapped": Owner.ADMINISTRATOR,
    "unknown_type": Owner.CONTROLLER,
    "negative_amount": Owner.CONTROLLER,
    "rate_missing": Owner.CONTROLLER,
    "company_currency_differs": Owner.ADMINISTRATOR,
    "settlement_differs": Owner.CONTROLLER,
    "account_missing": Owner.CONTROLLER,
    "unknown_status": Owner.ADMINISTRATOR,
}
REQUEST = Document(
    id="r-1",
    kind="purchase_request",
    number="PR-00012",
    status="approved",
    subsidiary="SUB-10",
    amount=Money(Decimal("100.00"), "USD"),
    dated_on=DAY,
    category="Office supplies",
    description="Office chairs",
    vendor="Acme",
    supplier_id="S1",
    approver="Ada Moreau",
    approved="2026-07-01T10:00:00",
    lines=(SpendLine(1, Decimal("100.00")),),
)
PAYMENT = Document(
    id="p-1",
    kind="payment",
    number="PAY-00012",
    status="settled",
    subsidiary="SUB-10",
    amount=Money(Decimal("100.00"), "USD"),
    dated_on=DAY,
    supplier_id="S1",
    request_id="r-1",
)
CARD = msgspec.structs.replace(REQUEST, kind="virtual_card_transaction", status="sync_ready")


def changed(document: Document, **fields: Any) -> Document:
    if isinstance(fields.get("amount"), str):
        currency, amount = fields["amount"].split()
        fields["amount"] = Money(Decimal(amount), currency)
    return msgspec.structs.replace(document, **fields)


def posted(document: Document, within: Context = CONTEXT) -> Voucher:
    result = map_document(document, within)
    assert isinstance(result, Mapped), result
    assert result.active
    return result.record


def held(document: Document, within: Context = CONTEXT) -> Held:
    result = map_document(document, within)
    assert isinstance(result, Held), result
    return result


def row(of: VoucherRow) -> tuple[str, str, str]:
    return of.account, f"{of.currency} {money.plain(of.amount)}", money.plain(of.company_amount)


def rows(document: Document, within: Context = CONTEXT) -> list[tuple[str, str, str]]:
    return [row(one) for one in posted(document, within).rows]


def lines(*amounts: str, **fields: Any) -> tuple[SpendLine, ...]:
    return tuple(SpendLine(at, Decimal(amount), **fields) for at, amount in enumerate(amounts, start=1))


def test_a_request() -> None:
    made = posted(REQUEST)
    assert (made.company, made.dated_on) == ("10", DAY)
    assert made.text == "PR-00012 Office chairs · approved by Ada Moreau 2026-07-01"
    assert [row(one) for one in made.rows] == [("6110", "USD 100", "100"), ("2990", "USD -100", "-100")]
    assert [one.party for one in made.rows] == ["S1", "S1"]
    assert made.rows[0].parts == (("B", "100"),)
    assert (made.type, made.group, made.rate_note) == ("", "AC", "")


@pytest.mark.parametrize(
    ("cause", "sentence", "document"),
    [
        ("date_missing", "Request PR-00012 has no usable date.", changed(REQUEST, dated_on=None)),
        ("unknown_currency", "is in XYZ, which is not a currency", changed(REQUEST, amount="XYZ 1")),
        ("unknown_currency", "is in ABC", changed(REQUEST, settlement=Money(Decimal(1), "ABC"))),
        ("zero_amount", "has the amount zero", changed(REQUEST, amount="USD 0.00")),
        ("too_precise", "has 1.005 USD, but USD has 2 decimals", changed(REQUEST, amount="USD 1.005")),
        ("too_precise", "has 1.5 JPY", changed(REQUEST, amount="JPY 1.5")),
        ("too_precise", "has 0.005 USD", changed(REQUEST, lines=lines("0.005"))),
        ("too_precise", "has 0.001 USD", changed(PAYMENT, fee=Decimal("0.001"))),
        (
            "subsidiary_not_mapped",
            "subsidiary SUB-99, which is mapped to no company",
            changed(REQUEST, subsidiary="SUB-99"),
        ),
        ("subsidiary_not_mapped", "subsidiary (none)", changed(REQUEST, subsidiary="")),
        ("unknown_type", "Mystery type PR-00012 is a mystery_type", changed(CARD, kind="mystery_type")),
        ("negative_amount", "is negative (USD -1.00), which the rule Request", changed(REQUEST, amount="USD -1")),
        ("vendor_without_supplier", "is of vendor Acme, who is no supplier", changed(REQUEST, supplier_id="")),
        ("rate_missing", "neither it nor the rate table says what that is in USD", changed(REQUEST, amount="EUR 1")),
        ("rate_missing", "is in JPY", changed(REQUEST, amount="JPY 1", dated_on=date(2026, 6, 30))),
        ("rate_missing", "is in EUR", changed(REQUEST, amount="EUR 1", rate=Rate(Decimal(0), "x"))),
        (
            "company_currency_differs",
            "is SEK 9.00 to its subsidiary, but the company keeps its books in USD",
            changed(REQUEST, amount="EUR 1", company_amount=Money(Decimal(9), "SEK")),
        ),
        ("amounts_differ", "do not go together", changed(REQUEST, company_amount=Money(Decimal(99), "USD"))),
        (
            "amounts_differ",
            "do not go together",
            changed(REQUEST, amount="EUR 1", company_amount=Money(Decimal(-1), "USD")),
        ),
        (
            "amounts_differ",
            "is EUR 1.00, and USD 0.00 to its subsidiary",
            changed(REQUEST, amount="EUR 1", company_amount=Money(Decimal(0), "USD")),
        ),
        ("lines_missing", "has no lines", changed(REQUEST, lines=())),
        (
            "lines_do_not_add_up",
            "its lines add up to USD 99.94; up to USD 0.05 is booked as rounding",
            changed(REQUEST, lines=lines("99.94")),
        ),
        ("lines_do_not_add_up", "its lines add up to USD 0.00", changed(REQUEST, lines=lines("0.00"))),
        (
            "lines_do_not_add_up",
            "is off by USD 0.30 when its lines are converted one by one",
            changed(
                REQUEST, amount="EUR 0.60", company_amount=Money(Decimal("0.90"), "USD"), lines=lines(*["0.01"] * 60)
            ),
        ),
        ("settlement_missing", "has a fee of 1", changed(PAYMENT, fee=Decimal(1))),
        ("settlement_differs", "USD 1.00 too much", changed(PAYMENT, settlement=Money(Decimal(101), "USD"))),
        ("settlement_differs", "the other way", changed(PAYMENT, settlement=Money(Decimal(-100), "USD"))),
        (
            "settlement_differs",
            "nothing went through the bank",
            changed(PAYMENT, amount="JPY 1000", settlement=Money(Decimal(0), "USD")),
        ),
        ("rate_missing", "is in SEK", changed(PAYMENT, settlement=Money(Decimal(900), "SEK"))),
        ("account_missing", "gives no account that name", changed(CARD, kind="reimbursement")),
        (
            "account_not_mapped",
            "no account rule takes: category Pens, type T, vendor Acme",
            changed(REQUEST, category="Pens", type="T"),
        ),
        ("account_not_mapped", "no account rule takes: category Pens", changed(REQUEST, category="Pens")),
        ("account_not_mapped", "without category", changed(REQUEST, category="", vendor="", lines=lines("100"))),
        ("account_not_mapped", "no account rule takes", changed(REQUEST, category="As shown")),
        ("account_missing", "needs the account only of company 10", changed(REQUEST, category="Only in 20")),
        (
            "tags_conflict",
            "two tags for code part B that differ: 1 and 2 (team)",
            changed(REQUEST, lines=lines("100", tags=(Tag("department", "1"), Tag("team", "2")))),
        ),
        ("tag_without_code", "has the tag project Web", changed(REQUEST, tags=(Tag("project", "", "Web"),))),
        ("unknown_status", "has the status (none), ", changed(REQUEST, status="")),
        ("unknown_status", "has the status queued", changed(REQUEST, status="queued")),
        ("unknown_status", "has the status approved", changed(CARD, status="approved")),
    ],
)
def test_what_can_not_be_composed_is_held_with_its_number_and_money(
    cause: str, sentence: str, document: Document
) -> None:
    found = held(document)
    assert (found.cause, found.stake) == (cause, document.amount)
    assert sentence in found.sentence
    assert document.number in found.sentence
    assert found.remedy
    assert found.owner is WHOSE.get(cause, Owner.CLERK)


@pytest.mark.parametrize(
    ("document", "lacks"),
    [
        (changed(REQUEST, subsidiary="SUB-99"), "SUB-99"),
        (changed(CARD, kind="mystery_type"), "mystery_type"),
        (changed(CARD, kind="reimbursement"), "employee_payable"),
        (changed(REQUEST, category="Pens"), "Pens"),
        (changed(REQUEST, category="As shown", lines=lines("100", category="Ink")), "Ink"),
        (changed(REQUEST, category="", lines=lines("100", account="6999")), "given: 6999"),
        (changed(REQUEST, category=""), "vendor: Acme"),
        (changed(REQUEST, category="", vendor="", lines=lines("100")), "kind: purchase_request"),
        (changed(REQUEST, status="queued"), ""),
    ],
)
def test_what_a_table_lacks_is_told_by_itself(document: Document, lacks: str) -> None:
    assert held(document).lacks == lacks


@pytest.mark.parametrize(
    ("document", "place", "said"),
    [
        (changed(REQUEST, category='Say "hi"\x7f'), "account", [{"category": 'Say "hi"\x7f', "account": "…"}]),
        (changed(CARD, kind="mystery"), "rule", [{"name": "…", "kinds": ["mystery"], "debit": "…", "credit": "…"}]),
        (
            changed(REQUEST, amount="EUR 1"),
            "rate",
            [{"from": "EUR", "to": "USD", "rate": "…", "on": DAY, "source": "…"}],
        ),
        (changed(CARD, kind="reimbursement"), "accounts", {"employee_payable": "…"}),
    ],
)
def test_a_remedy_is_toml_to_copy(document: Document, place: str, said: Any) -> None:
    lines_of = held(document).remedy.split("\n")[1:-1]
    assert tomllib.loads("\n".join(lines_of))["posting"][place] == said


def test_a_company_that_ifs_does_not_list() -> None:
    found = held(REQUEST, msgspec.structs.replace(CONTEXT, books=Books()))
    assert (found.cause, found.owner) == ("company_unknown", Owner.ADMINISTRATOR)
    assert found.sentence == "Request PR-00012 belongs to company 10, which IFS does not list."


def test_a_subsidiary_of_two_companies_is_nobodys_choice() -> None:
    tables = msgspec.structs.replace(CONTEXT.tables, subsidiaries={"10": "SUB-10", "11": "SUB-10"})
    assert "mapped to several: 10, 11" in held(REQUEST, msgspec.structs.replace(CONTEXT, tables=tables)).sentence


def test_without_a_rule_book_nothing_is_posted() -> None:
    with pytest.raises(TypeError, match="no rule book"):
        map_document(REQUEST, msgspec.structs.replace(CONTEXT, tables=Tables(SUBSIDIARIES)))


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("approved", (True, True)),
        ("archived", (True, False)),
        *((s, (False, False)) for s in ("created", "sent_back", "denied")),
    ],
)
def test_the_status_of_a_request(status: str, expected: tuple[bool, bool]) -> None:
    result = map_document(changed(REQUEST, status=status), CONTEXT)
    assert isinstance(result, Mapped)
    assert (result.active, result.due) == expected
    assert bool(result.record.rows) == result.active


@pytest.mark.parametrize(
    ("status", "active"), [("settled", True), ("pending", False), ("failed", False), ("reversed", False)]
)
def test_the_status_of_a_payment(status: str, active: bool) -> None:
    result = map_document(changed(PAYMENT, status=status), CONTEXT)
    assert isinstance(result, Mapped)
    assert (result.active, result.due) == (active, active)


def test_what_is_acknowledged_stands_and_what_is_not_due_waits_for_nobody() -> None:
    result = map_document(changed(CARD, status="sync_complete"), CONTEXT)
    assert isinstance(result, Mapped)
    assert (result.active, result.due) == (True, False)
    assert held(changed(REQUEST, status="archived", category="Pens")).idle
    assert not held(changed(REQUEST, category="Pens")).idle


def test_a_withdrawal_is_the_posted_voucher_without_rows() -> None:
    before = posted(REQUEST)
    result = map_document(changed(REQUEST, status="denied", subsidiary="", dated_on=None), context(agreed=before))
    assert isinstance(result, Mapped)
    assert result.record == msgspec.structs.replace(before, rows=())


def test_what_was_never_posted_and_is_withdrawn_needs_nothing() -> None:
    result = map_document(changed(REQUEST, status="denied", subsidiary="SUB-99", dated_on=None), CONTEXT)
    assert isinstance(result, Mapped)
    assert (result.record.company, result.record.dated_on) == ("", CONTEXT.today)


def test_first_match_counts() -> None:
    both = changed(REQUEST, supplier_id="S7", lines=lines("100", tags=(Tag("project", "P-001"),)))
    assert rows(both)[0][0] == "6110"
    assert rows(changed(both, category="Else"))[0][0] == "6540"
    assert rows(changed(both, category="Else", supplier_id="S1"))[0][0] == "4010"
    assert rows(changed(PAYMENT))[0][0] == "2990"
    assert rows(changed(PAYMENT, request_id=""))[0][0] == "2440"
    swapped = context(account=[LINES[1], LINES[0]])
    assert rows(both, swapped)[0][0] == "6540"


@pytest.mark.parametrize(
    "condition",
    [
        {"category": "office SUPPLIES"},
        {"type": "Service"},
        {"kind": "purchase_*"},
        {"vendor": "acme"},
        {"vendor": "S1"},
        {"company": "10"},
        {"subsidiary": "SUB-10"},
        {"tag": "project=P-001"},
        {"given": "6999"},
    ],
)
def test_an_account_rule_takes_the_lines_that_it_names_and_no_others(condition: dict[str, str]) -> None:
    within = context(account=[{**condition, "account": "4010"}, {"account": "5000"}])
    tags = (Tag("project", "P-001"),)
    meets = changed(REQUEST, type="Service", tags=tags, lines=lines("100", account="6999"))
    assert rows(meets, within)[0][0] == "4010"
    other = changed(CARD, category="Pens", type="Goods", vendor="Zeta", supplier_id="S9", subsidiary="SUB-20")
    assert rows(changed(other, amount="KWD 100", lines=lines("100", account="7000")), within)[0][0] == "5000"


def test_the_account_shown_or_named() -> None:
    assert rows(changed(REQUEST, lines=lines("100", category="as SHOWN", account="6999")))[0][0] == "6999"
    assert rows(changed(REQUEST, category="Named"))[0][0] == "1930"


def test_the_rule_of_documents_of_bills() -> None:
    rule = {"kinds": ["payment"], "credit": "bank", "fee": "fees", "exchange": "exchange", "rounding": "rounding"}
    within = context(
        rule=[{**rule, "name": "B", "of": "bill", "debit": "payable"}, {**rule, "name": "O", "debit": "accrual"}]
    )
    assert rows(changed(PAYMENT, request_id="", bill_ids=("b",)), within)[0][0] == "2440"
    assert rows(changed(PAYMENT, request_id="", applied_to=("b",)), within)[0][0] == "2440"
    assert rows(changed(PAYMENT, bill_ids=("b",)), within)[0][0] == "2990"
    assert rows(changed(PAYMENT, request_id=""), within)[0][0] == "2990"


def test_code_parts_come_from_the_line_then_the_document_then_the_rule() -> None:
    tags = (Tag("colour", "red"), Tag("department", "9"), Tag("project", "P-2"))
    made = posted(changed(REQUEST, tags=tags, lines=lines("100", tags=(Tag("team", "8"),))))
    assert made.rows[0].parts == (("B", "8"), ("F", "P-2"))
    assert made.rows[1].parts == (("B", "9"),)  # the account blocks F
    assert posted(changed(REQUEST, tags=tags)).rows[0].parts == (("B", "9"), ("F", "P-2"))


def test_a_vendor_that_is_paid_at_once_need_not_be_a_supplier() -> None:
    assert rows(changed(CARD, supplier_id=""))[1][0] == "1940"
    assert held(changed(CARD, kind="bill", supplier_id="")).cause == "vendor_without_supplier"


def test_accounts_that_the_document_names_come_first() -> None:
    assert rows(changed(CARD, bank_account="1999"))[1][0] == "1999"
    bill = changed(CARD, kind="bill", payable_account="2441")
    assert [one[0] for one in rows(bill)] == ["6110", "2441"]


def test_a_document_that_names_no_bank_and_a_rule_that_names_no_other() -> None:
    for source, what in (("document.bank", "bank"), ("document.payable", "payable")):
        within = context(rule=[{"name": "R", "kinds": ["payment"], "debit": "accrual", "credit": source}])
        found = held(PAYMENT, within)
        assert f"names no {what} account, and the rule R gives no other" in found.sentence
        assert (found.cause, found.owner) == ("account_missing", Owner.CONTROLLER)
        assert "give the rule R a further account" in found.remedy


def test_an_amount_in_company_currency_by_the_document_its_rate_or_the_table() -> None:
    rate = Rate(Decimal("1.0834"), "airbase", date(2026, 7, 1))
    foreign = changed(PAYMENT, amount="EUR 10.05")
    given = changed(foreign, company_amount=Money(Decimal("10.90"), "USD"))
    assert rows(changed(foreign, rate=rate))[0] == ("2990", "EUR 10.05", "10.89")  # 10.888...
    assert posted(changed(foreign, rate=rate)).rate_note == "EUR 1.0834 airbase 2026-07-01"
    assert rows(changed(given, rate=rate))[0] == ("2990", "EUR 10.05", "10.9")
    assert posted(given).rate_note == "EUR as USD 10.90"
    assert posted(changed(given, rate=rate)).rate_note == "EUR 1.0834 airbase 2026-07-01"
    undated = msgspec.structs.replace(rate, on=None)
    assert {posted(changed(one, rate=undated)).rate_note for one in (foreign, given)} == {"EUR 1.0834 airbase"}
    assert rows(changed(PAYMENT, amount="JPY 1000"))[0] == ("2990", "JPY 1000", "6.7")
    assert posted(changed(PAYMENT, amount="JPY 1000")).rate_note == "JPY 0.0067 ECB 2026-07-01"


def test_a_fee_in_the_documents_own_currency() -> None:
    fee = {"settlement": Money(Decimal(103), "EUR"), "fee": Decimal(3), "rate": Rate(Decimal("1.1"), "airbase")}
    assert rows(changed(PAYMENT, amount="EUR 100", **fee)) == [
        ("2990", "EUR 100", "110"),
        ("6570", "EUR 3", "3.3"),
        ("1930", "EUR -103", "-113.3"),
    ]


def test_a_settlement_in_a_third_currency_goes_by_the_table() -> None:
    paid = changed(PAYMENT, settlement=Money(Decimal(15000), "JPY"), fee=Decimal(150))
    assert rows(paid) == [
        ("2990", "USD 100", "100"),
        ("6570", "USD 1.01", "1.01"),
        ("7960", "USD -0.51", "-0.51"),
        ("1930", "USD -100.5", "-100.5"),
    ]


def test_a_settlement_that_is_off_by_a_rounding() -> None:
    paid = changed(PAYMENT, settlement=Money(Decimal("100.04"), "USD"))
    assert rows(paid) == [("2990", "USD 100", "100"), ("3740", "USD 0.04", "0.04"), ("1930", "USD -100.04", "-100.04")]


def test_less_than_one_of_a_currency_is_money_too() -> None:
    half = Money(Decimal("0.50"), "USD")
    assert rows(changed(PAYMENT, amount="USD 0.50", settlement=half)) == [
        ("2990", "USD 0.5", "0.5"),
        ("1930", "USD -0.5", "-0.5"),
    ]
    weak = Rate(Decimal("0.5"), "airbase")
    assert rows(changed(PAYMENT, amount="DKK 10", rate=weak))[0] == ("2990", "DKK 10", "5")


def test_each_row_says_what_it_is_for() -> None:
    paid = changed(PAYMENT, description="Chairs", settlement=Money(Decimal("103.01"), "USD"), fee=Decimal(3))
    said = [one.text for one in posted(paid).rows]
    assert said == ["PAY-00012 Chairs", "PAY-00012 fee", "PAY-00012 rounding", "PAY-00012 Chairs"]


def test_what_a_bank_keeps_of_money_that_arrives() -> None:
    unload = changed(CARD, kind="bill_payment_unload", settlement=Money(Decimal(98), "USD"), fee=Decimal(2))
    assert rows(unload) == [("1930", "USD 98", "98"), ("6570", "USD 2", "2"), ("1950", "USD -100", "-100")]
    foreign = changed(unload, amount="EUR 100", company_amount=Money(Decimal(108), "USD"), fee=Decimal(2))
    foreign = changed(foreign, settlement=Money(Decimal(105), "USD"))
    assert rows(foreign) == [
        ("1930", "EUR 100", "108"),
        ("1930", "USD -3", "-3"),
        ("6570", "USD 2", "2"),
        ("7960", "USD 1", "1"),
        ("1950", "EUR -100", "-108"),
    ]


def test_rules_without_an_account_for_what_the_document_needs() -> None:
    within = context(rule=[{"name": "R", "kinds": ["p*"], "debit": "accrual", "credit": "bank"}])
    with_fee = changed(PAYMENT, settlement=Money(Decimal(101), "USD"), fee=Decimal(1))
    foreign = changed(PAYMENT, amount="EUR 1", rate=Rate(Decimal(2), "x"), settlement=Money(Decimal(3), "USD"))
    off = changed(PAYMENT, settlement=Money(Decimal("100.01"), "USD"))
    for document, role in ((with_fee, "fee"), (foreign, "exchange difference"), (off, "rounding")):
        found, setting = held(document, within), role.split()[0]
        assert (found.cause, found.owner) == (f"{setting}_account_missing", Owner.CONTROLLER)
        assert f"needs an account for the {role}, and the rule R names none" in found.sentence
        assert f'Add {setting} = "<name of an account>" to the rule R' in found.remedy
    to_lines = context(rule=[{"name": "R", "kinds": ["p*"], "debit": "accrual", "credit": "lines"}])
    paid = changed(with_fee, lines=REQUEST.lines, category="Office supplies")
    unpaid = held(paid, to_lines)
    assert "no account that it is paid from" in unpaid.sentence
    assert (unpaid.cause, unpaid.owner, "the rule " in unpaid.remedy) == ("settlement_differs", Owner.CONTROLLER, True)


def test_lines_stand_in_order_and_those_of_nothing_are_left_out() -> None:
    both = lines("40", "60")
    nothing = SpendLine(3, Decimal("0.00"), category="Unheard of")
    assert [one[1] for one in rows(changed(REQUEST, lines=(nothing, *reversed(both))))] == [
        "USD 40",
        "USD 60",
        "USD -100",
    ]


def test_lines_may_be_credited() -> None:
    within = context(rule=[{"name": "R", "kinds": ["p*"], "debit": "bank", "credit": "lines", "rounding": "rounding"}])
    assert rows(changed(REQUEST, lines=lines("99.99")), within) == [
        ("1930", "USD 100", "100"),
        ("3740", "USD -0.01", "-0.01"),
        ("6110", "USD -99.99", "-99.99"),
    ]


def test_rounding_is_debit_or_credit_in_both_currencies() -> None:
    cents_each = lines(*["0.01"] * 10)  # USD 0.015 each, rounded up
    split = changed(REQUEST, amount="EUR 0.11", company_amount=Money(Decimal("0.17"), "USD"), lines=cents_each)
    assert rows(split)[10:] == [("3740", "EUR 0.01", "0"), ("3740", "EUR 0", "-0.03"), ("2990", "EUR -0.11", "-0.17")]
    only_at_home = changed(split, amount="EUR 0.03", company_amount=Money(Decimal("0.04"), "USD"), lines=cents_each[:3])
    assert rows(only_at_home)[3:] == [("3740", "EUR 0", "0.01"), ("2990", "EUR -0.03", "-0.04")]


def test_the_cap_holds_for_what_is_missing_in_either_currency() -> None:
    cents_each = lines(*["0.01"] * 7)  # EUR 0.03 are missing, but rounding up hides all of it but USD 0.01
    split = changed(REQUEST, amount="EUR 0.10", company_amount=Money(Decimal("0.15"), "USD"), lines=cents_each)
    assert held(split, context(rounding_max="0.04")).cause == "lines_do_not_add_up"
    assert rows(split, context(rounding_max="0.05"))[7] == ("3740", "EUR 0.03", "0.01")


def test_long_and_odd_texts() -> None:
    odd = changed(REQUEST, description="a\n\tb\x00 " + "c" * 300, approver="d" * 300)
    text = posted(odd).text
    assert text == f"PR-00012 a b {'c' * 86}…{' · approved by ':d<100}"
    assert len(posted(changed(REQUEST, lines=lines("100", description="e" * 300))).rows[0].text) == 200
    assert posted(changed(REQUEST, approver="", approved="")).text == "PR-00012 Office chairs"
    assert posted(changed(REQUEST, approver="")).text == "PR-00012 Office chairs · approved 2026-07-01"


def test_a_text_is_the_number_or_else_the_id_and_the_best_that_is_said_of_it() -> None:
    desk = changed(REQUEST, approver="", approved="", lines=lines("100", description="Desk"))
    assert [one.text for one in posted(desk).rows] == ["PR-00012 Desk", "PR-00012 Office chairs"]
    assert [one.text for one in posted(changed(desk, number="")).rows] == ["r-1 Desk", "r-1 Office chairs"]
    assert posted(changed(desk, description="")).text == "PR-00012 Acme"
    assert posted(changed(desk, description="", vendor="")).text == "PR-00012 Office supplies"
    assert posted(changed(desk, description="x" * 191)).text == f"PR-00012 {'x' * 191}"
    assert posted(changed(desk, description="x" * 192)).text == f"PR-00012 {'x' * 190}…"
    assert posted(changed(desk, description=f"{'x' * 189} yy")).text == f"PR-00012 {'x' * 189}…"


def test_thirty_digits_survive() -> None:
    huge = "123456789012345678901234567890.12"
    made = posted(changed(REQUEST, amount=f"USD {huge}", lines=lines(huge)))
    assert [one.amount for one in made.rows] == [Decimal(huge), Decimal("-" + huge)]
    rate = Rate(Decimal("1.000000000000000000000000000001"), "x")
    foreign = posted(changed(PAYMENT, amount=f"EUR {huge}", rate=rate))
    assert foreign.rows[0].company_amount == Decimal("123456789012345678901234567890.24")
    assert not voucher.balance(foreign.rows)
    assert not voucher.company_balance(foreign.rows)


@pytest.mark.parametrize("flow", [PURCHASE_REQUESTS, PAYMENTS, LEDGER_ENTRIES])
def test_the_flows(flow: Any) -> None:
    assert flow.shape is Shape.POST
    assert (flow.source.system, flow.source.resource, flow.target.resource) == ("airbase", flow.name, "vouchers")
    assert flow.needs == ("suppliers",)
    assert isinstance(flow.map(REQUEST, CONTEXT), Mapped)


def test_what_all_posting_flows_have_in_common() -> None:
    flow = posting_flow("payments", "Payments")
    assert (flow.name, flow.title, flow.source) == ("payments", "Payments", End("airbase", "payments"))
    assert (flow.shape, flow.needs, flow.editable) == (Shape.POST, ("suppliers",), CODING)
    assert flow.policy == Policy(change_share_max=0.05, deactivate_share_max=0.05)
    assert (flow.references, flow.trace, flow.admit, flow.resembles) == (references, trace, admit, resembles)
    assert flow.dated(REQUEST) == DAY
    assert flow.setting == Setting(("posting", "documents"), ("payments",), listed=True)
    assert flow.heeds == (("mapping", "dimensions"), ("posting",))


def test_references_and_retiring() -> None:
    assert references(REQUEST) == (Reference("suppliers", "S1"),)
    assert references(changed(REQUEST, supplier_id="")) == ()
    gone = retire(posted(REQUEST))
    assert (gone.cause, gone.stake, gone.owner) == ("gone_from_source", REQUEST.amount, Owner.CONTROLLER)
    assert "PR-00012 Office chairs" in gone.sentence


# What is remembered


def test_the_origin_is_all_but_what_does_not_matter() -> None:
    origin = trace(REQUEST).origin
    assert trace(changed(REQUEST, url="https://elsewhere", status="archived")).origin == origin
    assert trace(changed(CARD, status="sync_complete")).origin == trace(CARD).origin
    assert trace(changed(REQUEST, amount="USD 100")).origin == origin
    for other in ({"status": "denied"}, {"status": "queued"}, {"amount": "USD 100.01"}, {"supplier_id": "S2"}):
        assert trace(changed(REQUEST, **other)).origin != origin
    assert trace(changed(REQUEST, status="denied")).origin == trace(changed(REQUEST, status="created")).origin


def test_the_story_chains_request_bill_and_payment() -> None:
    bill = changed(REQUEST, id="b-1", kind="bill")
    assert trace(REQUEST).story == "r-1"
    assert trace(PAYMENT).story == "r-1"
    assert trace(changed(bill, request_id="r-1")).story == "r-1"
    assert trace(bill).story == "b-1"
    assert trace(changed(PAYMENT, request_id="", bill_ids=("b-1", "b-2"))).story == "b-1"
    assert trace(changed(CARD, id="e-2", applied_to=("b-1",))).story == "b-1"
    assert trace(changed(PAYMENT, request_id="")).story == "p-1"


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("INV-0012", "12"),
        ("inv. 12", "12"),
        ("Invoice No 12", "12"),
        ("INV00000123", "123"),
        ("A-007-B", "a7b"),
        ("Nova 12", "nova12"),
        ("INV", "inv"),
        ("000", "0"),
        ("no 0", "0"),
        ("", ""),
    ],
)
def test_an_invoice_number_as_people_compare_it(written: str, same: str) -> None:
    assert normal(written) == same


@settings(deadline=None)
@given(st.text(max_size=20))
def test_normalising_once_is_enough_and_never_leaves_nothing_of_something(number: str) -> None:
    once = normal(number)
    assert normal(once) == once
    assert bool(once) == any(character.isalnum() for character in number.casefold())


def test_what_may_be_the_same_sent_twice() -> None:
    bill = changed(CARD, kind="bill", invoice_number="INV-0012")
    alike = trace(bill).alike
    assert alike
    assert trace(changed(bill, id="other", invoice_number="inv 12", amount="USD 7")).alike == alike
    for other in ({"kind": "payment"}, {"supplier_id": "S2"}, {"amount": "EUR 100"}, {"invoice_number": "13"}):
        assert trace(changed(bill, **other)).alike not in ("", alike)
    assert trace(changed(bill, invoice_number="")).alike == ""
    assert trace(changed(bill, supplier_id="", vendor="")).alike == ""
    unknown = changed(bill, supplier_id="", vendor_id="v-1")
    assert trace(changed(unknown, vendor="Renamed")).alike == trace(unknown).alike
    assert trace(changed(unknown, vendor_id="v-2")).alike != trace(unknown).alike
    by_name = changed(bill, supplier_id="")
    assert trace(changed(by_name, vendor=" ACME")).alike == trace(by_name).alike not in ("", trace(unknown).alike)


def test_alike_vouchers_resemble_each_other_within_tolerance_and_days() -> None:
    within = context(duplicate_tolerance="0.50", duplicate_days=30)
    one = posted(REQUEST)

    def like(**fields: Any) -> bool:
        amount = fields.get("amount", "USD 100.00")
        other = posted(changed(REQUEST, **{"amount": amount, "lines": lines(amount.split()[1]), **fields}))
        assert resembles(one, other, within) == resembles(other, one, within)
        return resembles(one, other, within)

    assert like(amount="USD 100.50")
    assert not like(amount="USD 100.51")
    assert like(dated_on=date(2026, 8, 1))
    assert not like(dated_on=date(2026, 8, 2))
    assert not like(amount="JPY 100")
    refund, spent = posted(changed(CARD, amount="USD -100", lines=lines("-100"))), posted(CARD)
    assert not resembles(refund, spent, within)
    assert not resembles(one, msgspec.structs.replace(one, rows=()), within)
    small = posted(changed(REQUEST, amount="USD 0.90", lines=lines("0.90")))
    larger = posted(changed(REQUEST, amount="USD 1.10", lines=lines("1.10")))
    assert resembles(small, larger, within)
    assert resembles(larger, small, within)


# Laws


@dataclass(frozen=True)
class Case:
    document: Document
    within: Context


def cents(low: int, high: int) -> st.SearchStrategy[Decimal]:
    return st.integers(low, high).map(lambda units: money.times(Decimal(units), Decimal("0.01")))


@st.composite
def documents(draw: st.DrawFn) -> Case:
    parts = draw(st.lists(cents(-5_000_00, 10**30), min_size=1, max_size=6))
    off = draw(cents(-3, 3))
    total = money.total((*parts, off))
    if not total:
        parts, total = [Decimal(1)], Decimal(1)
    currency, subsidiary = draw(st.sampled_from(["USD", "EUR"])), draw(st.sampled_from(["SUB-10", "SUB-20"]))
    home = {"SUB-10": "USD", "SUB-20": "KWD"}[subsidiary]
    rate = draw(st.integers(1, 10**9).map(lambda units: Decimal(units).scaleb(-6)))
    fee = draw(cents(0, 10_000))
    kinds = ["virtual_card_transaction", "physical_card_x", "purchase_request", "payment", "bill_payment_unload"]
    kind = draw(st.sampled_from(kinds))
    left = money.total((total, draw(cents(-5, 5)), fee))
    settlement = draw(st.sampled_from([None, Money(left, currency), Money(money.rounded(left, home), home)]))
    fixed = changed(
        REQUEST, kind=kind, status={"payment": "settled", "purchase_request": "approved"}.get(kind, "sync_ready")
    )
    made = changed(
        fixed,
        subsidiary=subsidiary,
        amount=Money(total, currency),
        lines=tuple(SpendLine(at, part) for at, part in enumerate(parts)),
        rate=Rate(rate, "airbase"),
        settlement=settlement,
        fee=fee if settlement else Decimal(0),
    )
    return Case(made, context(rounding_max=draw(st.sampled_from(["0", "0.05", "1000000"]))))


@settings(deadline=None)
@given(documents())
def test_every_voucher_balances_in_each_currency_and_the_companys(case: Case) -> None:
    result = map_document(case.document, case.within)
    if isinstance(result, Mapped):
        assert voucher.balance(result.record.rows) == {}
        assert voucher.company_balance(result.record.rows) == 0
        assert all(
            (one.amount < 0) == (one.company_amount < 0) or 0 in (one.amount, one.company_amount)
            for one in result.record.rows
        )
        home = BOOKS.companies[result.record.company].currency
        assert all(money.rounded(one.company_amount, home) == one.company_amount for one in result.record.rows)
        assert all(one.amount == one.company_amount for one in result.record.rows if one.currency == home)


@settings(deadline=None)
@given(documents())
def test_lines_come_out_as_they_came_in_and_rounding_stays_below_its_cap(case: Case) -> None:
    result = map_document(case.document, case.within)
    if isinstance(result, Held):
        assert result.cause in ("lines_do_not_add_up", "settlement_differs", "negative_amount", "rate_missing")
        return
    spent = [one.amount for one in result.record.rows if one.account == "6110"]
    if case.document.kind not in ("payment", "bill_payment_unload"):
        assert spent == [one.amount for one in case.document.lines if one.amount]
    cap = case.within.tables.rules.rounding_max
    rounding = [one for one in result.record.rows if one.account == "3740"]
    assert len(rounding) <= 2
    assert all(one.company_amount.copy_abs() <= cap for one in rounding)


@settings(deadline=None)
@given(documents())
def test_the_other_sign_is_the_other_side(case: Case) -> None:
    def opposite(amount: Decimal) -> Decimal:
        return money.times(amount, Decimal(-1))

    document = changed(
        case.document, kind="virtual_card_transaction", status="sync_ready", fee=Decimal(0), settlement=None
    )
    swapped = changed(
        document,
        amount=Money(opposite(document.amount.amount), document.amount.currency),
        lines=tuple(msgspec.structs.replace(one, amount=opposite(one.amount)) for one in document.lines),
    )
    one, other = map_document(document, case.within), map_document(swapped, case.within)
    if isinstance(one, Held) or isinstance(other, Held):
        assert isinstance(one, Held) == isinstance(other, Held)
        return
    assert [row(each) for each in other.record.rows] == [
        row(msgspec.structs.replace(each, amount=opposite(each.amount), company_amount=opposite(each.company_amount)))
        for each in one.record.rows
    ]


@settings(deadline=None)
@given(cents(1, 10**30), st.booleans())
def test_a_request_and_its_payment_leave_nothing_accrued_in_whichever_order(amount: Decimal, turned: bool) -> None:
    rate = Rate(Decimal("1.0834"), "airbase")
    euros = Money(amount, "EUR")
    request = changed(REQUEST, amount=euros, rate=rate, lines=(SpendLine(1, amount),))
    payment = changed(PAYMENT, amount=euros, rate=msgspec.structs.replace(rate, rate=Decimal("1.09")))
    assert trace(request).story == trace(payment).story
    pair = (payment, request) if turned else (request, payment)
    accrued = [one for document in pair for one in posted(document).rows if one.account == "2990"]
    assert voucher.balance(accrued) == {}


@settings(deadline=None)
@given(st.decimals(-(10**12), 10**12, places=4), st.integers(1, 10**12), st.sampled_from(["USD", "JPY", "KWD"]))
def test_a_share_is_the_nearest_amount(part: Decimal, whole: int, currency: str) -> None:
    place = Decimal(1).scaleb(-money.decimals(currency))
    found = share(part, Money(Decimal(whole), currency), Decimal(7))
    off = money.total((money.times(found, Decimal(7)), money.times(part, Decimal(-whole))))
    assert 2 * off.copy_abs() <= 7 * place
    assert share(Decimal(7), Money(Decimal(whole), currency), Decimal(7)) == whole
