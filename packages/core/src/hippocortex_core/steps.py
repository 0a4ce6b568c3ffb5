"""What an agent does, step by step: the language in which adapters tell the Recorder.

Every step carries, if the adapter can tell, a `key`: what makes it the same step when it is seen
again in its session, such as a tool call's id, or a message's position and content.  A step that
is recorded twice under one key is stored once, by whatever process, so an adapter may record a
whole history at every turn.  Without a key each record is a step of its own.

Steps are values: arguments and results are copied when they are recorded.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from hippocortex_core.types import CaptureEventType

_KEY_CHARS = 32


@dataclass(frozen=True)
class Step:
    """What all steps share.

    Attributes:
        key: Identifies the step within its session and kind; None: never seen before.
        metadata: Anything else to keep with it, as JSON.
        kind: What it is, in one word; part of what the key identifies.
        type: The type of its event.
    """

    kind: ClassVar[str]
    type: ClassVar[CaptureEventType]

    def payload(self) -> dict[str, Any]:
        """The event's payload, in the spellings that the Memory Compiler reads."""
        raise NotImplementedError


@dataclass(frozen=True)
class UserMessage(Step):
    """The user, or whoever gives the agent its task, said something.

    Attributes:
        text: What was said.
        parts: Multimodal content, as the model was given it; kept instead of the text.
        name: Who spoke.
    """

    kind: ClassVar[str] = "user"
    type: ClassVar[CaptureEventType] = "message"

    text: str
    parts: Sequence[Mapping[str, Any]] | None = None
    name: str | None = None
    key: str | None = None
    metadata: Mapping[str, Any] | None = None

    def payload(self) -> dict[str, Any]:
        """A message of the user."""
        return _message("user", self.text if self.parts is None else list(self.parts), self.name)


@dataclass(frozen=True)
class AssistantMessage(Step):
    """The agent said something; `name` tells several agents apart."""

    kind: ClassVar[str] = "assistant"
    type: ClassVar[CaptureEventType] = "message"

    text: str
    name: str | None = None
    key: str | None = None
    metadata: Mapping[str, Any] | None = None

    def payload(self) -> dict[str, Any]:
        """A message of the assistant."""
        return _message("assistant", self.text, self.name)


@dataclass(frozen=True)
class ToolCall(Step):
    """The agent calls a tool.

    Attributes:
        tool: Its name.
        args: An object, or JSON text of one as models write it.
        call_id: Pairs the call with its result; also the key if no other is given.
    """

    kind: ClassVar[str] = "call"
    type: ClassVar[CaptureEventType] = "tool_call"

    tool: str
    args: Mapping[str, Any] | str | None = None
    call_id: str | None = None
    key: str | None = None
    metadata: Mapping[str, Any] | None = None

    def payload(self) -> dict[str, Any]:
        """The call."""
        args: Mapping[str, Any] | str = {} if self.args is None else self.args
        return _with_id({"tool": self.tool, "args": args}, self.call_id)


@dataclass(frozen=True)
class ToolResult(Step):
    """A tool answered; with `error` it failed, and says why.

    `tool` may be "" when only `call_id` is known.
    """

    kind: ClassVar[str] = "result"
    type: ClassVar[CaptureEventType] = "tool_result"

    tool: str
    result: Any = None
    call_id: str | None = None
    error: str | None = None
    key: str | None = None
    metadata: Mapping[str, Any] | None = None

    def payload(self) -> dict[str, Any]:
        """The result."""
        payload: dict[str, Any] = {"tool": self.tool, "result": self.result}
        if self.error is not None:
            payload["error"] = self.error or "failed"
        return _with_id(payload, self.call_id)


@dataclass(frozen=True)
class Failure(Step):
    """Something other than a tool failed: a model call, a guardrail, a hand-over.

    A tool's failure is a `ToolResult` with an `error`; the end of the whole run an `Outcome`.

    Attributes:
        error: What went wrong, or the exception.
        where: What failed, in a word or two.
    """

    kind: ClassVar[str] = "failure"
    type: ClassVar[CaptureEventType] = "observation"

    error: str | BaseException
    where: str | None = None
    key: str | None = None
    metadata: Mapping[str, Any] | None = None

    def payload(self) -> dict[str, Any]:
        """An observation that says so."""
        error = self.error
        said = error if isinstance(error, str) else f"{type(error).__name__}: {error}"
        return {"content": f"{self.where or 'agent'} failed: {said}", "error": said}


@dataclass(frozen=True)
class Outcome(Step):
    """The task ended.

    Attributes:
        success: Whether it went well.
        summary: How it ended, for a person.
        reward: How well, in 0..1, where an evaluation says so.
    """

    kind: ClassVar[str] = "outcome"
    type: ClassVar[CaptureEventType] = "outcome"

    success: bool
    summary: str | None = None
    reward: float | None = None
    key: str | None = None
    metadata: Mapping[str, Any] | None = None

    def payload(self) -> dict[str, Any]:
        """The verdict."""
        payload: dict[str, Any] = {"success": self.success}
        if self.summary is not None:
            payload["summary"] = self.summary
        if self.reward is not None:
            payload["reward"] = self.reward
        return payload


@dataclass(frozen=True)
class Observation(Step):
    """Anything else worth knowing; `data` is kept with the text."""

    kind: ClassVar[str] = "observation"
    type: ClassVar[CaptureEventType] = "observation"

    text: str
    data: Mapping[str, Any] | None = None
    key: str | None = None
    metadata: Mapping[str, Any] | None = None

    def payload(self) -> dict[str, Any]:
        """The observation."""
        payload: dict[str, Any] = {"content": self.text}
        return payload if self.data is None else {**payload, "data": self.data}


AnyStep = UserMessage | AssistantMessage | ToolCall | ToolResult | Failure | Outcome | Observation
"""The steps there are."""


def arguments_of(given: Any) -> Mapping[str, Any] | str | None:
    """The arguments of a call: an object, as the tool gets it; else as the model wrote them.

    Args:
        given: A mapping, or JSON; anything else are none.
    """
    if not isinstance(given, str):
        return cast("Mapping[str, Any]", given) if isinstance(given, Mapping) else None
    try:
        found: Any = json.loads(given)
    except (ValueError, RecursionError):
        return given
    return cast("Mapping[str, Any]", found) if isinstance(found, dict) else given


def step_key(step: AnyStep) -> str | None:
    """The step's key; a tool call and its result have one in their call id."""
    if step.key is not None:
        return step.key
    return step.call_id if isinstance(step, (ToolCall, ToolResult)) else None


def idempotency_key(session_id: str, kind: str, key: str) -> str:
    """The same for the same step of a session, in every process."""
    # Lengths keep ("a", "bc") and ("ab", "c") apart.
    text = f"{len(session_id)}:{session_id}{len(kind)}:{kind}{key}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_KEY_CHARS]


def _message(role: str, content: Any, name: str | None) -> dict[str, Any]:
    payload: dict[str, Any] = {"role": role, "content": content}
    return payload if name is None else {**payload, "name": name}


def _with_id(payload: dict[str, Any], call_id: str | None) -> dict[str, Any]:
    return payload if call_id is None else {**payload, "call_id": call_id}
