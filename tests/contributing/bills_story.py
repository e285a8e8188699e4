"""A connection that posts bills, which no flow of ours does.

Rule: it uses what everybody uses, and nothing of the toy but its name.
Must not know: how the flow came here.
"""

from pathlib import Path
from typing import Any

from ledger_rig import entries_posting, ledger_rig, plain_world
from rig import sqlite_url

FLOW = "bills"


def story(folder: Path) -> dict[str, Any]:
    """What was seen."""
    rules = entries_posting(documents=[FLOW])
    with ledger_rig(sqlite_url(folder), plain_world(requests=10), folder, rules) as joined:
        before = len(joined.box.vouchers())
        done, again = joined.run(), joined.run()
        return {
            "bills": sum(row["status"] == "approved" for row in joined.box.airbase_rows(FLOW)),
            "posted": done[FLOW].posted,
            "held": sorted({one.held.cause for one in joined.held(FLOW).values()}),
            "again": again[FLOW].posted,
            "links": len(joined.links(FLOW)),
            "vouchers": len(joined.box.vouchers()) - before,
        }
