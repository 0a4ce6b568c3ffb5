"""Playbooks: what to do when a tool fails in a known way.

Failures are put together by action and error template.  A recovery counts as one only in a run
that did not fail in the end: errors are often "recovered" in runs that never pass.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from hippocortex_engine.compiler import confidence, evidence, labels, wording
from hippocortex_engine.compiler.commands import UNREAD, is_command
from hippocortex_engine.compiler.corpus import Corpus, Params, View
from hippocortex_engine.compiler.model import Run, Step
from hippocortex_engine.compiler.ownership import NOBODY, Users
from hippocortex_engine.compiler.sequences import fixed_at
from hippocortex_engine.records import Candidate

_MAX_BETWEEN = 3
_MAX_SHOWN = 12
_MAX_RECOVERIES = 3
_MAX_STEPS = 4
_MOST = 0.5
_ENOUGH = 3
_RARELY = 0.25
_MAX_LONE = 5


class Failure(NamedTuple):
    """A call that failed, and how the same action later succeeded, if it did."""

    run: Run
    at: int
    fixed: int
    """Position of the later success among the run's steps, -1 if there is none."""


class Way(NamedTuple):
    """How a run got from a failure to success: what it did between, and changed in the call."""

    steps: tuple[str, ...]
    changed: tuple[str, ...]


def mine(corpus: Corpus, params: Params) -> list[Candidate]:
    """One playbook for each error of two sessions, or of one whose run recovered from it."""
    buckets: defaultdict[tuple[str, str], list[Failure]] = defaultdict(list)
    for run in corpus.runs:
        for at, step in enumerate(run.steps):
            if step.error:
                name = corpus.error_names[step.action, step.error]
                buckets[step.action, name].append(Failure(run, at, fixed_at(run, at)))
    kept = {key for key, failures in buckets.items() if _enough(failures, params)}
    kept.update(_lone({key: found for key, found in buckets.items() if key not in kept}))
    return [
        _playbook(action, error, failures, corpus)
        for (action, error), failures in sorted(buckets.items())
        if (action, error) in kept
    ]


def _lone(buckets: Mapping[tuple[str, str], Sequence[Failure]]) -> Iterator[tuple[str, str]]:
    """Errors that one run alone met and never got over: of each action the newest few of a user.

    They say little, but who meets one again should know that it is no accident.  Most failures
    of tools that fail in a thousand ways never come again: hence so few.  They are counted for
    each user apart, because nobody else is shown them.
    """
    newest: defaultdict[tuple[str, Users], list[tuple[int, str]]] = defaultdict(list)
    for (action, error), failures in buckets.items():
        last = failures[-1]
        users = NOBODY.union(*(failure.run.users for failure in failures))
        at = last.run.session.times[last.run.steps[last.at].call]
        newest[action, users].append((-at, error))
    for (action, _), found in newest.items():
        yield from ((action, error) for _, error in sorted(found)[:_MAX_LONE])


def _enough(failures: Sequence[Failure], params: Params) -> bool:
    if len({failure.run.session.id for failure in failures}) >= params.quorum:
        return True
    return any(failure.fixed >= 0 and failure.run.success is not False for failure in failures)


def _playbook(action: str, error: str, failures: Sequence[Failure], corpus: Corpus) -> Candidate:
    runs = list({id(failure.run): failure.run for failure in failures}.values())
    support = {**wording.support(runs), "occurrences": len(failures)}
    fixes = [f for f in failures if f.fixed >= 0 and f.run.success is not False]
    support["recovered"] = len({f.run.session.id for f in failures if f.fixed >= 0})
    proof = evidence.of_parts([_part(failure) for failure in failures])
    view = View(corpus, proof.users)
    exits = _exits(failures, view)
    content: dict[str, Any] = {
        "tool": action,
        "error": error,
        "symptoms": [f"{wording.code(action)} answers: {error}"],
        "root_causes": _causes(action, fixes, view),
        "recovery_steps": _recoveries(action, fixes, exits, view),
        "avoid": _avoid(action, failures, support),
        "applies_when": f"{wording.code(action)} fails with: {error}",
        "not_when": f"{wording.code(action)} fails with another error",
        "support": support,
    }
    return _candidate(content, proof, fixes, runs, view)


def _causes(action: str, fixes: Sequence[Failure], view: View) -> list[str]:
    """What the later success did otherwise, argument by argument."""
    differences: defaultdict[str, list[Run]] = defaultdict(list)
    for fix in fixes:
        found = _difference(fix.run.steps[fix.at], fix.run.steps[fix.fixed])
        for said in sorted(said for name, said in found if view.argument(action, name)):
            differences[said].append(fix.run)
    sessions = {said: len({r.session.id for r in runs}) for said, runs in differences.items()}
    total = len({fix.run.session.id for fix in fixes})
    ranked = sorted(sessions, key=lambda said: (-sessions[said], said))
    return [said for said in ranked if sessions[said] > _MOST * total][:2]


