"""What is called next: a variable-order Markov model small enough to be read.

Contexts are the last one to three actions.  A longer context is kept only where it says something
else than the shorter one and three sessions bear it out (Rissanen 1983 prunes a context tree
alike), so that what remains is the rule and its exceptions.  Calls that follow at once and calls
that follow the user's answer are counted apart: a dialogue goes on differently from either.

How steps follow each other is habit more than merit: runs that failed count half.  A task's own
runs count several times those of other tasks with the same actions, whose habits fill the gaps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from hippocortex_engine.compiler.corpus import Params
from hippocortex_engine.compiler.model import Run

START = "start"
"""Stands for the beginning of a run."""

_ORDER = 3
_MAX_FOLLOWERS = 3
_MAX_CONTEXTS = 24
_OWN = 2.0
_WEIGHTS = {True: 1.0, None: 0.75, False: 0.5}

Context = tuple[str, ...]
_Tally = list[float]  # weight, distinct sessions
_Counts = dict[Context, dict[str, _Tally]]


class Transitions:
    """Counts of what followed which calls.  Runs of one session must come one after another."""

    def __init__(self, runs: Iterable[Run]) -> None:
        self.at_once: _Counts = {}
        self.after_reply: _Counts = {}
        self._session = ""
        self._seen: set[tuple[bool, Context, str]] = set()
        for run in runs:
            self._count(run)
        self._seen.clear()

    def _count(self, run: Run) -> None:
        if run.session.id != self._session:
            self._session = run.session.id
            self._seen.clear()
        weight = _WEIGHTS[run.success]
        earlier = _earlier(run)
        before, replied = earlier or (START,), bool(earlier)
        for step in run.steps:
            self._follow(before, step.action, weight, replied)
            before = (*before, step.action)[-_ORDER:]
            replied = bool(step.ends_turn)

    def _follow(self, before: Context, action: str, weight: float, replied: bool) -> None:
        counts = self.after_reply if replied else self.at_once
        for size in range(1, len(before) + 1):
            self._add(counts, before[-size:], action, weight, replied)

    def _add(
        self, counts: _Counts, context: Context, action: str, weight: float, replied: bool
    ) -> None:
        tally = counts.setdefault(context, {}).setdefault(action, [0.0, 0])
        tally[0] += weight
        seen = (replied, context, action)
        if seen not in self._seen:
            self._seen.add(seen)
            tally[1] += 1


def _earlier(run: Run) -> Context:
    """The last actions of the request before, in the same stretch of the session."""
    runs = run.session.runs
    at = next(place for place, known in enumerate(runs) if known is run)
    return tuple(step.action for step in runs[at - 1].steps[-_ORDER:]) if at else ()


def table(
    own: _Counts, common: _Counts, shown: Callable[[str], bool], params: Params
) -> dict[str, list[str]]:
    """The contexts worth knowing, each with what usually follows, most frequent first.

    Args:
        own: counts of the task's runs.
        common: counts of all runs, these included.
        shown: whether an action may appear.
        params: `quorum` sessions for a single action, `min_support` for a longer context.
    """
    known = {action for context, found in own.items() for action in (*context, *found)}
    allowed = {action for action in known if action == START or shown(action)}
    kept: dict[Context, list[str]] = {}
    ranked: list[tuple[float, Context]] = []
    for context in sorted(common, key=lambda one: (len(one), one)):
        if not allowed.issuperset(context):
            continue
        least = params.quorum if len(context) == 1 else params.min_support
        found = _followers(own.get(context, {}), common[context], allowed, least)
        if found and found[0] != _known(kept, context[1:]):
            kept[context] = found
            ranked.append((-sum(tally[0] for tally in common[context].values()), context))
    chosen = _best(ranked)
    return {" > ".join(context): found for context, found in kept.items() if context in chosen}


def _best(ranked: Sequence[tuple[float, Context]]) -> set[Context]:
    """All single actions, and the most frequent of the longer contexts."""
    longer = sorted(one for one in ranked if len(one[1]) > 1)[:_MAX_CONTEXTS]
    return {context for _, context in ranked if len(context) == 1}.union(c for _, c in longer)


def _known(kept: dict[Context, list[str]], context: Context) -> str:
    for size in range(len(context), 0, -1):
        if found := kept.get(context[-size:]):
            return found[0]
    return ""


def _followers(
    own: dict[str, _Tally], common: dict[str, _Tally], allowed: set[str], least: int
) -> list[str]:
    weights: dict[str, float] = {}
    for action, (weight, sessions) in common.items():
        if action in allowed and sessions >= least:
            weights[action] = weight + _OWN * own.get(action, (0.0,))[0]
    return sorted(weights, key=lambda action: (-weights[action], action))[:_MAX_FOLLOWERS]
