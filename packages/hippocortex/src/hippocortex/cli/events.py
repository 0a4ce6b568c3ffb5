"""`hippocortex events`: what has been captured."""

from __future__ import annotations

from typing import Any

import typer

from hippocortex.cli.describe import clean, event_line, moment
from hippocortex.cli.options import (
    Agent,
    AsJson,
    Cursor,
    EventLimit,
    EventType,
    Order,
    Session,
    User,
)
from hippocortex.cli.output import console, count, emit
from hippocortex.cli.state import memory
from hippocortex_core.types import EventListResult


def events(
    ctx: typer.Context,
    kind: EventType = None,
    session: Session = None,
    user: User = None,
    agent: Agent = None,
    order: Order = None,
    limit: EventLimit = 20,
    cursor: Cursor = None,
    as_json: AsJson = False,
) -> None:
    """List captured events, newest first."""
    asked: dict[str, Any] = {"type": kind, "order": order}
    with memory(ctx) as home:
        page = home.list_events(
            session_id=session, user_id=user, agent_id=agent, limit=limit, cursor=cursor, **asked
        )
    if as_json:
        emit(page)
    else:
        _show(page)


def _show(page: EventListResult) -> None:
    out = console()
    if not page.events:
        out.print("No events. `hippocortex import FILE` or `hippocortex capture` adds some.")
        return
    for event in page.events:
        out.print(event_line(event, out.width))
        about = (moment(event.occurred_at), event.type, clean(event.session_id), event.id)
        out.print("  " + "  ".join(about), style="dim", soft_wrap=True)
    out.print(f"\n{len(page.events):,} of {count(page.pagination.total, 'event')}", style="dim")
    if page.pagination.has_more:
        out.print(f"more: --cursor {page.pagination.cursor}", style="dim", soft_wrap=True)
