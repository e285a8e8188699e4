"""The entity session: START and COMPLETE around the first load of accounts, vendors and tags.

One rule: the two refusals that were seen (409 and 404) come back as they were seen.
It must not know what is loaded in between.
"""

from typing import Any, cast

from ml_connector.sandbox.airbase import replies
from ml_connector.sandbox.airbase.books import Refused
from ml_connector.sandbox.airbase.options import AirbaseOptions
from ml_connector.sandbox.web import Response

SESSION_PATH = "/v1/accounting/entity/sync/"
_ACTIONS = {"POST": "START", "PATCH": "COMPLETE"}


class EntitySession:
    """Whether a session is open, and whether one was ever completed."""

    def __init__(self, options: AirbaseOptions) -> None:
        self._options = options
        self._open = False

    def answer(self, method: str, given: Any) -> Response:
        """Start or complete the session."""
        action = cast(dict[str, Any], given).get("action") if isinstance(given, dict) else None
        if action != _ACTIONS[method]:
            raise Refused({"action": [f'"{action}" is not a valid choice.']})
        return self._start() if action == "START" else self._complete()

    def _start(self) -> Response:
        if self._options.onboarded:
            return replies.detail(409, "Entity onboarding is already completed.")
        if self._open:
            return replies.detail(409, "A sync session is already active.")
        self._open = True
        return replies.json_reply(200, {"status": "STARTED"})

    def _complete(self) -> Response:
        if not self._open:
            return replies.detail(404, "No active sync session found.")
        self._open, self._options.onboarded = False, True
        return replies.json_reply(200, {"status": "COMPLETED"})
