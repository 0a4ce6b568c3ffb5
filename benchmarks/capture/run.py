"""How fast events are stored: one durable call per event, and batches."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from report import Figure, arguments, report
from workload import events

from hippocortex_engine import open_engine

SINGLE, BATCHED, BATCH = 5_000, 20_000, 500


def main() -> None:
    parser = arguments(__doc__)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        single = open_engine(f"sqlite:///{folder}/single.db")
        ones = list(events(SINGLE + 200))
        for event in ones[:200]:
            single.capture(event)
        started = time.perf_counter()
        for event in ones[200:]:
            single.capture(event)
        single_rate = SINGLE / (time.perf_counter() - started)
        single.close()
        batched = open_engine(f"sqlite:///{folder}/batched.db")
        many = list(events(BATCHED + BATCH, seed=3))
        batched.capture_batch(many[:BATCH])
        started = time.perf_counter()
        for start in range(BATCH, len(many), BATCH):
            batched.capture_batch(many[start : start + BATCH])
        batch_rate = BATCHED / (time.perf_counter() - started)
        batched.close()
    report(
        "capture",
        [
            Figure("capture, one durable call per event", single_rate, "events/s", 2_500),
            Figure(f"capture_batch, {BATCH} at a time", batch_rate, "events/s", 8_000),
        ],
        options.json,
    )


if __name__ == "__main__":
    main()
