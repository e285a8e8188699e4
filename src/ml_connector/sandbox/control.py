"""The sandbox's own door: what was asked, what goes wrong, and edits behind the sites' backs; JSON throughout.

One rule: a page in a browser must not be able to drive it, so a write needs a header that no form can send, and
every request has to name the loopback host.
It must not know how the sites are served.
"""

from collections.abc import Callable
from typing import Any, Protocol, cast

import msgspec

from ml_connector.sandbox.faults import Fault, Faults
from ml_connector.sandbox.requestlog import RequestLog
from ml_connector.sandbox.web import Request, Response

Fields = dict[str, Any]


class Controlled(Protocol):
    """What the control door can reach of a running sandbox."""

    faults: Faults

    def told(self) -> Fields:
        """Give the addresses, the credentials and the counts."""
        ...

    def digests(self) -> dict[str, str]:
        """Digest all that each site holds."""
        ...

    def logs(self) -> dict[str, RequestLog]:
        """Give the request logs by site."""
        ...

    def options(self) -> dict[str, Any]:
        """Give the options by site; they may be changed in place."""
        ...

    def edit_ifs(self, op: Fields) -> Fields:
        """Edit the world behind the IFS site."""
        ...

    def edit_airbase(self, op: Fields) -> Fields:
        """Edit the rows behind the Airbase site."""
        ...

    def airbase_rows(self, kind: str) -> list[Fields]:
        """List the rows of one kind, or raise a ValueError."""
        ...

    def airbase_hooks(self) -> Fields:
        """List what became of the webhooks, and count what waits."""
        ...

    def revoke_tokens(self) -> None:
        """Make all tokens that IFS gave out void."""
        ...


Act = Callable[["ControlSite", Request], Any]


class ControlSite:
    """Answers on the control port."""

    name = "control"

    def __init__(self, sandbox: Controlled) -> None:
        self.sandbox = sandbox

    def answer(self, request: Request) -> Response:
        """Answer one request."""
        if refused := _refusal(request):
            return _json(403, {"error": refused})
        act = _act(request)
        if act is None:
            return _json(404, {"error": f"there is nothing at {request.method} {request.path}"})
        try:
            return _json(200, act(self, request))
        except (ValueError, LookupError, TypeError, msgspec.MsgspecError) as problem:
            return _json(400, {"error": str(problem)})

    def told(self, _: Request) -> Fields:
        """Say where everything is."""
        return self.sandbox.told()

    def digests(self, _: Request) -> dict[str, str]:
        """Digest what each site holds, to compare with later."""
        return self.sandbox.digests()

    def requests(self, _: Request) -> Fields:
        """List the requests of each site, and count them."""
        return {name: _logged(log) for name, log in self.sandbox.logs().items()}

    def forget_requests(self, _: Request) -> Fields:
        """Begin the logs anew."""
        for log in self.sandbox.logs().values():
            log.reset()
        return {}

    def faults(self, _: Request) -> Fields:
        """List the faults in force."""
        return {"faults": self.sandbox.faults.told()}

    def order_faults(self, request: Request) -> Fields:
        """Put one fault or a list of them in force."""
        body = request.body if request.body.lstrip().startswith(b"[") else b"[%b]" % request.body
        return {"ids": [self.sandbox.faults.add(fault) for fault in msgspec.json.decode(body, type=list[Fault])]}

    def lift_faults(self, request: Request) -> Fields:
        """Lift the fault in the path, or all."""
        number = request.path.removeprefix("/faults").strip("/")
        if not number:
            self.sandbox.faults.clear()
        elif not self.sandbox.faults.remove(int(number)):
            raise LookupError(f"there is no fault {number}")
        return self.faults(request)

    def edit_ifs(self, request: Request) -> Fields:
        """Change the ERP's data."""
        return self.sandbox.edit_ifs(_object(request))

    def edit_airbase(self, request: Request) -> Fields:
        """Change Airbase's data."""
        return self.sandbox.edit_airbase(_object(request))

    def airbase_rows(self, request: Request) -> Fields:
        """List what Airbase has of one kind."""
        return {"rows": self.sandbox.airbase_rows(request.path.removeprefix("/airbase/rows/").strip("/"))}

    def airbase_hooks(self, _: Request) -> Fields:
        """List what became of Airbase's webhooks."""
        return self.sandbox.airbase_hooks()

    def set_options(self, request: Request) -> Fields:
        """Change options by site, all or none."""
        known = self.sandbox.options()
        given = msgspec.json.decode(request.body, type=dict[str, Fields])
        if unknown := given.keys() - known.keys():
            raise ValueError(f"there are no options for {', '.join(sorted(unknown))}")
        changed = {site: _changed(known[site], fields) for site, fields in given.items()}
        for site, fields in changed.items():
            for name, value in fields.items():
                setattr(known[site], name, value)
        return {site: msgspec.to_builtins(options) for site, options in known.items()}

    def revoke_tokens(self, _: Request) -> Fields:
        """Make the tokens void."""
        self.sandbox.revoke_tokens()
        return {}


_ACTS: dict[tuple[str, str], Act] = {
    ("GET", "/"): ControlSite.told,
    ("GET", "/digests"): ControlSite.digests,
    ("GET", "/requests"): ControlSite.requests,
    ("POST", "/requests/reset"): ControlSite.forget_requests,
    ("GET", "/faults"): ControlSite.faults,
    ("POST", "/faults"): ControlSite.order_faults,
    ("DELETE", "/faults"): ControlSite.lift_faults,
    ("DELETE", "/faults/*"): ControlSite.lift_faults,
    ("POST", "/ifs/edit"): ControlSite.edit_ifs,
    ("POST", "/ifs/revoke-tokens"): ControlSite.revoke_tokens,
    ("POST", "/airbase/edit"): ControlSite.edit_airbase,
    ("GET", "/airbase/rows/*"): ControlSite.airbase_rows,
    ("GET", "/airbase/hooks"): ControlSite.airbase_hooks,
    ("POST", "/options"): ControlSite.set_options,
}


def _act(request: Request) -> Act | None:
    path = request.path.rstrip("/") or "/"
    above = path.rpartition("/")[0]
    return _ACTS.get((request.method, path)) or _ACTS.get((request.method, f"{above}/*"))


def _refusal(request: Request) -> str | None:
    name = request.headers.get("host", "").rpartition(":")[0]
    if name not in ("127.0.0.1", "localhost"):
        return "ask for 127.0.0.1 or localhost"
    if request.method != "GET" and request.headers.get("x-sandbox") != "1":
        return "a change needs the header X-Sandbox: 1"
    return None


def _logged(log: RequestLog) -> Fields:
    counts = [
        {"method": method, "path": path, "status": status, "count": count}
        for (method, path, status), count in sorted(log.counts().items())
    ]
    return {"total": log.total, "writes": log.writes, "counts": counts, "requests": log.entries()}


def _changed(options: Any, fields: Fields) -> Fields:
    """Check new values against the types of the options, and give them converted."""
    before: Fields = msgspec.to_builtins(options)
    if unknown := fields.keys() - before.keys():
        raise ValueError(f"there is no option {', '.join(sorted(unknown))}")
    after = msgspec.convert({**before, **fields}, type=cast(type[Any], type(options)))
    return {name: getattr(after, name) for name in fields}


def _object(request: Request) -> Fields:
    return msgspec.json.decode(request.body, type=dict[str, Any])


def _json(status: int, body: Any) -> Response:
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return Response(status, headers, msgspec.json.encode(body))
