"""Runs: which crew or agent is at work, in this thread or task.

A run begins and ends with events of CrewAI, and is known wherever CrewAI takes the context along:
in the threads of tasks and tools, and in tasks of an event loop.
"""

from __future__ import annotations

from collections.abc import Hashable
from contextvars import ContextVar
from typing import Any
from weakref import WeakKeyDictionary

from hippocortex_core.scope import Scope, current
from hippocortex_crewai._events import Attempts

_BEGINS = frozenset({"crew_kickoff_started", "lite_agent_execution_started"})
_ENDS = frozenset(
    {
        *("crew_kickoff_completed", "crew_kickoff_failed"),
        *("lite_agent_execution_completed", "lite_agent_execution_error"),
    }
)
_TASK_ENDS = frozenset({"task_completed", "task_failed"})


class Run:
    """A crew, an agent or a single task at work.

    Attributes:
        of: Which; None once the run is over.
        outer: The run in which a tool has started this one.
        session_id: Its own, if nobody names one: that of the outermost run.
        around: The scope in which it began.
        attempts: At calls of its tools.
        places: For each capture that was asked: the scope path it takes the run down in; None: it
            does not.
        recalled: What was recalled in it so far.
        taken: Whose the run is, once somebody has captured something of it.
    """

    def __init__(self, of: Any, name: str, outer: Run | None) -> None:
        self.of: Any = of
        self.outer = outer
        self.session_id: str = name if outer is None else outer.session_id
        self.around = current()
        self.attempts = Attempts()
        self.places: WeakKeyDictionary[object, str | None] = WeakKeyDictionary()
        self.recalled: dict[Hashable, Any] = {}
        self.taken: Scope | None = None


_run: ContextVar[Run | None] = ContextVar("hippocortex_crewai_run", default=None)


def here() -> Run | None:
    """The run that calls this, if there is one."""
    run = _run.get()
    return None if run is None or run.of is None else run


def lately() -> Run | None:
    """The run that calls this, or the one that has just ended."""
    return _run.get()


def begin(source: Any, event: Any) -> Run | None:
    """The run that an event belongs to; a new one if it begins with the event."""
    run = here()
    if event.type in _BEGINS or (event.type == "task_started" and run is None):
        while run is not None and run.of is source:
            run = run.outer  # it was interrupted, and nobody said so
        run = Run(source, str(event.event_id), run)
        _run.set(run)
    return run


def end(source: Any, event: Any) -> None:
    """If a run ends with the event, go on with the one around it."""
    run = here()
    if run is None or not (event.type in _ENDS or event.type in _TASK_ENDS):
        return
    ending = run
    while ending.of is not source:  # runs inside may have been left without a word
        if ending.outer is None:
            return
        ending = ending.outer
    ending.of = None
    ending.recalled.clear()
    _run.set(ending.outer or ending)
