"""Causes to be tested: properties of calls and of runs, with the cases that have them."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from hippocortex_engine.compiler import wording
from hippocortex_engine.compiler.commands import UNREAD
from hippocortex_engine.compiler.corpus import Corpus, Params, few_values
from hippocortex_engine.compiler.model import Run, Step
from hippocortex_engine.compiler.ownership import Users
from hippocortex_engine.compiler.statistics import fisher_greater

FAILS = "the run fails"
_MAX_VALUE = 30
_INSTANCE = re.compile(r"\d{2}|\d[A-Za-z]|[A-Za-z]\d")


class Case(NamedTuple):
    """Something that could have failed: a call (`at` >= 0) or what one verdict judges.

    `runs` are all that the verdict judges, `run` is the last of them.
    """

    run: Run
    at: int
    effect: bool
    runs: tuple[Run, ...] = ()

    @property
    def users(self) -> Users:
        """Whose it is."""
        return frozenset[str]().union(*(run.users for run in self.runs or (self.run,)))


class Rule(NamedTuple):
    """Cause and effect with their counts: `hits` of `exposed`, `effects` of `total` overall."""

    cause: tuple[str, ...]
    effect: str
    cases: list[Case]
    hits: int
    exposed: int
    effects: int
    total: int
    p_value: float


def call_rules(corpus: Corpus, params: Params) -> Iterator[Rule]:
    """Properties of a call against its failure."""
    calls: defaultdict[str, list[Case]] = defaultdict(list)
    for run in corpus.runs:
        seen: set[tuple[str, str]] = set()
        for at, step in enumerate(run.steps):
            if step.error is None or UNREAD in step.args:
                continue
            if step.error and (step.action, step.error) in seen:
                continue  # one stubborn run must not make a pattern
            if step.error:
                seen.add((step.action, step.error))
            calls[step.action].append(Case(run, at, bool(step.error)))
    for action, cases in sorted(calls.items()):
        failed = [case for case in cases if case.effect]
        if params.min_support <= len({case.run.session.id for case in failed}) < len(cases):
            yield from _rules_of_action(action, cases, failed, params)


def _rules_of_action(
    action: str, cases: list[Case], failed: list[Case], params: Params
) -> Iterator[Rule]:
    given = Counter(name for case in cases for name in case.run.steps[case.at].args)
    # What every call gives explains nothing: some must lack it.
    names = {name for name, calls in given.items() if params.min_support <= calls < len(cases)}
    usual = _predecessors(cases)
    kinds = _categories(cases)
    counts: defaultdict[tuple[str, ...], int] = defaultdict(int)
    for case in failed:
        for feature in _features(case, names, usual, kinds):
            counts[feature] += 1
    wanted = {feature for feature, hits in counts.items() if hits >= params.min_support}
    if not wanted:
        return
    exposed: defaultdict[tuple[str, ...], list[Case]] = defaultdict(list)
    for case in cases:
        for feature in _features(case, names, usual, kinds):
            if feature in wanted:
                exposed[feature].append(case)
    effect = f"{wording.code(action)} fails"
    for feature, where in sorted(exposed.items(), key=lambda item: item[0]):
        if len(where) < len(cases):
            yield _tested((*feature, action), effect, where, len(failed), len(cases))


def _predecessors(cases: Sequence[Case]) -> set[str]:
    """Actions that went before most of the calls that succeeded."""
    counts: defaultdict[str, int] = defaultdict(int)
    good = [case for case in cases if not case.effect]
    for case in good:
        for action, first in case.run.firsts.items():
            if first < case.at:
                counts[action] += 1
    own = cases[0].run.steps[cases[0].at].action
    return {action for action, hits in counts.items() if 2 * hits > len(good) and action != own}


def _categories(cases: Sequence[Case]) -> set[str]:
    """The arguments that take few values."""
    counts: Counter[tuple[str, str]] = Counter()
    for case in cases:
        counts.update(case.run.steps[case.at].args.items())
    values: Counter[str] = Counter(name for name, _ in counts)
    calls: Counter[str] = Counter()
    for (name, _), hits in counts.items():
        calls[name] += hits
    return {name for name, distinct in values.items() if few_values(distinct, calls[name])}


def _features(
    case: Case, names: set[str], usual: set[str], kinds: set[str]
) -> list[tuple[str, ...]]:
    step = case.run.steps[case.at]
    found: list[tuple[str, ...]] = [("missing", name) for name in names if name not in step.args]
    for name, value in step.args.items():
        if name in names:
            found.append(("given", name))
        if name in kinds and _is_kind(value):
            found.append(("value", name, value))
    firsts = case.run.firsts
    found += [("without", action) for action in usual if firsts.get(action, case.at) >= case.at]
    if case.at and _same_again(case.run.steps[case.at - 1], step):
        found.append(("repeat",))
    return found


@lru_cache(maxsize=4_096)
def _is_kind(value: str) -> bool:
    return 0 < len(value) <= _MAX_VALUE and not _INSTANCE.search(value)


def _same_again(before: Step, step: Step) -> bool:
    return bool(before.error) and before.action == step.action and before.args == step.args


# Runs


def run_rules(corpus: Corpus, params: Params) -> Iterator[Rule]:
    """What happened in a run against its outcome; one verdict is one observation."""
    parts: dict[tuple[tuple[str, int], int], list[Run]] = {}
    for run in corpus.runs:
        if run.success is not None:
            parts.setdefault((run.session.place, run.outcome), []).append(run)
    judged = [Case(runs[-1], -1, runs[-1].success is False, tuple(runs)) for runs in parts.values()]
    failed = sum(1 for case in judged if case.effect)
    if min(failed, len(judged) - failed) < params.min_support:
        return
    exposed: defaultdict[tuple[str, ...], list[Case]] = defaultdict(list)
    for case, runs in zip(judged, parts.values(), strict=True):
        for feature in {trait for run in runs for trait in _traits(run, corpus)}:
            exposed[feature].append(case)
    for feature in [feature for feature in exposed if feature[0] == "uses"]:
        if _is_usual(exposed[feature], len(judged) - failed):
            inside = {id(case) for case in exposed[feature]}
            lacking = [case for case in judged if id(case) not in inside]
            exposed["lacks", feature[1]] = lacking
    for feature, cases in sorted(exposed.items(), key=lambda item: item[0]):
        if params.min_support <= len(cases) <= len(judged) - params.min_support:
            yield _tested(feature, FAILS, cases, failed, len(judged))


def _is_usual(cases: Sequence[Case], passed: int) -> bool:
    """Whether most of the runs that pass have a trait, so that its absence may be a cause."""
    return 2 * sum(1 for case in cases if not case.effect) > passed


def _traits(run: Run, corpus: Corpus) -> set[tuple[str, ...]]:
    found: set[tuple[str, ...]] = set()
    for step in run.steps:
        if step.error:
            name = corpus.error_names[step.action, step.error]
            found.add(("error", step.action, name))
        found.add(("uses", step.action))
    return found


def _tested(
    cause: tuple[str, ...], effect: str, cases: list[Case], effects: int, total: int
) -> Rule:
    hits = sum(1 for case in cases if case.effect)
    p_value = fisher_greater(hits, len(cases), effects, total)
    return Rule(cause, effect, cases, hits, len(cases), effects, total, p_value)
