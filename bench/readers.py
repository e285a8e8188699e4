"""Who reads in the reading bench, what everybody reads, and how one of them is run once.

Rule: every reader runs in a process of its own and is told the same; what it asked of the feed is counted there.
Must not know: how any reader works.
"""

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "peers")]

from feed import SECRET, Counted, Feed  # noqa: E402
from measuring import TOLD_BY, Part, Rows, Task, rows_of  # noqa: E402

from ml_connector.systems.ifs.odata.query import any_of, both, equal  # noqa: E402
from ml_connector.systems.ifs.standard import DEFAULT  # noqa: E402

__all__ = ["PEERS", "TOLD_BY", "Part", "Reader", "Rows", "parts", "pinned", "read", "readers", "rows_of"]

PARTS = ("suppliers", "supplier_terms", "supplier_addresses", "orders", "order_lines")
COMPANIES = ("10", "20")
MODIFIED = "Cf_Modified_At"
PEERS = {"dlt": "", "dlt-arrow": "arrow", "airbyte": "", "singer": ""}
PACKAGES = {"dlt": "dlt", "airbyte": "airbyte-cdk", "singer": "singer-sdk"}
TIMEOUT_S = 600


@dataclass
class Reader:
    """A tool: with which interpreter which script is run, and in which of its ways."""

    name: str
    python: Path
    script: Path
    way: str = ""

    @property
    def there(self) -> bool:
        """Whether its environment has been made."""
        return self.python.exists()


def readers() -> dict[str, Reader]:
    """All that can be run, by name."""
    own = Path(sys.executable)
    bare = Reader("bare", own, HERE / "peers" / "bare.py")
    return {"bare": bare, "ours": Reader("ours", own, HERE / "reading_ours.py")} | {
        name: _peer(name, way) for name, way in PEERS.items()
    }


def _peer(name: str, way: str) -> Reader:
    home = name.partition("-")[0]
    return Reader(name, HERE.parent / ".bench" / home / "bin" / "python", HERE / "peers" / home / "read.py", way)


def pinned() -> dict[str, str]:
    """The versions of the tools, as their environments have them pinned."""
    found: dict[str, str] = {}
    for home, package in PACKAGES.items():
        lines = (HERE / "peers" / home / "requirements.txt").read_text().splitlines()
        found[home] = next(line.split("==")[1].split()[0] for line in lines if line.startswith(f"{package}=="))
    return found


def parts(*, modified: bool) -> list[Part]:
    """What everybody reads, of the tenant's allowed companies."""
    return [_part(name, modified=modified) for name in PARTS]


def _part(name: str, *, modified: bool) -> Part:
    known = DEFAULT.parts[name]
    companies = any_of([equal([(known.company, company)]) for company in COMPANIES]) if known.company else ""
    told = MODIFIED if modified else ""
    select = [*known.properties, *([told] if told else [])]
    return Part(name, f"{known.place}/{known.set}", list(known.key), select, both(known.where, companies), told)


def read(feed: Feed, reader: Reader, folder: Path, **how: Any) -> tuple[dict[str, Any], Counted]:
    """Run a reader once: what it took, and what was asked of the feed. `how`: as the task has it."""
    told, modified = feed.told, feed.options.modified
    where = (feed.url, told["realm"], told["client_id"], SECRET, str(folder))
    given = Task(*where, parts(modified=modified), **{"way": reader.way, **how})
    feed.counted()
    command = [str(reader.python), str(reader.script), json.dumps(asdict(given))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, cwd=folder)  # noqa: S603
    lines = done.stdout.strip().splitlines()
    if not lines or not lines[-1].startswith("{"):
        raise RuntimeError(f"{reader.name} ended with {done.returncode}: {done.stderr[-2000:]}")
    return json.loads(lines[-1]), feed.counted()
