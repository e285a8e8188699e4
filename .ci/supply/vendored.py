"""Files of others that lie in the package, as THIRD_PARTY.md tells.

Rule: what the table says of a file is all that is known of it.
Must not know: what a file is for.
"""

from dataclasses import dataclass

from locked import ROOT

STATIC = ROOT / "src" / "ml_connector" / "console" / "static"
TABLE = ROOT / "THIRD_PARTY.md"


@dataclass(frozen=True)
class Vendored:
    """One file of others."""

    file: str
    what: str
    version: str
    licence: str
    purl: str
    digest: str


def vendored() -> list[Vendored]:
    """All of them."""
    return [_row(line) for line in TABLE.read_text().splitlines() if line.startswith("| `")]


def _row(line: str) -> Vendored:
    file, what, version, licence, origin, digest = (cell.strip() for cell in line.strip("| ").split("|"))
    return Vendored(file.strip("`"), what, version, licence, origin.split("`")[1], digest.strip("`"))
