"""What memory adds to a message of an agent, apart from the recall, in every AutoGen that is here.

Measured beside the same agents without memory, on the embedded memory; a scripted model answers at
once.  A run has four messages: what the user says, a call, its result, and the answer.  Nothing of
it needs to be installed; what is not is said.  To measure all of it takes two environments:

    pip install 'hippocortex[autogen,local]' ag2 hippocortex-agent-framework
    pip install 'ag2<1' 'hippocortex[local]' hippocortex-autogen
"""

# ruff: noqa: E402 - what is installed is looked for before the paths change

from __future__ import annotations

import asyncio
import importlib.util
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

MISSING = {
    "AgentChat": ("autogen_agentchat", "pip install 'hippocortex[autogen,local]'"),
    "classic": ("autogen.agentchat", "pip install 'ag2<1' hippocortex-autogen"),
    "AG2 1.0": ("ag2", "pip install ag2 hippocortex-autogen"),
    "Agent Framework": ("agent_framework", "pip install 'hippocortex[agent-framework,local]'"),
}


def _there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


HERE = [name for name, (module, _) in MISSING.items() if _there(module)]
# Not before, and at the end: this folder has the name of a package of AutoGen's.
sys.path.append(str(Path(__file__).parents[1]))

import scripted
from report import Figure, arguments, percentile, report

from hippocortex_core import Recall, Recorder, SyncHippocortex, session, shared_recorder

RUNS, ROUNDS, MESSAGES = 60, 5, 4


def timed(work: Callable[[str], Any]) -> list[float]:
    """The seconds that each run took."""
    found: list[float] = []
    for number in range(RUNS):
        with session(f"run-{number}", user_id="ann"):
            begin = time.perf_counter()
            work(f"Deploy service {number}")
            found.append(time.perf_counter() - begin)
    return found


async def atimed(work: Callable[[str], Any]) -> list[float]:
    """As `timed`."""
    found: list[float] = []
    for number in range(RUNS):
        with session(f"run-{number}", user_id="ann"):
            begin = time.perf_counter()
            await work(f"Deploy service {number}")
            found.append(time.perf_counter() - begin)
    return found


def added(name: str) -> list[Figure]:
    """What a message takes more, in ms, and what a run takes without memory."""
    seconds: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(ROUNDS):
        for memory in seconds:
            work = scripted.MAKE[name](memory)
            took = timed(work) if name == "classic" else asyncio.run(atimed(work))
            seconds[memory] += took
            shared_recorder().flush(60)  # what is delivered meanwhile is nobody's message
    plain, wrapped = (1_000 * percentile(found, 0.5) for found in seconds.values())
    return [
        Figure(f"{name}, per message, p50", (wrapped - plain) / MESSAGES, "ms", 1.0, at_most=True),
        Figure(f"{name}, a run without memory, p50", plain, "ms"),
    ]


async def _nothing(*_: Any, **__: Any) -> Recall:
    return Recall()  # its time is the memory's


def main() -> None:
    options = arguments(__doc__ or "").parse_args()
    for name, (module, fix) in MISSING.items():
        if name not in HERE:
            print(f"{name} is not installed here ({module}), so it is not measured: {fix}")
    if not HERE:
        return
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        os.environ["HIPPOCORTEX_BASE_URL"] = f"sqlite:///{Path(folder, 'memory.db').as_posix()}"
        os.environ["HIPPOCORTEX_STATE_DIR"] = folder
        with SyncHippocortex() as memory:
            memory.health()  # loads the engine
        Recorder.recall, Recorder.arecall = lambda *_, **__: Recall(), _nothing
        figures = [figure for name in HERE for figure in added(name)]
        shared_recorder().close(60)
    report("autogen", figures, options.json)


if __name__ == "__main__":
    main()
