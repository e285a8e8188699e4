"""singer-sdk as a reader: one stream a set, messages written to nowhere.

Rule: its fastest settings: the msgspec writer, no conforming of types, pages by the server's link.
Must not know: the connector.
"""

import json
import logging
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import requests
from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.pagination import BaseAPIPaginator

sys.path.insert(0, str(Path(__file__).parents[1]))

import measuring

GIVEN = measuring.task()
STATE = measuring.state(GIVEN) / "state.json"
HEADERS = measuring.headers(GIVEN)
SINCE = "2000-01-01T00:00:00Z"
decode = msgspec.json.Decoder().decode


class Links(BaseAPIPaginator[str | None]):
    """The next page is where the server says."""

    def get_next(self, response: requests.Response) -> str | None:
        """The link of the page that was just parsed."""
        return response.page.get("@odata.nextLink")  # type: ignore[attr-defined]


class Set(RESTStream[str]):
    """One set."""

    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE
    url_base = GIVEN.url
    is_sorted = True
    check_sorted = False
    part: measuring.Part
    rows = 0

    @property
    def http_headers(self) -> dict[str, str]:
        """Who asks."""
        return HEADERS

    @property
    def authenticator(self) -> Any:
        """None: the token is among the headers, and the tool's own would write blanks as plus signs."""
        return lambda request: request

    def get_new_paginator(self) -> Links:
        """By links."""
        return Links("")

    def get_http_request(self, *, page: Any) -> Any:
        """The first page by its query, the others as they are linked."""
        made = super().get_http_request(page=page)
        made.url = page.next_page_token or measuring.address(GIVEN, self.part, since=self._since())
        return made

    def parse_response(self, response: requests.Response) -> Iterable[dict[str, Any]]:
        """The rows of a page."""
        response.page = decode(response.content)  # type: ignore[attr-defined]
        self.rows += len(response.page["value"])  # type: ignore[attr-defined]
        return response.page["value"]  # type: ignore[attr-defined]

    def _since(self) -> str:
        if not self.replication_key:
            return ""
        return self.get_starting_replication_key_value(None) or SINCE


class Reading(Tap):
    """All sets."""

    name = "tap-bench"
    config_jsonschema = th.PropertiesList().to_dict()
    message_writer_class = MsgSpecWriter

    def discover_streams(self) -> list[Set]:
        """A stream a set."""
        return [_stream(self, part) for part in GIVEN.parts]


def _stream(tap: Tap, part: measuring.Part) -> Set:
    kinds = [th.Property(name, th.CustomType({})) for name in part.select if name != part.modified]
    told = [th.Property(part.modified, th.DateTimeType)] if part.modified else []
    stream = Set(tap, schema=th.PropertiesList(*kinds, *told).to_dict(), name=part.name)
    stream.part, stream.path, stream.primary_keys = part, part.path, part.key
    if part.modified and not GIVEN.way.endswith("whole"):
        stream.replication_key = part.modified
    return stream


def main() -> None:
    """Read what there is to read."""
    logging.disable(logging.WARNING)
    known = json.loads(STATE.read_text()) if STATE.exists() and not GIVEN.whole else None
    sys.stdout = open(measuring.state(GIVEN) / "messages" if GIVEN.keep else "/dev/null", "w")  # noqa: SIM115
    with measuring.measured() as took:
        tap = Reading(config={}, state=known, parse_env_config=False)
        tap.sync_all()
        STATE.write_text(json.dumps(tap.state))
        took.rows = sum(stream.rows for stream in tap.streams.values())
    sys.stdout.close()
    if GIVEN.keep:
        measuring.fold(GIVEN, _messages())


def _messages() -> dict[str, list[dict[str, Any]]]:
    """The rows that were emitted, by stream."""
    found: dict[str, list[dict[str, Any]]] = {part.name: [] for part in GIVEN.parts}
    for line in (measuring.state(GIVEN) / "messages").read_text().splitlines():
        if line.startswith('{"type":"RECORD"'):
            message = json.loads(line)
            found[message["stream"]].append(message["record"])
    return found


main()
