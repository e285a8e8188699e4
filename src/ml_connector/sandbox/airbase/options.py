"""What differs between Airbase tenants, as far as anyone outside knows.

One rule: each option stands for something the public sources leave open; its default is the harshest reading.
It must not know how the site uses it.
"""

import base64
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
HeaderName = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9-]+$")]


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


class HookOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a tenant's webhooks go, how they are signed, and what goes wrong with them.

    Units: shares from 0 to 1 of the events; each event has at most one thing wrong with it.
    """

    url: str = ""  # "": none are sent; plain http to this machine only
    scheme: Literal["hmac", "standard", "none"] = "hmac"
    header: HeaderName = "X-Airbase-Signature"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""
    secret: str = "sandbox-hook-secret"  # noqa: S105 - made up; of the Standard scheme: may be whsec_ and base64
    types: tuple[str, ...] = ("purchase_request_approved", "payment_settled")
    zoned: bool = False  # whether created_date says its zone; Airbase's other times do not

    attempts: int = 5
    backoff_s: float = 0.2  # before the second attempt, then twice as long each time
    timeout_s: float = 5

    tampered: float = 0.0  # changed after it was signed
    missigned: float = 0.0  # signed with another secret
    duplicated: float = 0.0  # sent again although it was taken, with the same id
    delayed: float = 0.0  # by delay_s
    reordered: float = 0.0  # behind the next event, or after delay_s when none comes
    dropped: float = 0.0  # never sent
    delay_s: float = 0.5

    def __post_init__(self) -> None:
        url = urlsplit(self.url)
        _ = (url.port, secret_key(self.secret))  # a ValueError now, not when the first event is sent
        if self.url and (url.scheme not in ("http", "https") or not url.hostname):
            raise ValueError("the url of a webhook is http:// or https:// and a host")
        if url.scheme == "http" and url.hostname not in _LOOPBACK:
            raise ValueError("webhooks go to this machine, or over https")


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
    hooks: HookOptions = msgspec.field(default_factory=HookOptions)


def secret_key(secret: str) -> bytes:
    """Give the key that a webhook secret stands for in the Standard scheme; a ValueError when it is no base64."""
    marked = secret.startswith("whsec_")
    return base64.b64decode(secret.removeprefix("whsec_"), validate=True) if marked else secret.encode()
