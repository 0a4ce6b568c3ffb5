"""The other side of the server benchmark: one process that keeps connections busy.

Raw sockets and prepared requests, so that it costs little beside what it measures.  It reads a
plan from stdin, one JSON document, and writes what it saw to stdout, another.

    {"port": 8377, "key": "hx_live_…", "kind": "capture", "clients": 16, "seconds": 10}
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count, cycle
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from report import percentile
from workload import events, queries

from hippocortex_core import codec

POOL = 20_000  # different events; their keys make each request's events new

Request = tuple[bytes, int]
"""What to send, and how many events it holds."""


def captures(plan: dict) -> Iterator[Request]:
    """Single events."""
    bodies = cycle([_body(event) for event in events(POOL, plan["seed"])])
    for number, body in zip(count(), bodies):
        yield _request(plan, "/v1/capture", _keyed(body, plan, number)), 1


def batches(plan: dict) -> Iterator[Request]:
    """Batches of events."""
    bodies = cycle([_body(event) for event in events(POOL, plan["seed"])])
    numbers = count()
    size = plan["batch"]
    while True:
        group = [_keyed(next(bodies), plan, next(numbers)) for _ in range(size)]
        yield _request(plan, "/v1/capture/batch", b'{"events":[' + b",".join(group) + b"]}"), size


def syntheses(plan: dict) -> Iterator[Request]:
    """Queries in the words of the workload."""
    for query in cycle(queries(1_000, plan["seed"])):
        yield _request(plan, "/v1/synthesize", json.dumps({"query": query}).encode()), 0


KINDS: dict[str, Callable[[dict], Iterator[Request]]] = {
    "capture": captures,
    "batch": batches,
    "synthesize": syntheses,
}


class Client(asyncio.Protocol):
    """A connection that sends a request as soon as the last one was answered."""

    def __init__(self, requests: Iterator[Request], seen: Seen, end: float, most: float) -> None:
        self.requests = requests
        self.seen = seen
        self.end = end
        self.most = most
        self.received = bytearray()
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        self.received += data
        head = self.received.find(b"\r\n\r\n")
        if head < 0:
            return
        length = _length(bytes(self.received[:head]))
        if len(self.received) < head + 4 + length:
            return
        status = int(self.received[9:12])
        body = bytes(self.received[head + 4 :])
        self.received.clear()
        self.seen.answer(status, body, self.size, time.perf_counter() - self.sent)
        self._next()

    def connection_lost(self, _: Exception | None) -> None:
        if not self.done.done():
            self.seen.lost += 1
            self.done.set_result(None)

    def _next(self) -> None:
        if time.perf_counter() >= self.end or self.seen.events >= self.most:
            self.done.set_result(None)
            self.transport.close()
            return
        request, self.size = next(self.requests)
        self.seen.events += self.size
        self.sent = time.perf_counter()
        self.transport.write(request)


class Seen:
    """What came back."""

    def __init__(self) -> None:
        self.latencies: list[float] = []
        self.statuses: Counter[int] = Counter()
        self.events = 0
        self.acknowledged = 0
        self.duplicates = 0
        self.lost = 0

    def answer(self, status: int, body: bytes, size: int, seconds: float) -> None:
        self.latencies.append(seconds * 1000)
        self.statuses[status] += 1
        if status != 200:
            return
        if size == 1:
            self.acknowledged += b'"status":"ingested"' in body
            self.duplicates += b'"status":"duplicate"' in body
        elif size:
            summary = json.loads(body)["data"]["summary"]
            self.acknowledged += summary["ingested"]
            self.duplicates += summary["duplicates"]

    def document(self, seconds: float) -> dict:
        latencies = sorted(self.latencies)
        return {
            "seconds": seconds,
            "requests": len(latencies),
            "statuses": dict(self.statuses),
            "sent": self.events,
            "acknowledged": self.acknowledged,
            "duplicates": self.duplicates,
            "lost": self.lost,
            "p50": percentile(latencies, 0.5),
            "p95": percentile(latencies, 0.95),
            "p99": percentile(latencies, 0.99),
            "max": latencies[-1],
        }


async def run(plan: dict) -> dict:
    seen = Seen()
    requests = KINDS[plan["kind"]](plan)
    next(requests)  # the events are made before the clock starts
    started = time.perf_counter()
    end = started + plan["seconds"]
    loop = asyncio.get_running_loop()
    clients = [
        (
            await loop.create_connection(
                lambda: Client(requests, seen, end, plan.get("events", float("inf"))),
                "127.0.0.1",
                plan["port"],
            )
        )[1]
        for _ in range(plan["clients"])
    ]
    await asyncio.gather(*(client.done for client in clients))
    return seen.document(time.perf_counter() - started)


def _body(event: object) -> bytes:
    return json.dumps(codec.encode(event), separators=(",", ":")).encode()


def _keyed(body: bytes, plan: dict, number: int) -> bytes:
    return body[:-1] + b',"idempotencyKey":"%s-%d"}' % (plan["name"].encode(), number)


def _request(plan: dict, path: str, body: bytes) -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {plan['key']}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line[15:])
    return 0


def main() -> None:
    import uvloop

    plan = json.loads(sys.stdin.readline())
    print(json.dumps(uvloop.run(run(plan))))


if __name__ == "__main__":
    main()
