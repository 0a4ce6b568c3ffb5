"""What a Recorder costs the agent: `record`, `recall`, a hanging memory, what 10,000 calls leave.

The memories answer at once and in this process, so the figures are the Recorder's own; what it adds
to the embedded engine and to a real local HTTP home is measured beside calls without it.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from report import Figure, arguments, report

from hippocortex_core import (
    AssistantMessage,
    CaptureEvent,
    Recorder,
    RetryPolicy,
    Settings,
    SyncHippocortex,
    SynthesizeResult,
    ToolCall,
    ToolResult,
    UserMessage,
)
from hippocortex_core.testing import HttpHome, InMemoryService
from hippocortex_core.transports.http import HttpTransport
from hippocortex_core.types import (
    BatchCaptureResult,
    BatchSummary,
    BudgetInfo,
    CaptureResult,
    SynthesisEntry,
)

ARGS = {"city": "Paris", "days": 5, "options": {"units": "metric", "hours": [6, 12, 18]}}
RESULT = {"forecast": [{"day": n, "high": 20 + n, "low": 10 + n} for n in range(5)]}
QUERY = "Will it rain in Paris next week, and should I move the picnic? " * 4


class Instant(InMemoryService):
    """Answers at once and keeps nothing."""

    def capture_batch(self, events: Any) -> BatchCaptureResult:
        results = [CaptureResult("e", "ingested") for _ in events]
        return BatchCaptureResult(results, BatchSummary(len(results), len(results), 0, 0))

    def synthesize(self, query: str, options: Any = None) -> SynthesizeResult:  # noqa: ARG002
        entries = [SynthesisEntry("facts", f"Fact {n} about the picnic.", 0.9) for n in range(8)]
        return SynthesizeResult("pack", entries, BudgetInfo(1500, 100, 1.0, 8, 0))


class Hanging(Instant):
    """Does not answer until it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.released = threading.Event()

    def synthesize(self, query: str, options: Any = None) -> SynthesizeResult:
        self.released.wait()
        return super().synthesize(query, options)


def steps(number: int) -> list[Any]:
    """One turn of an agent."""
    return [
        UserMessage(QUERY, key=f"u{number}"),
        ToolCall("weather", ARGS, f"c{number}"),
        ToolResult("weather", RESULT, f"c{number}"),
        AssistantMessage("It will be dry until Thursday. " * 8, key=f"a{number}"),
    ]


def timed(call: Callable[[], object]) -> float:
    begin = time.perf_counter_ns()
    call()
    return (time.perf_counter_ns() - begin) / 1e3


def summary(times: list[float], unit: float = 1.0) -> dict[str, float]:
    ordered = sorted(times)
    at = {"p50": 0.5, "p99": 0.99}
    found = {name: ordered[int(len(ordered) * share)] / unit for name, share in at.items()}
    return {name: round(value, 4) for name, value in found.items()}


