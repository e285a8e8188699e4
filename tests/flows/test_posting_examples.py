"""The page on posting rules, read as a controller would: its profile, its rules, its examples."""

import re
import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from ml_connector.flows.posting.defaults import DEFAULT_RULES
from ml_connector.flows.posting.mapping import map_document
from ml_connector.flows.posting.rule_book import rule_book
from ml_connector.flows.posting.words import in_words
from ml_connector.records.ledger import AccountTerms, Books, Company
from ml_connector.records.money import Money
from ml_connector.records.spend import Document, Rate, SpendLine, Tag
from ml_connector.records.voucher import Voucher, VoucherRow
from ml_connector.sync.flow import Context, Tables
from ml_connector.sync.outcome import Mapped

PAGE = (Path(__file__).parents[2] / "docs" / "explanation" / "posting-rules.md").read_text()
PROFILE, RULES = (tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL))
MAPPING, POSTING = PROFILE["mapping"], PROFILE["posting"]
BOOK = rule_book(POSTING, subsidiaries=MAPPING["subsidiaries"], dimensions=MAPPING["dimensions"])
ACCOUNTS = ["1930", "1931", "1940", "1950", "2440", "2960", "2990", "3740", "6110", "6540", "6570", "7690", "7960"]
BOOKS = Books(
    companies={"10": Company("10", "Ten", "USD"), "20": Company("20", "Twenty", "EUR")},
    accounts={(company, number): AccountTerms(company, number) for company in ("10", "20") for number in ACCOUNTS},
)
CONTEXT = Context(
    date(2026, 7, 10), Tables(MAPPING["subsidiaries"], dimensions=MAPPING["dimensions"], rules=BOOK), books=BOOKS
)
STATUS = {"purchase_request": "approved", "payment": "settled"}


def examples() -> dict[str, tuple[list[list[str]], list[list[str]]]]:
    """The two tables below each heading of the worked examples: document and rows."""
    part = PAGE.split("## Worked examples")[1].split("### Late")[0]
    found: dict[str, tuple[list[list[str]], list[list[str]]]] = {}
    for section in part.split("### ")[1:]:
        title, _, rest = section.partition("\n")
        first, second = re.findall(r"(?:^\|.*\n)+", rest, re.MULTILINE)
        found[title] = cells(first), cells(second)
    return found


def cells(table: str) -> list[list[str]]:
    rows = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in table.splitlines()]
    return rows[2:]


def money(text: str) -> Money:
    currency, amount = text.split()
    return Money(Decimal(amount), currency)


def tag(text: str) -> Tag:
    label, reference = text.split("=")
    return Tag(label, reference)


def line(number: int, text: str) -> SpendLine:
    amount, *rest = text.split(", ")
    tags = tuple(tag(item) for item in rest if "=" in item)
    account = next((item.removeprefix("account ") for item in rest if item.startswith("account ")), "")
    category = next((item for item in rest if "=" not in item and not item.startswith("account ")), "")
    return SpendLine(number, Decimal(amount), account, category, tags=tags)


def document(rows: list[list[str]]) -> Document:
    given = dict(rows)
    rate = given.get("rate")
    return Document(
        id="d-1",
        kind=given["kind"],
        number=given["number"],
        status=STATUS.get(given["kind"], "sync_ready"),
        subsidiary=given.get("subsidiary", "SUB-10"),
        amount=money(given["amount"]),
        dated_on=date(2026, 7, 1),
        company_amount=money(given["company amount"]) if "company amount" in given else None,
        settlement=money(given["settlement"]) if "settlement" in given else None,
        fee=Decimal(given.get("fee", "0")),
        rate=Rate(Decimal(rate), "airbase", date(2026, 7, 1)) if rate else None,
        request_id="r-1" if given.get("refers to") == "request" else "",
        bank_account=given.get("bank account", ""),
        lines=tuple(line(int(name.split()[1]), text) for name, text in rows if name.startswith("line ")),
        tags=tuple(tag(text) for name, text in rows if name == "tag"),
    )


def as_cells(row: VoucherRow) -> list[str]:
    parts = ", ".join(f"{part} {value}" for part, value in row.parts)
    amount, worth = f"{row.currency} {abs(row.amount):f}", f"{abs(row.company_amount):f}"
    if row.amount > 0:
        return [row.account, parts, amount, "", worth, ""]
    return [row.account, parts, "", amount, "", worth]


def composed(rows: list[list[str]]) -> Voucher:
    mapped = map_document(document(rows), CONTEXT)
    assert isinstance(mapped, Mapped), mapped
    return mapped.record


@pytest.mark.parametrize("title", examples())
def test_an_example_of_the_page_comes_out_as_it_says(title: str) -> None:
    given, rows = examples()[title]
    assert [as_cells(row) for row in composed(given).rows] == rows


def test_the_page_has_all_the_examples() -> None:
    assert len(examples()) == 8


def test_the_rules_of_the_page_are_those_that_hold_when_none_are_written() -> None:
    book = rule_book({**POSTING, **RULES["posting"]}, subsidiaries=MAPPING["subsidiaries"], dimensions={})
    assert book.rules == DEFAULT_RULES
    assert BOOK.rules == DEFAULT_RULES


def test_the_sentence_of_the_page_is_how_the_rule_reads() -> None:
    quoted = re.search(r"\*(Payment of a request: .*?)\*", PAGE, re.DOTALL)
    assert quoted
    assert " ".join(quoted[1].split()) in in_words(BOOK)


def test_every_rule_and_limit_reads_as_a_sentence() -> None:
    everything = ("purchase_requests", "payments", "ledger_entries")
    book = msgspec.structs.replace(BOOK, documents=everything, amount_max={"*": Decimal(100000), "20": Decimal("5e3")})
    words = in_words(book)
    assert words[3] == (
        "Bill: debit the accounts of its lines, credit the document's payable account, else 2440 payable; fees to "
        "6570; exchange differences to 7960; up to 0.05 rounding to 3740."
    )
    assert "a negative amount swaps the sides" in words[7]
    assert words[7].startswith("Card (virtual card *, physical card *): ")
    assert "Lines of category Office supplies: 6110, with B 100 where tags say nothing." in words
    assert "Lines of kind reimbursement: the account that Airbase shows." in words
    assert "Where Airbase gives no rate: 1 JPY is 0.0067 USD from 2026-07-01 on (ECB)." in words
    assert "A document of a closed period is posted on the first open day after it." in words
    assert words[-2:] == [
        "A voucher of any other company over 100000 is held.",
        "A voucher of company 20 over 5000 is held.",
    ]


def test_only_rules_for_what_is_posted_are_read_out() -> None:
    titles = [sentence.partition(":")[0] for sentence in in_words(BOOK)[:4]]
    assert titles[:3] == ["Request (purchase request)", "Payment of a request", "Other payment (payment)"]
    assert titles[3].startswith("A document of any other kind is held")


def test_default_rules_whose_accounts_have_no_number_say_so() -> None:
    book = rule_book({"documents": "payments"}, subsidiaries={}, dimensions={})
    assert "bank (no account has this name yet)" in in_words(book)[1]
