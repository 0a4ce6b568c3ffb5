"""What the saver adds to a checkpoint, and the middleware to a model call, apart from the recall.

Measured beside the same graph without them, on the embedded memory; then the store (`stores.py`).
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

# At the end: this folder has the name of LangGraph's package.
sys.path.append(str(Path(__file__).parents[1]))

from langchain.agents import create_agent
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.memory import InMemorySaver
from report import Figure, arguments, percentile, report
from stores import measure_store

from hippocortex_core import Recall, Recorder, SyncHippocortex, shared_recorder
from hippocortex_langgraph import HippocortexMiddleware, HippocortexSaver

CHECKPOINTS, CALLS, ROUNDS = 400, 200, 3


class Timed:
    """The seconds that each call of something took."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, call: Any, *args: Any) -> Any:
        begin = time.perf_counter()
        found = call(*args)
        self.seconds.append(time.perf_counter() - begin)
        return found

    def milliseconds(self, share: float) -> float:
        return 1_000 * percentile(self.seconds, share)


def conversation(count: int) -> list[Any]:
    """A turn of a user, a call, its result and an answer, over and over."""
    said: list[Any] = []
    for number in range(count // 2):
        said.append(HumanMessage(f"Deploy service {number} to staging, please", id=f"h{number}"))
        said.append(AIMessage(f"Service {number} is live on staging now.", id=f"a{number}"))
    return said


def checkpoints(saver: Any, history: int) -> Timed:
    """Writing checkpoints of a conversation that grows by one message each time."""
    timed = Timed()
    said = conversation(history + CHECKPOINTS)
    config: Any = {"configurable": {"thread_id": f"t{history}", "checkpoint_ns": ""}}
    for number in range(CHECKPOINTS):
        checkpoint = empty_checkpoint()
        checkpoint["channel_values"] = {"messages": said[: history + number]}
        versions: Any = {"messages": f"{number + 1:032}.0"}
        checkpoint["channel_versions"] = versions
        metadata: Any = {"source": "loop", "step": number, "parents": {}}
        config = timed(saver.put, config, checkpoint, metadata, versions)
    return timed


def saver_overhead(history: int) -> tuple[float, float]:
    """What the wrapped saver takes more, in ms: at the median, and at the 99th percentile."""
    plain, wrapped = Timed(), Timed()
    for _ in range(ROUNDS):
        plain.seconds += checkpoints(InMemorySaver(), history).seconds
        wrapped.seconds += checkpoints(HippocortexSaver(InMemorySaver()), history).seconds
    return tuple(wrapped.milliseconds(s) - plain.milliseconds(s) for s in (0.5, 0.99))


def runs(middleware: list[Any]) -> Timed:
    agent = create_agent(FakeListChatModel(responses=["Done."]), middleware=middleware)
    timed = Timed()
    for number in range(CALLS):
        config = {"configurable": {"thread_id": f"run-{number}", "user_id": "ann"}}
        timed(agent.invoke, {"messages": [("user", f"Deploy service {number}")]}, config)
    return timed


def middleware_overhead() -> float:
    """What a run with one model call takes more, in ms, with a memory that answers at once."""
    plain, wrapped = Timed(), Timed()
    recall, Recorder.recall = Recorder.recall, lambda *_, **__: Recall()
    try:
        for _ in range(ROUNDS):
            plain.seconds += runs([]).seconds
            wrapped.seconds += runs([HippocortexMiddleware()]).seconds
    finally:
        Recorder.recall = recall
    return wrapped.milliseconds(0.5) - plain.milliseconds(0.5)


def main() -> None:
    options = arguments(__doc__ or "").parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HIPPOCORTEX_BASE_URL"] = f"sqlite:///{Path(folder, 'memory.db').as_posix()}"
        os.environ["HIPPOCORTEX_STATE_DIR"] = folder
        with SyncHippocortex() as memory:
            memory.health()  # loads the engine
        figures: list[Figure] = []
        for history in (0, 1_000):
            median, slowest = saver_overhead(history)
            name = f"saver, per checkpoint, {history:,} messages before"
            figures.append(Figure(f"{name}, p50", median, "ms", 1.0, at_most=True))
            figures.append(Figure(f"{name}, p99", slowest, "ms"))
        added = middleware_overhead()
        figures.append(Figure("middleware, per run, apart from the recall", added, "ms"))
        shared_recorder().close(60)
    report("langgraph", [*figures, *measure_store()], options.json)


if __name__ == "__main__":
    main()
