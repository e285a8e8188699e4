"""A connection with a third system, which flows read from and write to.

Rule: it uses what everybody uses, and nothing of the toys but their names and the stand-in.
Must not know: how the system came here.
"""

import os
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import Any

from flow_story import said
from rig import NAME, generous, rig, sqlite_url
from serving import answering, looking
from typer.testing import CliRunner

from ml_connector.cli.app import app
from ml_connector.settings import Gate, Mapping
from ml_connector.store.rights import Role

BOX: Any = import_module("ml_connector.sandbox.planner")  # there once it was added
FLOWS = ("partners", "projects")
PROJECTS = [
    {"id": "1", "code": "P-1", "name": "Quay", "companies": ["10"]},
    {"id": "2", "code": "P-2", "name": "Pier", "companies": ["10", "20"]},
]
MAPPING = Mapping({"10": "SUB-10", "20": "SUB-20"}, dimensions={"project": "F"})


def story(folder: Path) -> dict[str, Any]:
    """What was seen."""
    url, gates = sqlite_url(folder), dict.fromkeys(FLOWS, Gate(1.0, 1.0))
    os.environ["PLANNER_TOKEN"] = BOX.TOKEN
    with (
        closing(BOX.Planner(PROJECTS)) as planner,
        rig(url, generous(suppliers=12, orders=0), gate=gates, mapping=MAPPING) as joined,
    ):
        before = CliRunner().invoke(app, ["--store", url, "run", NAME, "partners"])
        joining = ["--system", f"planner={planner.url}", "--system-secret-env", "planner=PLANNER_TOKEN"]
        connected = CliRunner().invoke(app, ["--store", url, "connect", NAME, *joining])
        renewed = CliRunner().invoke(app, ["--store", url, "connect", NAME, *joining[2:]])
        checked = said(url, "check", NAME, "--json")["steps"]
        done, again = (joined.run(*FLOWS) for _ in range(2))
        planner.lists["projects"].pop()
        gone = joined.run("projects")["projects"]
        with answering(joined.store) as address, looking(address, joined.store, Role.ADMINISTRATOR) as client:
            pages = [client.get(path).text for path in (f"/c/{NAME}/flows", f"/c/{NAME}")]
        return {
            "before": str(before.exception),
            "connected": connected.exit_code,
            "renewed": renewed.output,
            "checked": [step["name"] for step in checked if step["ok"]],
            "done": {name: (one.created, one.not_due, one.refused) for name, one in done.items()},
            "again": sum(one.created + one.updated for one in again.values()),
            "partners": len(planner.lists["partners"]),
            "suppliers": len(joined.box.world.rows("SupplierInfoGeneralSet")),
            "tags": {row["erp_reference_id"]: row["is_active"] for row in joined.box.airbase_rows("tags")},
            "deactivated": gone.deactivated,
            "requests": gone.requests,
            "shown": pages,
        }
