"""Attaching to agents of AgentChat, alone or in teams."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from hippocortex_autogen import _compat
from hippocortex_autogen._listening import Listener, listener_of
from hippocortex_core.recorder.surface import Surface


def attach(agent: Any, memory: Surface, *, inject: bool) -> None:
    """Capture from the agent, or from all members of a team, as one conversation."""
    for one in _members(agent):
        listener = Listener(one, memory, lambda one=one: _recalls(one))
        listener.attach()
        if inject:
            _give(one, listener)


def detach(agent: Any) -> None:
    """The agent and the members of a team are as before."""
    for one in _members(agent):
        listener = listener_of(one)
        if listener is not None:
            listener.detach()
            _take(one, listener)


def attached_hooks(agent: Any) -> Collection[str]:
    """What of the agent, or of all members of a team, is used."""
    found: dict[str, None] = {}
    for one in _members(agent):
        listener = listener_of(one)
        if listener is not None:
            found.update(dict.fromkeys(listener.attached_hooks))
            found.update({"memory": None} if _given(one, listener.memory) else {})
    return list(found)


def _members(agent: Any) -> Iterator[Any]:
    """The agent, unless it is a team, and everybody inside of it."""
    inside = _compat.participants(agent)
    if callable(getattr(agent, "on_messages", None)):
        yield agent
    for one in inside or ():
        yield from _members(one)


def _give(agent: Any, listener: Listener) -> None:
    """Let the agent recall, unless it does already; the user's list stays as it is."""
    if _compat.takes_memories(agent) and not _recalls(agent):
        from hippocortex_autogen.agentchat import HippocortexMemory  # noqa: PLC0415 - only there

        own = _compat.memories(agent)
        given = [*(own or ()), HippocortexMemory.of(listener.memory)]
        _compat.set_memories(agent, given)
        listener.lent = (given, own)


def _take(agent: Any, listener: Listener) -> None:
    """Take back what was given; what else the agent has been given since stays."""
    for ours in _given(agent, listener.memory):
        ours.detach()
        found = _compat.memories(agent) or ()
        given, own = listener.lent or (None, None)
        left = own if found is given else [one for one in found if one is not ours]
        _compat.set_memories(agent, left)


def _given(agent: Any, memory: Surface) -> list[Any]:
    return [one for one in _ours(agent) if one.shares(memory)]


def _recalls(agent: Any) -> bool:
    return any(one.active for one in _ours(agent))


def _ours(agent: Any) -> list[Any]:
    """The agent's memories that are ours, without loading what they are made of."""
    return [one for one in _compat.memories(agent) or () if hasattr(one, "shares")]
