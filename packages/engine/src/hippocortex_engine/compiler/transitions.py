"""What is called next: a variable-order Markov model small enough to be read.

Contexts are the last one to three actions.  A longer context is kept only where it says something
else than the shorter one and three sessions bear it out (Rissanen 1983 prunes a context tree
alike), so that what remains is the rule and its exceptions.  Calls that follow at once and calls
that follow the user's answer are counted apart: a dialogue goes on differently from either.

How steps follow each other is habit more than merit: runs that failed count half.  A task's own
runs count several times those of other tasks with the same actions, whose habits fill the gaps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from hippocortex_engine.compiler.corpus import Params, View
from hippocortex_engine.compiler.model import Run
from hippocortex_engine.compiler.ownership import Users, shows

START = "start"
"""Stands for the beginning of a run."""

_ORDER = 3
_MAX_FOLLOWERS = 3
_MAX_CONTEXTS = 24
_OWN = 2.0
_WEIGHTS = {True: 1.0, None: 0.75, False: 0.5}

Context = tuple[str, ...]


@dataclass(slots=True)
class _Tally:
    """How often one action followed a context, in how many sessions, and whose they are."""

    weight: float = 0.0
    sessions: int = 0
    newest: str = ""
    suspects: Users | None = None
    of_nobody: bool = False

    def count(self, run: Run, weight: float) -> None:
        self.weight += weight
        if self.newest != run.session.id:
            self.newest = run.session.id
            self.sessions += 1
        if not run.users:
            self.of_nobody = True
        elif self.suspects is None:
            self.suspects = run.users
        elif self.suspects is not run.users:
            self.suspects &= run.users


class Counts:
    """What followed which context, and which actions stand before a context in a longer one."""

    def __init__(self) -> None:
        self._followers: dict[Context, dict[str, _Tally]] = {}
        self._weights: dict[Context, float] = {}
        self._before: dict[Context, set[str]] = {}

    def count(self, before: Context, action: str, run: Run, weight: float) -> None:
        """An action of a run followed others: once for each context that they end with."""
        for size in range(1, len(before) + 1):
            context = before[-size:]
            found = self._followers.get(context)
            if found is None:
                found = self._followers[context] = {}
                self._before.setdefault(context[1:], set()).add(context[0])
            tally = found.get(action)
            if tally is None:
                tally = found[action] = _Tally()
            tally.count(run, weight)
            self._weights[context] = self._weights.get(context, 0.0) + weight

    def actions(self) -> set[str]:
        """All actions that followed or were followed."""
        return {one for context, found in self._followers.items() for one in (*context, *found)}

    def contexts(self, allowed: set[str]) -> Iterator[Context]:
        """The contexts made of these actions alone, the short ones first, each size by name."""
        level: list[Context] = [()]
        while level:
            level = sorted(
                (action, *context)
                for context in level
                for action in self._before.get(context, set[str]()) & allowed
            )
            yield from level

    def weight(self, context: Context) -> float:
        """How often anything followed."""
        return self._weights[context]

    def followers(self, context: Context, allowed: set[str]) -> Iterator[tuple[str, _Tally]]:
        """Those of the actions that followed."""
        found = self._followers.get(context, {})
        for action in found.keys() & allowed:
            yield action, found[action]

    def own(self, context: Context, action: str) -> float:
        """How often the action followed."""
        tally = self._followers.get(context, {}).get(action)
        return tally.weight if tally else 0.0


class Transitions:
    """Counts of what followed which calls.  Runs of one session must come one after another."""

    def __init__(self, runs: Iterable[Run]) -> None:
        self.at_once = Counts()
        self.after_reply = Counts()
        for run in runs:
            self._count(run)

    def _count(self, run: Run) -> None:
        weight = _WEIGHTS[run.success]
        earlier = _earlier(run)
        before, replied = earlier or (START,), bool(earlier)
        for step in run.steps:
            counts = self.after_reply if replied else self.at_once
            counts.count(before, step.action, run, weight)
            before = (*before, step.action)[-_ORDER:]
            replied = bool(step.ends_turn)


def _earlier(run: Run) -> Context:
    """The last actions of the same users' request before, in the same stretch of the session."""
    runs = run.session.runs
    at = next(place for place, known in enumerate(runs) if known is run)
    if not at or runs[at - 1].users != run.users:
        return ()
    return tuple(step.action for step in runs[at - 1].steps[-_ORDER:])


def table(own: Counts, common: Counts, view: View, params: Params) -> dict[str, list[str]]:
    """The contexts worth knowing, each with what usually follows, most frequent first.

    Args:
        own: counts of the task's runs.
        common: counts of all runs, these included.
        view: which actions, and which orders of actions, may appear.
        params: `quorum` sessions for a single action, `min_support` for a longer context.
    """
    allowed = {action for action in own.actions() if action == START or view.action(action)}
    kept: dict[Context, list[str]] = {}
    ranked: list[tuple[float, Context]] = []
    for context in common.contexts(allowed):
        least = params.quorum if len(context) == 1 else params.min_support
        weights = {
            action: tally.weight + _OWN * own.own(context, action)
            for action, tally in common.followers(context, allowed)
            if tally.sessions >= least and shows(tally.suspects, tally.of_nobody, view.users)
        }
        found = sorted(weights, key=lambda one: (-weights[one], one))[:_MAX_FOLLOWERS]
        if found and found[0] != _known(kept, context[1:]):
            kept[context] = found
            ranked.append((-common.weight(context), context))
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
