"""OpenAI chat messages, with tool calls, parallel calls and the older function calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hippocortex.importers.records import as_object
from hippocortex.importers.steps import Calls, Step, UnreadableError, objects, said

ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})


def matches(message: Mapping[str, Any]) -> bool:
    """Whether this looks like a chat message at all."""
    return message.get("role") in ROLES


def read(message: Mapping[str, Any], calls: Calls) -> list[Step]:
    """The steps of one message; instructions (system, developer) are not experience.

    Raises:
        UnreadableError: the message does not follow the format.
    """
    role = message.get("role")
    if role in {"system", "developer"}:
        return []
    if role in {"tool", "function"}:
        return [calls.result(message, message.get("tool_call_id"), message.get("content"))]
    if role == "user":
        return said("user", message.get("content"), message)
    if role != "assistant":
        raise UnreadableError(f"unknown role {role!r}; one of {', '.join(sorted(ROLES))}")
    content = message.get("content") or message.get("refusal")
    return [*said("assistant", content, message), *_called(message, calls)]


def _called(message: Mapping[str, Any], calls: Calls) -> Iterator[Step]:
    for call in objects(message.get("tool_calls"), "tool_calls"):
        spec = as_object(call.get("function")) or as_object(call.get("custom")) or call
        yield calls.call(spec.get("name"), spec.get("arguments", spec.get("input")), call.get("id"))
    legacy = as_object(message.get("function_call"))
    if legacy is not None:
        yield calls.call(legacy.get("name"), legacy.get("arguments"), None)
