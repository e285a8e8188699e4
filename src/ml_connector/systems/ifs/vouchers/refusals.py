"""Why a voucher is not in IFS, for the person who can do something about it.

Rule: IFS's own words are shown, never matched.
Must not know: requests.
"""

from decimal import Decimal

from ml_connector.records import keys, money
from ml_connector.records.money import Money
from ml_connector.records.voucher import Voucher, balance, company_balance
from ml_connector.sync.causes import HANDED_OVER
from ml_connector.sync.outcome import Held, Owner
from ml_connector.systems.ifs.vouchers.compose import Posting
from ml_connector.systems.ifs.vouchers.landing import Landing
from ml_connector.systems.ifs.vouchers.references import KEY_MAX, fits

REFUSED = "refused_by_ifs"


def stake(voucher: Voucher) -> Money | None:
    """The debit side in the currency of the first row."""
    if not voucher.rows:
        return None
    currency = voucher.rows[0].currency
    debits = (row.amount for row in voucher.rows if row.currency == currency and row.amount > Decimal(0))
    return Money(money.total(debits), currency)


def refused(key: str, voucher: Voucher, text: str) -> Held:
    """IFS said no to one voucher."""
    return Held(
        REFUSED,
        f"IFS refused the voucher of {keys.shown(key)}: {text}",
        "Correct what IFS names, there or in the source or the mapping, then run again.",
        Owner.CONTROLLER,
        stake(voucher),
    )


def gone(key: str, voucher: Voucher, target_id: str) -> Held:
    """A voucher is to be corrected that is not to be seen."""
    return Held(
        "gone_from_target",
        f"{keys.shown(key)} was voucher {target_id}, which is neither in the hold table nor in the ledger.",
        "Check that the service user still sees company and voucher. If it was deleted from the hold table, enter it"
        f" again there with the reference {key}, then run again.",
        Owner.CONTROLLER,
        stake(voucher),
    )


def handed(key: str, voucher: Voucher, file: str, load_type: str) -> Held:
    """A voucher is in a file that somebody has to load."""
    return Held(
        HANDED_OVER,
        f"The voucher of {keys.shown(key)} is in file {file}, company {voucher.company}, which IFS has not taken yet.",
        f"Load it in the External Voucher Assistant with load type {load_type}. Every run looks for it; once it is in"
        " IFS, this goes away by itself.",
        Owner.CONTROLLER,
        stake(voucher),
    )


def flaw(posting: Posting, landing: Landing) -> Held | None:
    """Why a voucher is not even sent."""
    key, voucher = posting.reference.key, posting.voucher
    name, at_stake = keys.shown(key), stake(voucher)
    if not fits(posting.reference) or (landing.kind == "file" and landing.separator in key):
        sentence = f"{name} can't be a reference in IFS: it has to be one word of at most {KEY_MAX} characters"
        sentence += f", without {landing.separator}." if landing.kind == "file" else "."
        return Held("unusable_reference", sentence, "Report it with the record's number.", stake=at_stake)
    if len(voucher.rows) > landing.rows_max:
        sentence = f"The voucher of {name} has {len(voucher.rows)} rows; a voucher may have {landing.rows_max}."
        remedy = "Split the document, or raise rows_max in [posting.landing]."
        return Held("too_many_rows", sentence, remedy, Owner.CONTROLLER, at_stake)
    if not voucher.rows or balance(voucher.rows) or company_balance(voucher.rows):
        sentence = f"The voucher of {name} does not balance, so it is not sent."
        return Held("unbalanced", sentence, "Report it with the record's number.", Owner.CONTROLLER, at_stake)
    return None
