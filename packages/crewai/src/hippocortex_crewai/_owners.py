"""Which memory a crew, an agent or a task has."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from hippocortex_crewai._runs import Run
from hippocortex_crewai._scopes import joined


def place_in(run: Run, memory: Any) -> str | None:
    """The scope path under which a run is to be remembered; None: it has another memory, or none.

    Args:
        run: Of a crew, an agent or a task.
        memory: Of CrewAI; the run may have it as a view: a scope, or a slice that can be written.
    """
    for view in _memories(run.of):
        backing = getattr(view, "_memory", None) or view
        if backing is memory:
            if view.read_only:
                return None
            return joined(getattr(memory, "root_scope", None), getattr(view, "root_path", None))
    return None


def is_one_of(run: Run, crews: Collection[Any]) -> bool:
    """Whether a run is that of one of these crews or agents, of a copy, or inside of one."""
    keys = {_key(one) for one in crews}
    inside: Run | None = run
    while inside is not None:
        if _key(inside.of) in keys:
            return True
        inside = inside.outer
    return False


def _memories(holder: Any) -> Iterator[Any]:
    """The memories of whoever is at work, the one for all first."""
    agent = getattr(holder, "agent", None)  # of a task
    people = [
        *(one for one in (agent, getattr(holder, "manager_agent", None)) if one is not None),
        *(getattr(holder, "agents", None) or ()),
    ]
    # A crew's own memory is a private attribute: `memory` may be no more than True.
    found = [getattr(holder, "_memory", None), getattr(holder, "memory", None)]
    found += [getattr(one, "memory", None) for one in people]
    return (one for one in found if one is not None and not isinstance(one, bool))


def _key(holder: Any) -> object:
    """What a crew or agent has in common with its copies."""
    key = getattr(holder, "key", None)
    return key if isinstance(key, str) else id(holder)
