"""Significance: is this more than chance?"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import exp, lgamma


def fisher_greater(hits: int, exposed: int, successes: int, total: int) -> float:
    """One-sided Fisher exact test (Fisher 1922): the chance of so many hits or more.

    Args:
        hits: exposed cases with the effect.
        exposed: cases with the cause.
        successes: cases with the effect, exposed or not.
        total: all cases.

    Returns:
        The upper tail of the hypergeometric distribution, 0..1.
    """
    most = min(exposed, successes)
    if hits <= max(0, exposed + successes - total):
        return 1.0
    whole = _log_choose(total, exposed)
    tail = sum(
        exp(_log_choose(successes, k) + _log_choose(total - successes, exposed - k) - whole)
        for k in range(hits, most + 1)
    )
    return min(1.0, tail)


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted for the size of their family (Benjamini & Hochberg 1995)."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i], reverse=True)
    adjusted = [1.0] * len(p_values)
    least = 1.0
    for place, index in enumerate(order):
        rank = len(p_values) - place
        least = min(least, p_values[index] * (len(p_values) / rank))
        adjusted[index] = least
    return adjusted


def lift(hits: int, exposed: int, successes: int, total: int) -> float:
    """How many times the base rate the effect has among the exposed (0 when nobody is)."""
    if not exposed or not successes:
        return 0.0
    return (hits / exposed) / (successes / total)


def _log_choose(n: int, k: int) -> float:
    return _log_factorial(n) - _log_factorial(k) - _log_factorial(n - k)


@lru_cache(maxsize=65_536)
def _log_factorial(n: int) -> float:
    return lgamma(n + 1)
