"""The only place that knows which LangGraph and LangChain are installed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import SystemMessage
from langchain_core.runnables.config import var_child_runnable_config
from langgraph.checkpoint.serde import types as _types
from langgraph.errors import GraphBubbleUp

__all__ = [
    "CHECKPOINTER",
    "CONVERT",
    "ERROR",
    "GraphBubbleUp",
    "config_here",
    "context_in",
    "context_of",
    "delta_snapshot",
    "system_of",
    "with_system",
]

ERROR: str = _types.ERROR
"""The channel on which a task says that it failed."""

CHECKPOINTER = "__pregel_checkpointer"
"""Where a run's configuration holds its checkpointer."""

CONVERT = "_convert_input" if hasattr(BaseChatModel, "_convert_input") else None
"""The method of chat models through which every request comes; None: this version has none."""

delta_snapshot: type[Any] = getattr(_types, "_DeltaSnapshot", type("Never", (), {}))
"""What a channel that stores changes holds now and then: its whole `value`; langgraph >= 1.2."""


def config_here() -> Mapping[str, Any]:
    """The configuration of the run that calls this; empty outside of runs.

    And inside of asynchronous ones on Python 3.10, whose tasks do not pass it on.
    """
    return cast("Mapping[str, Any]", var_child_runnable_config.get() or {})


def context_of(runtime: Any) -> Any:
    """The context that a run was given, from its `Runtime`, if any."""
    return getattr(runtime, "context", None)


def context_in(config: Mapping[str, Any] | None) -> Any:
    """The context that a run was given, from its configuration, if any."""
    given: Any = (config or {}).get("configurable") or {}
    return context_of(given.get("__pregel_runtime"))


def system_of(request: Any) -> SystemMessage | None:
    """The system prompt of a model request of `create_agent`; a plain text before langchain 1.1."""
    if hasattr(request, "system_message"):
        return cast("SystemMessage | None", request.system_message)
    return SystemMessage(request.system_prompt) if request.system_prompt else None


def with_system(request: Any, system: SystemMessage) -> Any:
    """The request with another system prompt."""
    if hasattr(request, "system_message"):
        return request.override(system_message=system)
    return request.override(system_prompt=system.content)
