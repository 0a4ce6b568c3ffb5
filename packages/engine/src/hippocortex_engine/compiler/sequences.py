"""What a group of step sequences agrees on."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from functools import cached_property

from hippocortex_engine.compiler import confidence
from hippocortex_engine.compiler.corpus import FEW, Params, View
from hippocortex_engine.compiler.model import Run

_MAX_STEPS = 12
_MAX_VARIATIONS = 4
_MAX_TIMES = 6
_FEW_WITHOUT = 0.25
_ROUNDING = 1e-9


class Consensus:
    """The steps that most of the runs took, in the order that most of them agree on.

    Failed calls do not count: how they are recovered is a playbook's business.  Nor do actions
    that the pattern may not show.  What a run did only to recover says nothing about what runs
    that need not recover do: it neither has nor lacks such a step.  Several runs about one case
    weigh together as much as one.
    """

    def __init__(self, runs: Sequence[Run], params: Params, view: View) -> None:
        self._params = params
        self._runs = runs
        shown = {action: view.action(action) for run in runs for action in run.firsts}
        self._sequences = [
            [step.action for step in run.steps if not step.error and shown[step.action]]
            for run in runs
        ]
        self._detours = [recoveries(run).keys() for run in runs]
        alike = Counter((run.session.case, run.success) for run in runs)
        self._weights = [
            confidence.weight(run) / alike[run.session.case, run.success] for run in runs
        ]
        self._total = sum(self._weights)

    @cached_property
    def shares(self) -> dict[str, float]:
        """The weighted share of runs in which each action occurs, apart from recoveries."""
        found: defaultdict[str, float] = defaultdict(float)
        detours: defaultdict[str, float] = defaultdict(float)
        for sequence, detour, weight in self._each():
            for action in set(sequence):
                (detours if action in detour else found)[action] += weight
        return {
            action: self._share(found[action], detours[action])
            for action in sorted({*found, *detours})
        }

    def _share(self, found: float, detours: float) -> float:
        """Where nearly every run has to recover, recovering is how it is done."""
        rest = self._total - detours
        if rest < _FEW_WITHOUT * self._total:
            return (found + detours) / self._total
        return found / rest

    def _each(self) -> Iterator[tuple[list[str], Collection[str], float]]:
        return zip(self._sequences, self._detours, self._weights, strict=True)

    @cached_property
    def times(self) -> dict[str, int]:
        """How often runs that take a step mostly take it: the weighted lower median."""
        counts: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
        for sequence, weight in zip(self._sequences, self._weights, strict=True):
            for action, times in Counter(sequence).items():
                counts[action].append((times, weight))
        return {action: min(_median(found), _MAX_TIMES) for action, found in counts.items()}

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


def recoveries(run: Run) -> dict[str, tuple[int, int]]:
    """What a run did only between a failure and the success of the same action.

    Returns:
        Action to the positions of the failure and of the success.
    """
    spans = [(at, fixed) for at in range(len(run.steps)) if (fixed := fixed_at(run, at)) > at + 1]
    if not spans:
        return {}
    found: dict[str, tuple[int, int]] = {}
    outside: set[str] = set()
    for at, step in enumerate(run.steps):
        around = next((span for span in spans if span[0] < at < span[1]), None)
        if around is None:
            outside.add(step.action)
        elif not step.error and step.action != run.steps[around[0]].action:
            found.setdefault(step.action, around)
    return {action: span for action, span in found.items() if action not in outside}


def fixed_at(run: Run, at: int) -> int:
    """Where the action of a failed step next succeeds, -1 if it did not fail or never does."""
    failed = run.steps[at]
    if not failed.error:
        return -1
    later = range(at + 1, len(run.steps))
    return next(
        (n for n in later if run.steps[n].action == failed.action and run.steps[n].error == ""), -1
    )


def _median(counts: list[tuple[int, float]]) -> int:
    half = sum(weight for _, weight in counts) / 2
    for value, weight in sorted(counts):
        half -= weight
        if half <= _ROUNDING:
            return value
    return counts[-1][0]
