"""Procedures: how runs that ended well did a task.

Runs are grouped by what they achieved, the last action that changed something (a run that only
read is grouped by its last look-up), which does not depend on the order in which runs arrive.
Steps come from runs that passed; unlabelled runs count half; failed runs teach only by contrast
(Agent Workflow Memory, Wang et al. 2024, learns from successes; ReasoningBank, 2025, adds the
contrast).  The order of steps is the one most runs agree on, pair by pair (Copeland).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from hippocortex_engine.compiler import confidence, evidence, labels, wording
from hippocortex_engine.compiler.contrast import Finding, contrast
from hippocortex_engine.compiler.corpus import Corpus, Params, View
from hippocortex_engine.compiler.model import Run
from hippocortex_engine.compiler.sequences import Consensus
from hippocortex_engine.compiler.steps import Details
from hippocortex_engine.records import Candidate

LOOK_UP = "?"
_LOOKED_AT = 64
_MAX_SIBLINGS = 3


def mine(corpus: Corpus, params: Params) -> list[Candidate]:
    """One procedure for each task done in two sessions, or once with explicit success."""
    tasks: defaultdict[str, list[Run]] = defaultdict(list)
    for run in corpus.runs:
        tasks[goal(run)].append(run)
    alike = _Alike(tasks)
    found = (_schema(task, runs, alike, corpus, params) for task, runs in sorted(tasks.items()))
    return [candidate for candidate in found if candidate is not None]


class _Alike:
    """Tasks whose names share a word, such as cancelling and changing an order."""

    def __init__(self, tasks: Mapping[str, list[Run]]) -> None:
        self._by_word: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
        for task, runs in tasks.items():
            if task[0] != LOOK_UP:
                for word in set(labels.words(task)[1:]):
                    self._by_word[word].append((-len(runs), task))
        for known in self._by_word.values():
            known.sort()

    def siblings(self, task: str, view: View) -> list[str]:
        """The most frequent tasks that this one is easily taken for."""
        found: set[tuple[int, str]] = set()
        for word in set(labels.words(task)[1:]):
            others = (
                known for known in self._by_word[word] if known[1] != task and view.action(known[1])
            )
            found.update(islice(others, _MAX_SIBLINGS))
        return [other for _, other in sorted(found)[:_MAX_SIBLINGS]]


def goal(run: Run) -> str:
    """What a run achieved: its last action that changed something, else its last look-up."""
    last = ""
    for step in reversed(run.steps):
        if step.effect and not step.error:
            return step.action
        if not last and not step.error and step.features != ["empty"]:
            last = step.action
    return LOOK_UP + (last or run.steps[-1].action)


def _schema(
    task: str, runs: Sequence[Run], alike: _Alike, corpus: Corpus, params: Params
) -> Candidate | None:
    good = [run for run in runs if run.success is not False]
    passed = any(run.success for run in good)
    if len({run.session.id for run in good}) < params.quorum and not passed:
        return None
    view = corpus.view(runs)
    consensus = Consensus(good, params, view)
    if not consensus.steps:
        return None
    findings = contrast(runs, corpus, params)
    content = _content(task, good, consensus, findings, view)
    content["not_when"] = _not_when(findings, alike.siblings(task, view))
    content["support"] = wording.support(runs)
    return _candidate(task, content, good, runs, corpus)


def _content(
    task: str,
    good: Sequence[Run],
    consensus: Consensus,
    findings: Sequence[Finding],
    view: View,
) -> dict[str, Any]:
    corpus = view.corpus
    recent = sorted(good, key=lambda run: (run.ended_at, run.session.place))[-_LOOKED_AT:]
    details = Details(recent, consensus, view)
    typical = wording.typical_words(good, corpus)[:6]
    return {
        "task": _name(task),
        "steps": details.steps(),
        "preconditions": details.preconditions(),
        "postconditions": details.postconditions(task.removeprefix(LOOK_UP)),
        "variations": details.variations(),
        "helps": [finding.text for finding in findings if finding.helps],
        "applies_when": _applies(task, typical),
        "next": consensus.followers(),
    }


def _name(task: str) -> str:
    action = task.removeprefix(LOOK_UP)
    name = wording.humanise(action)
    if action == task:
        return name
    verb, _, rest = name.partition(" ")
    return f"look up {rest}" if rest and labels.only_reads(verb) else name


def _applies(task: str, typical: Sequence[str]) -> str:
    words = f" (typical words: {', '.join(typical)})" if typical else ""
    if task.startswith(LOOK_UP):
        return f"the request only needs information{words}"
    return f"the request is to {_name(task)}{words}"


def _not_when(findings: Sequence[Finding], siblings: Sequence[str]) -> list[str]:
    """What the failures say; then the tasks that this one is easily taken for."""
    told = [finding.text for finding in findings if not finding.helps]
    names = [_name(other) for other in siblings]
    if names:
        return [*told, f"the request is to {wording.listed(names, 'or')} instead"]
    return [*told, "the request asks for something else"]


def _candidate(
    task: str, content: dict[str, Any], good: Sequence[Run], runs: Sequence[Run], corpus: Corpus
) -> Candidate:
    proof = evidence.of_runs(good, [run for run in runs if run.success is False])
    counts = content["support"]
    judged = counts["passed"] + counts["failed"]
    models = proof.own_sessions
    consistency = confidence.wilson_lower(counts["passed"], judged) if judged else 0.5
    actions = [step["tool"] for step in content["steps"]]
    title = wording.title(content["task"])
    return Candidate(
        type="task_schema",
        key=task,
        title=title,
        content=content,
        text=_text(content),
        index_text=wording.indexed(
            title.lower(),
            wording.typical_words(runs, corpus),
            (word for action in actions for word in labels.words(action)),
        ),
        confidence=confidence.confidence(models, consistency, proof.times),
        strength=confidence.strength(models, consistency),
        entities=tuple(sorted(set(actions))),
        **proof.fields(),
    )


def _text(content: Mapping[str, Any]) -> str:
    steps = " ".join(f"{n}. {step['text']}" for n, step in enumerate(content["steps"], 1))
    parts = [f"To {content['task']}: {steps}"]
    if content["preconditions"]:
        parts.append(f"Needs from the user: {wording.listed(content['preconditions'])}.")
    if content["postconditions"]:
        parts.append(f"Done when {wording.listed(content['postconditions'])}.")
    if content["variations"]:
        parts.append(f"Sometimes also {wording.listed(content['variations'])}.")
    parts.extend(f"It goes better when {line}." for line in content["helps"])
    parts.append(f"Not when {'; or when '.join(content['not_when'])}.")
    return " ".join([*parts, wording.supported(content["support"])])
