"""Anthropic messages: content blocks with text, tool uses and tool results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hippocortex.importers.records import as_list, as_object
from hippocortex.importers.steps import Calls, Step, UnreadableError, objects, said

_THOUGHTS = frozenset({"thinking", "redacted_thinking"})


def matches(message: Mapping[str, Any]) -> bool:
    """Whether the message holds a block only Anthropic's format has."""
    blocks = as_list(message.get("content")) or []
    return any(_kind(as_object(block) or {}) != "said" for block in blocks)


def read(message: Mapping[str, Any], calls: Calls) -> list[Step]:
    """The steps of one message, in the order of its blocks; thoughts are left out.

    Raises:
        UnreadableError: the message does not follow the format.
    """
    role = message.get("role")
    if role == "system":
        return []
    if role not in {"user", "assistant"}:
        raise UnreadableError(f"unknown role {role!r}; one of assistant, system, user")
    content = message.get("content")
    if isinstance(content, str):
        return said(str(role), content, message)
    return list(_blocks(str(role), objects(content, "content"), calls))


def _blocks(role: str, blocks: Any, calls: Calls) -> Iterator[Step]:
    spoken: list[dict[str, Any]] = []
    for block in blocks:
        kind = _kind(block)
        if kind == "said":
            spoken.append(block)
            continue
        yield from said(role, spoken, {})
        spoken = []
        if kind == "use":
            yield calls.call(block.get("name"), block.get("input"), block.get("id"))
        elif kind == "result":
            yield calls.result(block, block.get("tool_use_id"), block.get("content"))
    yield from said(role, spoken, {})


def _kind(block: Mapping[str, Any]) -> str:
    """`tool_use` has relatives (`server_tool_use`, `mcp_tool_use`, `web_search_tool_result`)."""
    name = str(block.get("type"))
    if name in _THOUGHTS:
        return "thought"
    if name.endswith("tool_use"):
        return "use"
    return "result" if name.endswith("tool_result") else "said"
