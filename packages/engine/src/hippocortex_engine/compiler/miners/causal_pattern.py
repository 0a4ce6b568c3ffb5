"""Causes: what goes before failures more often than chance allows.

Two levels: a property of a call against the failure of that call, and a property of a run
against its outcome.  Each is an association rule, tested by Fisher's exact test; the false
discovery rate is held over the whole family (Benjamini & Hochberg 1995).  Of explanations that
cover the same cases, the strongest and most general stays.
"""

from __future__ import annotations

from collections.abc import Sequence

from hippocortex_engine.compiler import confidence, evidence, labels, wording
from hippocortex_engine.compiler.causes import FAILS, Case, Rule, call_rules, run_rules
from hippocortex_engine.compiler.corpus import Corpus, Params, View
from hippocortex_engine.compiler.model import Step
from hippocortex_engine.compiler.ownership import audience
from hippocortex_engine.compiler.statistics import benjamini_hochberg, fisher_greater, lift
from hippocortex_engine.records import Candidate

_SAME_CASES = 0.6
_HALF = 0.5
_MAX_FOUND = 40
_EFFECT_RATE = 0.3
_AFFECTED_SHARE = 0.05


def mine(corpus: Corpus, params: Params) -> list[Candidate]:
    """The causes that stay significant over the whole family of tests."""
    tested = [
        rule
        for rule in (*call_rules(corpus, params), *run_rules(corpus, params))
        if _testable(rule, params)
    ]
    adjusted = benjamini_hochberg([rule.p_value for rule in tested])
    significant = [
        rule._replace(p_value=p_value)
        for rule, p_value in zip(tested, adjusted, strict=True)
        if p_value <= params.false_discovery
        and _worth_telling(rule, params)
        and _may_be_told(rule, corpus)
    ]
    return [_candidate(rule) for rule in _distinct(significant)]


def _testable(rule: Rule, params: Params) -> bool:
    """Whether the rule could be significant at all, whatever was observed (Tarone 1990).

    What cannot be found does not belong to the family that the correction is paid for.
    """
    most = min(rule.exposed, rule.effects)
    best = fisher_greater(most, rule.exposed, rule.effects, rule.total)
    return best <= params.false_discovery


def _worth_telling(rule: Rule, params: Params) -> bool:
    ratio = lift(rule.hits, rule.exposed, rule.effects, rule.total)
    affected = [case.run for case in rule.cases if case.effect]
    sessions = {run.session.id for run in affected}
    cases = {run.session.case for run in affected}
    return (
        (ratio >= params.min_lift or _spares_few(rule, params))
        and len(cases) >= params.quorum
        and len(sessions) >= params.min_support
        and rule.hits >= max(_EFFECT_RATE * rule.exposed, _AFFECTED_SHARE * rule.effects)
    )


def _may_be_told(rule: Rule, corpus: Corpus) -> bool:
    """Whether those who will see the pattern may see all that it names.

    What all its cases have in common they may see; what these lack, others have.
    """
    kind, first = rule.cause[0], rule.cause[1]
    view = View(corpus, audience(case.users for case in rule.cases))
    if kind == "value":
        return view.usual_in([case.run for case in rule.cases if case.effect])
    if kind == "missing":
        return view.argument(rule.cause[-1], first)
    return kind not in {"without", "lacks"} or view.action(first)


def _spares_few(rule: Rule, params: Params) -> bool:
    """Where most fail anyway no lift can be high; then few of the exposed must escape."""
    spared = (rule.exposed - rule.hits) / rule.exposed
    usual = (rule.total - rule.effects) / rule.total
    return rule.effect == FAILS and usual < _HALF and spared * params.min_lift * 2 <= usual


def _distinct(rules: Sequence[Rule]) -> list[Rule]:
    """The strongest of those that explain the same cases."""
    kept: list[tuple[Rule, set[tuple[int, int]]]] = []
    for rule in sorted(rules, key=lambda r: (r.p_value, -r.exposed, r.cause, r.effect)):
        cases = {(id(case.run), case.at) for case in rule.cases if case.effect}
        same = any(
            rule.effect == other.effect
            and len(cases & covered) >= _SAME_CASES * min(len(cases), len(covered))
            for other, covered in kept
        )
        if not same and len(kept) < _MAX_FOUND:
            kept.append((rule, cases))
    return [rule for rule, _ in kept]


