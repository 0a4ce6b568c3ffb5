"""How much memory and disk 100,000 events take, learned and queried."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import json
import resource

from report import Figure, arguments, report
from workload import events, queries

from hippocortex_engine import open_engine

EVENTS = 100_000


def main() -> None:
    options = arguments(__doc__).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "memory.db")
        engine = open_engine(f"sqlite:///{path}")
        payload = 0
        batch = []
        for event in events(EVENTS):
            payload += len(json.dumps(event.payload, ensure_ascii=False).encode())
            batch.append(event)
            if len(batch) == 1000:
                engine.capture_batch(batch)
                batch = []
        engine.learn()
        for query in queries(100):
            engine.synthesize(query)
        engine.close()
        size = path.stat().st_size
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    report(
        "footprint",
        [
            Figure(f"largest resident size, {EVENTS:,} events", memory, "MB", 600, at_most=True),
            Figure("disk beyond the payload", (size - payload) / EVENTS, "B/event", 1_500, True),
            Figure("payload", payload / EVENTS, "B/event"),
        ],
        options.json,
    )


if __name__ == "__main__":
    main()
