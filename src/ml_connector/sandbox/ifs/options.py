"""How the IFS site is set up; every attribute may be changed while it serves.

Rule: defaults are what the sandbox's own examples and tests log in with.
It must not know how any of it is carried out.
"""

from dataclasses import dataclass


@dataclass
class IfsOptions:
    """The set-up of one tenant."""

    realm: str = "acme-prod"  # not the host, as in the real thing
    client_id: str = "mlc"
    client_secret: str = "sandbox-secret"  # noqa: S105 - made up
    token_life_s: float = 180
    companies: tuple[str, ...] = ("10", "20")  # rows of other companies are silently missing
    page_cap: int = 5000
    timeout_top: int | None = None  # a larger $top takes too long
    zone: str = "Europe/Oslo"  # what `Z` really means, unless the client asks for time-zone awareness
    batch_max: int = 200  # requests within a $batch
    rate_limit: int = 1000  # requests a window
    rate_window_s: float = 60
    retry_after: bool = True
    refuse_services: tuple[str, ...] = ()
    missing_properties: tuple[str, ...] = ()  # "Service.Property"
    renamed: tuple[str, ...] = ()  # "Service.Property=NewName"
    modified: bool = True  # whether Cf_Modified_At is shown
