"""Each mistake that a person can make in [posting], and where it is said to be."""

import tomllib
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from ml_connector.errors import SettingsError
from ml_connector.flows.posting.clearing import clearing_accounts
from ml_connector.flows.posting.rule_book import rule_book
from ml_connector.flows.posting.rules import AccountRule, Rule, RuleBook, TableRate, covers
from ml_connector.flows.posting.toml import table
from ml_connector.flows.posting.words import in_words, unknown
from ml_connector.records.ledger import AccountTerms, Books

SUBSIDIARIES = {"10": "SUB-10", "20": "SUB-20"}
ACCOUNTS = {"accrual": "2990", "payable": "2440", "bank": "1930", "grni": "accrual"}
RULE = {"name": "R", "kinds": ["payment"], "debit": "accrual", "credit": ["document.bank", "bank"]}


def book(dimensions: dict[str, str] | None = None, /, **posting: Any) -> RuleBook:
    raw = {"documents": ["payments"], "accounts": ACCOUNTS, **posting}
    return rule_book(raw, subsidiaries=SUBSIDIARIES, dimensions=dimensions or {"department": "B"})


def rule(**fields: Any) -> dict[str, Any]:
    return {**RULE, **fields}


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"document": ["payments"]}, 'posting: there is no setting "document"; nearest: documents'),
    ({"documents": ["payment"]}, 'posting.documents: there is no kind of document "payment"; nearest: payments'),
    ({"documents": "p" * 61}, f'posting.documents: there is no kind of document "{"p" * 60}"; there are: '),
    ({"documents": []}, "posting.documents: should name at least one"),
    ({"documents": ["payments", "ledger_entries"]}, "would post the same payments twice"),
    ({"documents": ["purchase_requests", "ledger_entries"]}, "would post the same spend twice"),
    ({"closed_period": "open"}, 'posting.closed_period: "open" is none of hold, next_open; nearest: next_open'),
    ({"duplicates": "yes"}, 'posting.duplicates: "yes" is none of warn, hold, off'),
    ({"late_needs_approval": "no"}, "posting.late_needs_approval: should be true or false"),
    ({"duplicate_days": -1}, "posting.duplicate_days: should be a whole number of days"),
    ({"duplicate_days": 3661}, "posting.duplicate_days: should be a whole number of days"),
    ({"duplicate_days": True}, "posting.duplicate_days: should be a whole number of days"),
    ({"rounding_max": 0.05}, 'posting.rounding_max: 0.05 is a floating-point number; write it as text: "0.05"'),
    ({"rounding_max": "0,05"}, 'posting.rounding_max: "0,05" is not an amount'),
    ({"rounding_max": "-1"}, 'posting.rounding_max: "-1" is not an amount'),
    ({"rounding_max": True}, 'posting.rounding_max: "True" is not an amount'),
    ({"rounding_max": ["1"]}, "posting.rounding_max: \"['1']\" is not an amount"),
    ({"rounding_max": "NaN"}, 'posting.rounding_max: "NaN" is not an amount'),
    ({"rounding_max": "1" * 61}, "posting.rounding_max: not a usable number"),
    ({"amount_max": {"*": "a lot"}}, 'posting.amount_max.*: "a lot" is not an amount'),
    ({"amount_max": {"11": "1"}}, 'posting.amount_max: there is no company "11"; there are: *, 10, 20'),
    ({"voucher_types": {"10": 5}}, 'posting.voucher_types.10: 5 is a number; write it as text: "5"'),
    ({"user_group": ""}, "posting.user_group: should be a text"),
    ({"accounts": "2990"}, "posting.accounts: should be a table"),
    ({"accounts": {"bank": 1930}}, 'posting.accounts.bank: 1930 is a number; write it as text: "1930"'),
    ({"accounts": {"a": "b", "b": "a"}}, "posting.accounts.a: the names go in a circle: a → b → a"),
    ({"accounts": {"a": "a"}}, "posting.accounts.a: the names go in a circle: a → a"),
    (
        {"accounts": {"accrual": "2990", "grni": "acrual"}},
        'posting.accounts.grni: there is no account name "acrual"; nearest: accrual',
    ),
    ({"accounts": {"lines": "1"}}, 'posting.accounts: "lines" has a meaning of its own'),
    ({"accounts": {"30": {"bank": "1"}}}, 'posting.accounts: there is no company in [mapping.subsidiaries] "30"'),
    (
        {"accounts": {"a": "b", "b": "1", "20": {"b": "a"}}},
        "posting.accounts.20.b: the names go in a circle: b → a → b",
    ),
    ({"rule": {"name": "R"}}, "posting.rule: should be a list of tables: [[posting.rule]]"),
    ({"rule": [rule(sides="x")]}, 'posting.rule[1]: there is no setting "sides"'),
    ({"rule": [{"name": "R"}]}, "posting.rule[1]: debit is missing"),
    (
        {"rule": [rule(kinds=["bill"], name="B"), rule(credit="acrual")]},
        'posting.rule[2].credit: there is no account name "acrual"; nearest: accrual',
    ),
    ({"rule": [rule(fee="document.bank")]}, 'posting.rule[1].fee: there is no account name "document.bank"'),
    ({"rule": [rule(debit="bank")]}, "posting.rule[1]: debit and credit both name bank"),
    ({"rule": [rule(debit=["accrual", "bank"])]}, "posting.rule[1]: debit and credit both name bank"),
    ({"rule": [rule(debit=["lines", "accrual"])]}, 'posting.rule[1].debit: "lines" stands alone'),
    ({"rule": [rule(of="invoice")]}, 'posting.rule[1].of: "invoice" is none of request, bill'),
    ({"rule": [rule(negative="keep")]}, 'posting.rule[1].negative: "keep" is none of swap, hold'),
    ({"rule": [rule(kinds=["*_payment"])]}, 'posting.rule[1].kinds: in "*_payment", * may only stand at the end'),
    ({"rule": [rule(kinds=["card_*_fee"])]}, 'posting.rule[1].kinds: in "card_*_fee", * may only stand at the end'),
    ({"rule": [rule(kinds=["card_**"])]}, 'posting.rule[1].kinds: in "card_**", * may only stand at the end'),
    ({"rule": [RULE, rule(kinds=["bill"])]}, 'posting.rule[2].name: another rule has the name "R" already'),
    (
        {"rule": [rule(kinds=["pay*"], name="All"), rule(of="request")]},
        'posting.rule[2]: "R" is never reached: posting.rule[1] "All" takes all that it would',
    ),
    (
        {"rule": [rule(name="1"), rule(name="2", kinds=["bill"]), rule(name="3", kinds=["payment", "bill"])]},
        'posting.rule[3]: "3" is never reached: posting.rule[1] "1"',
    ),
    ({"account": [{"category": "A"}]}, "posting.account[1]: account is missing"),
    (
        {"account": [{"categroy": "A", "account": "1"}]},
        'posting.account[1]: there is no setting "categroy"; nearest: c',
    ),
    ({"account": [{"account": "bnak"}]}, 'posting.account[1].account: there is no account name "bnak"; nearest: bank'),
    ({"account": [{"company": "11", "account": "1"}]}, "posting.account[1].company: there is no company in [mapping"),
    ({"account": [{"subsidiary": "SUB", "account": "1"}]}, "posting.account[1].subsidiary: there is no subsidiary in"),
    ({"account": [{"tag": "project", "account": "1"}]}, 'posting.account[1].tag: "project" is not a tag'),
    ({"account": [{"tag": "=P=1", "account": "1"}]}, 'posting.account[1].tag: "=P=1" is not a tag'),
    ({"account": [{"kind": "*_fee", "account": "1"}]}, 'posting.account[1].kind: in "*_fee", * may only stand'),
    ({"account": [{"account": "1", "parts": {"K": "1"}}]}, 'posting.account[1].parts: there is no code part "K"'),
    ({"account": [{"account": "1", "parts": {"B": 1}}]}, "posting.account[1].parts.B: 1 is a number"),
    (
        {"account": [{"category": "a", "account": "1"}, {"category": "A ", "type": "t", "account": "2"}]},
        "posting.account[2]: is never reached: posting.account[1] takes every line",
    ),
    ({"account": [{"account": "1"}, {"type": "t", "account": "2"}]}, "posting.account[2]: is never reached"),
    (
        {"account": [{"kind": "card_*", "account": "1"}, {"kind": "card_fee", "account": "2"}]},
        "posting.account[2]: is never reached",
    ),
    (
        {"account": [{"account": "given"}, {"category": "A", "account": "given"}]},
        "posting.account[2]: is never reached",
    ),
    ({"account": [{"account": "given"}, {"given": "6999", "account": "1"}]}, "posting.account[2]: is never reached"),
    ({"rate": [{"from": "JPY", "to": "USD", "rate": "1", "on": "2026-07-01"}]}, "posting.rate[1]: source is missing"),
    ({"rate": [{"from": "JPX"}]}, 'posting.rate[1].from: there is no currency "JPX"; nearest: JPY'),
    (
        {"rate": [{"from": "JPY", "to": "USD", "rate": "1", "on": "soon", "source": "x"}]},
        'posting.rate[1].on: "soon" is not a day',
    ),
    (
        {"rate": [{"from": "JPY", "to": "USD", "rate": "0", "on": date(2026, 7, 1), "source": "x"}]},
        "posting.rate[1]: a rate is more than zero",
    ),
    (
        {"rate": [{"from": "JPY", "to": "USD", "rate": "1", "on": "2026-07-01", "source": "x"}] * 2},
        "posting.rate[2]: a rate of JPY to USD on 2026-07-01 is there already",
    ),
]


