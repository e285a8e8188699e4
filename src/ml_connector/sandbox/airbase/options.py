"""What differs between Airbase tenants, as far as anyone outside knows.

One rule: each option stands for something the public sources leave open; its default is the harshest reading.
It must not know how the site uses it.
"""

from typing import Literal

import msgspec


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
    vendor_fields: tuple[str, ...] = ("payment_terms", "currency", "address")
    bulk_max: int = 100
    failure_status: str = ""  # the ledger entry status for a failed posting, when the tenant has one
    onboarded: bool = False  # whether the entity session was ended before, so that START answers 409
    prefilled_vendors: int = 0  # vendors that carry the key of one of the first suppliers from the start
    documents: int = 24  # ledger entries, requests and bills from the start; 0 for none and no vendors of its own
    seed: int = 1
