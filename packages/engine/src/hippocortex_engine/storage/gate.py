"""Keeping threads out of the database while the process forks.

A child inherits the locks inside the SQLite library as they are, and one that another thread
held at that moment is held for ever.  So before a fork, calls under way get a moment to finish.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager


class Gate:
    """Counts who is inside, and can be shut."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._shut = False

    @contextmanager
    def passing(self) -> Generator[None]:
        """Be inside; waits while the gate is shut."""
        with self._changed:
            self._changed.wait_for(lambda: not self._shut)
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    def shut(self, patience: float) -> None:
        """Let nobody in, and wait at most `patience` seconds until nobody is inside."""
        with self._changed:
            self._shut = True
            self._changed.wait_for(lambda: not self._inside, patience)

    def reopen(self) -> None:
        """Let everybody in again."""
        with self._changed:
            self._shut = False
            self._changed.notify_all()
