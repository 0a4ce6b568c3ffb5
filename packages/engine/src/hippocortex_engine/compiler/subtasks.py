"""Tasks within a task: what requests in other words made runs do besides.

Runs that end alike may differ in what they do before: heating something and then putting it away
is not cooling it and putting it away.  An action divides a task if its use goes with words of
the request (Fisher's exact test over all actions and words, the false discovery rate held
below the usual); what comes and goes regardless of the request, such as a retry, does not.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from hippocortex_engine.compiler.corpus import Params
from hippocortex_engine.compiler.model import Run
from hippocortex_engine.compiler.sequences import recoveries
from hippocortex_engine.compiler.statistics import benjamini_hochberg, fisher_greater

_MAX_WORDS = 48
_MAX_ACTIONS = 12
_SURE = 0.4
"""Share of the usual false discovery rate: a division makes several artifacts, not one."""


def divide(runs: Sequence[Run], params: Params) -> Mapping[tuple[str, ...], list[Run]]:
    """The runs of a task by the dividing actions they took; nothing when it is all one task."""
    done = [_effects(run) for run in runs]
    dividing = _dividing(runs, done, params)
    groups: defaultdict[tuple[str, ...], list[Run]] = defaultdict(list)
    for run, actions in zip(runs, done, strict=True):
        groups[tuple(sorted(actions & dividing))].append(run)
    kept = {
        actions: found
        for actions, found in sorted(groups.items())
        if len({run.session.case for run in found}) >= params.min_support
    }
    return kept if len(kept) > 1 else {}


def _effects(run: Run) -> frozenset[str]:
    """What a run changed, apart from what it had to recover with."""
    detours = recoveries(run)
    return frozenset(
        step.action
        for step in run.steps
        if step.effect and not step.error and step.action not in detours and "'" not in step.action
    )


def _dividing(
    runs: Sequence[Run], done: Sequence[frozenset[str]], params: Params
) -> frozenset[str]:
    actions = _some(Counter(action for found in done for action in found), len(runs), params)
    words = _some(Counter(word for run in runs for word in set(run.words)), len(runs), params)
    words = dict(list(words.items())[:_MAX_WORDS])
    actions = dict(list(actions.items())[:_MAX_ACTIONS])
    both: Counter[tuple[str, str]] = Counter(
        (action, word)
        for run, found in zip(runs, done, strict=True)
        for action in found
        if action in actions
        for word in set(run.words)
        if word in words
    )
    tests = [
        (fisher_greater(both[action, word], words[word], actions[action], len(runs)), action)
        for action in actions
        for word in words
    ]
    adjusted = benjamini_hochberg([p_value for p_value, _ in tests])
    return frozenset(
        action
        for p_value, (_, action) in zip(adjusted, tests, strict=True)
        if p_value <= _SURE * params.false_discovery
    )


def _some(counts: Counter[str], total: int, params: Params) -> dict[str, int]:
    """What some of the runs have and some have not, most frequent first."""
    least = params.min_support
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return {name: count for name, count in ranked if least <= count <= total - least}
