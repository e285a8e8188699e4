"""Whether a request changed something, seen from outside the site.

One rule: reading never counts, whatever method it uses: tokens are asked for with POST, and so are batches of GETs.
It must not know the sites beyond that.
"""

import re

_ASKED = re.compile(rb"^(GET|HEAD|POST|PUT|PATCH|DELETE) \S+ HTTP/1\.1\r?$", re.MULTILINE)
_ANSWERED = re.compile(rb"^HTTP/1\.1 (\d{3}) ", re.MULTILINE)
_READS = (b"GET", b"HEAD")


def took_effect(method: str, path: str, body: bytes, status: int, answer: bytes) -> bool:
    """Say whether a request with this answer was a write that was done."""
    if method in ("GET", "HEAD", "OPTIONS") or path.endswith("/token") or not 200 <= status < 300:
        return False
    return _any_within(body, answer) if path.endswith("/$batch") else True


def _any_within(body: bytes, answer: bytes) -> bool:
    """Look for a write that was done among the parts, which are answered in order until one fails."""
    asked, answered = _ASKED.findall(body), _ANSWERED.findall(answer)
    return any(
        method not in _READS and status.startswith(b"2") for method, status in zip(asked, answered, strict=False)
    )
