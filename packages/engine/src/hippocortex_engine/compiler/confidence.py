"""How far to trust a pattern: evidence, consistency, recency.

`strength` is evidence and consistency; `confidence` adds how much of the evidence is recent.
Recent is relative to the pattern's own newest evidence, never to the wall clock: what was
learned yields the same numbers on any day.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt

from hippocortex_engine.compiler.model import Run

SEEN_ONCE_CAP = 0.42
_HALF_EVIDENCE = 2.0
_HALF_LIFE_MS = 90 * 24 * 3_600_000
_Z = 1.0


def wilson_lower(hits: float, total: float, z: float = _Z) -> float:
    """Lower bound of Wilson's score interval for a proportion (Wilson 1927), 0..1.

    `z` is the normal quantile: 1 is the 84 % one-sided bound.  Few observations give a low
    bound, which is what keeps a pattern seen twice below one seen twenty times.
    """
    if total <= 0:
        return 0.0
    share = hits / total
    spread = z * sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return max(0.0, (share + z * z / (2 * total) - spread) / (1 + z * z / total))


def evidence(sessions: int) -> float:
    """0.33 for one session, 0.5 for two, 0.71 for five, towards 1."""
    return sessions / (sessions + _HALF_EVIDENCE)


def recency(times: Iterable[int]) -> float:
    """How fresh the evidence is on average: 1 when all is as new as the newest, 0..1."""
    known = list(times)
    if not known:
        return 0.0
    newest = max(known)
    return sum(0.5 ** ((newest - at) / _HALF_LIFE_MS) for at in known) / len(known)


def strength(sessions: int, consistency: float) -> float:
    """Evidence and consistency in one number, 0..1."""
    return rounded(0.55 * evidence(sessions) + 0.45 * consistency)


def confidence(sessions: int, consistency: float, times: Iterable[int]) -> float:
    """Strength, and a tenth for recency; one session alone stays below `SEEN_ONCE_CAP`."""
    full = 0.9 * strength(sessions, consistency) + 0.1 * recency(times)
    return rounded(min(full, SEEN_ONCE_CAP) if sessions <= 1 else full)


def repeated(base: float, times_said: int) -> float:
    """A stated thing: `base` for one statement, half of the doubt gone with each repetition."""
    return rounded(min(0.95, 1 - (1 - base) * 0.5 ** (times_said - 1)))


def weight(run: Run) -> float:
    """What a run counts as a model to follow: passed 1, unlabelled a half, failed nothing."""
    return {True: 1.0, None: 0.5, False: 0.0}[run.success]


def rounded(value: float) -> float:
    """Six decimals within 0..1, so that the last bits of a sum never show."""
    return round(min(1.0, max(0.0, value)), 6)
