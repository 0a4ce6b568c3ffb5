"""What runs that passed did differently from runs of the same task that failed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from hippocortex_engine.compiler import wording
from hippocortex_engine.compiler.corpus import Params, View
from hippocortex_engine.compiler.model import Run
from hippocortex_engine.compiler.statistics import benjamini_hochberg, fisher_greater

_MAX_FINDINGS = 3
_MAX_OVERLAP = 0.7


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference in words; `helps` says whether it goes with success."""

    text: str
    helps: bool
    p_value: float


def contrast(runs: Sequence[Run], view: View, params: Params) -> list[Finding]:
    """The significant differences, strongest first.

    A trait is an action taken or a field of a result; its runs are compared with the others by
    Fisher's exact test, over all traits at the given false discovery rate.
    """
    judged = [run for run in runs if run.success is not None]
    passed = sum(1 for run in judged if run.success)
    if min(passed, len(judged) - passed) < params.min_support:
        return []
    tests = list(_tests(judged, passed, view, params))
    adjusted = benjamini_hochberg([test[0] for test in tests])
    found: list[Finding] = []
    taken: list[set[int]] = []
    for p_value, (_, size, trait, helps, exposed) in sorted(
        zip(adjusted, tests, strict=True), key=lambda pair: (pair[0], *pair[1][:4])
    ):
        if p_value > params.false_discovery or len(found) == _MAX_FINDINGS:
            break
        if all(len(exposed & other) <= _MAX_OVERLAP * -size for other in taken):
            taken.append(exposed)
            found.append(Finding(_worded(trait, helps, exposed, judged), helps, p_value))
    return found


_Test = tuple[float, int, tuple[str, str], bool, set[int]]


def _tests(judged: Sequence[Run], passed: int, view: View, params: Params) -> list[_Test]:
    exposed: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for at, run in enumerate(judged):
        for step in run.steps:
            exposed[step.action, ""].add(at)
            for feature in step.features:
                if (step.action, feature) in view.corpus.categories:
                    exposed[step.action, feature].add(at)
    tests: list[_Test] = []
    total = len(judged)
    for trait, where in sorted(exposed.items()):
        if not params.min_support <= len(where) <= total - params.min_support:
            continue
        if not view.usual_in([judged[at] for at in where]):
            continue
        hits = sum(1 for at in where if judged[at].success)
        helps = hits * total > passed * len(where)
        worked, all_worked = (hits, passed) if helps else (len(where) - hits, total - passed)
        p_value = fisher_greater(worked, len(where), all_worked, total)
        tests.append((p_value, -len(where), trait, helps, where))
    return tests


def _worded(
    trait: tuple[str, str],
    helps: bool,
    exposed: set[int],
    judged: Sequence[Run],
) -> str:
    action, feature = trait
    hits = sum(1 for at in exposed if judged[at].success is helps)
    what = (
        f"{wording.code(action)} returns {feature}"
        if feature
        else f"{wording.code(action)} is used"
    )
    result = "succeeded" if helps else "failed"
    return f"{what} ({hits} of {len(exposed)} such runs {result})"