def record_cost(folder: Path, calls: int) -> dict[str, float]:
    """µs per `record`, at the pace of a very busy agent: a turn of four steps each 2 ms."""
    with Recorder(Instant(), spool_dir=folder) as recorder:
        recorder.record(UserMessage("warm"))
        recorder.flush()
        times: list[float] = []
        for number in range(calls // 4):
            times += [timed(lambda s=step: recorder.record(s)) for step in steps(number)]
            time.sleep(0.002)
        recorder.flush(30)
        assert recorder.stats().delivered == recorder.stats().recorded
        return summary(times)


def burst_cost(folder: Path) -> dict[str, float]:
    """µs per `record` in a burst of 8,000 without a pause: it competes with the worker."""
    with Recorder(Instant(), spool_dir=folder) as recorder:
        recorder.record(UserMessage("warm"))
        recorder.flush()
        burst = [step for number in range(2_000) for step in steps(number)]
        times = [timed(lambda s=step: recorder.record(s)) for step in burst]
        recorder.flush(30)
        return summary(times)


def recall_cost(service: Any, folder: Path, calls: int) -> dict[str, float]:
    """ms per `recall`."""
    with Recorder(service, spool_dir=folder, recall_deadline=30) as recorder:
        recorder.recall(QUERY)
        return summary([timed(lambda: recorder.recall(QUERY)) for _ in range(calls)], 1e3)


def arecall_cost(folder: Path, calls: int) -> dict[str, float]:
    """ms per `arecall`."""

    async def main(recorder: Recorder) -> list[float]:
        await recorder.arecall(QUERY)
        times: list[float] = []
        for _ in range(calls):
            begin = time.perf_counter_ns()
            await recorder.arecall(QUERY)
            times.append((time.perf_counter_ns() - begin) / 1e3)
        return times

    with Recorder(Instant(), spool_dir=folder) as recorder:
        return summary(asyncio.run(main(recorder)), 1e3)


def hanging_cost(folder: Path) -> dict[str, float]:
    """ms: the first recall of a memory that hangs, and the next 1,000."""
    service = Hanging()
    with Recorder(service, spool_dir=folder) as recorder:
        first = timed(lambda: recorder.recall(QUERY)) / 1e3
        later = summary([timed(lambda: recorder.recall(QUERY)) for _ in range(1_000)], 1e3)
        service.released.set()
    return {"first": round(first, 3), **later}


def engine_cost(folder: Path) -> dict[str, float]:
    """ms per `recall` from the embedded engine with 400 events, and without the Recorder."""
    from hippocortex_engine import open_engine

    engine = open_engine(f"sqlite:///{folder}/memory.db")
    engine.capture_batch(
        [CaptureEvent(s.type, "s", s.payload()) for n in range(100) for s in steps(n)]
    )
    engine.synthesize(QUERY)
    direct = summary([timed(lambda: engine.synthesize(QUERY)) for _ in range(200)], 1e3)
    through = recall_cost(engine, folder, 200)
    engine.close()
    return {"added": through["p50"] - direct["p50"]}


def http_cost(folder: Path) -> dict[str, float]:
    """ms per `recall` over a local HTTP home that answers at once, and without the Recorder."""
    with HttpHome(Instant()) as home:
        transport = HttpTransport(Settings(home.url), RetryPolicy(retries=0))
        with SyncHippocortex(transport=transport) as client:
            client.synthesize(QUERY)
            direct = summary([timed(lambda: client.synthesize(QUERY)) for _ in range(200)], 1e3)
            through = recall_cost(client, folder, 200)
    return {"added": through["p50"] - direct["p50"]}


def held() -> dict[str, float]:
    """What this process holds: threads, file descriptors, MB."""
    gc.collect()
    fds = Path("/proc/self/fd")
    statm = Path("/proc/self/statm")
    pages = int(statm.read_text().split()[1]) if statm.exists() else 0
    return {
        "threads": threading.active_count(),
        "fds": len(list(fds.iterdir())) if fds.exists() else 0,
        "mb": pages * os.sysconf("SC_PAGE_SIZE") / 2**20 if pages else 0.0,
    }


def leaks(folder: Path, calls: int) -> dict[str, float]:
    """What so many turns with recall leave behind, after a warm-up."""
    with Recorder(Instant(), spool_dir=folder) as recorder:

        def turns(first: int, count: int) -> None:
            for number in range(first, first + count):
                recorder.recall(QUERY)
                for step in steps(number):
                    recorder.record(step)
                if number % 1_000 == 0:  # no agent is so fast that the queue overflows
                    assert recorder.flush(60)
            assert recorder.flush(60)

        turns(0, 5_000)
        before = held()
        turns(5_000, calls)
        after = held()
        assert recorder.stats().dropped == 0
    return {
        "threads": after["threads"] - before["threads"],
        "fds": after["fds"] - before["fds"],
        "mb": round(after["mb"] - before["mb"], 2),
    }


def measure(calls: int) -> dict[str, dict[str, float]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return {
            "record": record_cost(folder / "1", calls),
            "burst": burst_cost(folder / "2"),
            "recall": recall_cost(Instant(), folder / "3", 2_000),
            "arecall": arecall_cost(folder / "4", 2_000),
            "hanging": hanging_cost(folder / "5"),
            "engine": engine_cost(folder),
            "http": http_cost(folder / "7"),
            "left": leaks(folder / "8", calls),
        }


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--calls", type=int, default=10_000)
    options = parser.parse_args()
    found = measure(options.calls)
    report("recorder", figures(found), options.json)


def figures(found: dict[str, dict[str, float]]) -> list[Figure]:
    """What the issue asks for beside its limits, and the rest."""
    left = found["left"]
    return [
        Figure("record, p50", found["record"]["p50"], "us", 20, at_most=True),
        Figure("record, p99", found["record"]["p99"], "us"),
        Figure("record in a burst of 8,000, p50", found["burst"]["p50"], "us", 20, at_most=True),
        Figure("record in a burst of 8,000, p99", found["burst"]["p99"], "us"),
        Figure("recall, instant memory, p50", found["recall"]["p50"], "ms", 0.5, at_most=True),
        Figure("recall, instant memory, p99", found["recall"]["p99"], "ms"),
        Figure("arecall, instant memory, p50", found["arecall"]["p50"], "ms", 0.5, at_most=True),
        Figure("arecall, instant memory, p99", found["arecall"]["p99"], "ms"),
        Figure(
            "recall, hanging memory, first", found["hanging"]["first"], "ms", 2100, at_most=True
        ),
        Figure("recall, hanging memory, later p99", found["hanging"]["p99"], "ms", 1, at_most=True),
        Figure("added to the engine's synthesize, p50", found["engine"]["added"], "ms"),
        Figure("added to a synthesize over HTTP, p50", found["http"]["added"], "ms"),
        Figure("threads left by the calls", left["threads"], "", 0, at_most=True),
        Figure("file descriptors left by the calls", left["fds"], "", 0, at_most=True),
        Figure("memory left by the calls", left["mb"], "MB", 8, at_most=True),
    ]


if __name__ == "__main__":
    main()
