"""The only place that knows which CrewAI is installed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import crewai.events as _offered
from crewai.events.event_bus import CrewAIEventsBus, crewai_event_bus

__all__ = ["EVENTS", "MISSING", "bus", "emit_below", "put_into_bus", "take_out_of_bus"]

bus: CrewAIEventsBus = crewai_event_bus
"""The one event bus of the process."""

_NEEDED = (
    "CrewKickoffStartedEvent",
    "CrewKickoffCompletedEvent",
    "CrewKickoffFailedEvent",
    "TaskStartedEvent",
    "TaskCompletedEvent",
    "TaskFailedEvent",
    "AgentExecutionErrorEvent",
    "LiteAgentExecutionStartedEvent",
    "LiteAgentExecutionCompletedEvent",
    "LiteAgentExecutionErrorEvent",
    "ToolUsageStartedEvent",
    "ToolUsageFinishedEvent",
    "ToolUsageErrorEvent",
    "ToolSelectionErrorEvent",
    "ToolValidateInputErrorEvent",
    "LLMGuardrailCompletedEvent",
)
_found = {name: cast("type[Any] | None", getattr(_offered, name, None)) for name in _NEEDED}

EVENTS: Mapping[str, type[Any]] = {name: one for name, one in _found.items() if one is not None}
"""The events that we listen to, by name."""

MISSING: tuple[str, ...] = tuple(name for name, one in _found.items() if one is None)
"""Those that this version does not have; none of those that were tested lacks any."""


def put_into_bus(emit: Any) -> Any:
    """Let the bus emit through this; returns what somebody else had put there, if anybody did."""
    below = vars(bus).get("emit")
    vars(bus)["emit"] = emit
    return below


def take_out_of_bus(emit: Any, below: Any) -> bool:
    """Undo `put_into_bus`; False if somebody else has put something on top since."""
    if vars(bus).get("emit") is not emit:
        return False
    if below is None:
        del vars(bus)["emit"]
    else:
        vars(bus)["emit"] = below
    return True


def emit_below(below: Any, source: Any, event: Any) -> Any:
    """Emit as the bus does without us."""
    # Looked up at each call: whoever replaces the method of the class is heard as well.
    return CrewAIEventsBus.emit(bus, source, event) if below is None else below(source, event)
