"""From trajectories you already have to knowledge your agent can use.

    uv run python examples/import_trajectories/main.py [FILE]

Without a file it takes the sample that ships with the package: 68 runs of an airline agent.
"""

import sys
import tempfile
from pathlib import Path
from textwrap import shorten

from hippocortex import SyncHippocortex, SynthesizeOptions
from hippocortex.data import tau_bench_sample
from hippocortex.importers import Located, read_events

QUERY = "the payment fails while booking a flight"


def main(file: Path) -> None:
    items = list(read_events(file))
    events = [item.event for item in items if isinstance(item, Located)]
    print(f"{len(events)} events read, {len(items) - len(events)} problems")

    with tempfile.TemporaryDirectory() as folder:
        home = f"sqlite:///{Path(folder, 'memory.db').as_posix()}"
        with SyncHippocortex(base_url=home) as hx:
            stored = hx.capture_batch(events).summary
            print(f"{stored.ingested} stored, {stored.duplicates} duplicates")
            again = hx.capture_batch(events).summary
            print(f"again: {again.ingested} stored, {again.duplicates} duplicates")

            print(f"learned: {hx.learn().artifacts.by_type}")
            pack = hx.synthesize(QUERY, SynthesizeOptions(max_tokens=800))
            print(f"\n{QUERY}: {pack.budget.used} of {pack.budget.limit} tokens")
            for entry in pack.entries:
                print(f"  [{entry.section}] ({entry.confidence:.2f}) {shorten(entry.content, 90)}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tau_bench_sample() as sample:
            main(sample)
