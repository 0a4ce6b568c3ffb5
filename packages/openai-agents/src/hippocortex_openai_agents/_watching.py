"""What the SDK's hooks tell of a run, as steps: for those of a run and those of an agent alike."""

from __future__ import annotations

import weakref
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from hippocortex_core.guard import fail_open, watchers
from hippocortex_core.scope import Scope
from hippocortex_core.steps import AssistantMessage, Failure, ToolResult
from hippocortex_openai_agents import _compat, _events
from hippocortex_openai_agents._memory import Memory
from hippocortex_openai_agents._runs import Run, run_of


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
        self._open: dict[str, dict[str, str]] = {}

    def began(self, context: Any, agent: Any) -> None:
        """An agent begins: with what the user says, if it is the run's first."""
        with self._on(context, "reading an input") as run:
            if run is None:
                return
            items = list(context.turn_input)
            question = _events.question_in(items)
            if question is not None:
                run.questions[id(agent)] = question[1]
            if run.first(self.memory, "began") and not _compat.resumed(context):
                for step in _events.said_now(items[run.history :]):
                    self._record(step, run, context)

    def asking(self, context: Any) -> None:
        """A model is asked."""
        with self._on(context, "watching a model") as run:
            if run is not None and (trace := _compat.trace_here()) is not None:
                _asking[id(trace)] = weakref.ref(trace, _forget), self._whose(run, context)

    def answered(self, context: Any, agent: Any, response: Any) -> None:
        """A model has answered."""
        with self._on(context, "reading an answer") as run:
            _asking.pop(id(_compat.trace_here()), None)
            if run is None:
                return
            items: list[Any] = response.output
            spoke = False
            for step in _events.steps_in(items, agent.name):
                spoke = spoke or isinstance(step, AssistantMessage)
                self._record(step, run, context)
            run.spoke = spoke
            run.open = dict(_events.local_calls(items))

    def tool_began(self, context: Any, tool: Any) -> None:
        """A tool is called."""
        with self._on(context, "watching a tool") as run:
            call_id = getattr(context, "tool_call_id", None)
            if run is None or call_id is None:
                return
            run.started[call_id] = tool.name
            run.call(call_id, context.tool_name, context.tool_arguments)

            def hear(failed: str, error: Exception) -> None:
                run.failures[failed] = _told(error)

            _compat.listen_for_failures(context, hear)

    def tool_ended(self, context: Any, tool: Any, result: Any) -> None:
        """A tool has answered; in which words does not say whether it failed."""
        with self._on(context, "reading a result") as run:
            if run is None:
                return
            call_id = getattr(context, "tool_call_id", None) or run.open_call(type(tool).__name__)
            run.open.pop(call_id, None)
            run.started.pop(call_id, None)
            error = run.failures.pop(call_id, None) or _compat.span_error()
            name = getattr(context, "tool_name", None) or tool.name
            step = _events.result_of(name, call_id, _events.plain(result), error)
            self._record(step, run, context)

    def handed_off(self, context: Any, target: Any) -> None:
        """An agent hands over to another one, which is a call as well."""
        with self._on(context, "reading a handoff") as run:
            call_id = None if run is None else run.open_call("FunctionTool")
            if run is not None and call_id is not None:
                run.open.pop(call_id, None)
                answer = {"assistant": target.name}
                self._record(ToolResult("", answer, call_id=call_id), run, context)

    def ended(self, context: Any, agent: Any, output: Any) -> None:
        """A run ends; a tool's result may be its answer, which no model says."""
        with self._on(context, "reading an output") as run:
            if run is not None and not run.spoke and output is not None:
                text = output if isinstance(output, str) else str(_events.plain(output))
                self._record(AssistantMessage(text, name=agent.name), run, context)

    def failed(self, error: Exception, run: Run, scope: Scope) -> None:
        """The run ends with an exception: that of a tool, if it was one."""
        with fail_open("reading a failure"):
            call = _culprit(run, error)
            if call is None:
                where = "guardrail" if "Guardrail" in type(error).__name__ else "run"
                self.memory.record(Failure(error, where=where), run, scope)
                return
            call_id, tool = call
            told = _told(error.__cause__ if isinstance(error.__cause__, Exception) else error)
            step = ToolResult(tool, call_id=call_id, error=told)
            self.memory.record(step, run, scope)

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

    def _record(self, step: Any, run: Run, context: Any) -> None:
        self.memory.record(step, run, self._whose(run, context))
