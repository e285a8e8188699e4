"""The IFS Cloud site: who asks, how often, for which service, and what for.

Rule: the order of refusals is that of the gateway: too many, not known, no such service, not allowed, then the request.
It must not know rows or how anything is carried out.
"""

from dataclasses import astuple
from email.utils import format_datetime
from typing import Any

import msgspec

from ml_connector.sandbox.ifs.batch import answer_batch
from ml_connector.sandbox.ifs.csdl import metadata, service_document
from ml_connector.sandbox.ifs.data import Call, DataDoor
from ml_connector.sandbox.ifs.errors import Refusal, unknown_service, wrong_method
from ml_connector.sandbox.ifs.iam import Iam
from ml_connector.sandbox.ifs.options import IfsOptions
from ml_connector.sandbox.ifs.services import Service, serves, services, split
from ml_connector.sandbox.ifs.throttle import Window
from ml_connector.sandbox.ifs.wire import content_type, encode
from ml_connector.sandbox.web import Request, Response
from ml_connector.sandbox.world import World


class IfsSite:
    """One IFS Cloud tenant."""

    name = "ifs"

    def __init__(self, world: World, options: IfsOptions | None = None) -> None:
        self.world = world
        self.options = options or IfsOptions()
        self.iam = Iam(self.options)
        self._window = Window()
        self._known: tuple[Any, dict[str, Service]] | None = None

    @property
    def throttled(self) -> int:
        """How many requests were too many."""
        return self._window.throttled

    def revoke_tokens(self) -> None:
        """Make every token worthless at once."""
        self.iam.revoke()

    def answer(self, request: Request) -> Response:
        """Answer one request; thread-safe. The answer's Date is that of the world's clock."""
        answer = self._answer(request)
        date = format_datetime(self.world.now(), usegmt=True)
        return msgspec.structs.replace(answer, headers={**answer.headers, "Date": date})

    def _answer(self, request: Request) -> Response:
        try:
            if request.path.startswith("/auth/realms/"):
                return self.iam.answer(request)
            return self._data(request)
        except Refusal as refusal:
            return refusal.response()

    def _data(self, request: Request) -> Response:
        self._admit()
        if not self.iam.knows(request.headers):
            challenge = {"WWW-Authenticate": f'Bearer realm="{self.options.realm}"'}
            raise Refusal(401, "UNAUTHORIZED", "Unauthorized.", headers=challenge)
        service, root, rest = self._service(request.path)
        if rest == "/$batch":
            return answer_batch(request, service, root, self.world, self._entity, self.options.batch_max)
        if rest in ("/", "/$metadata"):
            return self._description(request, service, root, rest)
        return self._entity(Call(request, service, rest))

    def _admit(self) -> None:
        wait_s = self._window.admit(self.options.rate_limit, self.options.rate_window_s)
        if wait_s is not None:
            headers = {"Retry-After": str(wait_s)} if self.options.retry_after else {}
            raise Refusal(429, "TOO_MANY_REQUESTS", "Too many requests.", headers=headers)

    def _service(self, path: str) -> tuple[Service, str, str]:
        parts = split(path)
        if parts is None:
            raise Refusal(404, "NOT_FOUND", "Not found.")
        root, name, rest = parts
        service = self._services().get(name)
        if service is None or not serves(service, root):
            raise unknown_service()
        if name in self.options.refuse_services:
            raise Refusal(403, "FORBIDDEN", "Insufficient privileges.")
        return service, path[: len(path) - len(rest)] if rest != "/" else path.rstrip("/"), rest

    def _services(self) -> dict[str, Service]:
        """The services as the options now have them."""
        made_of = astuple(self.options)
        known = self._known
        if known is None or known[0] != made_of:
            known = self._known = (made_of, services(self.world, self.options))
        return known[1]

    def _description(self, request: Request, service: Service, root: str, rest: str) -> Response:
        if request.method not in ("GET", "HEAD"):
            raise wrong_method(request.method)
        if rest == "/$metadata":
            return Response(
                200, {"Content-Type": "application/xml", "OData-Version": "4.0"}, metadata(service, self.world)
            )
        body = encode(service_document(service, f"http://{request.host}{root}/"))
        return Response(200, {"Content-Type": content_type(False), "OData-Version": "4.0"}, body)

    def _entity(self, call: Call) -> Response:
        return DataDoor(self.world, self.options).answer(call)
