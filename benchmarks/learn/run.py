"""How good what is learned is: procedures, playbooks, causes, harm and economy, on real runs."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))

from plot import bars
from predicting import Follower, Nearest, Predictor, Procedure, order_f1
from report import Figure, arguments, report
from shown import write_best
from trajectories import Failure, Trajectory, load, split
from unrelated import queries

from hippocortex_core import SynthesizeOptions
from hippocortex_core.types import Artifact, SynthesisEntry
from hippocortex_engine import Engine, open_engine
from hippocortex_engine.tokens import TokenCounter

FOLDS, UNRELATED, SHUFFLES = 5, 200, 40
NOON = 1_800_000_000_000
PATTERNS = ("task_schema", "failure_playbook", "decision_policy", "causal_pattern")
HARMFUL = {"procedures", "failures", "decisions"}
PLOT = Path(__file__).parents[2] / "docs" / "images" / "learn.svg"

Scores = defaultdict[str, list[float]]


def learned(runs: Sequence[Trajectory], batch: int = 500) -> Engine:
    """A memory in RAM that has seen the runs."""
    engine = open_engine("sqlite://", clock=lambda: NOON)
    events = [event for run in runs for event in run.events]
    for start in range(0, len(events), batch):
        engine.capture_batch(events[start : start + batch])
    engine.learn()
    return engine


def artifacts(engine: Engine) -> dict[str, Artifact]:
    """All active artifacts by id."""
    found: list[Artifact] = []
    cursor = None
    while True:
        page = engine.list_artifacts(status="active", sort="createdAt", limit=100, cursor=cursor)
        found += page.artifacts
        cursor = page.pagination.cursor
        if cursor is None:
            return {one.id: one for one in found}


def asked(engine: Engine, query: str) -> list[SynthesisEntry]:
    return engine.synthesize(query, SynthesizeOptions(max_tokens=4_000)).entries


def returned(
    engine: Engine, known: dict[str, Artifact], query: str, section: str
) -> list[Artifact]:
    """The artifacts of a section of the pack, best first."""
    entries = [one for one in asked(engine, query) if one.section == section]
    return [known[one.provenance[0].source_id] for one in entries]


def procedures(
    engine: Engine, known: dict[str, Artifact], train: Sequence, held: Sequence, scores: Scores
) -> None:
    """Next-tool accuracy over all steps of the held-out runs that passed, and F1 of the plans."""
    runs = [run for run in held if run.passed]
    best = {
        run.name: next(iter(returned(engine, known, run.request, "procedures")), None)
        for run in runs
    }
    scores["returned"].append(statistics.mean(best[run.name] is not None for run in runs))

    def read(run: Trajectory, turns: bool) -> Predictor:
        found = best[run.name]
        return Procedure(found.content if found else None, turns)

    fixed = {
        "nearest run": Nearest(train),
        "follower": Follower([run for run in train if run.passed]),
        "follower, all runs": Follower(train),
        "follower, turns": Follower([run for run in train if run.passed], turns=True),
        "follower, turns, all runs": Follower(train, turns=True),
    }
    predictors = {name: lambda _, one=one: one for name, one in fixed.items()}
    predictors["procedure"] = lambda run: read(run, True)
    predictors["procedure, tools alone"] = lambda run: read(run, False)
    for name, predictor in predictors.items():
        hits = [
            predictor(run).next_tool(run, at) == tool
            for run in runs
            for at, tool in enumerate(run.tools)
        ]
        plans = [order_f1(predictor(run).plan(run), run.tools) for run in runs if run.tools]
        scores[f"next: {name}"].append(statistics.mean(hits))
        scores[f"f1: {name}"].append(statistics.mean(plans))


def failures(
    engine: Engine, known: dict[str, Artifact], train: Sequence, held: Sequence, scores: Scores
) -> None:
    """Is the playbook of a failing call found, and nothing but it?"""
    seen: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for run in train:
        for failure in run.failures:
            seen[failure.kind].add(run.name)
    for run in held:
        for failure in run.failures:
            found = returned(engine, known, failure.query, "failures")
            right = [one for one in found if _is_of(one, failure)]
            scores["playbooks returned"].append(len(found))
            scores["playbooks right"].append(len(right))
            if failure.kind in seen:
                scores["recall"].append(bool(right))
                scores["recall of the repeated"] += [bool(right)] * (len(seen[failure.kind]) > 1)
            told = " ".join(right[0].content["recovery_steps"]) if right else ""
            if told and run.passed and failure.then:
                scores["recovery"].append(f"`{failure.then}`" in told)
            elif told and failure.then:
                scores["recovery of the lost"].append(f"`{failure.then}`" in told)


def _is_of(playbook: Artifact, failure: Failure) -> bool:
    return (playbook.content["tool"], playbook.content["error"]) == failure.kind


def harm(engine: Engine, scores: Scores) -> None:
    """Artifacts that unrelated queries get."""
    for query in queries(UNRELATED):
        sections = {entry.section for entry in asked(engine, query)}
        scores["false positives"].append(not sections.isdisjoint(HARMFUL))


def causes(runs: Sequence[Trajectory], scores: Scores, shuffles: int) -> None:
    """Causes and policies from the rewards as they are, and from shuffled ones."""
    rng = random.Random(11)
    for turn in range(shuffles + 1):
        verdicts = [run.passed for run in runs]
        if turn:
            rng.shuffle(verdicts)
        engine = learned([_judged(run, v) for run, v in zip(runs, verdicts, strict=True)])
        found = [one.type for one in artifacts(engine).values()]
        engine.close()
        for kind in ("causal_pattern", "decision_policy"):
            scores[f"{kind} {'shuffled' if turn else 'found'}"].append(found.count(kind))


def _judged(run: Trajectory, passed: bool) -> Trajectory:
    events = tuple(
        replace(event, payload={"success": passed}) if event.type == "outcome" else event
        for event in run.events
    )
    return replace(run, events=events)


def economy(
    engine: Engine, known: dict[str, Artifact], runs: Sequence[Trajectory]
) -> tuple[float, float]:
    """Tokens of the trajectories per token of the patterns: as packs show them, as JSON."""
    counter = TokenCounter()
    raw = sum(counter.count_all([json.dumps(e.payload) for run in runs for e in run.events]))
    texts = {
        entry.provenance[0].source_id: entry.content
        for one in known.values()
        if one.type in PATTERNS
        for entry in asked(engine, one.title)
        if entry.provenance[0].source_type == "artifact"
    }
    contents = {one.id: json.dumps(one.content) for one in known.values() if one.type in PATTERNS}
    shown = [texts.get(name, content) for name, content in contents.items()]
    return raw / sum(counter.count_all(shown)), raw / sum(counter.count_all([*contents.values()]))


def fingerprint(runs: Sequence[Trajectory], batch: int) -> str:
    """What was learned and what packs say, as a hash."""
    engine = learned(runs, batch)
    known = artifacts(engine)
    patterns = sorted((one.id, json.dumps(one.content), one.confidence) for one in known.values())
    packs = [engine.synthesize(run.request).pack_id for run in runs[:20]]
    engine.close()
    return hashlib.sha256(json.dumps([patterns, packs]).encode()).hexdigest()


def steady(runs: Sequence[Trajectory], path: Path | None) -> bool:
    """Whether other batches, and another process with another hash seed, learn the same."""
    here = {fingerprint(runs, batch) for batch in (500, 37)}
    command = [sys.executable, __file__, "--fingerprint", *(["--data", str(path)] if path else [])]
    environment = {**os.environ, "PYTHONHASHSEED": "4711"}
    other = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return here == {other.stdout.strip()}


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--data", type=Path, help="tau-bench trajectories (default: see docs)")
    parser.add_argument("--seeds", type=int, default=3, help="shuffles of the tasks, each split")
    parser.add_argument("--first-seed", type=int, default=0, help="of the shuffles")
    parser.add_argument("--docs", action="store_true", help="refresh docs/learned.md and the plot")
    parser.add_argument("--fingerprint", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    runs, name = load(options.data)
    if options.fingerprint:
        print(fingerprint(runs, 500))
        return
    scores: Scores = defaultdict(list)
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        for train, held in split(runs, FOLDS, seed):
            engine = learned(train)
            known = artifacts(engine)
            procedures(engine, known, train, held, scores)
            failures(engine, known, train, held, scores)
            if seed == options.first_seed:
                harm(engine, scores)
            engine.close()
    causes(runs, scores, SHUFFLES)
    engine = learned(runs)
    known = artifacts(engine)
    shown, stored = economy(engine, known, runs)
    figures = [
        *_figures(scores),
        Figure("tokens of runs per token of patterns shown", shown, "x", 10),
    ]
    figures.append(Figure("tokens of runs per token of patterns as JSON", stored, "x", 10))
    figures.append(Figure("same in other batches and processes", steady(runs, options.data), "", 1))
    if options.docs:
        write_best(engine, known.values(), name)
        PLOT.parent.mkdir(exist_ok=True)
        PLOT.write_text(bars("Next-tool accuracy, held-out tasks", _plotted(scores)))
    engine.close()
    if not options.json:
        print(f"data: {name}, {len(runs)} runs, {sum(run.passed for run in runs)} passed; "
              f"{FOLDS} folds by task, {options.seeds} shuffles")  # fmt: skip
        _print_folds(scores)
    report("learn", figures, options.json)


def _figures(scores: Scores) -> Iterable[Figure]:
    mean = {name: statistics.mean(values) for name, values in scores.items() if values}
    better = max(mean["next: nearest run"], mean["next: follower"])
    for name in scores:
        if name.startswith(("next: ", "f1: ")):
            yield Figure(name, mean[name], "")
    alone, turns = mean["next: procedure, tools alone"], mean["next: procedure"]
    yield Figure("tools alone: procedure / better baseline", alone / better, "x", 1.2)
    yield Figure("with turns: procedure / better baseline", turns / better, "x", 1.2)
    equal = max(mean["next: nearest run"], mean["next: follower, turns"])
    yield Figure("with turns: procedure / baseline with turns", turns / equal, "x", 1.2)
    strongest = max(value for name, value in mean.items() if name.startswith("next: follower"))
    yield Figure("with turns: procedure / strongest follower", turns / strongest, "x")
    yield Figure("requests that got a procedure", mean["returned"], "")
    yield Figure("playbooks: recall, errors seen before", mean.get("recall", 0.0), "", 0.85)
    yield Figure("playbooks: recall, seen in two runs", mean.get("recall of the repeated", 0.0), "")
    right, every = sum(scores["playbooks right"]), sum(scores["playbooks returned"])
    yield Figure("playbooks: precision", right / every if every else 1.0, "", 0.9)
    yield Figure("playbooks: held-out passes that show a recovery", len(scores["recovery"]), "")
    yield Figure("playbooks: recovery names their next step", mean.get("recovery", 0.0), "")
    yield Figure(
        "playbooks: and that of runs that failed", mean.get("recovery of the lost", 0.0), ""
    )
    yield Figure("unrelated queries that got one", 100 * mean["false positives"], "%", 2, True)
    found = sum(sum(scores[f"{kind} found"]) for kind in ("causal_pattern", "decision_policy"))
    for kind in ("causal_pattern", "decision_policy"):
        yield Figure(f"{kind}: found", mean[f"{kind} found"], "")
        yield Figure(f"{kind}: found with shuffled rewards", mean[f"{kind} shuffled"], "")
    chance = mean["causal_pattern shuffled"] + mean["decision_policy shuffled"]
    yield Figure("found by chance", 100 * chance / max(1, found), "%", 5, True)


def _plotted(scores: Scores) -> list[tuple[str, float, float, float]]:
    names = [name for name in scores if name.startswith("next: ")]
    return [
        (name[6:], statistics.mean(scores[name]), min(scores[name]), max(scores[name]))
        for name in names
    ]


def _print_folds(scores: Scores) -> None:
    print(f"  {'next-tool accuracy, fold by fold':<36}")
    for name, values in scores.items():
        if name.startswith("next: "):
            print(f"    {name[6:]:<26}" + " ".join(f"{value:.2f}" for value in values))


if __name__ == "__main__":
    main()
