"""Trajectories with verdicts, as events to capture and as what is to be predicted."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hippocortex.data import tau_bench_sample
from hippocortex.importers import read_events
from hippocortex.importers.conversations import Located
from hippocortex_core import CaptureEvent
from hippocortex_engine.compiler.features import arguments
from hippocortex_engine.compiler.templates import template
from hippocortex_engine.payloads import tool_use

DATA = Path(__file__).parents[3] / "shared" / "data" / "tau-bench" / "airline-gpt-4o.json"


@dataclass(frozen=True)
class Failure:
    """A call that failed: `then` is the tool called next, None where none was."""

    tool: str
    args: dict
    text: str
    then: str | None

    @property
    def kind(self) -> tuple[str, str]:
        """The class of the error: the tool, and the text without what belongs to one case."""
        return self.tool, template(self.text, arguments(self.args))

    @property
    def query(self) -> str:
        """What an agent would ask."""
        return f"{self.tool} failed: {self.text}"


@dataclass(frozen=True)
class Trajectory:
    """A run: what was asked first, which tools were called, whether it passed.

    `spoke` tells for each call whether the user had spoken since the call before.
    """

    name: str
    task: str
    passed: bool
    request: str
    tools: tuple[str, ...]
    spoke: tuple[bool, ...]
    failures: tuple[Failure, ...]
    events: tuple[CaptureEvent, ...]


def load(path: Path | None) -> tuple[list[Trajectory], str]:
    """The trajectories of a file and what it is called; without one, the packaged sample."""
    if path is None and DATA.exists():
        path = DATA
    if path is not None:
        return _runs(read_events(path)), path.name
    with tau_bench_sample() as sample:
        return _runs(read_events(sample)), "the packaged sample"


def _runs(located: Iterable) -> list[Trajectory]:
    sessions: defaultdict[str, list[CaptureEvent]] = defaultdict(list)
    for item in located:
        if isinstance(item, Located):
            sessions[item.event.session_id].append(item.event)
    return [_run(name, events) for name, events in sorted(sessions.items())]


def _run(name: str, events: list[CaptureEvent]) -> Trajectory:
    said = (e.payload["content"] for e in events if e.type == "message")
    calls = [event for event in events if event.type == "tool_call"]
    verdicts = [bool(e.payload["success"]) for e in events if e.type == "outcome"]
    return Trajectory(
        name=name,
        task=name.rsplit("-", 1)[0],
        passed=verdicts[-1:] == [True],
        request=next(said, ""),
        tools=tuple(event.payload["tool"] for event in calls),
        spoke=tuple(_spoke(events)),
        failures=tuple(_failures(events)),
        events=tuple(events),
    )


def _spoke(events: Sequence[CaptureEvent]) -> Iterable[bool]:
    spoke = False
    for event in events:
        if event.type == "tool_call":
            yield spoke
            spoke = False
        elif event.type == "message" and event.payload["role"] == "user":
            spoke = True


def _failures(events: Sequence[CaptureEvent]) -> Iterable[Failure]:
    calls: dict[str, CaptureEvent] = {}
    for at, event in enumerate(events):
        if event.type == "tool_call":
            calls[event.payload["call_id"]] = event
        elif event.type == "tool_result" and (error := tool_use(event.payload).error):
            use = tool_use(calls[event.payload["call_id"]].payload)
            later = (e.payload["tool"] for e in events[at + 1 :] if e.type == "tool_call")
            yield Failure(use.tool, dict(use.args), error, next(later, None))


def split(runs: Sequence[Trajectory], folds: int, seed: int) -> Iterable[tuple[list, list]]:
    """Training and held-out trajectories, no task in both."""
    tasks = sorted({run.task for run in runs})
    random.Random(seed).shuffle(tasks)
    for fold in range(folds):
        held = set(tasks[fold::folds])
        yield [r for r in runs if r.task not in held], [r for r in runs if r.task in held]
