"""Where the figures of a bench are kept: one JSON file each in `bench/results/`, with what they were measured on.

Rule: raw figures; what they mean is the report's to say. Each run of a bench replaces its file.
"""

import os
import platform
import sqlite3
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

RESULTS = Path(os.environ.get("BENCH_RESULTS", Path(__file__).parent / "results"))
PARTS = ("ml-connector", "sqlalchemy", "msgspec", "httpx2", "cryptography", "psycopg")


def keep(name: str, command: str, figures: dict[str, Any]) -> Path:
    """Write the figures of a bench, and say where they are."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    told = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "command": command}
    made = told | {"machine": machine(), "versions": versions()} | figures
    path = RESULTS / f"{name}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(made), indent=1) + b"\n")
    return path


def read(name: str) -> dict[str, Any] | None:
    """What a bench kept, if it ran."""
    path = RESULTS / f"{name}.json"
    return msgspec.json.decode(path.read_bytes()) if path.exists() else None


def machine() -> dict[str, Any]:
    """What the figures depend on beside the code."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "load": round(os.getloadavg()[0], 1),
    }


def versions() -> dict[str, str]:
    """What took part."""
    parts = {name: version(name) for name in PARTS}
    return {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version} | parts


def peak_mb() -> float:
    """The most memory that this process ever had. Units: MB."""
    told = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) / 1024 for line in told.splitlines() if line.startswith("VmHWM"))


def say(line: str) -> None:
    """Tell whoever waits."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())
