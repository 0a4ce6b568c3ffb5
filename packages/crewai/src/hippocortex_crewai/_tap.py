"""Hearing CrewAI's events in the order in which they are emitted.

The bus runs handlers in a pool of ten threads: in no order, after the fact, and not at all while a
process ends.  A memory must know what came first, so we stand where events are emitted: behind
`crewai_event_bus.emit`, in the thread and the context of whoever emits.  What is replayed from a
checkpoint does not come this way.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Collection
from typing import Any, Protocol

from hippocortex_core.guard import fail_open, strict
from hippocortex_core.steps import AnyStep
from hippocortex_crewai import _runs
from hippocortex_crewai._compat import (
    EVENTS,
    MISSING,
    emit_below,
    put_into_bus,
    take_out_of_bus,
)
from hippocortex_crewai._events import steps_of


class Hearer(Protocol):
    """Something that wants to know what runs do."""

    def hears(self, run: _runs.Run) -> bool:
        """Whether it wants to know of this run."""
        ...

    def hear(self, run: _runs.Run, step: AnyStep) -> None:
        """Something was said or done."""
        ...


_HEARD = frozenset(EVENTS.values())
_Ref = Callable[[], "Hearer | None"]


class Tap:
    """Tells hearers what the bus emits; in the bus only while there are any."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # a finalizer may come in between
        self._refs: tuple[_Ref, ...] = ()
        self._below: Any = None
        self._in = False

    def attach(self, hearer: Hearer, *, hold: bool) -> None:
        """Tell it from now on; it is kept alive if `hold`, and else forgotten with its owner.

        Raises:
            RuntimeError: Only in strict mode: this version of CrewAI lacks events that we need.
        """
        if MISSING and strict():
            raise RuntimeError(f"this version of CrewAI has no {', '.join(MISSING)}")
        ref: _Ref = (lambda: hearer) if hold else weakref.ref(hearer, self._forget)
        with self._lock:
            self._refs = (*self._refs, ref)
            if not self._in:
                self._below, self._in = put_into_bus(self._emit), True

    def detach(self, hearer: Hearer) -> None:
        """Tell it nothing any more."""
        with self._lock:
            self._keep([ref for ref in self._refs if ref() is not hearer])

    def has(self, hearer: Hearer) -> bool:
        """Whether it is told."""
        return any(ref() is hearer for ref in self._refs)

    def _forget(self, dead: _Ref) -> None:
        with self._lock:
            self._keep([ref for ref in self._refs if ref is not dead])

    def _keep(self, refs: Collection[_Ref]) -> None:
        self._refs = tuple(refs)
        if not refs and self._in and take_out_of_bus(self._emit, self._below):
            self._in, self._below = False, None

    def _emit(self, source: Any, event: Any) -> Any:
        found = emit_below(self._below, source, event)
        if type(event) in _HEARD:
            with fail_open("capturing an event of CrewAI"):
                self._tell(source, event)
        return found

    def _tell(self, source: Any, event: Any) -> None:
        run = _runs.begin(source, event)
        if run is not None:
            hearers = [one for ref in self._refs if (one := ref()) is not None and one.hears(run)]
            if hearers:
                for step in steps_of(source, event, run.attempts):
                    for hearer in hearers:
                        hearer.hear(run, step)
        _runs.end(source, event)


tap = Tap()
"""The one of this process: there is one bus."""
