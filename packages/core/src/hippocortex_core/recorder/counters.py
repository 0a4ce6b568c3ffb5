"""What a recorder counts, and says once to whoever reads the log."""

from __future__ import annotations

import logging
import os
import threading

from hippocortex_core.redaction import redact_text

logger = logging.getLogger("hippocortex")
_SHORT = 300


class Counters:
    """Counts by name; may be shared by threads."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """From zero: for the child of a fork."""
        self._lock = threading.RLock()  # finalizers may come in between
        self._values: dict[str, int] = {}
        self._said: set[str] = set()
        self.last_error: str | None = None
        self.error: BaseException | None = None
        self.loss = ""

    def __getitem__(self, name: str) -> int:
        return self._values.get(name, 0)

    def add(self, name: str, count: int = 1) -> None:
        """Count."""
        with self._lock:
            self._values[name] = self._values.get(name, 0) + count

    def dropped(self, count: int, why: str) -> None:
        """Events are lost."""
        self.add("dropped", count)
        self.loss = why
        self.say("dropped", f"events are lost: {why}")

    def refused(self, count: int, why: str) -> None:
        """Events can never be stored."""
        self.add("refused", count)
        self.loss = self.last_error = _shortly(why)
        self.say("refused", f"an event cannot be stored and is left out: {self.loss}")

    def failed(self, error: BaseException, meaning: str) -> None:
        """Something did not work."""
        self.error = error
        self.last_error = _shortly(f"{type(error).__name__}: {error}")
        self.say(meaning, f"{meaning}: {self.last_error}")

    def say(self, kind: str, message: str) -> None:
        """Log a warning, once of each kind."""
        with self._lock:
            fresh = kind not in self._said
            self._said.add(kind)
        if fresh and os.environ.get("HIPPOCORTEX_SILENT") != "1":
            logger.warning("hippocortex: %s", message)


def _shortly(text: str) -> str:
    """On one line, without secrets."""
    return " ".join(redact_text(text).split())[:_SHORT]
