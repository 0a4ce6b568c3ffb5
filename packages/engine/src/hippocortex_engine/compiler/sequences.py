"""What a group of step sequences agrees on."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import pairwise

from hippocortex_engine.compiler import confidence
from hippocortex_engine.compiler.corpus import FEW, Params, View
from hippocortex_engine.compiler.model import Run

_MAX_STEPS = 12
_MAX_VARIATIONS = 4
_MAX_FOLLOWERS = 3


class Consensus:
    """The steps that most of the runs took, in the order that most of them agree on.

    Failed calls do not count: how they are recovered is a playbook's business.  Nor do actions
    that the pattern may not show.
    """

    def __init__(self, runs: Sequence[Run], params: Params, view: View) -> None:
        self._params = params
        self._runs = runs
        shown = {action: view.action(action) for run in runs for action in run.firsts}
        self._sequences = [
            [step.action for step in run.steps if not step.error and shown[step.action]]
            for run in runs
        ]
        self._weights = [confidence.weight(run) for run in runs]
        self._total = sum(self._weights)

    @cached_property
    def shares(self) -> dict[str, float]:
        """The weighted share of runs in which each action occurs."""
        found: defaultdict[str, float] = defaultdict(float)
        for sequence, weight in zip(self._sequences, self._weights, strict=True):
            for action in set(sequence):
                found[action] += weight
        return {action: weight / self._total for action, weight in sorted(found.items())}

    @cached_property
    def steps(self) -> list[str]:
        """The common actions, in consensus order."""
        ranked = sorted(self.shares, key=lambda action: (-self.shares[action], action))
        common = [a for a in ranked if self.shares[a] >= self._params.core_share][:_MAX_STEPS]
        wins = self._precedence(set(common))
        return sorted(common, key=lambda action: (-wins[action], action))

    @cached_property
    def variations(self) -> list[str]:
        """Less common actions, of at least two sessions, most frequent first."""
        sessions: defaultdict[str, set[str]] = defaultdict(set)
        for run, sequence in zip(self._runs, self._sequences, strict=True):
            for action in set(sequence):
                sessions[action].add(run.session.id)
        optional = [
            action
            for action, share in self.shares.items()
            if self._params.variation_share <= share < self._params.core_share
            and len(sessions[action]) >= FEW
        ]
        return sorted(optional, key=lambda a: (-self.shares[a], a))[:_MAX_VARIATIONS]

    def followers(self) -> dict[str, list[str]]:
        """What usually comes after each action, most frequent first."""
        counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for sequence in self._sequences:
            for before, after in pairwise(sequence):
                counts[before][after] += 1
        return {
            action: list(_top(found))
            for action, found in sorted(counts.items())
            if action in self.steps or action in self.variations
        }

    def _precedence(self, actions: set[str]) -> dict[str, float]:
        """For each action by how many others it comes before, weighted (Copeland 1951)."""
        ahead: defaultdict[tuple[str, str], float] = defaultdict(float)
        for sequence, weight in zip(self._sequences, self._weights, strict=True):
            order = [action for action in dict.fromkeys(sequence) if action in actions]
            for at, first in enumerate(order):
                for second in order[at + 1 :]:
                    ahead[first, second] += weight
        return {
            a: sum(
                (ahead[a, b] > ahead[b, a]) + 0.5 * (ahead[a, b] == ahead[b, a])
                for b in actions
                if b != a
            )
            for a in actions
        }


def _top(counts: Counter[str]) -> Iterator[str]:
    for action, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_MAX_FOLLOWERS]:
        yield action
