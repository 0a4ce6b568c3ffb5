"""The details of a procedure's steps: arguments, where they come from, repetition, results."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from hippocortex_engine.compiler import wording
from hippocortex_engine.compiler.commands import is_command, with_options
from hippocortex_engine.compiler.corpus import FEW, View
from hippocortex_engine.compiler.model import USER, Run, Step
from hippocortex_engine.compiler.sequences import Consensus, recoveries

_MOST = 0.5
_NEARLY_ALL = 0.8
_MAX_ARGS = 4
_MAX_CONDITIONS = 4
_LONG_CONSTANT = 30
_MAX_RECOVERIES = 2


class Details:
    """Looks at the calls of a task's runs, action by action."""

    def __init__(self, runs: Sequence[Run], consensus: Consensus, view: View) -> None:
        self._runs = runs
        self._consensus = consensus
        self._view = view
        self._corpus = view.corpus
        self._calls: defaultdict[str, list[tuple[Run, Step]]] = defaultdict(list)
        for run in runs:
            for step in run.steps:
                if not step.error:
                    self._calls[step.action].append((run, step))

    def steps(self) -> list[dict[str, Any]]:
        """The common steps in order, each with how often, its arguments and its wording."""
        return [self._step(action) for action in self._consensus.steps]

    def variations(self) -> list[str]:
        """Optional steps, and in how many of the runs they were taken."""
        total = len(self._runs)
        told: list[str] = []
        for action in self._consensus.variations:
            hits = len({id(run) for run, _ in self._calls[action]})
            if hits:
                told.append(f"{wording.code(action)} ({hits} of {total})")
        return told

    def preconditions(self) -> list[str]:
        """What the user has to have said: arguments that mostly come from the user's words."""
        found: dict[str, None] = {}
        for action in self._consensus.steps:
            for name, origin in self._origins(action).items():
                if origin == USER:
                    found[name] = None
        return [f"`{name}`" for name in list(found)[:_MAX_CONDITIONS]]

    def postconditions(self, action: str) -> list[str]:
        """What the decisive action nearly always returns; nothing for a look-up."""
        if not any(step.effect for _, step in self._calls[action]):
            return []
        calls = self._calls[action]
        counts: Counter[str] = Counter()
        owners: defaultdict[str, list[Run]] = defaultdict(list)
        for run in self._runs:
            # What an earlier result showed already was not brought about by this step.
            known: set[str] = set()
            for step in run.steps:
                if step.action == action and not step.error:
                    for feature in sorted(set(step.features) - known):
                        counts[feature] += 1
                        owners[feature].append(run)
                known.update(step.features)
        stable = [
            feature
            for feature, hits in sorted(counts.items())
            if hits >= _NEARLY_ALL * len(calls) and self._telling(feature, owners[feature])
        ]
        return [f"{wording.code(action)} returns {feature}" for feature in stable[:2]]

    def _telling(self, feature: str, owners: list[Run]) -> bool:
        return (
            feature != "empty"
            and not feature.endswith(("=null", "=[]"))
            and self._view.usual_in(owners)
        )

    def _step(self, action: str) -> dict[str, Any]:
        constants = self._constants(action)
        origins = self._origins(action)
        step: dict[str, Any] = {
            "tool": action,
            "share": round(self._consensus.shares[action], 3),
            "times": self._consensus.times[action],
            "args": constants,
            "from": origins,
            "each": self._repeated(action),
            "ask": self._asked_for(action),
        }
        step["text"] = _step_text(step)
        return step

    def _asked_for(self, action: str) -> bool:
        """Whether runs mostly let the user answer right before they change something."""
        after = [
            bool(run.steps[at - 1].ends_turn)
            for run in self._runs
            for at, step in enumerate(run.steps)
            if at and step.action == action and step.effect and not step.error
        ]
        return len(after) >= FEW and sum(after) > _MOST * len(after)

    def on_failure(self) -> list[str]:
        """What runs did when a step failed, before they tried it again."""
        told = {*self._consensus.steps, *self._consensus.variations}
        met: defaultdict[tuple[str, str, str], list[Run]] = defaultdict(list)
        for run in self._runs:
            for action, (at, _) in recoveries(run).items():
                failed = run.steps[at]
                if action in self._consensus.steps or failed.action not in told:
                    continue
                error = self._corpus.error_names[failed.action, failed.error or ""]
                met[failed.action, error, action].append(run)
        # An error's text may tell of the one user who met it.
        shown = {known: runs for known, runs in met.items() if self._view.seen_in(runs)}
        ranked = sorted(
            (-len({run.session.id for run in runs}), known) for known, runs in shown.items()
        )
        return [
            f'{wording.code(failed)} fails with "{error}": {wording.code(action)} '
            f"before the next try ({wording.plural(-count, 'run')})"
            for count, (failed, error, action) in ranked
            if -count >= FEW and self._view.action(failed) and self._view.action(action)
        ][:_MAX_RECOVERIES]

    def _constants(self, action: str) -> dict[str, str]:
        """Argument values that nearly every call gives, whoever asks for it."""
        calls = self._calls[action]
        given = self._origins(action)
        values: defaultdict[tuple[str, str], list[Run]] = defaultdict(list)
        for run, step in calls:
            for name, value in step.args.items():
                values[name, value].append(run)
        return {
            name: value
            for (name, value), owners in sorted(values.items())
            if 0 < len(value) <= _LONG_CONSTANT
            and value not in {"null", "[]"}
            and name not in given
            and f"'{value}'" not in action
            and self._view.argument(action, name)
            and len({id(owner) for owner in owners}) > FEW
            and len(owners) >= _NEARLY_ALL * len(calls)
            and self._view.usual_in(owners)
        }

    def _origins(self, action: str) -> dict[str, str]:
        """Where the values of each argument mostly come from."""
        calls = self._calls[action]
        counts: Counter[tuple[str, str]] = Counter()
        for _, step in calls:
            counts.update(step.origins.items())
        found: dict[str, str] = {}
        for (name, origin), hits in sorted(counts.items(), key=lambda kv: (-kv[1], kv[0])):
            known = origin == USER or self._view.action(origin)
            if hits > _MOST * len(calls) and known and self._view.argument(action, name):
                found.setdefault(name, origin)
        return dict(sorted(found.items())[:_MAX_ARGS])

    def _repeated(self, action: str) -> str:
        """The argument that varies where most runs call an action several times, else ""."""
        calls: defaultdict[int, list[Step]] = defaultdict(list)
        for run, step in self._calls[action]:
            calls[id(run)].append(step)
        several = [steps for steps in calls.values() if len(steps) >= FEW]
        if len(several) <= _MOST * len(calls):
            return ""
        varying = Counter(
            name
            for steps in several
            for name in _varying(steps)
            if self._view.argument(steps[0].action, name)
        )
        best = sorted(varying.items(), key=lambda item: (-item[1], item[0]))
        return best[0][0] if best else ""


def _varying(steps: Sequence[Step]) -> Iterator[str]:
    for name in steps[0].args:
        if len({step.args.get(name) for step in steps}) >= FEW:
            yield name


def _step_text(step: dict[str, Any]) -> str:
    """`search(cabin=economy), once per date, user_id from get_user`."""
    args = ", ".join(f"{name}={value}" for name, value in list(step["args"].items())[:_MAX_ARGS])
    name = step["tool"].removeprefix("$ ")
    call = f"`{name}({args})`" if args else f"`{name}`"
    if is_command(step["tool"]):
        call = f"`{step['args'].get('command') or with_options(name, step['args'])}`"
    notes: list[str] = []
    if step["each"]:
        notes.append(f"once per {step['each']}")
    elif step["times"] > 1:
        notes.append(f"usually {wording.times(step['times'])}")
    if step["ask"]:
        notes.append("after the user has agreed")
    sources: defaultdict[str, list[str]] = defaultdict(list)
    for name, origin in step["from"].items():
        if name not in step["args"] and origin not in {USER, step["tool"]}:
            sources[origin].append(name)
    notes += [f"{wording.listed(names)} from `{source}`" for source, names in sources.items()]
    return f"{call} ({'; '.join(notes)})." if notes else f"{call}."
