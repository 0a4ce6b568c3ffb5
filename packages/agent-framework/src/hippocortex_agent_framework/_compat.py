"""The only place that knows what Agent Framework looks like inside."""

from __future__ import annotations

from typing import Any

from agent_framework import ChatMiddlewareLayer

from hippocortex_core.names import Names


def takes_middleware(agent: Any) -> bool:
    """Whether the agent's client runs chat middleware; agents of other services have no client."""
    return isinstance(getattr(agent, "client", None), ChatMiddlewareLayer)


_names = Names()


def message_id(message: Any) -> str:
    """Identifies a message: by its id, or as the object that a run which is repeated gets again."""
    return message.message_id or _names.of(message)
