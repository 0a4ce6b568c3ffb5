"""What the adapter adds to a run, apart from the recall, and what a thousand runs leave behind.

Measured beside the same agent without it, on the embedded memory, with a model that answers at
once.  A run has two turns: a call of a tool, and the answer.
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

# At the end: nothing here shall hide a package.
sys.path.append(str(Path(__file__).parents[1]))

from agents import (
    Agent,
    Model,
    ModelResponse,
    RunConfig,
    Runner,
    SQLiteSession,
    Usage,
    function_tool,
)
from openai.types.responses import (
    ResponseFunctionToolCall,
    ResponseOutputMessage,
    ResponseOutputText,
)
from report import Figure, arguments, percentile, report

from hippocortex_core import Recall, Recorder, SyncHippocortex, session, shared_recorder
from hippocortex_core.recorder import Source
from hippocortex_core.testing import InMemoryService
from hippocortex_openai_agents import (
    HippocortexHooks,
    HippocortexRunner,
    HippocortexSession,
    auto_memory,
    run_config,
)

RUNS, ROUNDS, TURNS = 150, 5, 2
LEAKING = 1_000
QUIET = RunConfig(tracing_disabled=True)
Run = Callable[[int], Any]


class ScriptedModel(Model):
    """Calls a tool, then answers."""

    async def get_response(self, system_instructions: Any, input: Any, *_: Any, **__: Any) -> Any:  # noqa: A002, ARG002
        done = input[-1].get("type") == "function_call_output"
        text = ResponseOutputText(annotations=[], text="It is live.", type="output_text")
        message = ResponseOutputMessage(
            id="msg", content=[text], role="assistant", status="completed", type="message"
        )
        call = ResponseFunctionToolCall(
            call_id="call", name="deploy", arguments='{"service": "payments"}', type="function_call"
        )
        return ModelResponse([message if done else call], Usage(), None)

    def stream_response(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError


@function_tool
def deploy(service: str) -> str:
    """Deploy a service."""
    return f"{service} is live"


def agent() -> Agent[Any]:
    return Agent("Deployer", instructions="Be brief.", model=ScriptedModel(), tools=[deploy])


def surfaces(client: Source | None = None) -> dict[str, Run]:
    """Ways to run an agent, by name; the first one is without a memory."""
    plain, remembering = agent(), auto_memory(agent(), client=client)
    config, hooks = run_config(QUIET, client=client), HippocortexHooks(client=client)
    said = "Deploy service {}".format
    return {
        "plain": lambda n: Runner.run(plain, said(n), run_config=QUIET),
        "run_config and hooks": lambda n: Runner.run(
            plain, said(n), run_config=config, hooks=hooks
        ),
        "auto_memory": lambda n: Runner.run(remembering, said(n), run_config=QUIET),
        "HippocortexRunner": lambda n: HippocortexRunner.run(
            plain, said(n), run_config=QUIET, client=client
        ),
    }


async def timed(run: Run, count: int) -> list[float]:
    """The seconds that each run took."""
    found: list[float] = []
    for number in range(count):
        with session(f"run-{number}", user_id="ann"):
            begin = time.perf_counter()
            await run(number)
            found.append(time.perf_counter() - begin)
    return found


def added(name: str) -> tuple[float, float]:
    """What a turn takes more with the surface, in ms: at the median, and at the 99th percentile."""
    ways = surfaces()
    seconds: dict[str, list[float]] = {"plain": [], name: []}
    recall = Recorder.arecall

    async def nothing(*_: Any, **__: Any) -> Recall:
        return Recall()

    Recorder.arecall = nothing  # its time is the memory's
    try:
        for _ in range(ROUNDS):
            for one in seconds:
                seconds[one] += asyncio.run(timed(ways[one], RUNS))
            shared_recorder().flush(60)
    finally:
        Recorder.arecall = recall
    plain, remembering = seconds.values()
    median, slowest = (
        1_000 * (percentile(remembering, s) - percentile(plain, s)) / TURNS for s in (0.5, 0.99)
    )
    return median, slowest


def session_call(make: Callable[[str], Any]) -> float:
    """What one of the runner's calls of a session takes, in ms at the median."""

    async def use() -> list[float]:
        found: list[float] = []
        for number in range(100):
            kept = make(f"conversation-{number}")
            begin = time.perf_counter()
            await kept.get_items()
            await kept.add_items([{"role": "user", "content": "Deploy payments"}])
            found.append((time.perf_counter() - begin) / 2)
        return found

    return 1_000 * percentile(asyncio.run(use()), 0.5)


class Sink(InMemoryService):
    """A memory that forgets at once: what grows is not its own."""

    def capture_batch(self, events: Any) -> Any:
        found = super().capture_batch(events)
        self.__init__()
        return found


def left_behind() -> dict[str, int]:
    """What a thousand runs of all kinds leave: objects, tasks, threads, and memory in KiB."""
    recorder = Recorder(Sink())

    async def some(count: int) -> None:
        ways = surfaces(recorder)
        del ways["plain"]
        for number in range(count // 4):
            for run in ways.values():
                await run(number)
            kept = HippocortexSession(f"kept-{number}", client=recorder)
            await HippocortexRunner.run(
                agent(), "Deploy", run_config=QUIET, session=kept, client=recorder
            )

    async def measured() -> dict[str, int]:
        await some(LEAKING)  # whatever is made once is made now
        before = counted(recorder)
        await some(LEAKING)
        return {name: value - before[name] for name, value in counted(recorder).items()}

    found = asyncio.run(measured())
    recorder.close()
    return found


def counted(recorder: Recorder) -> dict[str, int]:
    assert recorder.flush(60)
    gc.collect()
    modules = (str(type(one).__module__) for one in gc.get_objects())
    return {
        "objects": sum(name.startswith(("hippocortex", "agents.")) for name in modules),
        "tasks": len(asyncio.all_tasks()),
        "threads": threading.active_count(),
        "KiB": resident(),
    }


def resident() -> int:
    """Memory of this process; 0 where /proc does not tell."""
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="utf-8").splitlines() if status.exists() else []
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS")), 0)


def main() -> None:
    options = arguments(__doc__ or "").parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HIPPOCORTEX_BASE_URL"] = f"sqlite:///{Path(folder, 'memory.db').as_posix()}"
        os.environ["HIPPOCORTEX_STATE_DIR"] = folder
        with SyncHippocortex() as memory:
            memory.health()  # loads the engine
        figures: list[Figure] = []
        for name in list(surfaces())[1:]:
            median, slowest = added(name)
            figures.append(Figure(f"{name}, per turn, p50", median, "ms", 1.0, at_most=True))
            figures.append(Figure(f"{name}, per turn, p99", slowest, "ms"))
        figures.append(Figure("a call of a session, p50", session_call(HippocortexSession), "ms"))
        figures.append(Figure("the same of SQLiteSession", session_call(SQLiteSession), "ms"))
        for name, value in left_behind().items():
            target = None if name == "KiB" else 0.0
            label = f"left by {LEAKING:,} runs: {name}"
            figures.append(Figure(label, value, "", target, at_most=True))
        shared_recorder().close(60)
    report("openai_agents", figures, options.json)


if __name__ == "__main__":
    main()
