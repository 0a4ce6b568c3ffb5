"""Entries of OpenClaw's transcripts as steps: pure functions, without a memory and a clock.

An entry is a line of the old JSONL files, which the databases of today keep as rows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from hippocortex_core.steps import ToolCall, ToolResult
from hippocortex_openclaw._words import (
    bounded,
    ended,
    exit_code_in,
    head,
    head_and_tail,
    text_of,
)

WRAPPER = "tool_call"
"""The tool through which others are called while Tool Search is on."""

NOT_CAPTURED = frozenset(
    {"tool_search", "tool_describe", WRAPPER, "tool_search_code", "hippocortex_search"}
)
"""Tools that only lead to others, and the one that reads this very memory."""

_NESTED = "openclaw.nested-tool.v1"
_INNER = re.compile(r"tool_search_code:(?P<outer>[^:]*):.*:(?P<number>\d+)", re.DOTALL)
_NOT_OF_AN_ID = re.compile(r"[^A-Za-z0-9]")
_SAID = ("message", "stderr", "content", "output", "stdout", "result")
_FAILED = frozenset({"error", "failed", "timeout"})


@dataclass(frozen=True)
class Call:
    """A call as the model wrote it.

    Attributes:
        id: Its id, which a provider may give to several.
        tool: What is called.
        args: With which arguments.
    """

    id: str
    tool: str
    args: Any


@dataclass(frozen=True)
class Nested:
    """A call that was made through another one, with its result.

    Attributes:
        outer: The id of the other one.
        call: The call.
        result: Content and details.
        failed: Whether it raised.
        began: Milliseconds since the epoch; None: unknown.
        ended: As above.
    """

    outer: str
    call: Call
    result: Mapping[str, Any]
    failed: bool
    began: int | None = None
    ended: int | None = None


@dataclass(frozen=True)
class Answer:
    """What a tool answered.

    Attributes:
        text: For the model.
        error: Why it failed; None if it did not.
        exit_code: Of a command.
    """

    text: str
    error: str | None = None
    exit_code: int | None = None


def fields_of(value: Any) -> Mapping[str, Any]:
    """The value if it is an object, else an empty one."""
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def string(value: Any) -> str:
    """The value if it is a text, else an empty one."""
    return value if isinstance(value, str) else ""


def run_of(message: Mapping[str, Any]) -> str:
    """The run that a message belongs to; "" if it does not say."""
    if is_nested(message):
        return string(fields_of(message.get("details")).get("runId"))
    return string(fields_of(message.get("__openclaw")).get("runId"))


def time_of(entry: Mapping[str, Any]) -> int | str | None:
    """When it happened: milliseconds since the epoch, or as the entry writes it."""
    at = fields_of(entry.get("message")).get("timestamp")
    if isinstance(at, (int, float)) and not isinstance(at, bool):
        return int(at)
    return string(entry.get("timestamp")) or None


def error_of(message: Mapping[str, Any]) -> str | None:
    """Why the model's call failed; None if it did not."""
    if message.get("stopReason") != "error":
        return None
    return head(string(message.get("errorMessage"))) or "the run failed"


def calls_in(message: Mapping[str, Any]) -> Iterator[Call]:
    """The calls that a model's answer asks for."""
    content = message.get("content")
    for part in cast("list[Any]", content) if isinstance(content, list) else ():
        fields = fields_of(part)
        if fields.get("type") == "toolCall":
            yield Call(
                string(fields.get("id")), string(fields.get("name")), fields.get("arguments")
            )


def is_nested(message: Mapping[str, Any]) -> bool:
    """Whether the message is the record of a call made through another one."""
    return message.get("role") == "custom" and message.get("customType") == _NESTED


def nested_in(message: Mapping[str, Any]) -> Nested:
    """What the record of such a call says."""
    details = fields_of(message.get("details"))
    call_id = string(details.get("toolCallId"))
    call = Call(call_id, string(details.get("toolName")), details.get("input"))
    return Nested(
        outer=string(details.get("parentToolCallId")),
        call=call,
        result=fields_of(details.get("result")),
        failed=details.get("isError") is True,
        began=_moment(details.get("startedAt")),
        ended=_moment(details.get("timestamp")),
    )


