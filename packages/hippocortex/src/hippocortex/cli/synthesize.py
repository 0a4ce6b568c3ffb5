"""`hippocortex synthesize`: a context pack for a query."""

from __future__ import annotations

from typing import Annotated, cast

import typer

from hippocortex.cli.options import Agent, AsJson, Sections, Session, User
from hippocortex.cli.output import console, emit, readable
from hippocortex.cli.packs import budget_line, entry_block, grouped, signal_names, signals_table
from hippocortex.cli.state import memory
from hippocortex_core.types import ReasoningSection, SynthesizeOptions, SynthesizeResult


def synthesize(
    ctx: typer.Context,
    query: Annotated[str, typer.Argument(metavar="QUERY", help="What the agent is about to do.")],
    max_tokens: Annotated[
        int, typer.Option("--max-tokens", metavar="N", help="The pack never exceeds it.")
    ] = 4000,
    sections: Sections = None,
    min_confidence: Annotated[
        float,
        typer.Option(
            "--min-confidence", min=0, max=1, metavar="0..1", help="Leave out weaker entries."
        ),
    ] = 0.3,
    session: Session = None,
    user: User = None,
    agent: Agent = None,
    active_session: Annotated[
        str | None,
        typer.Option("--active-session", metavar="ID", help="The session the agent is in."),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show the eight signals of every entry.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what the memory has to say about a query."""
    options = SynthesizeOptions(
        max_tokens=max_tokens,
        sections=cast("list[ReasoningSection]", sections) if sections else None,
        min_confidence=min_confidence,
        session_id=session,
        agent_id=agent,
        user_id=user,
        active_session_id=active_session,
        explain=explain,
    )
    with memory(ctx) as home:
        result = home.synthesize(query, options)
    if as_json:
        emit(result)
    else:
        _show(result, explain=explain)


def _show(result: SynthesizeResult, *, explain: bool) -> None:
    out = console()
    for heading, entries in grouped(result.entries):
        out.print(heading, style="bold")
        for entry in entries:
            out.print(entry_block(entry, out.width))
        out.print()
    if explain and result.entries:
        out.print(signals_table(result.entries, out.width))
        names = ", ".join(readable(name) for name in signal_names(result.entries))
        out.print(f"\nsignals: {names}\n", style="dim")
    if not result.entries:
        out.print("Nothing in this memory answers that. `hippocortex learn` compiles new events.")
    out.print(budget_line(result.budget), style="dim")