@pytest.mark.parametrize(("posting", "message"), MISTAKES)
def test_a_mistake_is_named_with_its_place(posting: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError) as raised:
        book(**posting)
    assert message in str(raised.value)


def test_a_label_for_a_code_part_that_does_not_exist() -> None:
    with pytest.raises(SettingsError, match=r'mapping\.dimensions\.team: there is no code part "K"; there are: B, C'):
        book({"team": "K"})


def test_documents_are_needed() -> None:
    with pytest.raises(SettingsError, match="posting: documents is missing"):
        rule_book({}, subsidiaries={}, dimensions={})


def test_what_is_written_is_what_holds() -> None:
    made = book(
        documents="ledger_entries",
        closed_period="next_open",
        rounding_max=1,
        duplicates="hold",
        duplicate_tolerance="0.50",
        amount_max={"*": "100000", "20": "5"},
        voucher_types={"*": "M"},
        account=[{"category": "A", "account": "bank", "parts": {"F": "2", "B": "1"}}, {"account": "given"}],
        rate=[{"from": "JPY", "to": "USD", "rate": "0.0067", "on": date(2026, 7, 1), "source": "ECB"}],
    )
    assert made.documents == ("ledger_entries",)
    assert (made.rounding_max, made.duplicate_tolerance) == (Decimal(1), Decimal("0.50"))
    assert (made.limit("20"), made.limit("10")) == (Decimal(5), Decimal(100000))
    assert made.voucher_type("20") == "M"
    assert made.lines[0].parts == (("B", "1"), ("F", "2"))
    assert made.rate("JPY", "USD", date(2026, 6, 30)) is None
    assert made.rate("JPY", "USD", date(2026, 7, 1)) is made.rates[0]