def _candidate(rule: Rule) -> Candidate:
    affected = [_part(rule, case) for case in rule.cases if case.effect]
    proof = evidence.of_parts(
        affected, [_part(rule, case) for case in rule.cases if not case.effect]
    )
    cause, mitigation = _worded(rule.cause)
    base = rule.effects / rule.total
    consistency = confidence.wilson_lower(rule.hits, rule.exposed)
    content = {
        "cause": cause,
        "effect": rule.effect,
        "frequency": f"{rule.hits} of {rule.exposed}",
        "mitigation": mitigation,
        "base_rate": round(base, 6),
        "lift": round(lift(rule.hits, rule.exposed, rule.effects, rule.total), 3),
        "p_value": float(f"{rule.p_value:.3g}"),
        "support": {
            "sessions": proof.own_sessions, "hits": rule.hits,
            "exposed": rule.exposed, "total": rule.total,
        },
    }  # fmt: skip
    actions = [part for part in rule.cause[1:] if part]
    text = (
        f"When {cause}, {rule.effect} in {rule.hits} of {rule.exposed} cases "
        f"({wording.share(rule.hits, rule.exposed)}, otherwise "
        f"{wording.share(rule.effects - rule.hits, rule.total - rule.exposed)})."
    )
    return Candidate(
        type="causal_pattern",
        key="\n".join((*rule.cause, rule.effect)),
        title=wording.title(f"{cause}: {rule.effect}"),
        content=content,
        text=" ".join(filter(None, [text, mitigation, f"(p = {content['p_value']:.2g})"])),
        index_text=wording.indexed(
            cause, rule.effect, "why cause", (w for a in actions for w in labels.words(a))
        ),
        confidence=confidence.confidence(proof.own_sessions, consistency, proof.times),
        strength=confidence.strength(proof.own_sessions, consistency),
        entities=tuple(sorted({rule.cause[-1]} if rule.cause[0] != "error" else set(actions))),
        **proof.fields(),
    )


def _part(rule: Rule, case: Case) -> evidence.Part:
    """The events that show a case: what was called, or asked and judged, and the cause."""
    steps = case.run.steps
    if case.at >= 0:
        shown = [steps[case.at]]
        if rule.cause[0] == "repeat":
            shown.insert(0, steps[case.at - 1])
        at, found = case.run.session.times[shown[-1].call], _events(shown)
    else:
        found = {case.run.outcome}
        for run in case.runs:
            telling = [step for step in run.steps if _tells(step, rule.cause)]
            if telling or run is case.run:
                found |= {run.request, *_events(telling)}
        at = case.run.ended_at
    return evidence.Part(at, case.run.session, sorted(found - {-1}), case.users)


def _tells(step: Step, cause: tuple[str, ...]) -> bool:
    kind, action = cause[:2]
    return step.action == action and (kind == "uses" or (kind == "error" and bool(step.error)))


def _events(steps: Sequence[Step]) -> set[int]:
    return {at for step in steps for at in (step.call, step.result)}


def _worded(cause: tuple[str, ...]) -> tuple[str, str]:
    """The cause in words, and what to do about it."""
    kind, *rest = cause
    action = wording.code(rest[-1])
    first = rest[0]
    return {
        "missing": lambda: (f"{action} is called without `{first}`", f"Give `{first}`."),
        "given": lambda: (f"{action} is called with `{first}`", f"Leave `{first}` out."),
        "value": lambda: (
            f"{action} is called with {first}={rest[1]}", f"Use another `{first}`.",
        ),
        "without": lambda: (
            f"{action} is called before {wording.code(first)}",
            f"Call {wording.code(first)} first.",
        ),
        "repeat": lambda: (
            f"a failed {action} is repeated unchanged", "Change the call before repeating it.",
        ),
        "uses": lambda: (f"{action} is used", f"Check that {action} is really called for."),
        "lacks": lambda: (f"{action} is not used", f"Consider {action}."),
        "error": lambda: (
            f'{wording.code(first)} has failed with "{rest[-1]}"',
            "Reconsider the plan instead of forcing the call through.",
        ),
    }[kind]()  # fmt: skip
