"""Taking down what runs do: for a memory of a crew, or for a listener of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hippocortex_core.guard import fail_open, watchers
from hippocortex_core.recorder import Opener, Recorder
from hippocortex_core.scope import Scope, current
from hippocortex_core.steps import AnyStep
from hippocortex_crewai import _runs
from hippocortex_crewai._runs import Run
from hippocortex_crewai._scopes import agent_of, identifier

Places = Callable[[Run], "str | None"]
"""The scope path under which a run is taken down; None: not at all."""


class Whose:
    """Whose memory it is.

    Args:
        session_id: Of everything; default: the surrounding `session(...)`, else that of the run.
        user_id: Of everything; default: the surrounding `session(...)`.
    """

    def __init__(self, session_id: str | None, user_id: str | None) -> None:
        self.given = Scope(identifier(session_id), identifier(user_id))

    def scope(self, path: str = "/", run: Run | None = None) -> Scope:
        """To whom something belongs that is said here and now, under a scope of CrewAI's."""
        run = run or _runs.here()
        found = self.given.over(Scope(agent_id=agent_of(path))).over(current())
        if run is None:
            return found
        found = found.over(run.around)
        return found if found.session_id is not None else replace(found, session_id=run.session_id)


class Capture:
    """Captures the runs that it wants, for one memory.

    Args:
        recorder: To record with.
        whose: The runs are, if they do not say.
        places: Which runs, and under which scope.
    """

    def __init__(self, recorder: Opener, whose: Whose, places: Places) -> None:
        self._recorder = recorder
        self._whose = whose
        self._places = places

    def hears(self, run: Run) -> bool:
        """Whether the run is wanted, and there is a memory for it."""
        if self not in run.places:
            run.places[self] = self._places(run)
        return run.places[self] is not None and self._recorder() is not None

    def hear(self, run: Run, step: AnyStep) -> None:
        """Record the step; never blocks."""
        with fail_open("capturing a step"):
            recorder: Recorder | None = self._recorder()
            if recorder is not None:
                run.taken = self._whose.scope(run.places[self] or "/", run)
                recorder.record(step, run.taken)

    def has(self, run: Run | None) -> bool:
        """Whether it captures the run."""
        return run is not None and run.taken is not None and run.places.get(self) is not None


def _captured_here() -> Scope | None:
    run = _runs.here()
    return None if run is None else run.taken


# A wrapped client of a model inside of such a run recalls, and leaves the capturing to it.
watchers.append(_captured_here)
