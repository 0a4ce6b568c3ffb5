"""Selects the sample trajectories that ship with the `hippocortex` package.

    python benchmarks/make_sample.py path/to/airline-gpt-4o.json

The source is `historical_trajectories` of sierra-research/tau-bench (MIT).  Whole tasks are taken,
with all their trials, so that success and failure of the same task stand side by side.  What a
memory does not need is dropped: `info`, and the policy (system message) that every run repeats.
The same source gives the same file, byte for byte.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "packages" / "hippocortex" / "src" / "hippocortex"
TARGET = PACKAGE / "data" / "tau_bench_airline_sample.json"

TASKS = {
    0: "booking: the payment does not add up, a payment method is not found",
    1: "cancellation, refused or done",
    6: "change of flights, mixed outcome",
    11: "booking: the payment does not add up in every trial, one recovers",
    12: "a request that needs no change, always passes",
    13: "change of flights: not available on that date, mixed outcome",
    14: "change of flights and baggage",
    15: "change of cabin: not enough seats, mixed outcome",
    18: "handed over to a human, always passes",
    20: "change of flights: payment method not found, always passes",
    21: "a request against the policy, mixed outcome",
    23: "change of flights: gift card balance is not enough",
    24: "a compensation refused, always passes",
    26: "cancel and change: payment method not found, recovers",
    27: "cancellation of the right reservation, mixed outcome",
    30: "cancellation of several reservations, mixed outcome",
    31: "cancellation, mixed outcome",
}


def select(runs: list[dict]) -> list[dict]:
    """The chosen tasks' runs, by task and trial, without what is not needed."""
    chosen = sorted(
        (run for run in runs if run["task_id"] in TASKS),
        key=lambda run: (run["task_id"], run["trial"]),
    )
    return [
        {
            "task_id": run["task_id"],
            "trial": run["trial"],
            "reward": run["reward"],
            "traj": [message for message in run["traj"] if message["role"] != "system"],
        }
        for run in chosen
    ]


def as_lines(runs: list[dict]) -> str:
    """One JSON array, one run per line: compact, and a diff shows which run changed."""
    lines = (json.dumps(run, ensure_ascii=False, separators=(",", ":")) for run in runs)
    return "[\n" + ",\n".join(lines) + "\n]\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="airline-gpt-4o.json of tau-bench")
    parser.add_argument("--target", type=Path, default=TARGET)
    given = parser.parse_args()
    runs = select(json.loads(given.source.read_text(encoding="utf-8")))
    text = as_lines(runs)
    given.target.write_text(text, encoding="utf-8", newline="\n")
    passed = sum(run["reward"] == 1 for run in runs)
    print(f"{given.target}: {len(runs)} runs ({passed} passed), {len(text.encode()):,} bytes")


if __name__ == "__main__":
    main()
