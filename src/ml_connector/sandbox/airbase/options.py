"""What differs between Airbase tenants, as far as anyone outside knows.

One rule: each option stands for something the public sources leave open; its default is the harshest reading.
It must not know how the site uses it.
"""

from typing import Literal

import msgspec


class SpendOptions(msgspec.Struct, kw_only=True):
    """A large made-up spend world: how much of it, and how much of it is odd.

    Units: shares from 0 to 1. Up to `reversed` they are independent of each other; the oddities below exclude each
    other, so that one document has one thing wrong with it at most.
    """

    requests: int = 0  # an approved one has a bill, unless it is paid by card
    payments: int = 0  # of those bills; when there are too few, of bills without a request
    entries: int = 0  # ledger entries over all known types
    seed: int = 1
    currencies: tuple[str, ...] = ("USD", "EUR", "JPY", "KWD")
    from_date: str = "2026-01-01"
    to_date: str = "2026-06-30"
    closed_date: str = "2025-05-05"  # documents of a closed period are of this day
    vendors: Literal["prefilled", "existing"] = "prefilled"  # "existing": none are made, by id if they have no key
    vendor_count: int = 100  # prefilled from the first suppliers when there are not as many

    foreign: float = 0.3  # in another currency than the subsidiary's
    exchange_differences: float = 0.5  # of foreign ones: settled at another rate than booked
    fees: float = 0.15  # of settled payments
    unapproved: float = 0.15  # of requests: created, sent_back, denied or archived
    expense_reports: float = 0.05  # of requests: no vendor, no bill, no payment
    cards: float = 0.1  # of approved requests: paid by card, without a bill
    failed: float = 0.03  # of payments
    pending: float = 0.04
    reversed: float = 0.02

    unconverted: float = 0.01  # foreign with neither subsidiary_amount nor exchange_rate
    missing_category: float = 0.02
    expired_account: float = 0.01
    expired_tag: float = 0.01
    zero: float = 0.01
    negative: float = 0.02
    doubled: float = 0.01  # supplier, invoice and amounts of an earlier one
    closed_period: float = 0.01
    off_by_cent: float = 0.02  # lines that miss the total by the smallest amount of the currency
    over_precise: float = 0.01  # one decimal more than the currency has
    no_account: float = 0.0  # lines with a category only
    no_bank_account: float = 0.0
    unknown_type: float = 0.01  # of ledger entries: "mystery_type"


class AirbaseOptions(msgspec.Struct):
    """The settings of a stand-in Airbase; they may be changed while it runs."""

    token: str = "sandbox-token"  # noqa: S105 - made up, and shown by the control API
    auth: Literal["bearer", "token", "both"] = "both"
    page_size_max: int = 250
    rate_limit: int = 500  # requests in a window, 0 for no limit
    rate_window_s: float = 60
    retry_after: bool = False  # whether a 429 says when to come back
    honour_filters: bool = True  # False: erp_reference_id and po_number are ignored and everything is listed
    readonly: tuple[str, ...] = ()  # kinds that cannot be written, such as "accounts"
    duplicates: Literal["allow", "reject", "upsert"] = "allow"  # a create with an erp_reference_id that is there
    vendor_fields: tuple[str, ...] = ("payment_terms", "currency", "address", "tax_id", "bank_country")
    bulk_max: int = 100
    failure_status: str = ""  # the ledger entry status for a failed posting, when the tenant has one
    onboarded: bool = False  # whether the entity session was ended before, so that START answers 409
    prefilled_vendors: int = 0  # vendors that carry the key of one of the first suppliers from the start
    documents: int = 24  # ledger entries, requests and bills from the start; 0 for none and no vendors of its own
    seed: int = 1
    spend: SpendOptions | None = None  # beside the few documents
