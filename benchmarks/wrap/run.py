"""What `wrap` adds to a call of OpenAI's SDK: with an instant memory, a hanging one, over time."""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import threading
import time
import tracemalloc
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from report import Figure, arguments, percentile, report

from hippocortex._instrument.interceptor import Interceptor
from hippocortex._instrument.patching import patch_client
from hippocortex_core.recorder import Recorder
from hippocortex_core.testing import InMemoryService
from hippocortex_core.testing.llm_wires import WIRES
from hippocortex_core.types import (
    BatchCaptureResult,
    BatchSummary,
    BudgetInfo,
    CaptureResult,
    SynthesisEntry,
    SynthesizeResult,
)

CALLS = 2_000
LEAK_CALLS = 10_000
DEADLINE = 2.0


class Instant(InMemoryService):
    """Always has the same to say, and keeps nothing."""

    def synthesize(self, query, options=None):  # noqa: ARG002
        entries = [SynthesisEntry("context", "Deploy with make deploy.", 0.9)]
        return SynthesizeResult("pack", entries, BudgetInfo(1500, 9, 1.0, 1, 0))

    def capture_batch(self, events):
        results = [CaptureResult(str(number), "ingested") for number in range(len(events))]
        return BatchCaptureResult(results, BatchSummary(len(results), len(results), 0, 0))


class Hanging(Instant):
    def __init__(self) -> None:
        super().__init__()
        self.released = threading.Event()

    def synthesize(self, query, options=None):
        self.released.wait(60)
        return super().synthesize(query, options)


def client():
    """OpenAI's client with a model in this process: what is measured is not a network."""
    openai = importlib.import_module("openai")
    base = sys.modules["openai._base_client"]
    http = getattr(base, "httpx2", None) or base.httpx
    body = json.dumps(WIRES["/chat/completions"].whole("m", "Done.", ())).encode()
    headers = {"content-type": "application/json"}
    transport = http.MockTransport(lambda _: http.Response(200, content=body, headers=headers))
    pool = http.Client(transport=transport)
    return openai.OpenAI(api_key="none", base_url="http://model/v1", http_client=pool)


def wrapped(recorder):
    made = client()
    patch_client(made, Interceptor(lambda: recorder), "bench")
    return made


def seconds(asked, number):
    messages = [{"role": "user", "content": f"Deploy payments to staging, number {number}"}]
    started = time.perf_counter()
    asked.chat.completions.create(model="m", messages=messages)
    return time.perf_counter() - started


def overhead():
    """The call itself, and what is added: medians of calls that take turns."""
    with Recorder(Instant()) as recorder:
        bare, remembering = client(), wrapped(recorder)
        for number in range(200):
            seconds(bare, number), seconds(remembering, number)
        pairs = [(seconds(bare, n), seconds(remembering, n)) for n in range(CALLS)]
    without = sorted(pair[0] for pair in pairs)
    added = [pair[1] - pair[0] for pair in pairs]
    return percentile(without, 0.5), percentile(added, 0.5), percentile(added, 0.99)


def hanging():
    """The first call under a memory that hangs, and the median and worst of those after it."""
    service = Hanging()
    recorder = Recorder(service, recall_deadline=DEADLINE, on_exit_deadline=0.1)
    bare, remembering = client(), wrapped(recorder)
    seconds(bare, 0)
    first = seconds(remembering, 0)
    added = [seconds(remembering, n) - seconds(bare, n) for n in range(1, 500)]
    service.released.set()
    recorder.close(1)
    return first, percentile(added, 0.5), percentile(added, 0.99)


def leaks():
    """What is left of 10,000 calls: bytes, threads, file descriptors."""
    with Recorder(Instant()) as recorder:
        remembering = wrapped(recorder)
        tracemalloc.start()
        for number in range(LEAK_CALLS):  # until what is remembered on purpose has its full size
            seconds(remembering, number)
        before = _held(recorder)
        for number in range(LEAK_CALLS):
            seconds(remembering, number)
        after = _held(recorder)
        tracemalloc.stop()
    kept, threads, descriptors = (late - early for early, late in zip(before, after, strict=True))
    return kept / LEAK_CALLS, threads, descriptors


def _held(recorder):
    recorder.flush(30)
    gc.collect()
    folder = Path("/proc/self/fd")  # empty where the system has no such folder
    descriptors = len(list(folder.iterdir())) if folder.exists() else 0
    return tracemalloc.get_traced_memory()[0], threading.active_count(), descriptors


def main() -> None:
    options = arguments(__doc__).parse_args()
    os.environ.pop("HIPPOCORTEX_STRICT", None)
    call, added, worst = overhead()
    first, after, late = hanging()
    kept, threads, descriptors = leaks()
    report(
        "wrap",
        [
            Figure("a call of the SDK alone, p50", call * 1000, "ms"),
            Figure("added with an instant memory, p50", added * 1000, "ms", 0.5, at_most=True),
            Figure("added with an instant memory, p99", worst * 1000, "ms"),
            Figure("first call, memory hanging", first, "s", DEADLINE + 0.1, at_most=True),
            Figure("added by later calls, p50", after * 1000, "ms", 1, at_most=True),
            Figure("added by later calls, p99", late * 1000, "ms"),
            Figure("kept of 10,000 calls, per call", kept, "bytes", 100, at_most=True),
            Figure("threads left of them", threads, "", 0, at_most=True),
            Figure("file descriptors left of them", descriptors, "", 0, at_most=True),
        ],
        options.json,
    )


if __name__ == "__main__":
    main()
