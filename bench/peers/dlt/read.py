"""dlt as a reader: a resource a set, read in parallel, loaded into DuckDB.

Rule: as its makers advise for speed: whole pages yielded, resources in threads, Parquet files on the way, no progress
shown; a cursor by the time of change that looks two hours back. `way` "arrow": pages are made Arrow tables by hand.
Must not know: the connector.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import measuring

GIVEN = measuring.task()
FOLDER = measuring.state(GIVEN)
os.environ |= {
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "RUNTIME__LOG_LEVEL": "CRITICAL",
    "EXTRACT__WORKERS": str(len(GIVEN.parts)),
    "EXTRACT__MAX_PARALLEL_ITEMS": str(4 * len(GIVEN.parts)),
    "NORMALIZE__WORKERS": os.environ.get("BENCH_NORMALIZE_WORKERS", "2"),
    "NORMALIZE__DATA_WRITER__FILE_MAX_ITEMS": "50000",
    "EXTRACT__DATA_WRITER__FILE_MAX_ITEMS": "50000",
    "DATA_WRITER__BUFFER_MAX_ITEMS": str(measuring.ROWS_MAX),
    "LOAD__DELETE_COMPLETED_JOBS": "true",
    "DLT_DATA_DIR": str(FOLDER),
    "DLT_PROJECT_DIR": str(FOLDER),
}

import dlt  # noqa: E402
import pyarrow  # noqa: E402
from dlt.common.json import json as orjson  # noqa: E402
from dlt.sources.helpers import requests  # noqa: E402

HEADERS = measuring.headers(GIVEN)
SINCE = "2000-01-01T00:00:00Z"
CURSOR = dlt.sources.incremental(GIVEN.parts[0].modified or "none", initial_value=SINCE, lag=7200, row_order="asc")
FETCHED = dict.fromkeys((part.name for part in GIVEN.parts), 0)


def main() -> None:
    """Read what there is to read."""
    with measuring.measured() as took:
        _load()
        took.rows = sum(FETCHED.values())


def _load() -> None:
    """One run of the pipeline; what its tables hold then is told when it is to be compared."""
    pipeline = dlt.pipeline(
        "bench", str(FOLDER / "pipelines"), destination=dlt.destinations.duckdb(str(FOLDER / "bench.duckdb"))
    )
    resources = [_resource(part) for part in GIVEN.parts]
    how = "replace" if GIVEN.whole else "merge"
    pipeline.run(resources, write_disposition=how, loader_file_format="parquet")
    if GIVEN.keep:
        measuring.hold(
            GIVEN, {part.name: _held(pipeline, part) for part in GIVEN.parts if part.name in measuring.TOLD_BY}
        )


def _held(pipeline: Any, part: measuring.Part) -> list[tuple[str, str]]:
    names = [*part.key, measuring.TOLD_BY[part.name]]
    columns = ", ".join(pipeline.default_schema.naming.normalize_identifier(name) for name in names)
    with pipeline.sql_client() as client:
        found = client.execute_sql(f"SELECT {columns} FROM {part.name}")  # noqa: S608
    return [("|".join(row[:-1]), row[-1]) for row in found]


def _resource(part: measuring.Part) -> Any:
    read = _since if part.modified and not GIVEN.way.endswith("whole") else _all
    return dlt.resource(read, name=part.name, primary_key=part.key, parallelized=True)(part)


def _all(part: measuring.Part) -> Iterator[Any]:
    yield from _pages(part, measuring.address(GIVEN, part))


def _since(part: measuring.Part, cursor: Any = CURSOR) -> Iterator[Any]:
    yield from _pages(part, measuring.address(GIVEN, part, since=cursor.start_value))


def _pages(part: measuring.Part, address: str) -> Iterator[Any]:
    client = requests.Client()
    while address:
        page = orjson.loadb(client.get(address, headers=HEADERS).content)
        rows, address = page["value"], page.get("@odata.nextLink", "")
        FETCHED[part.name] += len(rows)
        if rows:
            yield pyarrow.Table.from_pylist(rows) if GIVEN.way.startswith("arrow") else rows


main()
