"""Filling a token budget with the most trusted entries first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hippocortex_core.render import CLOSING, HEADINGS, OPENING, render_entry
from hippocortex_core.types import BudgetInfo
from hippocortex_engine.synthesizer.memory import Memory
from hippocortex_engine.tokens import TokenCounter, with_margin


@dataclass(frozen=True, slots=True)
class Ranked:
    """A memory with its signals and the score they make."""

    memory: Memory
    signals: dict[str, float]
    score: float


@dataclass(frozen=True, slots=True)
class Pack:
    """What fits, in order, and what it costs."""

    entries: tuple[Ranked, ...]
    budget: BudgetInfo


def pack(
    ranked: Sequence[Ranked],
    max_tokens: int,
    counter: TokenCounter,
    tokens_of: Callable[[Sequence[int]], int],
) -> Pack:
    """Take entries in order as long as the rendered pack stays within `max_tokens`.

    One that does not fit is passed over, and shorter ones after it may still go in.

    Args:
        ranked: what may go in, best first.
        max_tokens: the budget of the rendered pack.
        counter: counts tokens.
        tokens_of: the tokens of the events with some sequence numbers together.
    """
    fixed = counter.count_all([OPENING + CLOSING, *HEADINGS.values()])
    frame, headings = fixed[0], dict(zip(HEADINGS, fixed[1:], strict=True))
    costs = counter.count_all([render_entry(one.memory.text) for one in ranked])
    kept: list[Ranked] = []
    used = 0
    opened: set[str] = set()
    for one, cost in zip(ranked, costs, strict=True):
        section = one.memory.section
        total = (used or frame) + cost + (0 if section in opened else headings[section])
        if with_margin(total) <= max_tokens:
            used = total
            opened.add(section)
            kept.append(one)
    spent = with_margin(used) if kept else 0
    return Pack(
        entries=tuple(kept),
        budget=BudgetInfo(
            limit=max_tokens,
            used=spent,
            compression_ratio=_ratio(kept, spent, tokens_of),
            entries_included=len(kept),
            entries_dropped=len(ranked) - len(kept),
        ),
    )


def _ratio(kept: Sequence[Ranked], used: int, tokens_of: Callable[[Sequence[int]], int]) -> float:
    """Tokens of the distinct source events per token used."""
    if not used:
        return 0.0
    sources = sorted({seq for one in kept for seq in one.memory.sources})
    return round(tokens_of(sources) / used, 2)
