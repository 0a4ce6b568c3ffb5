"""CrewAI's events as steps: pure functions, without a memory and without a bus.

Each step has the id of its event for a key, so that what two listeners hear is one step.  A call
of a tool and its result go together by the id of the event that starts the call.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

from hippocortex_core.steps import (
    AnyStep,
    AssistantMessage,
    Failure,
    Outcome,
    ToolCall,
    ToolResult,
    UserMessage,
)

VIA = {"via": "crewai"}
"""What tells these steps from those of other frameworks in the same memory."""

_OWN_TOOLS = frozenset({"search_memory", "save_to_memory"})
"""CrewAI's tools of memory: what they find is in it, and what they save gets into it, anyway."""

_SUMMARY = re.compile(r"(?:Task|Input): .*\nAgent: .*\n(?:Expected result: .*\n)?Result: ", re.DOTALL)


class Attempts:
    """The calls of tools of a run: CrewAI tries a failing one again by itself, as another call."""

    def __init__(self) -> None:
        self._calls: dict[int, str] = {}

    def call_id(self, source: object, event: Any) -> str:
        """The id of a call that starts; a further attempt at a call has that of the first."""
        caller = id(source)
        if int(event.run_attempts or 0) <= 1 or caller not in self._calls:
            self._calls[caller] = event.event_id
        return self._calls[caller]

    def started(self, source: object, event: Any) -> str:
        """The id of the call that ends with this event."""
        if int(event.run_attempts or 0) >= 1 and id(source) in self._calls:
            return self._calls[id(source)]  # of calls as text, which are made one by one
        return str(event.started_event_id or event.event_id)


def steps_of(source: object, event: Any, attempts: Attempts) -> Iterator[AnyStep]:
    """What an event says that was said or done; nothing for most.

    Args:
        source: What emitted it.
        event: Of CrewAI.
        attempts: Of the run that it belongs to.
    """
    if str(getattr(event, "tool_name", "")).lower().replace(" ", "_") not in _OWN_TOOLS:
        yield from _READERS.get(event.type, _nothing)(source, event, attempts)


def is_summary(content: str) -> bool:
    """Whether CrewAI wrote the text, about a task that ended, for its memory to extract from."""
    return _SUMMARY.match(content) is not None


def request_in(messages: Any) -> str:
    """What an agent is asked with: a text, or the last message of the user among others."""
    if isinstance(messages, str):
        return messages
    found = [_said(one) for one in cast("Sequence[Any]", messages or ()) if _role(one) == "user"]
    return found[-1] if found else ""


def _task(_: object, event: Any, __: Attempts) -> Iterator[AnyStep]:
    task = event.task
    metadata = _metadata(agent=_role_of(task), task=getattr(task, "name", None))
    yield UserMessage(str(task.description), key=event.event_id, metadata=metadata)


def _request(_: object, event: Any, __: Attempts) -> Iterator[AnyStep]:
    agent = event.agent_info.get("role")
    text = request_in(event.messages)
    yield UserMessage(text, key=event.event_id, metadata=_metadata(agent=agent))


def _call(source: object, event: Any, attempts: Attempts) -> Iterator[AnyStep]:
    call_id = attempts.call_id(source, event)
    args = _arguments(event.tool_args)
    metadata = _metadata(agent=event.agent_role)
    yield ToolCall(event.tool_name, args, call_id=call_id, metadata=metadata)


def _result(source: object, event: Any, attempts: Attempts) -> Iterator[AnyStep]:
    failure = getattr(event, "failure", None)  # since CrewAI 1.15: the tool says that it failed
    yield _ended(source, event, attempts, None if failure is None else str(failure.message))


def _tool_error(source: object, event: Any, attempts: Attempts) -> Iterator[AnyStep]:
    yield _ended(source, event, attempts, _told(event.error))


