"""What evidence says of itself: of what, made when and by whom, where its stretch of each journal begins and ends.

Rule: whatever is not told here has a usual value, so that evidence of earlier programs can be checked.
Must not know: what the files hold.
"""

from datetime import date, timedelta

import msgspec

FORMAT = 1


class Stretch(msgspec.Struct, frozen=True):
    """Entries `first` to `last` of the journal with this number; none: `last` is `first` - 1.

    Shape: `before` is the hash that the first one follows, `head` that of the last one; `newest` and `newest_head` are
    the end of the whole journal when the evidence was made. All hexadecimal.
    """

    number: int = 0
    first: int = 1
    last: int = 0
    before: str = ""
    head: str = ""
    newest: int = 0
    newest_head: str = ""

    @property
    def ends_well(self) -> bool:
        """Whether the end of the whole journal may be what it is said to be, as far as the stretch tells."""
        return self.newest > self.last or (self.newest, self.newest_head) == (self.last, self.head)


class Filed(msgspec.Struct, frozen=True):
    """A file. Units: size in bytes."""

    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """Evidence of one connection and period; `since` and `until`: the stretch of time that it tells of."""

    connection: str
    period: str
    from_on: str
    until_on: str
    made_at: str
    made_by: str
    program: str
    ifs: str
    airbase: str
    companies: tuple[str, ...]
    tie_out: str
    since: str = ""
    until: str = ""
    journal: Stretch = Stretch()
    installation: Stretch = Stretch()
    files: dict[str, Filed] = {}
    format: int = FORMAT

    def is_of(self, connection: str, period: str, from_on: str, until_on: str) -> bool:
        """Whether it tells of this period, and of all of its days in whatever zone, as far as they were over."""
        named = (self.connection, self.period, self.from_on, self.until_on) == (connection, period, from_on, until_on)
        return named and self.since[:10] <= from_on and self.until[:10] >= min(_day_before(self.made_at), until_on)


def _day_before(at: str) -> str:
    """The last day that was surely over when this was said; no day: one that never comes."""
    try:
        return (date.fromisoformat(at[:10]) - timedelta(days=1)).isoformat()
    except (ValueError, OverflowError):
        return "~"


def written(manifest: Manifest) -> bytes:
    """The manifest as it is kept, to be read by people too."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"


def read(content: bytes) -> Manifest:
    """The manifest that was written. Raises: ValueError."""
    return msgspec.json.decode(content, type=Manifest)
