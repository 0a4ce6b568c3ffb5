"""What tasks wrote, until the checkpoint that it belongs before or after is stored.

LangGraph stores checkpoints and writes in a pool of threads, in no fixed order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from hippocortex_core.recent import Recent

V = TypeVar("V")
Place = tuple[str, str]
"""A thread, and a namespace in it."""

Order = tuple[str, str, str]
"""A task's checkpoint to begin with, its path and its id: the order in which writes are applied."""

_PLACES = 4096


class Pending(Generic[V]):
    """Things that wait, by place.  Free of locks, which a fork could leave held."""

    def __init__(self) -> None:
        self._waiting: Recent[Place, deque[tuple[Order, V]]] = Recent(_PLACES)

    def add(self, place: Place, order: Order, value: V) -> None:
        """Let it wait."""
        self._waiting.of(place, deque()).append((order, value))

    def take(self, place: Place, ready: Callable[[str], bool]) -> list[V]:
        """What need not wait any longer, in order.

        Args:
            place: Where.
            ready: Tells by the id of its checkpoint; the later a checkpoint, the greater its id.
        """
        waiting = self._waiting.get(place)
        found: list[tuple[Order, V]] = []
        for _ in range(len(waiting or ())):
            try:
                one = (waiting or deque()).popleft()
            except IndexError:  # another thread was faster
                break
            if ready(one[0][0]):
                found.append(one)
            elif waiting is not None:
                waiting.append(one)
        return [value for _, value in sorted(found, key=lambda one: one[0])]
