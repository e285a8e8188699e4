"""airbyte-cdk as a reader: a declarative source with a stream a set, messages serialised and written to nowhere.

Rule: as its makers advise: the concurrent declarative source, as many at once as there are sets, pages by the
server's link, a cursor by the time of change that looks two hours back.
Must not know: the connector.
"""

import json
import logging
import sys
from pathlib import Path
from typing import Any

from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource

sys.path.insert(0, str(Path(__file__).parents[1]))

import measuring

GIVEN = measuring.task()
STATE = measuring.state(GIVEN) / "state.json"
HEADERS = measuring.headers(GIVEN)
FORMAT = "%Y-%m-%dT%H:%M:%SZ"
START = "{{ stream_interval['start_time'] }}"
NO_ROWS = {"type": "object", "additionalProperties": True, "properties": {}}


def main() -> None:
    """Read what there is to read."""
    logging.disable(logging.WARNING)
    known = json.loads(STATE.read_text()) if STATE.exists() and not GIVEN.whole else []
    out = open(measuring.state(GIVEN) / "messages" if GIVEN.keep else "/dev/null", "w")  # noqa: SIM115
    files = {"config": {}, "catalog": _catalog(), "state": known}
    for name, content in files.items():
        (measuring.state(GIVEN) / f"{name}-given.json").write_text(json.dumps(content))
    with measuring.measured() as took, out:
        kept = _read(_arguments(), took, out)
        STATE.write_text(json.dumps(kept))
    if GIVEN.keep:
        measuring.fold(GIVEN, _messages())


def _read(arguments: list[str], took: measuring.Took, out: Any) -> list[Any]:
    """Write every message; the last state of each stream."""
    parsed = AirbyteEntrypoint.parse_args(arguments)
    catalog = ConcurrentDeclarativeSource.read_catalog(parsed.catalog)
    state = ConcurrentDeclarativeSource.read_state(parsed.state)
    source = ConcurrentDeclarativeSource(catalog, {}, state, source_config=_manifest())
    kept: dict[str, Any] = {}
    for message in AirbyteEntrypoint(source).run(parsed):
        out.write(message + "\n")
        if message.startswith('{"type":"STATE"'):
            told = json.loads(message)["state"]
            kept[told["stream"]["stream_descriptor"]["name"]] = told
        elif message.startswith('{"type":"RECORD"'):
            took.rows += 1
    return list(kept.values())


def _arguments() -> list[str]:
    folder = measuring.state(GIVEN)
    return ["read", *(f"--{name}={folder / name}-given.json" for name in ("config", "catalog", "state"))]


def _catalog() -> dict[str, Any]:
    """Every stream, with a cursor where rows tell when they changed."""
    return {"streams": [_configured(part) for part in GIVEN.parts]}


def _configured(part: measuring.Part) -> dict[str, Any]:
    how = "incremental" if _cursored(part) else "full_refresh"
    stream = {
        "name": part.name,
        "json_schema": NO_ROWS,
        "supported_sync_modes": ["full_refresh", "incremental"],
        "source_defined_primary_key": [[name] for name in part.key],
    }
    return {
        "stream": stream,
        "sync_mode": how,
        "destination_sync_mode": "append_dedup",
        "cursor_field": [part.modified],
    }


def _cursored(part: measuring.Part) -> bool:
    return bool(part.modified) and not GIVEN.way.endswith("whole")


def _manifest() -> dict[str, Any]:
    return {
        "version": "7.0.0",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": [GIVEN.parts[0].name]},
        "spec": {"type": "Spec", "connection_specification": {"type": "object", "properties": {}}},
        "concurrency_level": {"type": "ConcurrencyLevel", "default_concurrency": 2 * len(GIVEN.parts)},
        "streams": [_stream(part) for part in GIVEN.parts],
    }


def _stream(part: measuring.Part) -> dict[str, Any]:
    stream = {
        "type": "DeclarativeStream",
        "name": part.name,
        "primary_key": part.key,
        "schema_loader": {"type": "InlineSchemaLoader", "schema": NO_ROWS},
        "retriever": {
            "type": "SimpleRetriever",
            "requester": {
                "type": "HttpRequester",
                "url_base": GIVEN.url,
                "path": _path(part),
                "http_method": "GET",
                "request_headers": HEADERS,
            },
            "record_selector": {
                "type": "RecordSelector",
                "extractor": {"type": "DpathExtractor", "field_path": ["value"]},
            },
            "paginator": {
                "type": "DefaultPaginator",
                "page_token_option": {"type": "RequestPath"},
                "pagination_strategy": {
                    "type": "CursorPagination",
                    "cursor_value": "{{ response.get('@odata.nextLink', '') }}",
                    "stop_condition": "{{ not response.get('@odata.nextLink') }}",
                },
            },
        },
    }
    return stream | ({"incremental_sync": _cursor(part)} if _cursored(part) else {})


def _path(part: measuring.Part) -> str:
    if not _cursored(part):
        return measuring.address(GIVEN, part).removeprefix(GIVEN.url)
    return measuring.address(GIVEN, part, since="SINCE").removeprefix(GIVEN.url).replace("SINCE", START)


def _cursor(part: measuring.Part) -> dict[str, Any]:
    return {
        "type": "DatetimeBasedCursor",
        "cursor_field": part.modified,
        "datetime_format": FORMAT,
        "cursor_datetime_formats": [FORMAT],
        "start_datetime": {"type": "MinMaxDatetime", "datetime": "2000-01-01T00:00:00Z", "datetime_format": FORMAT},
        "lookback_window": "PT2H",
    }


def _messages() -> dict[str, list[dict[str, Any]]]:
    """The rows that were emitted, by stream."""
    found: dict[str, list[dict[str, Any]]] = {part.name: [] for part in GIVEN.parts}
    for line in (measuring.state(GIVEN) / "messages").read_text().splitlines():
        if line.startswith('{"type":"RECORD"'):
            record = json.loads(line)["record"]
            found[record["stream"]].append(record["data"])
    return found


main()
