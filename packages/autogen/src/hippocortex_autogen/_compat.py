"""The only place that knows what the generations of AutoGen look like inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

from hippocortex_core.names import Names

Generation = Literal["agentchat", "classic", "ag2"]

_BASES: Mapping[tuple[str, str], Generation] = {
    ("autogen_agentchat", "BaseChatAgent"): "agentchat",
    ("autogen_agentchat", "BaseGroupChat"): "agentchat",
    ("autogen", "ConversableAgent"): "classic",
    ("ag2", "Agent"): "ag2",
}
"""Top-level package and name of the class that makes an agent one of a generation."""


def generation_of(agent: Any) -> Generation | None:
    """Which AutoGen an agent, or a team, is of; None if it is none of any.

    By its class and not by what is installed: several generations fit into one environment.
    """
    for base in type(agent).__mro__:
        found = _BASES.get((base.__module__.partition(".")[0], base.__name__))
        if found is not None:
            return found
    return None


def own(thing: Any, name: str) -> Any:
    """What was set on the very object, and not on its class; None if nothing was."""
    return cast("dict[str, Any]", thing.__dict__).get(name)


# --- AgentChat -----------------------------------------------------------------------------------


_names = Names()


def message_id(message: Any) -> str:
    """Identifies a message or event: the same for everybody who is told it.

    Since AgentChat 0.6 they have ids; before, agents of a team are given the same object.
    """
    return getattr(message, "id", None) or _names.of(message)


def participants(agent: Any) -> list[Any] | None:
    """The members of an AgentChat team, or of the agent that stands for one; None: no team."""
    team = getattr(agent, "_team", agent)
    found = getattr(team, "_participants", None)
    return list(cast("Sequence[Any]", found)) if isinstance(found, (list, tuple)) else None


def is_person(agent: Any) -> bool:
    """Whether what the agent says is said by a person."""
    return any(base.__name__ == "UserProxyAgent" for base in type(agent).__mro__)


def memories(agent: Any) -> Sequence[Any] | None:
    """The memories of an AgentChat agent; None if it has none."""
    return cast("Sequence[Any] | None", getattr(agent, "_memory", None))


def takes_memories(agent: Any) -> bool:
    """Whether an AgentChat agent can be given memories: those with a model."""
    return hasattr(agent, "_memory") and hasattr(agent, "_model_context")


def set_memories(agent: Any, found: Sequence[Any] | None) -> None:
    """Give an AgentChat agent these memories."""
    agent._memory = found  # noqa: SLF001 - there is no other way once it is built


# --- classic -------------------------------------------------------------------------------------


def hooks_of(agent: Any) -> Mapping[str, list[Any]]:
    """The hooks of a classic agent by what they are called for."""
    return agent.hook_lists


def histories(agent: Any) -> Mapping[Any, list[dict[str, Any]]]:
    """The messages of a classic agent by whom they were exchanged with."""
    return agent.chat_messages


def group_of(agent: Any) -> list[Any] | None:
    """The agents that a classic group chat's manager manages; None: it is no manager."""
    found = getattr(getattr(agent, "groupchat", None), "agents", None)
    return list(cast("Sequence[Any]", found)) if isinstance(found, list) else None


def messages_of_group(agent: Any) -> Sequence[Any]:
    """What was said in the group chat that a classic manager manages; nothing for others."""
    return getattr(getattr(agent, "groupchat", None), "messages", ())


def has_model(agent: Any) -> bool:
    """Whether a classic agent answers with a model, rather than a person or code."""
    return bool(getattr(agent, "llm_config", None)) and not is_person(agent)


# --- ag2 1.x -------------------------------------------------------------------------------------


def with_middleware(agent: Any, extra: Any) -> Any:
    """A copy of an ag2 agent with one more middleware; the agent stays as it is."""
    import copy  # noqa: PLC0415

    clone: Any = copy.copy(agent)
    clone._middleware = [*agent._middleware, extra]  # noqa: SLF001 - adding would change both
    return clone


def middleware_of(agent: Any) -> Sequence[Any]:
    """The middleware of an ag2 agent."""
    return agent._middleware  # noqa: SLF001 - the public property describes it only