def unwrapped(wrapper: Call, number: int, message: Mapping[str, Any]) -> Nested:
    """The call behind a wrapper, from the wrapper's result: of versions that record no more.

    Args:
        wrapper: The call of the wrapper.
        number: Which of the run's wrappers it is, from 1.
        message: Its result.
    """
    asked = fields_of(wrapper.args)
    told = fields_of(fields_of(message.get("details")).get("result"))
    if not told:
        told = fields_of(fields_of(_json(text_of(message.get("content")))).get("result"))
    tool = string(asked.get("id")).rpartition(":")[2]
    failed = message.get("isError") is True
    result = message if failed or not told else told
    call_id = f"tool_search_code:{wrapper.id}:{tool}:{number}"
    return Nested(wrapper.id, Call(call_id, tool, asked.get("args")), result, failed)


def call_name(call_id: str) -> str:
    """What identifies a call within its run; an inner one by its outer one and its number."""
    inner = _INNER.fullmatch(call_id)
    plain = _NOT_OF_AN_ID.sub("", inner["outer"] if inner else call_id) or "call"
    return f"{plain}.{inner['number']}" if inner else plain


def answer_of(result: Mapping[str, Any], *, failed: bool) -> Answer:
    """What a result says, and whether it is one of a failure.

    Args:
        result: With content and details.
        failed: Whether the tool is known to have raised.
    """
    text, details = text_of(result.get("content")), fields_of(result.get("details"))
    code = details.get("exitCode")
    code = code if isinstance(code, int) and not isinstance(code, bool) else exit_code_in(text)
    return Answer(head_and_tail(text), _why(text, details, code, failed=failed), code)


def _why(text: str, details: Mapping[str, Any], code: int | None, *, failed: bool) -> str | None:
    if failed or details.get("status") == "error":
        return head(string(details.get("error")) or text or "failed")
    if code:
        return ended(f"exit code {code}", text)
    signal = string(details.get("exitSignal"))
    return ended(f"ended by {signal}", text) if signal else None


def call_step(call: Call, call_id: str) -> ToolCall:
    """The step of a call."""
    args = fields_of(call.args) if isinstance(call.args, Mapping) else string(call.args) or None
    return ToolCall(call.tool, bounded(args), call_id=call_id)


def result_step(tool: str, answer: Answer, call_id: str) -> ToolResult:
    """The step of a result."""
    return ToolResult(tool, answer.text, call_id=call_id, error=answer.error)


def tool_result(tool: str, result: Any, call_id: str) -> ToolResult:
    """The step of a result as a tool of any host gives it.

    Args:
        tool: That answered.
        result: JSON data, an exception, or a result of OpenClaw with content and details.
        call_id: Of the call.
    """
    if isinstance(result, BaseException):
        said = f"{type(result).__name__}: {result}".removesuffix(": ")
        return ToolResult(tool, None, call_id=call_id, error=said)
    if not isinstance(result, Mapping):
        return ToolResult(tool, result, call_id=call_id, error=_error_in_text(result))
    fields = fields_of(result)
    if "details" in fields and "content" in fields:
        answer = answer_of(fields, failed=fields.get("isError") is True)
        return ToolResult(tool, answer.text, call_id=call_id, error=answer.error)
    return ToolResult(tool, dict(fields), call_id=call_id, error=_error_in(fields))


def _error_in_text(result: Any) -> str | None:
    code = exit_code_in(result) if isinstance(result, str) else None
    return ended(f"exit code {code}", result) if code else None


def _error_in(fields: Mapping[str, Any]) -> str | None:
    """Why a result in one of the usual shapes is one of a failure; None if it is not."""
    error = fields.get("error")
    if error:
        told = string(error) or string(fields_of(error).get("message"))
        return head(told or str(error))
    said = next((text for name in _SAID if (text := text_of(fields.get(name)))), "")
    for name in ("exitCode", "exit_code", "returncode"):
        code = fields.get(name)
        if isinstance(code, int) and code != 0 and not isinstance(code, bool):
            return ended(f"exit code {code}", said)
    flagged = any(fields.get(name) is True for name in ("isError", "is_error"))
    refused = any(fields.get(name) is False for name in ("success", "ok"))
    failed = flagged or refused or fields.get("status") in _FAILED
    return (head(said) or "failed") if failed else None


def _moment(value: Any) -> int | None:
    return int(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
