"""LangChain messages: `messages_to_dict`, `model_dump` and the serialised constructor form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hippocortex.importers.records import as_list, as_object
from hippocortex.importers.steps import Calls, Step, UnreadableError, objects, said

_ROLES = {
    "human": "user",
    "user": "user",
    "ai": "assistant",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
    "system": "skipped",
    "developer": "skipped",
    "remove": "skipped",
}


def matches(message: Mapping[str, Any]) -> bool:
    """Whether this is one of the three forms of a LangChain message."""
    if message.get("lc") and "kwargs" in message:
        return True
    return "role" not in message and (_kind(message) in _ROLES or _kind(message) == "chat")


def read(message: Mapping[str, Any], calls: Calls) -> list[Step]:
    """The steps of one message; instructions (system) are not experience.

    Raises:
        UnreadableError: the message does not follow the format.
    """
    fields = as_object(message.get("data")) or as_object(message.get("kwargs")) or message
    kind = _kind(message)
    role = _role(kind, fields)
    if role is None:
        raise UnreadableError(f"unknown message type {kind!r}; one of {', '.join(sorted(_ROLES))}")
    if role == "skipped":
        return []
    if role == "tool":
        return [_result(fields, calls)]
    said_by = {} if role == "assistant" else fields  # an AI message's name is the model's node
    return [*said(role, _spoken(fields.get("content")), said_by), *_called(fields, calls)]


def _role(kind: str, fields: Mapping[str, Any]) -> str | None:
    if kind == "chat":
        return _ROLES.get(str(fields.get("role")).lower(), "user")
    return _ROLES.get(kind)


def _kind(message: Mapping[str, Any]) -> str:
    """`human`, `ai`, … from the type, or from the class name of the constructor form."""
    path = as_list(message.get("id")) if message.get("lc") else None
    name = str(path[-1]) if path else str(message.get("type"))
    return name.removesuffix("Chunk").removesuffix("Message").lower()


def _result(fields: Mapping[str, Any], calls: Calls) -> Step:
    failed = {"is_error": True} if fields.get("status") == "error" else {}
    return calls.result({**fields, **failed}, fields.get("tool_call_id"), fields.get("content"))


def _spoken(content: Any) -> Any:
    """Content without the blocks that are calls or thoughts."""
    blocks = as_list(content)
    if blocks is None:
        return content
    return [block for block in blocks if not _is_silent(block)]


def _is_silent(block: Any) -> bool:
    kind = str((as_object(block) or {}).get("type"))
    return kind in {"thinking", "reasoning", "redacted_thinking", "tool_call", "function_call"} or (
        kind.endswith(("tool_use", "tool_result"))
    )


def _called(fields: Mapping[str, Any], calls: Calls) -> Iterator[Step]:
    given = as_object(fields.get("additional_kwargs")) or {}
    listed = [*objects(fields.get("tool_calls"), "tool_calls")]
    listed += objects(fields.get("invalid_tool_calls"), "invalid_tool_calls")
    for call in listed or objects(given.get("tool_calls"), "tool_calls"):
        spec = as_object(call.get("function")) or call
        yield calls.call(spec.get("name"), spec.get("args", spec.get("arguments")), call.get("id"))
    legacy = as_object(given.get("function_call"))
    if legacy is not None and not listed:
        yield calls.call(legacy.get("name"), legacy.get("arguments"), None)
