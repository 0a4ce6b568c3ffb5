"""How fast a query gets its pack: 10,000 and 100,000 events, before and after learning."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from report import Figure, arguments, percentile, report
from workload import events, queries

from hippocortex_engine import Engine, open_engine

QUERIES = 400


def latencies(engine: Engine) -> list[float]:
    asked = queries(QUERIES + 20)
    for query in asked[:20]:
        engine.synthesize(query)
    taken = []
    for query in asked[20:]:
        started = time.perf_counter()
        engine.synthesize(query)
        taken.append((time.perf_counter() - started) * 1000)
    return taken


def figures(size: int, target: float, folder: str) -> list[Figure]:
    engine = open_engine(f"sqlite:///{folder}/{size}.db")
    stored = list(events(size))
    for start in range(0, size, 1000):
        engine.capture_batch(stored[start : start + 1000])
    found = []
    for state in ("", ", learned"):
        if state:
            engine.learn()
        taken = latencies(engine)
        p50, p95 = percentile(taken, 0.5), percentile(taken, 0.95)
        found += [
            Figure(f"synthesize p50, {size:,} events{state}", p50, "ms", target, at_most=True),
            Figure(f"synthesize p95 / p50, {size:,} events{state}", p95 / p50, "x", 3, True),
        ]
    engine.close()
    started = time.perf_counter()
    engine = open_engine(f"sqlite:///{folder}/{size}.db")
    engine.synthesize("the first query of a new process")
    first = (time.perf_counter() - started) * 1000
    engine.close()
    return [*found, Figure(f"open and first query, {size:,} events", first, "ms")]


def main() -> None:
    options = arguments(__doc__).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = [*figures(10_000, 5, folder), *figures(100_000, 15, folder)]
    report("synthesize", found, options.json)


if __name__ == "__main__":
    main()
