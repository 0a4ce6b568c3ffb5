"""The eight signals: each a pure function of a memory into 0..1, and their weighted mean.

The mean is both the order of a pack and the confidence of its entries: how sure the memory is
that an entry is right and applies to the query.  Recency, salience and relevance are combined as
in Generative Agents (Park et al. 2023), the others are the reference's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from operator import mul

from hippocortex_engine.synthesizer.memory import Memory

HALF_LIFE = 30 * 86_400_000
"""Milliseconds after which a memory counts half as recent, measured from the newest event."""

HALF_COUNT = 3
"""Events behind a memory at which its frequency is one half."""


def semantic_similarity(memory: Memory) -> float:
    """How well it matches the query, in words and in meaning."""
    return _unit(memory.relevance)


def temporal_recency(memory: Memory) -> float:
    """2^(-age / half-life), relative to the newest event: time standing still changes nothing."""
    return 0.5 ** (max(0, memory.age) / HALF_LIFE)


def frequency(memory: Memory) -> float:
    """How often it was seen: n / (n + 3)."""
    return memory.events / (memory.events + HALF_COUNT)


def salience(memory: Memory) -> float:
    """Salience of the events behind it."""
    return _unit(memory.salience)


def provenance_quality(memory: Memory) -> float:
    """How independent its support is: s / (s + 1) over distinct sessions."""
    return memory.sessions / (memory.sessions + 1)


def entity_overlap(memory: Memory) -> float:
    """Share of what the query names that the memory holds."""
    return _unit(memory.named)


def session_relevance(memory: Memory) -> float:
    """Whether it comes from the session the agent is in."""
    return float(memory.same_session)


def confidence(memory: Memory) -> float:
    """Confidence of the compiled artifact, or of an observation as such."""
    return _unit(memory.confidence)


def _unit(value: float) -> float:
    return value if 0.0 <= value <= 1.0 else float(value > 0.0)


Signal = Callable[[Memory], float]

SIGNALS: dict[str, tuple[Signal, float]] = {
    "semantic_similarity": (semantic_similarity, 0.64),
    "temporal_recency": (temporal_recency, 0.02),
    "frequency": (frequency, 0.04),
    "salience": (salience, 0.02),
    "provenance_quality": (provenance_quality, 0.07),
    "entity_overlap": (entity_overlap, 0.05),
    "session_relevance": (session_relevance, 0.04),
    "confidence": (confidence, 0.12),
}
"""Name to signal and weight; the weights add up to one."""


def evaluate(memory: Memory) -> dict[str, float]:
    """All eight signals, rounded to four digits."""
    return dict(zip(_NAMES, _values(memory), strict=True))


def score(memory: Memory) -> float:
    """The weighted mean of what `evaluate` gives, 0..1, rounded to four digits."""
    return round(sum(map(mul, _WEIGHTS, _values(memory))), 4)


def _values(memory: Memory) -> list[float]:
    return [_rounded(signal(memory)) for signal in _FUNCTIONS]


@lru_cache(maxsize=4_096, typed=True)
def _rounded(value: float) -> float:
    return round(value, 4)  # slow, and most signals take few values


_NAMES = tuple(SIGNALS)
_FUNCTIONS = tuple(signal for signal, _ in SIGNALS.values())
_WEIGHTS = tuple(weight for _, weight in SIGNALS.values())
