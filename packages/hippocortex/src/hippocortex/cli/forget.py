"""`hippocortex forget`: delete events, and what was learned from them alone."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hippocortex.cli.options import Agent, AsJson, Session, User
from hippocortex.cli.output import count, emit
from hippocortex.cli.state import memory

if TYPE_CHECKING:
    from hippocortex_core.client import SyncHippocortex


def forget(
    ctx: typer.Context,
    event_ids: Annotated[
        list[str] | None, typer.Argument(metavar="[EVENT_ID]…", help="Only these events.")
    ] = None,
    session: Session = None,
    user: User = None,
    agent: Agent = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete events for good.

    Those that match all that is given go. Artifacts lose that evidence too; those left without
    any go as well.
    """
    asked: dict[str, Any] = {"session_id": session, "user_id": user, "agent_id": agent}
    asked = {name: value for name, value in asked.items() if value is not None}
    if event_ids:
        asked["event_ids"] = event_ids
    if not asked:
        raise typer.BadParameter("say what to forget: EVENT_ID…, --session, --user or --agent")
    with memory(ctx) as home:
        if not yes:
            _confirm(home, asked)
        result = home.forget(**asked)
    if as_json:
        emit(result)
        return
    print(
        f"Forgot {count(result.events_deleted, 'event')};"
        f" {count(result.artifacts_deleted, 'artifact')} deleted,"
        f" {result.artifacts_updated:,} updated."
    )


def _confirm(home: SyncHippocortex, asked: dict[str, Any]) -> None:
    matching = home.list_events(**asked, limit=1).pagination.total
    # The question goes to stderr, all of it: stdout belongs to the result.
    print(
        f"Delete {count(matching, 'event')} for good? [y/N] ", end="", file=sys.stderr, flush=True
    )
    answer = sys.stdin.readline()
    if not answer:
        print(file=sys.stderr)
        raise typer.BadParameter("not confirmed; --yes deletes without asking")
    if answer.strip().lower() not in {"y", "yes"}:
        raise typer.Exit(1)
