"""Calls and results of an episode, paired, as steps."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from hippocortex_engine.compiler import features, labels, templates
from hippocortex_engine.compiler.model import Step
from hippocortex_engine.payloads import ToolUse, first, flatten, tool_use
from hippocortex_engine.records import EventRecord

_MAX_TEXT = 4_000
_RESULTS_KEPT = 6
_NAME = re.compile(r"\b[A-Z][a-z]{2,}\b")
_CALLS = frozenset(("tool_call",))
_FEW = 200


class Trace:
    """Collects the steps of one episode in the order their calls were made."""

    def __init__(self, position: Callable[[EventRecord], int]) -> None:
        self.steps: list[Step] = []
        self._position = position
        self._open: dict[str, int] = {}
        self._said: list[str] = []
        self._spoken = ""
        self._results: list[tuple[str, str]] = []

    def user_said(self, text: str) -> None:
        """The user spoke: the step before ended the agent's turn."""
        self._said.append(text[:_MAX_TEXT])
        self._spoken = "\n".join(self._said[-8:])
        if self.steps:
            self.steps[-1] = self.steps[-1]._replace(ends_turn=1)

    def step(self, event: EventRecord) -> None:
        """An event of one of `labels.STEP_TYPES`."""
        use = tool_use(event.payload)
        if event.type == "tool_result" and (at := self._called(use)) is not None:
            self._close(at, event, use)
            return
        self._begin(event, use)
        if event.type not in _CALLS or use.result is not None or use.failed:
            self._close(len(self.steps) - 1, event, use)
        else:
            self._open[use.call_id or f"\0{use.tool}"] = len(self.steps) - 1

    def rows(self) -> list[list[Any]]:
        """The steps as JSON."""
        return [list(step) for step in self.steps]

    def _called(self, use: ToolUse) -> int | None:
        for key in (use.call_id, f"\0{use.tool}"):
            if key is not None and key in self._open:
                return self._open.pop(key)
        if use.call_id is None and self._open:
            tools = [key for key, at in self._open.items() if self.steps[at].action == use.tool]
            return self._open.pop(tools[0]) if tools else None
        return None

    def _begin(self, event: EventRecord, use: ToolUse) -> None:
        label = labels.action(event.type, event.payload, use)
        args = features.arguments(labels.operands(event.type, event.payload, use))
        origins = features.origins(args, self._spoken, self._results)
        self.steps.append(
            Step(
                action=label,
                call=self._position(event),
                result=-1,
                error=None,
                args=args,
                origins=origins,
                features=[],
                ends_turn=0,
                effect=int(labels.changes_something(label)),
            )
        )

    def _close(self, at: int, event: EventRecord, use: ToolUse) -> None:
        step = self.steps[at]
        failure = use.error or _failed_tests(event)
        closed = step._replace(result=self._position(event), error="")
        if failure:
            line = templates.template(failure, step.args)
            if _NAME.search(line, 1):
                line = templates.hide_names(line, frozenset(_NAME.findall(self._spoken)))
            closed = closed._replace(error=line)
        elif event.type not in {"file_edit", "file_change"}:
            closed = closed._replace(features=features.of_result(use.result))
            self._remember(step.action, event, use)
        self.steps[at] = closed

    def _remember(self, action: str, event: EventRecord, use: ToolUse) -> None:
        raw = first(event.payload, ("result", "output", "content", "response", "stdout"))
        text = raw if isinstance(raw, str) else flatten(use.result)
        self._results.insert(0, (action, text[:_MAX_TEXT]))
        del self._results[_RESULTS_KEPT:]


def _failed_tests(event: EventRecord) -> str:
    """A test run tells its failures by number."""
    failed = event.payload.get("failed")
    if event.type != "test_run" or isinstance(failed, bool) or not isinstance(failed, int):
        return ""
    said = flatten(first(event.payload, ("output", "result", "summary")))[:_FEW]
    return (said or "tests failed") if failed > 0 else ""
