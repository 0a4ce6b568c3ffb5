"""How much of the evidence for a question is recalled: LoCoMo, beside other memories.

Every turn is captured as a message (its session, its date); each question of the categories 1 to
4 goes to `synthesize`.  The same turns go to BM25, to the same embedder alone, to their plain
hybrid, to LangGraph's InMemoryStore, to Chroma and to mem0, each in an environment of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
from bars import bars
from locomo import CATEGORIES, Conversation, load
from report import Figure, arguments, percentile, report

from hippocortex_core import CaptureEvent, SynthesizeOptions
from hippocortex_core.render import render_entry
from hippocortex_engine import Engine, open_engine
from hippocortex_engine.embeddings.static import StaticEmbedder
from hippocortex_engine.times import day, milliseconds
from hippocortex_engine.tokens import TokenCounter

DATA = Path(__file__).parents[2] / "../shared/data/locomo/locomo5.json"
BUDGETS = (500, 1_000, 2_000)
FIRST = 10
OURS, LEARNED = "hippocortex", "hippocortex, learned"

NUMPY = "numpy>=2"
PEERS: dict[str, tuple[str, list[str]]] = {
    "bm25": ("BM25 (bm25s)", ["bm25s==0.3.16", "PyStemmer==3.1.0", NUMPY]),
    "embedder": ("same embedder alone", [NUMPY]),
    "hybrid": ("BM25 + embedder", ["bm25s==0.3.16", "PyStemmer==3.1.0", NUMPY]),
    "langgraph": ("LangGraph InMemoryStore", ["langgraph==1.2.22", NUMPY]),
    "chroma": ("Chroma", ["chromadb==1.5.9", NUMPY]),
    "mem0": ("mem0, infer=False", ["mem0ai==2.2.1", "fastembed==0.9.1", NUMPY]),
}
"""Name to what it is called and what its environment holds."""

_UV = ("uv", "run", "-q", "--no-project", "--isolated", "--python")


@dataclass
class Result:
    """What a system found: shares of evidence by category, tokens, times."""

    recall: dict[int, list[float]] = field(default_factory=lambda: {c: [] for c in CATEGORIES})
    hits: dict[int, list[float]] = field(default_factory=lambda: {c: [] for c in CATEGORIES})
    within: dict[int, dict[int, list[float]]] = field(
        default_factory=lambda: {b: {c: [] for c in CATEGORIES} for b in BUDGETS}
    )
    used: dict[int, list[float]] = field(default_factory=lambda: {b: [] for b in BUDGETS})
    conversations: list[float] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)
    ingest: float = 0.0

    def first(self, category: int, evidence: frozenset[int], found: Sequence[int]) -> float:
        share = _share(evidence, found[:FIRST])
        self.recall[category].append(share)
        self.hits[category].append(float(share > 0))
        return share

    def summary(self) -> dict[str, float]:
        """Everything by name."""
        told = {
            f"recall@{FIRST}": _overall(self.recall),
            f"hit@{FIRST}": _overall(self.hits),
            **{f"recall@{FIRST}, {CATEGORIES[c]}": mean(v) for c, v in self.recall.items() if v},
            **{f"hit@{FIRST}, {CATEGORIES[c]}": mean(v) for c, v in self.hits.items() if v},
        }
        for budget, shares in self.within.items():
            told[f"recall in {budget} tokens"] = _overall(shares)
            told |= {
                f"recall in {budget} tokens, {CATEGORIES[c]}": mean(v)
                for c, v in shares.items()
                if v
            }
            told[f"tokens used of {budget}"] = mean(self.used[budget])
        told["lowest recall of a conversation"] = min(self.conversations)
        told["highest recall of a conversation"] = max(self.conversations)
        told["query p50, ms"] = percentile(self.milliseconds, 0.5)
        told["query p95, ms"] = percentile(self.milliseconds, 0.95)
        told["ingest, turns/s"] = self.ingest
        return {name: round(value, 4) for name, value in told.items()}


def ours(conversations: Sequence[Conversation], folder: Path, *, learned: bool) -> Result:
    """The engine on disk, default settings, the query's embedding included."""
    result, seconds = Result(), 0.0
    for number, one in enumerate(conversations):
        engine = open_engine(f"sqlite:///{folder}/{number}-{learned}.db")
        started = time.perf_counter()
        stored = engine.capture_batch(
            [
                CaptureEvent(
                    "message",
                    turn.session,
                    {"role": "user", "speaker": turn.speaker, "content": turn.text},
                    occurred_at=turn.when.isoformat(),
                )
                for turn in one.turns
            ]
        )
        seconds += time.perf_counter() - started
        if learned:
            engine.learn()
        places = {found.event_id: place for place, found in enumerate(stored.results)}
        _ask(engine, one, places, result)
        engine.close()
    result.ingest = sum(len(one.turns) for one in conversations) / seconds
    return result


