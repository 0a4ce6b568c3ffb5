"""The page that shows what was learned, as it is."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from hippocortex_core import SynthesizeOptions
from hippocortex_core.types import Artifact
from hippocortex_engine import Engine

PAGE = Path(__file__).parents[2] / "docs" / "learned.md"
SHOWN = 10
INTRODUCTION = """\
The ten artifacts of each type with most confidence, from all runs of `{name}`, unedited; written
by `benchmarks/learn/run.py --docs`. [The Memory Compiler](compiler.md) says how they come about.
"""
HEADINGS = {
    "task_schema": "Procedures",
    "failure_playbook": "Playbooks",
    "decision_policy": "Policies",
    "causal_pattern": "Causes",
    "fact": "Facts",
}


def write_best(engine: Engine, known: Iterable[Artifact], name: str) -> None:
    """The ten artifacts of each type with most confidence, as a pack would say them, unedited."""
    by_type: dict[str, list[Artifact]] = {kind: [] for kind in HEADINGS}
    for one in known:
        by_type[one.type].append(one)
    parts = ["# What was learned\n", INTRODUCTION.format(name=name)]
    for kind, heading in HEADINGS.items():
        best = sorted(by_type[kind], key=lambda one: (-one.confidence, one.title))[:SHOWN]
        parts.append(f"## {heading}\n")
        parts += [f"* ({one.confidence:.2f}) {_text(engine, one)}" for one in best]
        parts.append("" if best else "None.\n")
    PAGE.write_text("\n".join(parts).rstrip() + "\n")


def _text(engine: Engine, one: Artifact) -> str:
    pack = engine.synthesize(
        f"{one.title} {one.content.get('error', '')}", SynthesizeOptions(max_tokens=8_000)
    )
    found = (e.content for e in pack.entries if e.provenance[0].source_id == one.id)
    return next(found, one.title)
