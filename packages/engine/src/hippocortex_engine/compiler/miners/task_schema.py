"""Procedures: how runs that ended well did a task.

Runs are grouped by what they achieved, the last action that changed something (a run that only
read is grouped by its last look-up), which does not depend on the order in which runs arrive.
Steps come from runs that passed; unlabelled runs count half; failed runs teach only by contrast
(Agent Workflow Memory, Wang et al. 2024, learns from successes; ReasoningBank, 2025, adds the
contrast).  The order of steps is the one most runs agree on, pair by pair (Copeland).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from hippocortex_engine.compiler import confidence, evidence, labels, wording
from hippocortex_engine.compiler.contrast import Finding, contrast
from hippocortex_engine.compiler.corpus import Corpus, Params, View
from hippocortex_engine.compiler.model import Run
from hippocortex_engine.compiler.sequences import Consensus
from hippocortex_engine.compiler.steps import Details
from hippocortex_engine.compiler.subtasks import divide
from hippocortex_engine.compiler.transitions import Transitions, table
from hippocortex_engine.records import Candidate

LOOK_UP = "?"
_LOOKED_AT = 64
_FOLLOWED = 500
_MAX_SIBLINGS = 3


def mine(corpus: Corpus, params: Params) -> list[Candidate]:
    """One procedure for each task that two sessions did without failing.

    However often one session did it, that is one case: another may differ in just what matters.
    """
    tasks: defaultdict[str, list[Run]] = defaultdict(list)
    for run in corpus.runs:
        tasks[goal(run)].append(run)
    alike = _Alike(tasks)
    common = _common(tasks, corpus)
    wanted = [
        one
        for task, runs in sorted(tasks.items())
        for one in (Task(task, runs), *_parts(task, runs, params))
    ]
    found = (_schema(one, alike, common, corpus, params) for one in wanted)
    return [candidate for candidate in found if candidate is not None]


class Task(NamedTuple):
    """What runs achieved.  `besides`: what they did on the way that others did not.

    `others`: what others did that these did not; both are () for a task as a whole, which `part`
    tells from a part of it.
    """

    goal: str
    runs: Sequence[Run]
    besides: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    part: bool = False

    def ordered(self, steps: Sequence[str]) -> Task:
        """With what was done besides in the order in which it is done."""
        order = {action: at for at, action in enumerate(steps)}
        besides = sorted(self.besides, key=lambda action: (order.get(action, len(order)), action))
        return self._replace(besides=tuple(besides))

    @property
    def key(self) -> str:
        """What identifies it."""
        return "\n".join((self.goal, *(sorted(self.besides) or ("-",)))) if self.part else self.goal


def _parts(task: str, runs: Sequence[Run], params: Params) -> Iterator[Task]:
    if task.startswith(LOOK_UP):
        return
    divided = divide(_newest(runs, _FOLLOWED), params)
    every = {action for actions in divided for action in actions}
    for actions, found in divided.items():
        yield Task(task, found, actions, tuple(sorted(every.difference(actions))), part=True)


def _common(tasks: Mapping[str, Sequence[Run]], corpus: Corpus) -> Transitions:
    """What follows what in the newest runs of all tasks."""
    wanted = {id(run) for runs in tasks.values() for run in _newest(runs, _FOLLOWED)}
    return Transitions(run for run in corpus.runs if id(run) in wanted)


def _newest(runs: Sequence[Run], count: int) -> Sequence[Run]:
    """The newest runs, in the order they are in."""
    if len(runs) <= count:
        return runs
    order = sorted(range(len(runs)), key=lambda at: (runs[at].ended_at, runs[at].session.place, at))
    return [runs[at] for at in sorted(order[-count:])]


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
    task: Task, alike: _Alike, common: Transitions, corpus: Corpus, params: Params
) -> Candidate | None:
    runs = task.runs
    good = [run for run in runs if run.success is not False]
    if len({run.session.id for run in good}) < params.quorum:
        return None
    view = corpus.view(runs)
    consensus = Consensus(good, params, view)
    if not consensus.steps:
        return None
    task = task.ordered(consensus.steps)
    findings = contrast(runs, view, params)
    content = _content(task, good, consensus, findings, view)
    content["not_when"] = _not_when(
        task, findings, alike.siblings(task.goal, view), wording.typical_words(good, view), view
    )
    own = Transitions(_newest(runs, _FOLLOWED))
    content["next"] = table(own.at_once, common.at_once, view, params)
    content["after_reply"] = table(own.after_reply, common.after_reply, view, params)
    content["support"] = wording.support(runs)
    return _candidate(task, content, good, runs, view)


def _content(
    task: Task,
    good: Sequence[Run],
    consensus: Consensus,
    findings: Sequence[Finding],
    view: View,
) -> dict[str, Any]:
    recent = sorted(good, key=lambda run: (run.ended_at, run.session.place))[-_LOOKED_AT:]
    details = Details(recent, consensus, view)
    typical = wording.typical_words(good, view)[:6]
    return {
        "task": _named(task, view),
        "steps": details.steps(),
        "preconditions": details.preconditions(),
        "postconditions": details.postconditions(task.goal.removeprefix(LOOK_UP)),
        "variations": details.variations(),
        "on_failure": details.on_failure(),
        "helps": [finding.text for finding in findings if finding.helps],
        "applies_when": _applies(task, _named(task, view), typical),
    }


def _name(task: str) -> str:
    action = task.removeprefix(LOOK_UP)
    name = wording.humanise(action)
    if action == task:
        return name
    verb, _, rest = name.partition(" ")
    return f"look up {rest}" if rest and labels.only_reads(verb) else name


def _named(task: Task, view: View) -> str:
    """`heat, then put`; `put without heat or cool`."""
    besides = [wording.humanise(action) for action in task.besides if view.action(action)]
    others = [wording.humanise(action) for action in task.others if view.action(action)]
    if besides:
        return f"{wording.listed(besides[:_MAX_SIBLINGS])}, then {_name(task.goal)}"
    without = f" without {wording.listed(others[:_MAX_SIBLINGS], 'or')}" if others else ""
    return f"{_name(task.goal)}{without}"


def _applies(task: Task, name: str, typical: Sequence[str]) -> str:
    words = f" (typical words: {', '.join(typical)})" if typical else ""
    if task.goal.startswith(LOOK_UP):
        return f"the request only needs information{words}"
    return f"the request is to {name}{words}"


def _not_when(
    task: Task,
    findings: Sequence[Finding],
    siblings: Sequence[str],
    typical: Sequence[str],
    view: View,
) -> list[str]:
    """What the failures say; then the tasks that this one is easily taken for."""
    told = [finding.text for finding in findings if not finding.helps]
    others = [wording.code(action) for action in task.others if view.action(action)]
    if others and task.besides:
        told.append(f"the request needs {wording.listed(others[:_MAX_SIBLINGS], 'or')}")
    names = [_name(other) for other in siblings]
    if names:
        return [*told, f"the request is to {wording.listed(names, 'or')} instead"]
    if others and task.besides:
        return told
    if typical:
        return [*told, f"the request is not about {wording.listed(typical[:_MAX_SIBLINGS], 'or')}"]
    return [*told, "the request asks for something else"]


def _candidate(
    task: Task, content: dict[str, Any], good: Sequence[Run], runs: Sequence[Run], view: View
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
        key=task.key,
        title=title,
        content=content,
        text=_text(content),
        index_text=wording.indexed(
            title.lower(),
            wording.typical_words(runs, view),
            wording.common_words(runs, view),
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
    parts.extend(f"If {line}." for line in content["on_failure"])
    parts.extend(f"It goes better when {line}." for line in content["helps"])
    parts.append(f"Not when {'; or when '.join(content['not_when'])}.")
    return " ".join([*parts, wording.supported(content["support"])])