def _ended(source: object, event: Any, attempts: Attempts, error: str | None) -> ToolResult:
    call_id = attempts.started(source, event)
    return ToolResult(
        event.tool_name,
        event.output if error is None else None,
        call_id=call_id,
        error=error,
        key=f"{call_id}/{'done' if error is None else 'failed'}",
        metadata=_metadata(agent=event.agent_role),
    )


def _wrong_call(_: object, event: Any, __: Attempts) -> Iterator[AnyStep]:
    where = f"calling {event.tool_name}"
    yield _failure(event, where, event.error, key=event.event_id)


def _answer(_: object, event: Any, __: Attempts) -> Iterator[AnyStep]:
    output = event.output
    yield AssistantMessage(
        str(output.raw), name=output.agent or None, key=event.event_id, metadata=VIA
    )


def _lite_answer(_: object, event: Any, __: Attempts) -> Iterator[AnyStep]:
    name = event.agent_info.get("role")
    yield AssistantMessage(str(event.output), name=name, key=event.event_id, metadata=VIA)


def _agent_error(_: object, event: Any, __: Attempts) -> Iterator[AnyStep]:
    yield _failure(event, f"agent {event.agent.role}", event.error)


def _task_error(_: object, event: Any, __: Attempts) -> Iterator[AnyStep]:
    yield _failure(event, "task", event.error)


def _guardrail(_: object, event: Any, __: Attempts) -> Iterator[AnyStep]:
    if not event.success:
        yield _failure(event, "guardrail", event.error, key=event.event_id)


def _run_error(_: object, event: Any, __: Attempts) -> Iterator[AnyStep]:
    yield Outcome(success=False, summary=_told(event.error), key=event.event_id, metadata=VIA)


def _nothing(*_: object) -> Iterator[AnyStep]:
    return iter(())


_READERS: Mapping[str, Callable[[object, Any, Attempts], Iterator[AnyStep]]] = {
    "task_started": _task,
    "lite_agent_execution_started": _request,
    "tool_usage_started": _call,
    "tool_usage_finished": _result,
    "tool_usage_error": _tool_error,
    "tool_selection_error": _wrong_call,
    "tool_validate_input_error": _wrong_call,
    "llm_guardrail_completed": _guardrail,
    "agent_execution_error": _agent_error,
    "task_failed": _task_error,
    "task_completed": _answer,
    "lite_agent_execution_completed": _lite_answer,
    "crew_kickoff_failed": _run_error,
    "lite_agent_execution_error": _run_error,
}


def _failure(event: Any, where: str, error: Any, *, key: str | None = None) -> Failure:
    """A failure; without a key, the same error is told once in a run.

    An agent is tried again by itself, then its task fails, each time for the same reason.
    """
    told = _told(error)
    key = key or hashlib.blake2b(told.encode("utf-8", "replace"), digest_size=12).hexdigest()
    return Failure(told, where, key=key, metadata=_metadata(agent=event.agent_role))


def _told(error: Any) -> str:
    if isinstance(error, BaseException):
        return f"{type(error).__name__}: {error}"
    return str(error)


def _arguments(given: Any) -> Mapping[str, Any] | str:
    """Arguments as an object; models that call by text write JSON, or what they take for it."""
    if isinstance(given, Mapping):
        return cast("Mapping[str, Any]", given)
    try:
        found = json.loads(given)
    except (TypeError, ValueError):
        return str(given)
    return cast("dict[str, Any]", found) if isinstance(found, dict) else str(given)


def _metadata(**about: Any) -> dict[str, Any]:
    return {**VIA, **{name: str(value) for name, value in about.items() if value}}


def _role_of(task: Any) -> str | None:
    return getattr(getattr(task, "agent", None), "role", None)


def _role(message: Any) -> str:
    return str(message.get("role")) if isinstance(message, Mapping) else ""


def _said(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = cast("Sequence[Any]", content if isinstance(content, (list, tuple)) else ())
    texts = [part.get("text") for part in parts if isinstance(part, Mapping)]
    return "\n".join(text for text in texts if isinstance(text, str))