def _difference(failed: Step, worked: Step) -> set[tuple[str, str]]:
    if UNREAD in failed.args or UNREAD in worked.args:
        return set()
    missing = {(name, f"`{name}` was missing") for name in worked.args if name not in failed.args}
    surplus = {
        (name, f"`{name}` was not accepted") for name in failed.args if name not in worked.args
    }
    wrong = {
        (name, f"`{name}` had a wrong value")
        for name, value in failed.args.items()
        if name in worked.args and worked.args[name] != value
    }
    return missing | surplus | (wrong if not (missing or surplus) else set())


def _exits(failures: Sequence[Failure], view: View) -> list[tuple[int, int, str]]:
    """How runs went on without that action ever succeeding: (passed, judged, next action).

    Only ways that most of the judged runs passed with; best first.
    """
    ways: defaultdict[str, dict[str, bool]] = defaultdict(dict)
    for failure in failures:
        if failure.fixed < 0 and failure.run.success is not None:
            way = _way_out(failure)
            if way is None or view.action(way.action):
                told = f"go on with {wording.code(way.action)}" if way else wording.REPLY
                ways[told][failure.run.session.id] = failure.run.success
    counted = [(sum(ran.values()), len(ran), way) for way, ran in ways.items()]
    good = [found for found in counted if found[0] > _MOST * found[1]]
    return sorted(good, key=lambda found: (-found[0], found[1], found[2]))


def _way_out(failure: Failure) -> Step | None:
    """The step that a run went on with; None: it turned to the user."""
    steps = failure.run.steps
    if steps[failure.at].ends_turn:
        return None
    later = range(failure.at + 1, len(steps))
    return next((steps[at] for at in later if not steps[at].error), None)


def _recoveries(
    action: str, fixes: Sequence[Failure], exits: Sequence[tuple[int, int, str]], view: View
) -> list[str]:
    """Ways that led on, from passing runs where there are any."""
    passing = [fix for fix in fixes if fix.run.success]
    ways: defaultdict[Way, set[str]] = defaultdict(set)
    shapes: defaultdict[Way, Counter[Way]] = defaultdict(Counter)
    for fix in passing or fixes:
        way = Way(_between(fix, view), _changed(fix, view))
        silent = Way(tuple(step for step in way.steps if step != wording.REPLY), way.changed)
        shapes[silent][way] += 1
        ways[silent].add(fix.run.session.id)
    ranked = sorted(ways.items(), key=lambda item: (-len(item[1]), item[0]))
    total = len({fix.run.session.id for fix in passing or fixes})
    told = [
        f"{_retry(action, _most_common(shapes[way]))} ({len(sessions)} of {total})"
        for way, sessions in ranked[:_MAX_RECOVERIES]
    ]
    for won, judged, way in exits[:1]:
        told.append(f"{way} instead of insisting ({won} of {judged} such runs succeeded)")
    return told


def _most_common(ways: Counter[Way]) -> Way:
    return min(ways, key=lambda way: (-ways[way], way))


def _between(fix: Failure, view: View) -> tuple[str, ...]:
    """The distinct actions between failure and success."""
    failed = fix.run.steps[fix.at]
    way: dict[str, None] = {}
    for step in fix.run.steps[fix.at : fix.fixed]:
        if step.action != failed.action and step.error == "" and view.action(step.action):
            way[step.action] = None
        if step.ends_turn:
            way[wording.REPLY] = None
    return tuple(way)[:_MAX_BETWEEN]


def _changed(fix: Failure, view: View) -> tuple[str, ...]:
    """How the call that worked differed: `+given`, `-left out`, `=with another value`."""
    failed, worked = fix.run.steps[fix.at], fix.run.steps[fix.fixed]
    both = {**worked.args, **failed.args}
    if UNREAD in both:
        return ()
    names = [name for name in sorted(both) if view.argument(failed.action, name)]
    added = [f"+{name}" for name in names if name not in failed.args]
    dropped = [f"-{name}" for name in names if name not in worked.args]
    other = [
        f"={name}"
        for name in names
        if name in failed.args and name in worked.args and failed.args[name] != worked.args[name]
    ]
    if (added or dropped) and is_command(failed.action):
        other = []  # the whole line is another because of them
    return (*added, *dropped, *other)[:_MAX_STEPS]


