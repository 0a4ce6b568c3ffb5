"""`hippocortex learn`: run the Memory Compiler."""

from __future__ import annotations

from typing import Annotated, cast

import typer

from hippocortex.cli.options import Agent, ArtifactTypes, AsJson, Session, User
from hippocortex.cli.output import count, emit, readable
from hippocortex.cli.state import memory
from hippocortex_core.types import ArtifactType, LearnOptions, LearnResult


def learn(
    ctx: typer.Context,
    full: Annotated[
        bool, typer.Option("--full", help="Compile everything anew, not only what is new.")
    ] = False,
    min_strength: Annotated[
        float | None,
        typer.Option(
            "--min-strength", min=0, max=1, metavar="0..1", help="Weaker patterns are not kept."
        ),
    ] = None,
    types: ArtifactTypes = None,
    session: Session = None,
    user: User = None,
    agent: Agent = None,
    as_json: AsJson = False,
) -> None:
    """Learn from what was captured.

    The Memory Compiler turns events into procedures, failure playbooks, causes, decisions and
    facts.
    """
    options = LearnOptions(
        scope="full" if full else "incremental",
        min_pattern_strength=min_strength,
        artifact_types=cast("list[ArtifactType]", types) if types else None,
        session_id=session,
        agent_id=agent,
        user_id=user,
    )
    with memory(ctx) as home:
        result = home.learn(options)
    if as_json:
        emit(result)
    else:
        print("\n".join(learned(result)))
    if result.status == "failed":
        raise typer.Exit(1)


def learned(result: LearnResult) -> list[str]:
    """What a compilation did, in a few lines."""
    stats, made = result.stats, result.artifacts
    did = (
        f"Learned from {count(stats.memories_processed, 'event')}"
        f" in {stats.compilation_ms / 1000:.1f} s:"
        f" {made.created:,} created, {made.updated:,} updated, {made.unchanged:,} unchanged."
    )
    lines = [did]
    if result.status != "completed":
        lines.append(f"The run is {result.status}.")
    known = {name: number for name, number in made.by_type.items() if number}
    if not known:
        return [*lines, "No artifacts yet: a pattern must be seen in several sessions."]
    return [*lines, *(f"  {number:>5,}  {kind(name, number)}" for name, number in known.items())]


def kind(artifact_type: str, number: int = 1) -> str:
    """`failure playbooks`: the type in words."""
    name = readable(artifact_type)
    return name if number == 1 else f"{name.removesuffix('y')}{'ies' if name[-1] == 'y' else 's'}"
