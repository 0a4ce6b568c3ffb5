"""How much the in-memory indexes of several tenants take together."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Protocol

from hippocortex_engine.forking import renew_after_fork

MOST_ROWS = 300_000
"""Events that the indexes of a process hold at most: about 200 MB."""


class Droppable(Protocol):
    """A cache that can be thrown away and made again."""

    def try_drop(self) -> bool:
        """Throw it away, unless it is being used."""
        ...


class Room:
    """Bounds the rows of caches together: those used least recently go first.

    The one that is used stays, even if it is larger than the whole room.
    """

    def __init__(self, most_rows: int = MOST_ROWS) -> None:
        self._most = most_rows
        self._lock = threading.Lock()
        self._rows: OrderedDict[Droppable, int] = OrderedDict()
        self._total = 0
        renew_after_fork(self)

    @property
    def rows(self) -> int:
        """Rows held now, in all caches."""
        return self._total

    def used(self, cache: Droppable, rows: int) -> None:
        """A cache has just been used and holds so many rows; others may have to go."""
        with self._lock:
            self._total += rows - self._rows.pop(cache, 0)
            self._rows[cache] = rows
        self.settle(cache)

    def settle(self, used: Droppable | None = None) -> None:
        """Keep within the bound; called again after a use, for what could not go during it.

        Args:
            used: what stays; default: what was used last.
        """
        if not self._is_full:
            return
        with self._lock:
            kept = used or next(reversed(self._rows), None)
            doomed = [one for one in self._rows if one is not kept]
        for one in doomed:
            if not self._is_full:
                return
            if one.try_drop():  # never waits for whoever is being used
                self.left(one)

    def left(self, cache: Droppable) -> None:
        """A cache holds nothing any more."""
        with self._lock:
            self._total -= self._rows.pop(cache, 0)

    def after_fork(self) -> None:
        """In a child process: a lock that another thread of the parent held is held for ever."""
        self._lock = threading.Lock()

    @property
    def _is_full(self) -> bool:
        return self._total > self._most
