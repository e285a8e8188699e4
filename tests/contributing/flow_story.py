"""A connection with a toy flow, from plan to console.

Rule: it uses what everybody uses, and nothing of the toy but its name.
Must not know: how the flow came here.
"""

from pathlib import Path
from typing import Any

import msgspec
from rig import NAME, generous, rig, sqlite_url
from serving import answering, looking
from typer.testing import CliRunner

import ml_connector
from ml_connector.cli.app import app
from ml_connector.settings import Gate
from ml_connector.store.rights import Role

FLOW = "supplier_tags"


def story(folder: Path) -> dict[str, Any]:
    """What was seen."""
    url, gates = sqlite_url(folder), {name: Gate(1.0, 1.0) for name in ("suppliers", FLOW)}
    with rig(url, generous(suppliers=12, orders=0), gate=gates) as joined:
        planned = said(url, "plan", NAME, FLOW, "--json")["flows"][FLOW]
        first, again = (said(url, "run", NAME, FLOW, "--json")["flows"][FLOW] for _ in range(2))
        with answering(joined.store) as address, looking(address, joined.store, Role.ADMINISTRATOR) as client:
            page = client.get(f"/c/{NAME}/flows").text
        return {
            "from": str(Path(ml_connector.__file__).parent),
            "planned": planned,
            "first": first,
            "again": again,
            "shown": page,
            "listed": said(url, "flows", NAME, "--json")["flows"],
            "tags": [row for row in joined.box.airbase_rows("tags") if row["type_label"] == "supplier"],
            "suppliers": len(joined.box.world.rows("SupplierInfoGeneralSet")),
            "switched": said(url, "flow", NAME, FLOW, "off", "--json"),
        }


def said(url: str, *words: str) -> Any:
    """What a command says."""
    done = CliRunner().invoke(app, ["--store", url, *words])
    assert done.exit_code == 0, done.output
    return msgspec.json.decode(done.stdout)