def test_all_that_can_be_written_is_what_holds() -> None:
    conditions = {
        "category": "c", "type": "t", "kind": "card_*", "vendor": "v", "company": "10", "subsidiary": "SUB-20",
        "tag": "project=P", "given": "1",
    }  # fmt: skip
    made = book(
        late_needs_approval=True,
        duplicates="off",
        duplicate_days=3660,
        user_group=" ZZ ",
        rule=[
            rule(kinds=["card_*", "bill"], of="bill", fee="bank", exchange="grni", rounding="payable", negative="swap"),
            rule(name="S", debit="lines", credit="document.payable"),
        ],
        account=[{**conditions, "account": "grni"}],
        rate=[{"from": "JPY", "to": "USD", "rate": "0.0067", "on": "2026-07-01", "source": "ECB"}],
    )
    assert made == RuleBook(
        ("payments",),
        (
            Rule("R", ("card_*", "bill"), ("accrual",), ("document.bank", "bank"), "bill", "bank", "grni", "payable",
                 "swap"),
            Rule("S", ("payment",), ("lines",), ("document.payable",)),
        ),
        {"*": {**ACCOUNTS, "grni": "2990"}},
        (AccountRule(tuple(conditions.items()), "grni"),),
        (TableRate("JPY", "USD", Decimal("0.0067"), date(2026, 7, 1), "ECB"),),
        late_needs_approval=True,
        duplicates="off",
        duplicate_days=3660,
        user_group="ZZ",
    )  # fmt: skip


