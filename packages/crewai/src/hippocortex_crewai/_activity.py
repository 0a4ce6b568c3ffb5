"""CrewAI's own events about its memory, which its console, traces and listeners show."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

from crewai.events import (
    MemoryQueryCompletedEvent,
    MemoryQueryFailedEvent,
    MemoryQueryStartedEvent,
    MemorySaveCompletedEvent,
    MemorySaveFailedEvent,
    MemorySaveStartedEvent,
)

from hippocortex_crewai._compat import bus

_SOURCE = "unified_memory"


@contextmanager
def querying(memory: Any, query: str, limit: int) -> Generator[list[Any]]:
    """Around a query; what is put into the list is what was found."""
    about: dict[str, Any] = {"query": query, "limit": limit, "source_type": _SOURCE}
    results: list[Any] = []
    begin = time.perf_counter()
    bus.emit(memory, MemoryQueryStartedEvent(**about))
    try:
        yield results
    except Exception as error:
        bus.emit(memory, MemoryQueryFailedEvent(error=str(error), **about))
        raise
    took = _milliseconds(begin)
    bus.emit(memory, MemoryQueryCompletedEvent(results=results, query_time_ms=took, **about))


@contextmanager
def saving(
    memory: Any, value: str, metadata: Mapping[str, Any] | None, role: str | None
) -> Generator[None]:
    """Around a save."""
    about: dict[str, Any] = {"value": value, "agent_role": role, "source_type": _SOURCE}
    about["metadata"] = dict(metadata or {})
    begin = time.perf_counter()
    bus.emit(memory, MemorySaveStartedEvent(**about))
    try:
        yield
    except Exception as error:
        bus.emit(memory, MemorySaveFailedEvent(error=str(error), **about))
        raise
    bus.emit(memory, MemorySaveCompletedEvent(save_time_ms=_milliseconds(begin), **about))


def _milliseconds(begin: float) -> float:
    return 1_000 * (time.perf_counter() - begin)
