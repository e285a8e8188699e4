"""The rules that hold where a profile writes none of its own.

Rule: data only; the names stand for accounts that the profile gives.
Must not know: how rules are matched.
"""

from ml_connector.flows.posting.rules import BANK, LINES, PAYABLE, SWAP, Rule
from ml_connector.records.spend import BILL, PAYMENT, REQUEST


def _rule(name: str, kinds: str, debit: str, credit: str, of: str = "", negative: str = "hold") -> Rule:
    return Rule(
        name,
        tuple(kinds.split()),
        tuple(debit.split()),
        tuple(credit.split()),
        of,
        "fees",
        "exchange",
        "rounding",
        negative,
    )


DEFAULT_RULES = (
    _rule("Request", REQUEST, LINES, "accrual"),
    _rule("Payment of a request", PAYMENT, "accrual", f"{BANK} bank", of="request"),
    _rule("Other payment", PAYMENT, "payable", f"{BANK} bank"),
    _rule("Bill", BILL, LINES, f"{PAYABLE} payable"),
    _rule("Bill payment", "bill_payment", f"{PAYABLE} payable", f"{BANK} bank"),
    _rule("Load for bill payments", "bill_payment_load", "bill_clearing", f"{BANK} bank"),
    _rule("Unload of bill payments", "bill_payment_unload", f"{BANK} bank", "bill_clearing"),
    _rule("Card", "virtual_card_* physical_card_*", LINES, f"{BANK} card_clearing", negative=SWAP),
    _rule("Load for cards", "ach_load", "card_clearing", f"{BANK} bank"),
    _rule("Reimbursement", "reimbursement", LINES, f"{PAYABLE} employee_payable"),
    _rule("Payment of a reimbursement", "reimbursement_payment", f"{PAYABLE} employee_payable", f"{BANK} bank"),
)
