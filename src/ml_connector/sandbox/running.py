"""A whole sandbox: both sites, the faults and the control door, in this process or as one of its own.

One rule: whatever it starts, `close` ends; nothing outlives it.
It must not know how a site answers.
"""

import signal
import sys
import threading
from contextlib import ExitStack
from types import FrameType
from typing import Any

import msgspec

from ml_connector.sandbox.airbase import AirbaseOptions, AirbaseSite
from ml_connector.sandbox.airbase.kinds import KINDS
from ml_connector.sandbox.airbase_facts import facts_of
from ml_connector.sandbox.control import ControlSite
from ml_connector.sandbox.faults import Faults
from ml_connector.sandbox.ifs import IfsOptions, IfsSite
from ml_connector.sandbox.posting import Ledger, clerk
from ml_connector.sandbox.requestlog import RequestLog
from ml_connector.sandbox.web import Undisturbed, WebServer
from ml_connector.sandbox.world import World, edit, seeded


class SandboxOptions(msgspec.Struct, kw_only=True):
    """How large the sandbox is and where it listens; port 0 takes any free one."""

    suppliers: int = 100
    orders: int = 200
    lines_per_order: int = 3
    invoices: int = 0
    seed: int = 1
    companies: tuple[str, ...] = ("10", "20")
    modified: bool = True
    ifs_port: int = 0
    airbase_port: int = 0
    control_port: int = 0
    ifs: IfsOptions = msgspec.field(default_factory=IfsOptions)
    airbase: AirbaseOptions = msgspec.field(default_factory=AirbaseOptions)


class Sandbox:
    """Both sites on their ports, from the moment it is made until `close`."""

    def __init__(self, options: SandboxOptions) -> None:
        self.world = _world(options)
        self.ledger = Ledger(self.world)
        self.ifs = IfsSite(self.world, options.ifs)
        self.airbase = AirbaseSite(options.airbase, facts_of(self.world, options.airbase.prefilled_vendors))
        self.faults = Faults(options.seed)
        self.faults.revoke_tokens = self.ifs.revoke_tokens
        self._options = options
        with ExitStack() as opened:
            opened.callback(self.airbase.close)
            self._ifs_web = _opened(opened, WebServer(self.ifs, self.faults, options.ifs_port))
            self._airbase_web = _opened(opened, WebServer(self.airbase, self.faults, options.airbase_port))
            control = WebServer(ControlSite(self), Undisturbed(), options.control_port)
            self._control_web = _opened(opened, control)
            self._opened = opened.pop_all()
        self._webs = (self._ifs_web, self._airbase_web, self._control_web)
        for web in self._webs:
            web.start()

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening and cut all connections."""
        self._opened.close()

    @property
    def ifs_url(self) -> str:
        """Give the address of the IFS site."""
        return self._ifs_web.url

    @property
    def airbase_url(self) -> str:
        """Give the address of the Airbase site."""
        return self._airbase_web.url

    @property
    def control_url(self) -> str:
        """Give the address of the control door."""
        return self._control_web.url

    @property
    def ifs_log(self) -> RequestLog:
        """Give what was asked of the IFS site."""
        return self._ifs_web.log

    @property
    def airbase_log(self) -> RequestLog:
        """Give what was asked of the Airbase site."""
        return self._airbase_web.log

    @property
    def crashes(self) -> list[str]:
        """List the tracebacks of mistakes in the sandbox itself; there should be none."""
        return [crash for web in self._webs for crash in web.crashes]

    def told(self) -> dict[str, Any]:
        """Give the addresses, the credentials and the counts."""
        ifs, airbase = self._options.ifs, self._options.airbase
        return {
            "ifs_url": self.ifs_url,
            "airbase_url": self.airbase_url,
            "control_url": self.control_url,
            "ifs": {"realm": ifs.realm, "client_id": ifs.client_id, "client_secret": ifs.client_secret},
            "airbase": {"token": airbase.token, "auth": airbase.auth},
            "counts": {
                "ifs": {name: self.world.count(name) for name in self.world.tables},
                "airbase": self.airbase.counts(),
            },
        }

    def digests(self) -> dict[str, str]:
        """Digest all that each site holds; slow when that is much."""
        return {"ifs": self.world.digest(), "airbase": self.airbase.digest()}

    def logs(self) -> dict[str, RequestLog]:
        """Give the request logs by site."""
        return {"ifs": self.ifs_log, "airbase": self.airbase_log}

    def options(self) -> dict[str, Any]:
        """Give the options by site."""
        return {"ifs": self._options.ifs, "airbase": self._options.airbase}

    def edit_ifs(self, op: dict[str, Any]) -> dict[str, Any]:
        """Edit the world behind the IFS site, or do what a person does with vouchers there."""
        return clerk.act(self.ledger, op) if clerk.knows(op) else edit(self.world, op)

    def vouchers(self) -> list[dict[str, Any]]:
        """List every voucher in the hold table and in the ledger, with its rows."""
        return self.ledger.vouchers()

    def edit_airbase(self, op: dict[str, Any]) -> dict[str, Any]:
        """Edit the rows behind the Airbase site."""
        return self.airbase.edit(op)

    def airbase_rows(self, kind: str) -> list[dict[str, Any]]:
        """List the rows of one kind."""
        if kind not in KINDS:
            raise ValueError(f"there is no kind {kind}; known: {', '.join(KINDS)}")
        return self.airbase.rows(kind)

    def airbase_hooks(self) -> dict[str, Any]:
        """List what became of Airbase's webhooks, and count what waits."""
        hooks = self.airbase.hooks
        return {"waiting": hooks.waiting, "deliveries": msgspec.to_builtins(hooks.deliveries())}

    def revoke_tokens(self) -> None:
        """Make all tokens that IFS gave out void."""
        self.ifs.revoke_tokens()


def _opened(opened: ExitStack, web: WebServer) -> WebServer:
    """Note what is to be closed, also when a later port turns out to be taken."""
    opened.callback(web.close)
    return web


def _world(options: SandboxOptions) -> World:
    return seeded(
        options.suppliers,
        options.orders,
        options.seed,
        lines_per_order=options.lines_per_order,
        companies=options.companies,
        modified=options.modified,
        invoices=options.invoices,
    )


def start(options: SandboxOptions | None = None) -> Sandbox:
    """Run a sandbox in this process; use it in a `with`, or close it."""
    return Sandbox(options or SandboxOptions())


def serve(options: SandboxOptions | None = None) -> None:
    """Run a sandbox until SIGTERM or SIGINT, after one line of JSON that says where it is."""
    ended = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    with start(options) as sandbox:
        sys.stdout.write(msgspec.json.encode(sandbox.told()).decode() + "\n")
        sys.stdout.flush()
        ended.wait()
