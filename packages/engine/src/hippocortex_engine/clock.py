"""Time, injected: nothing else in the engine looks at a clock."""

from __future__ import annotations

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Milliseconds since the epoch, UTC."""


def system_clock() -> int:
    """The machine's clock."""
    return time.time_ns() // 1_000_000
