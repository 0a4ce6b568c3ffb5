"""Filling a token budget with the entries that are worth most."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from hippocortex_core.render import (
    CLOSING,
    HEADINGS,
    OPENING,
    render_day,
    render_entry,
    split_day,
)
from hippocortex_core.types import BudgetInfo
from hippocortex_engine.synthesizer.memory import Memory
from hippocortex_engine.tokens import TokenCounter, with_margin

USUAL = 24
"""Tokens of an event that its score is not lowered for."""

THRIFT = 0.15
"""How much room counts: with 0.15, twice the tokens take a tenth off the score."""

DATE = 8
"""Tokens of a date in brackets, at most, in the vocabularies that a budget is kept for.

The tokenizer here writes its digits one by one and would count more.
"""


class Ranked(NamedTuple):
    """A memory with the score that its signals make."""

    memory: Memory
    score: float


@dataclass(frozen=True, slots=True)
class Pack:
    """What fits, in order, and what it costs."""

    entries: tuple[Ranked, ...]
    budget: BudgetInfo


class Cost(NamedTuple):
    """Tokens of an entry: as it is listed under its day, and of its content by itself."""

    day: str
    listed: int
    plain: int


def pack(
    ranked: Sequence[Ranked],
    max_tokens: int,
    counter: TokenCounter,
    tokens_of: Callable[[Sequence[int]], int],
) -> Pack:
    """Take entries by their worth as long as they stay within `max_tokens`.

    Both the rendered pack and the contents of its entries by themselves stay within it.  One that
    does not fit is passed over, and shorter ones after it may still go in.

    Args:
        ranked: what may go in, best first.
        max_tokens: the budget of the rendered pack.
        counter: counts tokens.
        tokens_of: the tokens of the events with some sequence numbers together.
    """
    costs = _costs(ranked, counter)
    taken, used = _taken(ranked, costs, max_tokens, counter)
    kept = [ranked[place] for place in sorted(taken)]
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


def _costs(ranked: Sequence[Ranked], counter: TokenCounter) -> list[Cost]:
    (bullet,) = counter.count_all(["-"])
    costs: list[Cost] = []
    for one in ranked:
        day, rest = split_day(one.memory.text)
        listed = one.memory.listed or counter.count_all([render_entry(rest)])[0]
        costs.append(Cost(day, listed, listed - bullet + (DATE if day else 0)))
    return costs


def _taken(
    ranked: Sequence[Ranked], costs: Sequence[Cost], max_tokens: int, counter: TokenCounter
) -> tuple[list[int], int]:
    """The places of what goes in, and the tokens of the rendered pack, without the margin."""
    days = list(dict.fromkeys(cost.day for cost in costs))
    fixed = counter.count_all([OPENING + CLOSING, *HEADINGS.values(), *map(render_day, days)])
    used, plain = fixed[0], 0
    left = dict(zip([*HEADINGS, *days], fixed[1:], strict=True))  # headings not yet there
    taken: list[int] = []
    for place in sorted(range(len(ranked)), key=lambda at: (-_worth(ranked[at], costs[at]), at)):
        section, cost = ranked[place].memory.section, costs[place]
        total = used + cost.listed + left.get(section, 0) + left.get(cost.day, 0)
        if with_margin(max(total, plain + cost.plain)) <= max_tokens:
            used, plain = total, plain + cost.plain
            left[section] = left[cost.day] = 0
            taken.append(place)
    return taken, used


def _worth(one: Ranked, cost: Cost) -> float:
    """The score, less for events that take much room: others could stand in their place."""
    if one.memory.section != "context":
        return one.score
    return one.score * min(1.0, (USUAL / cost.listed) ** THRIFT)


def _ratio(kept: Sequence[Ranked], used: int, tokens_of: Callable[[Sequence[int]], int]) -> float:
    """Tokens of the distinct source events per token used."""
    if not used:
        return 0.0
    sources = sorted({seq for one in kept for seq in one.memory.sources})
    return round(tokens_of(sources) / used, 2)
