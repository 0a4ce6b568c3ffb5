"""What the adapter adds to a crew's run, apart from the recall, and what a thousand runs leave.

Measured beside the same crew with a memory of CrewAI's that does nothing: what CrewAI itself does
for any memory (two tools in the prompt, events) is not counted.  The model answers at once.  A run
has two turns: a call of a tool, and the answer.  CrewAI needs an environment of its own:

    pip install 'hippocortex[crewai,local]' && python benchmarks/crewai/run.py
"""

# ruff: noqa: E402 - CrewAI reads its settings when it is imported

from __future__ import annotations

import gc
import importlib.util
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

if importlib.util.find_spec("crewai") is None:
    print("crewai is not installed here, so there is nothing to measure:")
    print("  pip install 'hippocortex[crewai,local]' && python benchmarks/crewai/run.py")
    sys.exit(0)
# Not before, and at the end: this folder has the name of CrewAI's package.
sys.path.append(str(Path(__file__).parents[1]))

home = tempfile.TemporaryDirectory()
os.environ["CREWAI_DISABLE_TELEMETRY"] = os.environ["CREWAI_TESTING"] = "true"
os.environ["CREWAI_TRACING_ENABLED"] = "false"
os.environ["CREWAI_STORAGE_DIR"] = home.name

from crewai import Agent, BaseLLM, Crew, Task
from crewai.events import crewai_event_bus
from crewai.memory.unified_memory import Memory
from crewai.tools import tool
from report import Figure, arguments, percentile, report

from hippocortex_core import Recall, Recorder, SyncHippocortex, session, shared_recorder
from hippocortex_core.testing import InMemoryService
from hippocortex_crewai import HippocortexMemory, _tap

RUNS, ROUNDS, TURNS = 50, 6, 2
LEAKING = 1_000


class ScriptedModel(BaseLLM):
    """Calls a tool, then answers."""

    def call(self, messages: Any, *_: Any, **__: Any) -> Any:
        if any(message["role"] == "tool" for message in messages):
            return "It is live."
        called = {"name": "deploy", "arguments": json.dumps({"service": "payments"})}
        return [{"id": "call", "type": "function", "function": called}]

    def supports_function_calling(self) -> bool:
        return True

    def get_input_tokens_count(self, *_: Any, **__: Any) -> int:
        return 0


class Nothing(Memory):
    """A memory of CrewAI's that knows nothing and keeps nothing."""

    def model_post_init(self, context: Any, /) -> None:
        """Open nothing."""

    def recall(self, *_: Any, **__: Any) -> Any:
        return []

    def extract_memories(self, *_: Any, **__: Any) -> Any:
        return []

    def drain_writes(self) -> None:
        """There is nothing."""


@tool
def deploy(service: str) -> str:
    """Deploy a service."""
    return f"{service} is live"


def crew(memory: Memory | None) -> Crew:
    deployer = Agent(
        role="Deployer",
        goal="Deploy services",
        backstory="You deploy services.",
        llm=ScriptedModel(model="scripted"),
        tools=[deploy],
    )
    task = Task(description="Deploy {service}", expected_output="one line", agent=deployer)
    return Crew(agents=[deployer], tasks=[task], memory=memory or False)


