"""On a page, what is clicked is part of what is done.

`click` alone says nothing: "click 'Add to cart'" is a step.  Targets that several sessions have
in common become part of the action's label; others (a certain product, a certain row) do not.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import lru_cache

from hippocortex_engine.compiler import labels
from hippocortex_engine.compiler.model import USER, Run, Step

_POINTING = frozenset(
    "check choose click fill hover press select submit tap toggle type uncheck".split()
)
_TARGETS = (
    "element", "selector", "target", "button", "label", "link", "field", "name", "option",
    "ref", "id", "xpath", "key", "value", "text", "input",
)  # fmt: skip
_MAX_NAME = 30
_SESSIONS = 3
_USUAL = 0.2
"""Share of the cases from which on a target is no instance, though users name it."""

_INSTANCE = re.compile(r"\d{2}|\d[A-Za-z]|[A-Za-z]\d")


def name_targets(runs: Iterable[Run]) -> None:
    """Rename the pointing actions of these runs by the targets that they share."""
    concerned = [run for run in runs if any(map(_points, run.firsts))]
    cases: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    named: Counter[tuple[str, str]] = Counter()
    calls: Counter[tuple[str, str]] = Counter()
    for run in concerned:
        for step in run.steps:
            if target := _target(step):
                known = step.action, target
                cases[known].add(run.session.case)
                calls[known] += 1
                named[known] += USER in step.origins.values()
    usual = _USUAL * len({run.session.case for run in concerned})
    shared = {
        known
        for known, found in cases.items()
        if len(found) >= (_SESSIONS if 2 * named[known] <= calls[known] else max(_SESSIONS, usual))
    }
    for run in concerned:
        run.rename([_renamed(step, shared) for step in run.steps])


@lru_cache(maxsize=4_096)
def _points(action: str) -> bool:
    return not _POINTING.isdisjoint(labels.words(action)[:2])


def _target(step: Step) -> str:
    if not _points(step.action):
        return ""
    named = next((value for name in _TARGETS if (value := step.args.get(name))), "")
    return "" if len(named) > _MAX_NAME or _INSTANCE.search(named) else named


def _renamed(step: Step, shared: set[tuple[str, str]]) -> Step:
    target = _target(step)
    if (step.action, target) not in shared:
        return step
    return step._replace(action=f"{step.action} '{target}'")
