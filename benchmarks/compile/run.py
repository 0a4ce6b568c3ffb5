"""How fast the Memory Compiler learns: all at once, and what a little more costs."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from report import Figure, arguments, report
from workload import events

from hippocortex_core import LearnOptions
from hippocortex_engine import open_engine

BASE, MORE, SMALL = 100_000, 10_000, 1_000


def main() -> None:
    options = arguments(__doc__).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{folder}/memory.db")

        def add(count: int, seed: int) -> None:
            stored = list(events(count, seed))
            for start in range(0, count, 1000):
                engine.capture_batch(stored[start : start + 1000])

        def learn(count: int, options: LearnOptions | None = None) -> float:
            started = time.perf_counter()
            engine.learn(options)
            return count / (time.perf_counter() - started)

        add(MORE, 1)
        first = learn(MORE)
        add(BASE - MORE, 2)
        bulk = learn(BASE - MORE)
        add(MORE, 3)
        increment = learn(MORE)
        add(SMALL, 4)
        small = learn(SMALL)
        full = learn(BASE + MORE + SMALL, LearnOptions(scope="full"))
        nothing = 1000 / learn(1)
        engine.close()
    unit = "events/s"
    report(
        "compile",
        [
            Figure(f"incremental, the first {MORE:,} events", first, unit, 5_000),
            Figure(f"incremental, {BASE - MORE:,} more", bulk, unit, 5_000),
            Figure(f"incremental, {MORE:,} on top of {BASE:,}", increment, unit, 5_000),
            Figure(f"incremental, {SMALL:,} on top of {BASE + MORE:,}", small, unit),
            Figure(f"full, {BASE + MORE + SMALL:,} events", full, unit),
            Figure("incremental, nothing new", nothing, "ms"),
        ],
        options.json,
    )


if __name__ == "__main__":
    main()
