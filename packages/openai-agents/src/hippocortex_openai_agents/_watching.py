"""What the SDK's hooks tell of a run, as steps: for those of a run and those of an agent alike."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

from hippocortex_core.guard import fail_open, watchers
from hippocortex_core.scope import Scope
from hippocortex_core.steps import AnyStep, AssistantMessage, Failure, ToolResult, arguments_of
from hippocortex_openai_agents import _compat, _events
from hippocortex_openai_agents._memory import Memory
from hippocortex_openai_agents._runs import Run, run_of

_asking: WeakKeyDictionary[object, list[Scope]] = WeakKeyDictionary()
"""To whom the models belong that are being asked, by the traces of their runs."""


class Watcher:
    """Captures what it is told; nothing in here can fail a run.

    Args:
        memory: To record with.

    Attributes:
        memory: As given.
        latest: The run that it was told of last.
    """

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.latest: Run | None = None

    def began(self, context: Any, agent: Any) -> None:
        """An agent begins: with what the user says, if it is the run's first."""
        with self._on(context, "reading an input") as run:
            if run is None:
                return
            items = list(context.turn_input)
            question = _events.question_in(items)
            if question is not None:
                run.questions[id(agent)] = question[1]
            view = run.view(self.memory)
            view.began, begins = True, not view.began and not _compat.resumed(context)
            if begins:
                for step in _events.said_now(items[run.history :]):
                    self._record(step, run, context)

    def asking(self, context: Any) -> None:
        """A model is asked."""
        with self._on(context, "watching a model") as run:
            if run is not None and (trace := _compat.trace_here()) is not None:
                _asking.setdefault(trace, []).append(self._whose(run, context))

    def answered(self, context: Any, agent: Any, response: Any) -> None:
        """A model has answered."""
        with self._on(context, "reading an answer") as run:
            if run is None:
                return
            trace, scope = _compat.trace_here(), self._whose(run, context)
            if trace is not None and scope in (asked := _asking.get(trace, [])):
                asked.remove(scope)
            steps = list(_events.steps_in(response.output, agent.name))
            view = run.view(self.memory)
            view.spoke = any(isinstance(step, AssistantMessage) for step in steps)
            view.open[id(agent)] = dict(_events.local_calls(response.output))
            for step in steps:
                self._record(step, run, context)

    def tool_began(self, context: Any, tool: Any) -> None:
        """A tool is called."""
        with self._on(context, "watching a tool") as run:
            call_id = getattr(context, "tool_call_id", None)
            if run is None or call_id is None:
                return
            run.view(self.memory).started[call_id] = tool.name
            run.call(call_id, context.tool_name, arguments_of(context.tool_arguments))

            def hear(failed: str, error: Exception) -> None:
                run.failures[failed] = _told(error)

            _compat.listen_for_failures(context, hear)

    def tool_ended(self, context: Any, agent: Any, tool: Any, result: Any) -> None:
        """A tool has answered; in which words does not say whether it failed."""
        with self._on(context, "reading a result") as run:
            if run is None:
                return
            given = getattr(context, "tool_call_id", None)
            call_id = run.view(self.memory).close(agent, type(tool).__name__, given)
            error = run.failures.get(call_id or "") or _compat.span_error()
            name = getattr(context, "tool_name", None) or tool.name
            step = _events.result_of(name, call_id, _events.plain(result), error)
            self._record(step, run, context)

    def handed_off(self, context: Any, source: Any, target: Any) -> None:
        """An agent hands over to another one, which it calls like a tool."""
        with self._on(context, "reading a handoff") as run:
            if run is None:
                return
            call_id = run.view(self.memory).close(source, "FunctionTool")
            if call_id is not None:
                answer = {"assistant": target.name}
                self._record(ToolResult("", answer, call_id=call_id), run, context)

    def ended(self, context: Any, agent: Any, output: Any) -> None:
        """A run ends; a tool's result may be its answer, which no model says."""
        with self._on(context, "reading an output") as run:
            if run is not None and not run.view(self.memory).spoke and output is not None:
                text = output if isinstance(output, str) else str(_events.plain(output))
                self._record(AssistantMessage(text, name=agent.name), run, context)

    def failed(self, error: Exception, run: Run, scope: Scope) -> None:
        """The run ends with an exception: that of a tool, if it was one."""
        with fail_open("reading a failure"):
            call = run.view(self.memory).culprit(error)
            step: AnyStep = Failure(error, where=_where(error))
            if call is not None:
                cause = error.__cause__
                told = _told(cause if isinstance(cause, Exception) else error)
                step = ToolResult(call[1], call_id=call[0], error=told)
            self.memory.record_in(run, step, scope)

    @contextmanager
    def _on(self, context: Any, doing: str) -> Generator[Run | None]:
        """Within one report of the SDK: the run it is about, if there is a memory."""
        run = None
        with fail_open(doing):
            if self.memory.ready:
                run = self.latest = run_of(context.usage)
        with fail_open(doing):
            yield run

    def _whose(self, run: Run, context: Any) -> Scope:
        return self.memory.whose(run, context.context)

    def _record(self, step: AnyStep, run: Run, context: Any) -> None:
        self.memory.record_in(run, step, self._whose(run, context))


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _where(error: Exception) -> str:
    return "guardrail" if "Guardrail" in type(error).__name__ else "run"


def _captured_here() -> Scope | None:
    """To whom the conversation belongs that a model is asked in here, if hooks capture it."""
    if not _asking or (trace := _compat.trace_here()) is None:
        return None
    asked = _asking.get(trace)
    return asked[-1] if asked else None


# A wrapped client of a model inside of such a run recalls, and leaves the capturing to the hooks.
watchers.append(_captured_here)