def _ask(
    engine: Engine, conversation: Conversation, places: dict[str, int], result: Result
) -> None:
    engine.synthesize("what was said first")  # the index is read
    shares = []
    for question in conversation.questions:
        evidence, category = question.evidence, question.category
        started = time.perf_counter()
        pack = engine.synthesize(question.text)
        result.milliseconds.append((time.perf_counter() - started) * 1000)
        shares.append(result.first(category, evidence, _sources(pack.entries, places)))
        for budget in BUDGETS:
            pack = engine.synthesize(question.text, SynthesizeOptions(max_tokens=budget))
            assert pack.budget.used <= budget
            found = _sources(pack.entries, places)
            result.within[budget][category].append(_share(evidence, found))
            result.used[budget].append(pack.budget.used)
    result.conversations.append(mean(shares))


def _sources(entries: Iterable[object], places: dict[str, int]) -> list[int]:
    """The distinct source events of a pack, in its order."""
    found = [
        places[source.source_id]
        for entry in entries
        for source in entry.provenance
        if source.source_type == "event"
    ]
    return list(dict.fromkeys(found))


def peer(name: str, conversations: Sequence[Conversation], folder: Path) -> Result | str:
    """What a peer found, or why it could not be run."""
    script = Path(__file__).with_name("peers.py")
    wanted = [part for one in PEERS[name][1] for part in ("--with", one)]
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    done = subprocess.run(
        [*_UV, version, *wanted, "python", str(script), name, str(folder)],
        env={k: v for k, v in os.environ.items() if k not in {"VIRTUAL_ENV", "PYTHONPATH"}},
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
    found = json.loads((folder / f"{name}.json").read_text())
    counter = TokenCounter()
    result = Result(milliseconds=found["milliseconds"])
    result.ingest = sum(len(one.turns) for one in conversations) / found["ingest_seconds"]
    for one, rankings in zip(conversations, found["rankings"], strict=True):
        cost = counter.count_all([render_entry(text) for text in texts(one)])
        shares = []
        for question, ranking in zip(one.questions, rankings, strict=True):
            shares.append(result.first(question.category, question.evidence, ranking))
            for budget in BUDGETS:
                taken, used = _fill(ranking, cost, budget)
                result.within[budget][question.category].append(_share(question.evidence, taken))
                result.used[budget].append(used)
        result.conversations.append(mean(shares))
    return result


def _fill(ranking: Sequence[int], cost: Sequence[int], budget: int) -> tuple[list[int], int]:
    """Turns in order, as one list; what does not fit is passed over."""
    taken, used = [], 0
    for place in ranking:
        if used + cost[place] <= budget:
            taken.append(place)
            used += cost[place]
    return taken, used


def texts(conversation: Conversation) -> list[str]:
    """The turns as peers get them: with date and speaker, which serves every one of them."""
    return [
        f"[{day(milliseconds(turn.when))}] {turn.speaker}: {turn.text}"
        for turn in conversation.turns
    ]


def prepare(conversations: Sequence[Conversation], folder: Path) -> None:
    """What the peers need: texts, questions, and vectors of our embedder for both."""
    embedder, work, vectors = StaticEmbedder(), [], {}
    for number, one in enumerate(conversations):
        asked = [question.text for question in one.questions]
        work.append({"turns": texts(one), "questions": asked})
        vectors[f"turns-{number}"] = embedder.embed(texts(one))
        vectors[f"questions-{number}"] = embedder.embed(asked)
    (folder / "work.json").write_text(json.dumps(work))
    np.savez(folder / "vectors.npz", **vectors)


def _share(evidence: frozenset[int], found: Sequence[int]) -> float:
    return len(evidence.intersection(found)) / len(evidence)


def _overall(shares: dict[int, list[float]]) -> float:
    return mean([share for of_category in shares.values() for share in of_category])


def figures(found: dict[str, dict[str, float]]) -> list[Figure]:
    """What is aimed at, and how far ahead of the best peer it is."""
    own, first, tokens = found[OURS], f"recall@{FIRST}", "recall in 1000 tokens"
    told = [
        Figure(f"evidence recall@{FIRST}", 100 * own[first], "%", 82),
        Figure(f"evidence recall@{FIRST}, learned", 100 * found[LEARNED][first], "%", 82),
        Figure("evidence recall in 1,000 tokens", 100 * own[tokens], "%", 86),
        Figure("evidence recall in 1,000 tokens, learned", 100 * found[LEARNED][tokens], "%", 86),
        Figure("query p50", own["query p50, ms"], "ms", 5, at_most=True),
        Figure("query p95", own["query p95, ms"], "ms"),
        Figure("ingest", own["ingest, turns/s"], "turns/s"),
    ]
    rivals = [values for name, values in found.items() if name not in {OURS, LEARNED}]
    for name in (first, tokens) if rivals else ():
        ahead = 100 * (own[name] - max(values[name] for values in rivals))
        told.append(Figure(f"{name}: ahead of the best peer by", ahead, "points", 0))
    return told


COLUMNS = {
    f"recall@{FIRST}": f"R@{FIRST}",
    f"hit@{FIRST}": f"hit@{FIRST}",
    **{f"recall@{FIRST}, {name}": name for name in CATEGORIES.values()},
    **{f"recall in {budget} tokens": f"{budget} tok" for budget in BUDGETS},
    "query p50, ms": "p50 ms",
    "query p95, ms": "p95 ms",
    "ingest, turns/s": "turns/s",
}


def table(found: dict[str, dict[str, float]], missing: dict[str, str]) -> str:
    lines = [" " * 26 + "".join(f"{head:>12}" for head in COLUMNS.values())]
    for name, values in found.items():
        cells = (
            f"{values[key]:,.3f}" if values[key] < 100 else f"{values[key]:,.0f}" for key in COLUMNS
        )
        lines.append(f"  {name:<24}" + "".join(f"{cell:>12}" for cell in cells))
    lines += [f"  {name:<24}  NOT RUN: {why}" for name, why in missing.items()]
    return "\n".join(lines)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="a file in LoCoMo's format")
    parser.add_argument("--no-peers", action="store_true", help="only this engine")
    parser.add_argument("--svg", type=Path, help="where to draw the figures")
    options = parser.parse_args()
    if not options.data.exists():
        if options.data != DATA:
            parser.error(f"no such file: {options.data}")
        # LoCoMo is not ours to ship: `nox -s bench` goes on without it.
        print(f"recall SKIPPED: no such file: {DATA}; get LoCoMo and pass --data")
        return
    conversations = load(options.data)
    missing: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = {
            OURS: ours(conversations, folder, learned=False).summary(),
            LEARNED: ours(conversations, folder, learned=True).summary(),
        }
        prepare(conversations, folder)
        for one in () if options.no_peers else PEERS:
            outcome = peer(one, conversations, folder)
            if isinstance(outcome, str):
                missing[PEERS[one][0]] = outcome
                print(f"{PEERS[one][0]} could not be run: {outcome}", file=sys.stderr)
            else:
                found[PEERS[one][0]] = outcome.summary()
    if not options.json:
        print(table(found, missing))
    report("recall", figures(found), options.json, {"systems": found, "not run": missing})
    if options.svg:
        shown = {n: [v[f"recall@{FIRST}"], v["recall in 1000 tokens"]] for n, v in found.items()}
        title = "Evidence recalled, LoCoMo"
        options.svg.write_text(bars(title, ["first 10 events", "within 1,000 tokens"], shown))


if __name__ == "__main__":
    main()
