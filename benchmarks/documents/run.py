"""How fast keyed documents are put and found, in the embedded engine: 10,000 of them on disk.

Every put is one durable transaction that also stores the event it is, embedding included.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from report import Figure, arguments, percentile, report
from workload import events, queries

from hippocortex_core.operations import PutDocument
from hippocortex_core.types import CaptureEvent
from hippocortex_engine import Engine, open_engine

SIZE = 10_000
USERS = 100
BATCH = 500
SEARCHES = 200
DIMENSIONS = 256


def main() -> None:
    options = arguments(__doc__ or "").parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder))
    report("documents", figures, options.json)


def measure(folder: Path) -> list[Figure]:
    engine = open_engine(f"sqlite:///{folder / 'memory.db'}")
    engine.put_document(("warm", "up"), "k", {"text": "loads the model"})
    said = [text_of(event) for event in events(SIZE)]
    figures = [
        Figure("put, also an event", puts(engine, said, capture=True), "puts/s", 1_000),
        *found(engine),
        *in_batches(folder, said),
        *own_vectors(folder),
    ]
    engine.close()
    return figures


def text_of(event: CaptureEvent) -> str:
    payload = event.payload
    return str(payload.get("content") or payload.get("result") or payload)


def place(number: int) -> tuple[tuple[str, ...], str]:
    return ("users", f"user-{number % USERS}", "memories"), f"key-{number}"


def value(number: int, said: str) -> dict[str, Any]:
    return {"text": said, "rank": number, "state": "open" if number % 50 == 0 else "done"}


def puts(engine: Engine, said: list[str], *, capture: bool) -> float:
    start = time.perf_counter()
    for number, text in enumerate(said):
        engine.put_document(*place(number), value(number, text), capture=capture)
    return len(said) / (time.perf_counter() - start)


def found(engine: Engine) -> list[Figure]:
    asked = queries(SEARCHES)
    user = iter(range(10**9))
    in_query = timed(lambda: engine.search_documents(query=asked[next(user) % SEARCHES]))
    below = timed(
        lambda: engine.search_documents(place(next(user))[0], query=asked[next(user) % SEARCHES])
    )
    newest = timed(lambda: engine.search_documents(("users",)))
    state = timed(lambda: engine.search_documents(("users",), filter={"state": "none"}), 40)
    rank = timed(lambda: engine.search_documents(("users",), filter={"rank": {"$gt": SIZE}}), 40)
    return [
        Figure("search(query) p50", percentile(in_query, 0.5), "ms", 8, at_most=True),
        Figure("search(query) p95", percentile(in_query, 0.95), "ms"),
        Figure("search(prefix, query) p50", percentile(below, 0.5), "ms", 8, at_most=True),
        Figure("search(prefix), the newest, p50", percentile(newest, 0.5), "ms"),
        Figure("search(prefix, filter on text), nothing fits", percentile(state, 0.5), "ms"),
        Figure(
            "search(prefix, filter on number), nothing fits",
            percentile(rank, 0.5),
            "ms",
            30,
            at_most=True,
        ),
        Figure("get p50", percentile(timed(lambda: got(engine, next(user))), 0.5), "ms"),
    ]


def got(engine: Engine, number: int) -> object:
    return engine.get_document(*place(number % SIZE))


def in_batches(folder: Path, said: list[str]) -> list[Figure]:
    engine = open_engine(f"sqlite:///{folder / 'batches.db'}")
    start = time.perf_counter()
    for first in range(0, SIZE, BATCH):
        engine.batch_documents(
            [
                PutDocument(*place(number), value(number, said[number]))
                for number in range(first, first + BATCH)
            ]
        )
    speed = SIZE / (time.perf_counter() - start)
    engine.close()
    return [Figure(f"batches of {BATCH} puts", speed, "puts/s")]


def own_vectors(folder: Path) -> list[Figure]:
    engine = open_engine(f"sqlite:///{folder / 'vectors.db'}")
    rng = random.Random(3)
    vectors = [[rng.gauss(0, 1) for _ in range(DIMENSIONS)] for _ in range(SIZE)]
    for first in range(0, SIZE, BATCH):
        engine.batch_documents(
            [
                PutDocument(
                    *place(number), {"rank": number}, vectors=[vectors[number]], capture=False
                )
                for number in range(first, first + BATCH)
            ]
        )
    taken = timed(lambda: engine.search_documents(vector=rng.choice(vectors)))
    engine.close()
    return [Figure(f"search(vector of {DIMENSIONS}) p50", percentile(taken, 0.5), "ms")]


def timed(call: Callable[[], object], times: int = SEARCHES) -> list[float]:
    """Milliseconds of each of so many calls, after a few to warm up."""
    for _ in range(5):
        call()
    taken: list[float] = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        taken.append((time.perf_counter() - start) * 1000)
    return taken


if __name__ == "__main__":
    main()
