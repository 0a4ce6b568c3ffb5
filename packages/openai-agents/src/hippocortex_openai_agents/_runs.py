"""What is known of a run while it lasts, so that several surfaces in it do everything once.

A run is told by its `usage`, which the SDK hands to everything that belongs to it.  Steps get their
keys here: the run's name, and what the step is in it, so that whoever meets it gives the same key.
"""

from __future__ import annotations

import uuid
import weakref
from collections import Counter
from collections.abc import Hashable
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any
from weakref import ReferenceType

from hippocortex_core.scope import Scope
from hippocortex_core.steps import AnyStep, ToolCall, ToolResult
from hippocortex_openai_agents._compat import SESSIONS_KNOW_RUNS
from hippocortex_openai_agents._events import digest


class View:
    """What one surface has seen of a run.

    Attributes:
        began: Whether it saw the run begin.
        spoke: Whether the model's last answer had words in it.
        said: How often each thing was said.
        open: The calls of each agent's last answer that are carried out here: id and tool's class.
        started: The tools under way, by call id.
    """

    def __init__(self) -> None:
        self.began = False
        self.spoke = False
        self.said: Counter[str] = Counter()
        self.open: dict[int, dict[str, str]] = {}
        self.started: dict[str, str] = {}

    def close(self, agent: object, tool: str, call_id: str | None = None) -> str | None:
        """A call of the agent has its result; without an id: the first one of such a tool."""
        calls = self.open.get(id(agent), {})
        if call_id is None:
            call_id = next((one for one, kind in calls.items() if kind == tool), None)
        if call_id is not None:
            calls.pop(call_id, None)
            self.started.pop(call_id, None)
        return call_id

    def culprit(self, error: BaseException) -> tuple[str, str] | None:
        """The call that raised: the only one under way, or the one whose tool the error names."""
        calls = list(self.started.items())
        if len(calls) > 1:
            calls = [(call_id, tool) for call_id, tool in calls if tool in str(error)]
        return calls[0] if len(calls) == 1 else None


class Run:
    """One run, with the agents that it hands over to and those that are its tools.

    Attributes:
        scope: Whose it is; set by the surface that meets it first.
        history: How many items of its input come from a session.
        questions: What each agent was asked, by the agent's `id`.
        recalled: What memory said, by who asked what.
        failures: Why tools failed, by call id.
    """

    def __init__(self) -> None:
        self.name = uuid.uuid4().hex
        self.scope: Scope | None = None
        self.history = 0
        self.questions: dict[int, str] = {}
        self.recalled: dict[Hashable, str] = {}
        self.failures: dict[str, str] = {}
        self._calls: dict[str, tuple[str, str]] = {}
        self._views: dict[int, View] = {}

    def view(self, surface: object) -> View:
        """What a surface has seen of the run."""
        return self._views.setdefault(id(surface), View())

    def question_of(self, agent: object) -> str:
        """What the agent was asked; "" if that is not known."""
        return self.questions.get(id(agent)) or next(reversed(self.questions.values()), "")

    def call(self, call_id: str, tool: str, args: Any) -> None:
        """A tool is called: from now on its result can be told."""
        self._calls[call_id] = tool, digest(tool, args)

    def keyed(self, step: AnyStep, surface: object) -> AnyStep:
        """The step with its key; a message is told by its place among equal ones of the run."""
        if isinstance(step, ToolCall) and step.call_id:
            self.call(step.call_id, step.tool, step.args)
        if isinstance(step, (ToolCall, ToolResult)):
            tool, called = self._calls.get(step.call_id or "", (step.tool, ""))
            key = f"{self.name}/{step.call_id}/{called}" if step.call_id else None
            return replace(step, tool=step.tool or tool, key=key)
        said = digest(step.kind, step.payload().get("content"))
        times = self.view(surface).said
        times[said] += 1
        return replace(step, key=f"{self.name}/{said}#{times[said]}")


@dataclass
class _Visit:
    """A session was asked for its items by a run that it does not know.

    Attributes:
        run: The session's idea of it.
        free: Whether the run's other surfaces have not found it yet.
    """

    run: Run
    free: bool = True


_runs: dict[int, tuple[ReferenceType[Any], Run]] = {}
_visit: ContextVar[_Visit | None] = ContextVar("hippocortex_session_visit", default=None)


def run_of(usage: Any) -> Run:
    """The run that the usage is counted for."""
    found = _runs.get(id(usage))
    run = found[1] if found is not None and found[0]() is usage else None
    visit = _visit.get()
    if visit is not None and visit.free:
        visit.free = False
        run = visit.run = run or visit.run
    if run is None:
        run = Run()
    if found is None or found[1] is not run:
        place = id(usage)
        _runs[place] = weakref.ref(usage, lambda _: _runs.pop(place, None)), run
    return run


def run_of_session(wrapper: Any, *, begins: bool = False, ends: bool = False) -> Run:
    """The run that a session is asked by.

    Args:
        wrapper: Its context, if the SDK tells it; by hand, a session is asked by no run.
        begins: The items are asked for, with which a run begins.
        ends: What the agent did is added: whoever has not met the run by now is of another one.
    """
    if wrapper is not None:
        return run_of(wrapper.usage)
    visit = _visit.get()
    if SESSIONS_KNOW_RUNS or (visit is None and not begins):
        return Run()
    if visit is None or begins:
        _visit.set(visit := _Visit(Run()))
    if ends:
        visit.free = False
    return visit.run