def test_doubles_may_be_looked_for_within_the_same_day_only() -> None:
    assert book(duplicate_days=0).duplicate_days == 0


def test_lines_to_copy_may_list_several() -> None:
    assert tomllib.loads(table("[of]", {"kinds": ["bill", "card"], "on": date(2026, 7, 1), "odd": "\x7f"})) == {
        "of": {"kinds": ["bill", "card"], "on": date(2026, 7, 1), "odd": "\x7f"}
    }


def test_the_latest_rate_that_is_not_too_young_counts() -> None:
    days = ("2026-07-03", "2026-07-01", "2026-07-02")
    rates = [{"from": "JPY", "to": "USD", "rate": day[-1], "on": day, "source": "x"} for day in days]
    found = book(rate=rates).rate("JPY", "USD", date(2026, 7, 2))
    assert found is not None
    assert found.rate == 2


def test_a_companys_own_accounts_come_first_and_names_follow_them() -> None:
    made = book(accounts={**ACCOUNTS, "20": {"accrual": "2991", "own": "1"}})
    assert (made.account("accrual", "10"), made.account("grni", "10")) == ("2990", "2990")
    assert (made.account("accrual", "20"), made.account("grni", "20")) == ("2991", "2991")
    assert (made.account("own", "20"), made.account("own", "10"), made.account("bank", "20")) == ("1", "", "1930")


def test_requests_and_ledger_entries_go_together_when_bills_clear_what_requests_credit() -> None:
    request = {"name": "Request", "kinds": ["purchase_request"], "debit": "lines", "credit": "accrual"}
    bill = {"name": "Bill", "kinds": ["bill"], "debit": "accrual", "credit": "payable"}
    made = book(documents=["purchase_requests", "ledger_entries"], rule=[request, bill])
    assert len(made.rules) == 2
    other = {**bill, "name": "Other", "kinds": ["bi*"], "debit": "lines"}
    with pytest.raises(SettingsError, match="twice"):
        book(documents=["purchase_requests", "ledger_entries"], rule=[request, {**bill, "of": "request"}, other])


def test_an_earlier_rule_that_takes_only_some_leaves_the_rest() -> None:
    narrow, wide = rule(name="1", of="request"), rule(name="2")
    assert len(book(rule=[narrow, wide]).rules) == 2
    both = rule(name="3", kinds=["payment", "bill"])
    assert len(book(rule=[rule(name="1"), both]).rules) == 2
    given = {"account": "given"}
    assert len(book(account=[given, {"category": "A", "account": "1"}]).lines) == 2


def test_patterns() -> None:
    assert covers("virtual_card_*", "virtual_card_transaction")
    assert covers("a*", "ab*")
    assert not covers("ab", "ab*")
    assert not covers("ab*", "a*")


