"""Policies: what to do next in a certain situation, from behaviour and from instructions.

Behaviour: after an action whose result has a certain feature, successful runs go on differently
from how they usually go on after that action.  Instructions: `standing_rules`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from hippocortex_engine.compiler import confidence, evidence, labels, wording
from hippocortex_engine.compiler.corpus import Corpus, Params, View
from hippocortex_engine.compiler.model import Run
from hippocortex_engine.compiler.standing_rules import policies
from hippocortex_engine.compiler.statistics import benjamini_hochberg, fisher_greater, lift
from hippocortex_engine.records import Candidate

_MOST = 0.5
_MIN_LIFT = 1.2
_SAME_CASES = 0.6
_MAX_ALTERNATIVES = 2
_SPOTLESS = 4
"""Sessions that must have made a choice, all with success where half of all fail, to do without
significance: in a small memory nothing is significant."""

_SURE = 0.4
"""Share of the usual false discovery rate: two tests have to be passed, of habit and of merit."""


class Turn(NamedTuple):
    """A step, and what the run did next."""

    run: Run
    at: int
    then: str


class Choice(NamedTuple):
    """After `action` with `feature`, runs mostly do `then`."""

    action: str
    feature: str
    then: str
    where: list[Turn]
    hits: int
    effects: int
    total: int
    p_value: float
    lost: list[Turn]
    """The same situation in runs that failed."""


def mine(corpus: Corpus, params: Params) -> list[Candidate]:
    """Policies learned from behaviour, and those that users stated."""
    return [*_behaviour(corpus, params), *policies(corpus)]


def _behaviour(corpus: Corpus, params: Params) -> list[Candidate]:
    turns: defaultdict[str, list[Turn]] = defaultdict(list)
    failed: defaultdict[str, list[Turn]] = defaultdict(list)
    for run in corpus.runs:
        known = failed if run.success is False else turns
        seen: set[tuple[str, ...]] = set()
        for at, step in enumerate(run.steps):
            if step.error is not None:
                turn = Turn(run, at, _next(run, at))
                alike = (step.action, turn.then, step.error, *step.features)
                if alike not in seen:  # a loop within one run is one observation
                    seen.add(alike)
                    known[step.action].append(turn)
    tested = [
        choice
        for action, known in sorted(turns.items())
        for choice in _choices(action, known, failed.get(action, ()), corpus, params)
    ]
    adjusted = benjamini_hochberg([choice.p_value for choice in tested])
    found = [
        choice._replace(p_value=p_value)
        for choice, p_value in zip(tested, adjusted, strict=True)
        if p_value <= params.false_discovery
        and lift(choice.hits, len(choice.where), choice.effects, choice.total) >= _MIN_LIFT
    ]
    told = [
        (choice, worse) for choice in _distinct(found) if (worse := _counter(choice)) is not None
    ]
    return [_candidate(choice, worse, corpus) for choice, worse in _paying(told, corpus, params)]


_Told = tuple[Choice, tuple[int, int, int, int]]


def _paying(told: Sequence[_Told], corpus: Corpus, params: Params) -> list[_Told]:
    """Where runs fail at all: the choices that go with success more than chance allows.

    What runs usually do next is habit; that it is to be advised, the verdicts must show.
    """
    verdicts = {run.session.id: run.success for run in corpus.runs if run.success is not None}
    passed, total = sum(verdicts.values()), len(verdicts)
    if min(passed, total - passed) < params.min_support:
        return list(told)
    judged = [_verdicts(choice, verdicts) for choice, _ in told]
    adjusted = benjamini_hochberg(
        [fisher_greater(sum(found), len(found), passed, total) for found in judged]
    )
    return [
        one
        for one, found, p_value in zip(told, judged, adjusted, strict=True)
        if p_value <= _SURE * params.false_discovery
        or (len(found) >= _SPOTLESS and all(found) and 2 * passed <= total)
    ]


def _verdicts(choice: Choice, verdicts: Mapping[str, bool | None]) -> list[bool]:
    """How the sessions ended that made the choice."""
    sessions = {
        turn.run.session.id for turn in (*choice.where, *choice.lost) if turn.then == choice.then
    }
    return [bool(verdicts[name]) for name in sorted(sessions) if name in verdicts]


def _next(run: Run, at: int) -> str:
    if run.steps[at].ends_turn or at + 1 == len(run.steps):
        return wording.REPLY
    return run.steps[at + 1].action


def _situations(turn: Turn, corpus: Corpus) -> list[str]:
    step = turn.run.steps[turn.at]
    if step.error:
        return [f"!{corpus.error_names[step.action, step.error]}"]
    known = corpus.categories
    return [feature for feature in step.features if (step.action, feature) in known]


def _by_situation(turns: Sequence[Turn], corpus: Corpus) -> dict[str, list[Turn]]:
    found: defaultdict[str, list[Turn]] = defaultdict(list)
    for turn in turns:
        for feature in _situations(turn, corpus):
            found[feature].append(turn)
    return found


def _choices(
    action: str, turns: Sequence[Turn], failed: Sequence[Turn], corpus: Corpus, params: Params
) -> Iterator[Choice]:
    usual = Counter(turn.then for turn in turns)
    losing = _by_situation(failed, corpus)
    for feature, where in sorted(_by_situation(turns, corpus).items()):
        if not params.min_support <= len(where) <= len(turns) - params.min_support:
            continue
        counted = Counter(turn.then for turn in where)
        then, hits = min(counted.items(), key=lambda item: (-item[1], item[0]))
        if then == action and feature.startswith("!"):
            continue  # how to try again is the playbook's to tell
        following = [turn.run for turn in where if turn.then == then]
        sessions = {run.session.id for run in following}
        cases = {run.session.case for run in following}
        if (
            len(sessions) < params.min_support
            or len(cases) < params.quorum
            or hits < _MOST * len(where)
        ):
            continue
        lost = losing.get(feature, [])
        if corpus.view(turn.run for turn in (*where, *lost)).usual_in(following):
            usually = usual[then], len(turns)
            p_value = fisher_greater(hits, len(where), *usually)
            yield Choice(action, feature, then, where, hits, *usually, p_value, lost)


def _distinct(choices: Sequence[Choice]) -> list[Choice]:
    """One choice for each action and next action and set of cases: the strongest, most general."""
    kept: list[tuple[Choice, set[tuple[int, int]]]] = []
    ranked = sorted(choices, key=lambda c: (c.p_value, -len(c.where), c.action, c.feature))
    for choice in ranked:
        cases = {(id(turn.run), turn.at) for turn in choice.where}
        same = any(
            (choice.action, choice.then) == (other.action, other.then)
            and len(cases & covered) >= _SAME_CASES * min(len(cases), len(covered))
            for other, covered in kept
        )
        if not same:
            kept.append((choice, cases))
    return [choice for choice, _ in kept]


def _counter(choice: Choice) -> tuple[int, int, int, int] | None:
    """Passes and runs, following and not; None when not following went clearly better."""
    won = [turn for turn in choice.where if turn.run.success]
    followed_won = len({id(turn.run) for turn in won if turn.then == choice.then})
    followed_lost = len({id(turn.run) for turn in choice.lost if turn.then == choice.then})
    other_won = len({id(turn.run) for turn in won if turn.then != choice.then})
    other_lost = len({id(turn.run) for turn in choice.lost if turn.then != choice.then})
    followed, other = followed_won + followed_lost, other_won + other_lost
    if followed and other and other_won * followed > 1.5 * followed_won * other:
        return None
    return followed_won, followed, other_won, other


def _candidate(choice: Choice, outcomes: tuple[int, int, int, int], corpus: Corpus) -> Candidate:
    following = [turn for turn in choice.where if turn.then == choice.then]
    others = [turn for turn in choice.where if turn.then != choice.then]
    proof = evidence.of_parts(
        [_part(turn) for turn in following], [_part(turn) for turn in (*others, *choice.lost)]
    )
    view = View(corpus, proof.users)
    condition = _condition(choice)
    counted = Counter(
        turn.then for turn in others if turn.then == wording.REPLY or view.action(turn.then)
    )
    alternatives = [then for then, _ in sorted(counted.items(), key=lambda i: (-i[1], i[0]))]
    won, followed, other_won, other = outcomes
    content: dict[str, Any] = {
        "condition": condition,
        "actions": [choice.then],
        "alternatives": alternatives[:_MAX_ALTERNATIVES],
        "applies_when": condition,
        "not_when": f"{wording.code(choice.action)} returns something else "
        f"(then {wording.share(choice.effects - choice.hits, choice.total - len(choice.where))})",
        "support": {
            "sessions": proof.own_sessions, "hits": choice.hits, "cases": len(choice.where),
            "passed": won, "followed": followed, "other_passed": other_won, "other": other,
        },
        "base_rate": round(choice.effects / choice.total, 6),
        "p_value": float(f"{choice.p_value:.3g}"),
    }  # fmt: skip
    consistency = confidence.wilson_lower(choice.hits, len(choice.where))
    runs = list({id(turn.run): turn.run for turn in following}.values())
    return Candidate(
        type="decision_policy",
        key=f"{choice.action}\n{choice.feature}",
        title=wording.title(f"{condition}: {_do(choice.then)}"),
        content=content,
        text=_text(choice, condition, outcomes),
        index_text=wording.indexed(
            condition, labels.words(choice.action), labels.words(choice.then), "next decide",
            wording.typical_words(runs, view)[:8],
        ),
        confidence=confidence.confidence(proof.own_sessions, consistency, proof.times),
        strength=confidence.strength(proof.own_sessions, consistency),
        entities=tuple(sorted({choice.action, choice.then} - {wording.REPLY})),
        **proof.fields(),
    )  # fmt: skip


def _condition(choice: Choice) -> str:
    action = wording.code(choice.action)
    if choice.feature.startswith("!"):
        return f'{action} fails with "{choice.feature[1:]}"'
    if choice.feature == "empty":
        return f"{action} returns nothing"
    return f"{action} returns {choice.feature}"


def _do(then: str) -> str:
    return then if then == wording.REPLY else f"call {wording.code(then)}"


def _text(choice: Choice, condition: str, outcomes: tuple[int, int, int, int]) -> str:
    otherwise = wording.share(choice.effects - choice.hits, choice.total - len(choice.where))
    won, followed, other_won, other = outcomes
    told = f"; {won} of {followed} runs doing so succeeded" if won else ""
    told += f", {other_won} of {other} otherwise" if won and other else ""
    return (
        f"When {condition}, {_do(choice.then)} next. ({choice.hits} of {len(choice.where)} such "
        f"cases, {otherwise} in other cases{told})"
    )


def _part(turn: Turn) -> evidence.Part:
    """The situation, what was done next, and the verdict that is counted."""
    steps = turn.run.steps
    positions = {steps[turn.at].call, steps[turn.at].result, turn.run.outcome}
    if turn.then != wording.REPLY:
        positions.add(steps[turn.at + 1].call)
    return evidence.Part(
        turn.run.session.times[steps[turn.at].call],
        turn.run.session,
        sorted(positions - {-1}),
        turn.run.users,
    )
