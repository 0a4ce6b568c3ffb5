"""`attach`, `detach` and `wrap`: one way for all generations, chosen by the agent's class."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, TypeVar, cast

from hippocortex_autogen import _compat, _teams, classic
from hippocortex_core.recorder import Source
from hippocortex_core.recorder.surface import Surface

T = TypeVar("T")


def attach(
    agent: T,
    client: Source | None = None,
    *,
    session_id: str | None = None,
    user_id: str | None = None,
    inject_memory: bool = False,
    api_key: str | None = None,
    base_url: str | None = None,
) -> T:
    """Capture what an agent of AgentChat or classic AutoGen is told, says and does.

    ```python
    attach(agent)
    await agent.run(task="Deploy payments")
    ```

    A team, or the manager of a group chat, stands for all of its members.  Attaching again
    replaces what was attached before.

    Args:
        agent: An agent, a team or a manager.
        client: A recorder, a `SyncHippocortex` or a service; default: what is configured.
        session_id: Of everything; default: that of the surrounding `session(...)`, else the one
            in which an agent's first message was met, else one for all that is attached here.
        user_id: Of everything; default: that of the surrounding `session(...)`.
        inject_memory: Whether models are given what is recalled, too.
        api_key: Default: `HIPPOCORTEX_API_KEY`, then `.hippocortex.json`.
        base_url: Default: `HIPPOCORTEX_BASE_URL`, then the file, then an embedded memory.

    Returns:
        The agent.

    Raises:
        TypeError: It is no such agent.
    """
    generation = _compat.generation_of(agent)
    if generation not in {"agentchat", "classic"}:
        raise TypeError(_refusal(agent, "attach() takes", "AgentChat's and classic"))
    detach(agent)
    memory = Surface(
        client, session_id=session_id, user_id=user_id, api_key=api_key, base_url=base_url
    )
    surface = _teams if generation == "agentchat" else classic
    surface.attach(agent, memory, inject=inject_memory)
    return agent


def detach(agent: Any) -> None:
    """Recall and capture nothing more for an agent, or the members of a team; it is as before.

    Raises:
        TypeError: It is no agent of AutoGen.
    """
    generation = _compat.generation_of(agent)
    if generation is None:
        raise TypeError(_refusal(agent, "detach() takes", "AutoGen's and AG2's"))
    if generation == "agentchat":
        _teams.detach(agent)
    elif generation == "classic":
        classic.detach(agent)
    else:
        for one in _compat.middleware_of(agent):
            if hasattr(one, "attached_hooks"):
                one.detach()


def attached_hooks(agent: Any) -> Collection[str]:
    """What of an agent is used; nothing if it is not attached."""
    generation = _compat.generation_of(agent)
    if generation == "agentchat":
        return _teams.attached_hooks(agent)
    if generation == "classic":
        return classic.attached_hooks(agent)
    ours = (getattr(one, "attached_hooks", ()) for one in _compat.middleware_of(agent))
    return [hook for hooks in ours for hook in hooks]


def wrap(
    agent: T,
    api_key: str | None = None,
    base_url: str | None = None,
    session_id: str | None = None,
    inject_memory: bool = True,
    *,
    client: Source | None = None,
    user_id: str | None = None,
) -> T:
    """An agent of any AutoGen with a memory: what is known is recalled, what happens captured.

    ```python
    agent = wrap(AssistantAgent("deployer", model_client))
    ```

    Args:
        agent: Of AgentChat (or a team), of classic AutoGen (or a group chat's manager), or of
            AG2 1.0.  Told apart by its class, not by what is installed.
        api_key: Default: `HIPPOCORTEX_API_KEY`, then `.hippocortex.json`.
        base_url: Where the memory lives; default: `HIPPOCORTEX_BASE_URL`, then the file.
        session_id: Of everything; default: that of the surrounding `session(...)`, else what
            the generation tells conversations apart by.
        inject_memory: Whether models are given what is recalled.
        client: A recorder, a `SyncHippocortex` or a service; default: what is configured.
        user_id: Of everything; default: that of the surrounding `session(...)`.

    Returns:
        The agent itself, attached; of AG2 1.0 a copy of it.  `detach` ends it.

    Raises:
        TypeError: It is no agent of AutoGen.
    """
    generation = _compat.generation_of(agent)
    if generation is None:
        raise TypeError(_refusal(agent, "wrap() takes", "AutoGen's and AG2's"))
    if generation == "ag2":
        from hippocortex_autogen.ag2 import HippocortexMiddleware  # noqa: PLC0415 - only there

        middleware = HippocortexMiddleware(
            client,
            session_id=session_id,
            user_id=user_id,
            inject_memory=inject_memory,
            api_key=api_key,
            base_url=base_url,
        )
        return _compat.with_middleware(agent, middleware)
    return attach(
        agent,
        client,
        session_id=session_id,
        user_id=user_id,
        inject_memory=inject_memory,
        api_key=api_key,
        base_url=base_url,
    )


def _refusal(agent: Any, what: str, whose: str) -> str:
    kind = cast("type[Any]", type(agent))
    hint = _HINTS.get(kind.__module__.partition(".")[0], "")
    return f"{what} {whose} agents, not {f'{kind.__module__}.{kind.__qualname__}'!r}{hint}"


_HINTS = {
    "agent_framework": ": give it context_providers=[hippocortex_agent_framework"
    ".HippocortexContextProvider()]",
    "ag2": ": use wrap(), or give it middleware=[HippocortexMiddleware()]",
}
"""What to do instead, by the package of what was given."""