class Inside:
    """The seconds that runs spend in the adapter, in the threads that they run in."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._kept = [
            (owner, name, getattr(owner, name))
            for owner, name in (
                *((HippocortexMemory, name) for name in ("recall", "extract_memories")),
                (_tap.Tap, "_tell"),
            )
        ]

    def __enter__(self) -> object:
        for owner, name, method in self._kept:
            setattr(owner, name, self._watched(method))
        return self

    def __exit__(self, *_: object) -> None:
        for owner, name, method in self._kept:
            setattr(owner, name, method)

    def _watched(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            begin = time.perf_counter()
            try:
                return method(*args, **options)
            finally:
                self.seconds += time.perf_counter() - begin

        return call


def inside() -> float:
    """What a turn spends in the adapter, in ms at the median."""
    found: list[float] = []
    with (watched := Inside()):
        memory = HippocortexMemory()
        for number in range(RUNS):
            watched.seconds = 0.0
            crew(memory).kickoff(inputs={"service": f"service-{number}"})
            found.append(watched.seconds)
    return 1_000 * percentile(found, 0.5) / TURNS


def timed(memory: Memory | None) -> list[float]:
    """The seconds that each run took."""
    found: list[float] = []
    for number in range(RUNS):
        made = crew(memory)
        with session(f"run-{number}", user_id="ann"):
            begin = time.perf_counter()
            made.kickoff(inputs={"service": f"service-{number}"})
            found.append(time.perf_counter() - begin)
    return found


def added() -> list[Figure]:
    """What turns and runs take more, in ms."""
    memories: dict[str, Callable[[], Memory | None]] = {
        "none": lambda: None,
        "nothing": Nothing,
        "ours": HippocortexMemory,
        "waiting": HippocortexMemory,
    }
    seconds: dict[str, list[float]] = {name: [] for name in memories}
    recall, flush = Recorder.recall, Recorder.flush
    Recorder.recall = lambda *_, **__: Recall()  # its time is the memory's
    try:
        spent = inside()
        for _ in range(ROUNDS):
            for name, make in memories.items():
                Recorder.flush = flush if name == "waiting" else lambda *_, **__: True
                seconds[name] += timed(make())
                flush(shared_recorder(), 60)
    finally:
        Recorder.recall, Recorder.flush = recall, flush
    half = {name: 1_000 * percentile(found, 0.5) for name, found in seconds.items()}
    slow = {name: 1_000 * percentile(found, 0.9) for name, found in seconds.items()}
    turn = (half["ours"] - half["nothing"]) / TURNS
    tail = (slow["ours"] - slow["nothing"]) / TURNS
    return [
        Figure("added per turn, spent in the adapter, p50", spent, "ms", 1.0, at_most=True),
        Figure("added per turn, delivery beside it included, p50", turn, "ms"),
        Figure("added per turn, delivery beside it included, p90", tail, "ms"),
        Figure("delivery at the end of a crew, p50", half["waiting"] - half["ours"], "ms"),
        Figure("a run with a memory that does nothing, p50", half["nothing"], "ms"),
        Figure("the same without a memory, p50", half["none"], "ms"),
    ]


class Sink(InMemoryService):
    """A memory that forgets at once: what grows is not its own."""

    def capture_batch(self, events: Any) -> Any:
        found = super().capture_batch(events)
        self.__init__()
        return found


def left_behind() -> list[Figure]:
    """What a thousand runs leave: objects, threads, handlers, and memory in KiB."""
    with Recorder(Sink()) as recorder:
        some(100, recorder)  # whatever is made once is made now
        before = counted(recorder)
        some(LEAKING, recorder)
        after = counted(recorder)
    plain = resident()
    some(LEAKING, None)
    gc.collect()
    label = f"left by {LEAKING:,} runs: ".__add__
    found = [
        Figure(label(name), after[name] - before[name], "", 0.0, at_most=True)
        for name in ("objects of ours", "threads of ours", "handlers of the bus")
    ]
    grown = after["KiB"] - before["KiB"]
    return [
        *found,
        Figure(label("KiB"), grown, ""),
        Figure(f"left by {LEAKING:,} more runs without a memory: KiB", resident() - plain, ""),
    ]


def some(count: int, recorder: Recorder | None) -> None:
    """Runs of crews, each with a memory of its own: more than most programs make."""
    for number in range(count):
        crew(None if recorder is None else HippocortexMemory(recorder)).kickoff(
            inputs={"service": f"service-{number}"}
        )


def counted(recorder: Recorder) -> dict[str, int]:
    assert recorder.flush(60)
    assert crewai_event_bus.flush()
    gc.collect()
    modules = (str(type(one).__module__) for one in gc.get_objects())
    names = [thread.name for thread in threading.enumerate()]
    kinds = ("_sync_handlers", "_async_handlers")  # the bus does not say how many there are
    handlers = [one for kind in kinds for one in getattr(crewai_event_bus, kind).values()]
    return {
        "objects of ours": sum(name.startswith("hippocortex") for name in modules),
        "threads of ours": sum(name.startswith("hippocortex") for name in names),
        "handlers of the bus": sum(map(len, handlers)),
        "KiB": resident(),
    }


def resident() -> int:
    """Memory of this process; 0 where /proc does not tell."""
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="utf-8").splitlines() if status.exists() else []
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS")), 0)


def main() -> None:
    options = arguments(__doc__ or "").parse_args()
    with home as folder:
        os.environ["HIPPOCORTEX_BASE_URL"] = f"sqlite:///{Path(folder, 'memory.db').as_posix()}"
        os.environ["HIPPOCORTEX_STATE_DIR"] = folder
        with SyncHippocortex() as memory:
            memory.health()  # loads the engine
        figures = [*added(), *left_behind()]
        shared_recorder().close(60)
        crewai_event_bus.flush()
    report("crewai", figures, options.json)


if __name__ == "__main__":
    main()