def test_what_ifs_does_not_have_is_named() -> None:
    named = [{"category": "A", "account": "bank"}, {"category": "B", "account": "given"}]
    given = [*named, {"account": "6110", "parts": {"B": "1"}}]
    made = book(accounts={"bank": "1930", "20": {"bank": "1931"}}, account=given)
    books = Books(accounts={(company, "1930"): AccountTerms(company, "Bank") for company in ("10", "20")})
    assert unknown(made, books, ("10", "20")) == [
        "Company 10 has no account 6110.",
        "Company 20 has no account 1931.",
        "Company 20 has no account 6110.",
        "Company 10 has no value 1 of code part B.",
        "Company 20 has no value 1 of code part B.",
    ]


@pytest.mark.parametrize(
    ("posting", "said"),
    [
        ({}, "No account rule is given: every document with lines is held."),
        ({"account": [{"category": "A", "account": "1"}]}, "Any other line is held."),
        ({"account": [{"account": "given"}]}, "A line without an account is held."),
        ({"account": [{"account": "given"}]}, "All other lines: the account that Airbase shows."),
        (
            {"account": [{"category": "A", "given": "6999", "account": "bank", "parts": {"B": "1", "F": "2"}}]},
            "Lines of category A and account in Airbase 6999: 1930 bank, with B 1, F 2 where tags say nothing.",
        ),
        (
            {"accounts": {**ACCOUNTS, "20": {"bank": "1931", "payable": "2440"}}, "rule": [RULE]},
            "R (payment): debit 2990 accrual, credit the document's bank account, else 1930 bank (company 20: 1931).",
        ),
        (
            {"accounts": {"20": {"own": "1", "bank": "2"}}, "rule": [rule(debit="own", of="bill", rounding="bank")]},
            "R (payment of a bill): debit own (company 20: 1), credit the document's bank account, else bank (company "
            "20: 2); up to 0.05 rounding to bank (company 20: 2).",
        ),
        (
            {"accounts": {**ACCOUNTS, "10": {"bank": "1"}, "20": {"bank": "2", "own": "3"}}, "rule": [RULE]},
            "R (payment): debit 2990 accrual, credit the document's bank account, else 1930 bank (company 10: 1, "
            "company 20: 2).",
        ),
        (
            {
                "accounts": {"own": "9", "10": {"bank": "1"}, "20": {"other": "2"}},
                "rule": [rule(debit="own", credit="bank", negative="swap")],
            },
            "R (payment): debit 9 own, credit bank (company 10: 1); a negative amount swaps the sides.",
        ),
        ({"rule": [rule(name="Payment of a request", of="request")]}, "Payment of a request: debit 2990 accrual, cre"),
        ({}, "A document of a closed period is held."),
        (
            {"closed_period": "next_open", "late_needs_approval": True},
            "A document of a closed period is posted on the first open day after it, once somebody approved.",
        ),
        ({"duplicates": "off"}, "Doubles are not looked for."),
        (
            {"duplicates": "hold", "duplicate_tolerance": "0.50"},
            "What may be a double is held: same supplier and invoice number, amounts at most 0.5 and days at most 90 "
            "apart.",
        ),
        ({}, "What may be a double is posted and warned of: same supplier "),
        ({"amount_max": {"10": "5.00"}}, "A voucher of company 10 over 5 is held."),
    ],
)
def test_what_is_in_effect_reads_as_a_sentence(posting: dict[str, Any], said: str) -> None:
    assert [one for one in in_words(book(**posting)) if one.startswith(said)]


def test_clearing_is_what_one_rule_debits_and_another_credits() -> None:
    rules = [
        rule(kinds=["fee"], debit="accrual", credit="payable"),
        rule(name="2", kinds=["bill"], debit="lines", credit="grni"),
        rule(name="3", kinds=["card"], debit="payable", credit="bank"),
        rule(name="4", kinds=["refund"], debit=["document.bank", "bank"], credit="grni"),
    ]
    made = book(documents="ledger_entries", rule=rules)
    assert clearing_accounts(made, "10") == {"2440"}