def _retry(action: str, way: Way) -> str:
    again = f"call {wording.code(action)} again"
    for sign, how in (("+", "with"), ("-", "without"), ("=", "with another")):
        names = [f"`{one[1:]}`" for one in way.changed if one[0] == sign]
        again += f" {how} {wording.listed(names)}" if names else ""
    shown = [
        "check with the user" if step == wording.REPLY else wording.code(step) for step in way.steps
    ]
    return f"{', then '.join([*shown, again])}"


def _avoid(action: str, failures: Sequence[Failure], support: Mapping[str, int]) -> list[str]:
    told: list[str] = []
    same = sum(1 for failure in failures if _repeats(failure))
    if same:
        told.append(f"do not repeat the identical call (it failed again {wording.times(same)})")
    retried = {f.run.session.id: f.run.success for f in failures if f.fixed >= 0}
    judged = [success for success in retried.values() if success is not None]
    runs, won = wording.plural(len(judged), "run"), sum(judged)
    if judged and not won:
        told.append(
            f"retrying {wording.code(action)} until it goes through did not help: "
            f"it did in {runs}, none succeeded"
        )
    elif len(judged) >= _ENOUGH and won <= _RARELY * len(judged):
        told.append(f"getting it through is rarely enough ({won} of {runs} succeeded)")
    elif support["failed"] == support["sessions"]:
        told.append(f"none of {wording.plural(support['failed'], 'run')} succeeded after it")
    return told


def _repeats(failure: Failure) -> bool:
    steps = failure.run.steps
    failed = steps[failure.at]
    follower = steps[failure.at + 1] if failure.at + 1 < len(steps) else None
    return bool(
        follower
        and follower.error
        and follower.action == failed.action
        and follower.args == failed.args
        and "" not in failed.args.values()
    )


def _candidate(
    content: Mapping[str, Any],
    proof: evidence.Evidence,
    fixes: Sequence[Failure],
    runs: Sequence[Run],
    view: View,
) -> Candidate:
    action, error, support = content["tool"], content["error"], content["support"]
    helped = len({fix.run.session.id for fix in fixes})
    consistency = confidence.wilson_lower(helped, support["sessions"])
    name = wording.humanise(action)
    return Candidate(
        type="failure_playbook",
        key=f"{action}\n{error}",
        title=f"{wording.title(name)}: {error}",
        content=content,
        text=_text(content),
        index_text=wording.indexed(
            name,
            error,
            labels.words(action),
            "error fails failed",
            wording.typical_words(runs, view)[:8],
        ),
        confidence=confidence.confidence(support["sessions"], consistency, proof.times),
        strength=confidence.strength(support["sessions"], consistency),
        entities=tuple(sorted({action, error})),
        **proof.fields(),
    )


def _part(failure: Failure) -> evidence.Part:
    """The failing call, what led on from it, and the verdict that is counted."""
    run = failure.run
    failed = run.steps[failure.at]
    shown = [failed]
    if failure.fixed >= 0:
        between: dict[str, Step] = {}
        for step in run.steps[failure.at : failure.fixed]:
            if step.action != failed.action and step.error == "":
                between.setdefault(step.action, step)
        shown += [*list(between.values())[:_MAX_SHOWN], run.steps[failure.fixed]]
    elif (following := _way_out(failure)) is not None:
        shown.append(following)
    if _repeats(failure):
        shown.append(run.steps[failure.at + 1])
    positions = {at for step in shown for at in (step.call, step.result)} | {run.outcome}
    return evidence.Part(
        run.session.times[failed.call], run.session, sorted(positions - {-1}), run.users
    )


def _text(content: Mapping[str, Any]) -> str:
    parts = [f'When {wording.code(content["tool"])} fails with "{content["error"]}":']
    if content["root_causes"]:
        parts.append(f"likely {wording.listed(content['root_causes'])}.")
    if content["recovery_steps"]:
        parts.append(f"{wording.title('; '.join(content['recovery_steps']))}.")
    parts.extend(f"{wording.title(line)}." for line in content["avoid"])
    if not content["recovery_steps"] and not content["avoid"]:
        parts.append("no recovery was seen yet; check the arguments before calling it.")
    return " ".join([*parts, f"({_seen(content['support'])})"])


def _seen(support: Mapping[str, int]) -> str:
    if support["sessions"] == 1:
        return "seen once"
    runs = wording.plural(support["sessions"], "run")
    judged = support["passed"] + support["failed"]
    told = f", {support['passed']} succeeded" if judged else ""
    seen = wording.times(support["occurrences"])
    return f"{seen} in {runs}, {support['recovered']} recovered{told}"
