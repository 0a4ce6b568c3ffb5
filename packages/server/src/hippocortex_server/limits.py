"""How many requests a minute: the generic cell rate algorithm, one number per key.

The number is the time at which the key's whole allowance will be free again.  A request moves it
ahead by a request's share of the minute; one that would move it further than a minute from now
is refused.  So a key may use its minute at once or evenly, there is no window at whose start
everybody comes back at the same moment, and a refusal knows to the second how long to wait.

Source: ITU-T I.371, "Traffic control and congestion control in B-ISDN" (the leaky bucket as a
virtual schedule).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from hippocortex_engine.clock import Clock
from hippocortex_server.cells import Cells

PERIOD = 60.0
"""Seconds in which a limit's number of requests may be made."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a key may still do.

    Attributes:
        limit: Requests a minute.
        remaining: Requests it could make now.
        reset: When all of them are free again, in whole seconds since the epoch.
        wait: Seconds until the next one is free; 0: this one was granted.
    """

    limit: int
    remaining: int
    reset: int
    wait: float = 0.0

    @property
    def headers(self) -> dict[str, str]:
        """How an answer says it."""
        said = {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset),
        }
        return {**said, "Retry-After": str(math.ceil(self.wait))} if self.wait else said


class Limiter:
    """Grants requests and refuses them.

    Args:
        cells: where it remembers.
        clock: milliseconds since the epoch.
    """

    def __init__(self, cells: Cells, clock: Clock) -> None:
        self._cells = cells
        self._clock = clock

    def take(self, name: str, limit: int) -> Allowance:
        """Use one request of the name's allowance, if there is one."""
        return self._ask(name, limit, take=True)

    def look(self, name: str, limit: int) -> Allowance:
        """What `take` would say, without using anything."""
        return self._ask(name, limit, take=False)

    def close(self) -> None:
        """Let go of what it remembers."""
        self._cells.close()

    def _ask(self, name: str, limit: int, *, take: bool) -> Allowance:
        now = self._clock() / 1000
        share = PERIOD / limit
        found = Allowance(limit, 0, 0)

        def change(free_at: float) -> float:
            nonlocal found
            # A number from the future is another limit's, or the clock was set back.
            kept = min(max(free_at, now), now + PERIOD)
            wanted = kept + share
            wait = wanted - now - PERIOD
            granted = wait <= share * 1e-6
            after = wanted if take and granted else kept
            found = Allowance(
                limit,
                remaining=max(0, math.floor((now + PERIOD - after) / share + 1e-6)),
                reset=math.ceil(after),
                wait=0.0 if granted else wait,
            )
            return after

        self._cells.update(name, change)
        return found
