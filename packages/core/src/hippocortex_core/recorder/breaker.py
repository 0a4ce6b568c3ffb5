"""A circuit breaker: what keeps failing is left alone for a while.

    closed ──(threshold failures in a row, or one trip)──► open ──(cool-down)──► half-open
       ▲                                                    ▲                        │
       └───────────────────── success ──────────────────────┼──── failure ───────────┘
                                                            └ the cool-down doubles

While half-open, one probe is let through and everybody else is still refused.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Literal

BreakerState = Literal["closed", "open", "half-open"]
Permit = Literal["go", "probe", "no"]


class Breaker:
    """Decides whether a call may be made; may be shared by threads.

    Args:
        threshold: Failures in a row that open it.
        cooldown: Seconds it first stays open; doubled by each failed probe.
        max_cooldown: Seconds it stays open at most.
        timer: Seconds that only grow.
    """

    def __init__(
        self,
        threshold: int = 3,
        cooldown: float = 5.0,
        max_cooldown: float = 60.0,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._threshold = threshold
        self._first = cooldown
        self._most = max_cooldown
        self._timer = timer
        self.reset()

    def reset(self) -> None:
        """Close it and forget everything, locks included: for the child of a fork."""
        self._lock = threading.RLock()  # finalizers may come in between
        self._failures = 0
        self._cooldown = 0.0
        self._until = 0.0
        self._probing = False

    @property
    def state(self) -> BreakerState:
        """Where it stands; half-open from the moment a probe would be let through."""
        if not self._cooldown:
            return "closed"
        return "half-open" if self._timer() >= self._until else "open"

    @property
    def remaining(self) -> float:
        """Seconds until a call may be made; 0 if one may be made now."""
        return max(0.0, self._until - self._timer()) if self._cooldown else 0.0

    def permit(self) -> Permit:
        """May a call be made: yes, as the one probe, or no.

        Whoever gets "go" or "probe" must report `success`, `failure` or `trip`.
        """
        if not self._cooldown:
            return "go"
        with self._lock:
            if not self._cooldown:
                return "go"
            if self._probing or self._timer() < self._until:
                return "no"
            self._probing = True
            return "probe"

    def success(self) -> None:
        """A call went well."""
        with self._lock:
            self._failures, self._cooldown, self._probing = 0, 0.0, False

    def failure(self, retry_after: float | None = None) -> None:
        """A call failed; `retry_after` is the least time to leave it alone, once it opens."""
        with self._lock:
            self._failures += 1
            if self._failures >= self._threshold or self._probing:
                self._open(retry_after)

    def trip(self) -> None:
        """A call failed so badly that no second one shall try."""
        with self._lock:
            self._open(None)

    def _open(self, retry_after: float | None) -> None:
        if self._cooldown and not self._probing:
            return  # calls that were under way when it opened say nothing new
        longer = min(self._cooldown * 2, self._most) or self._first
        self._cooldown, self._probing = longer, False
        # What the service asks for is honoured, but nobody can silence a memory for hours.
        self._until = self._timer() + max(longer, min(retry_after or 0.0, self._most))
