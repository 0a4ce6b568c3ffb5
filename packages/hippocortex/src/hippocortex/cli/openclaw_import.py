"""`hippocortex openclaw import`: what OpenClaw remembers of past sessions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from hippocortex.cli.errors import complain
from hippocortex.cli.import_files import report, report_problems
from hippocortex.cli.options import AsJson, one_of
from hippocortex.cli.output import count, emit
from hippocortex.cli.progress import Advance, bar, is_shown
from hippocortex.cli.state import memory
from hippocortex_core.errors import HippocortexError

if TYPE_CHECKING:
    from hippocortex.cli.ingest import Tally
    from hippocortex_openclaw.transcripts import Transcripts

_Scope = Literal["conversation", "agent", "shared"]


def import_transcripts(
    ctx: typer.Context,
    state_dir: Annotated[
        Path | None,
        typer.Option(
            "--state-dir",
            metavar="PATH",
            help="OpenClaw's folder; default OPENCLAW_STATE_DIR, else ~/.openclaw.",
        ),
    ] = None,
    agents: Annotated[
        list[str] | None,
        typer.Option("--agent", metavar="ID", help="Only this agent; may be repeated."),
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            "--since",
            formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"],
            metavar="DATE",
            help="Only what happened from then on, in UTC.",
        ),
    ] = None,
    scope: Annotated[
        str,
        typer.Option(
            "--scope",
            callback=one_of(_Scope),
            metavar="WHO",
            help="Who shares a memory, as the plugin's setting: conversation, agent or shared.",
        ),
    ] = "conversation",
    user: Annotated[
        str,
        typer.Option("--user", metavar="ID", help="The owner's name, as the plugin's setting."),
    ] = "owner",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count; store nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Import past sessions, from OpenClaw's databases and older files.

    OpenClaw may be running; nothing in its folder is changed. What the plugin captured, or what
    was imported before, is not stored again. What cannot be read is reported with its place, and
    the rest goes on; the exit code is then 1.
    """
    from hippocortex.cli.openclaw import require_openclaw  # noqa: PLC0415 - which imports this

    require_openclaw()
    from hippocortex.cli.ingest import Tally  # noqa: PLC0415
    from hippocortex_openclaw.transcripts import Settings, Transcripts  # noqa: PLC0415

    past = Transcripts(
        state_dir,
        agents=agents or None,
        since=since,
        settings=Settings(scope=scope, user_id=user),  # pyright: ignore[reportArgumentType] - checked
    )
    tally = Tally()
    if dry_run:
        with _bar(past, as_json=as_json) as advance:
            found = sum(1 for _ in _events(past, tally, advance))
        _tell_dry(past, tally, found, as_json=as_json)
    else:
        _store(ctx, past, tally, as_json=as_json)
    if tally.problems:
        raise typer.Exit(1)


def _store(ctx: typer.Context, past: Transcripts, tally: Tally, *, as_json: bool) -> None:
    from hippocortex.cli.ingest import ingest  # noqa: PLC0415

    with memory(ctx) as home, _bar(past, as_json=as_json) as advance:
        try:
            ingest(home, _events(past, tally, advance), tally, lambda _: None)
        except HippocortexError as error:
            error.message += f" ({count(tally.ingested, 'event')} stored; run it again)"
            raise
    _warn(past)
    if as_json:
        emit(tally.document() | {"warnings": past.warnings})
    else:
        report(tally)


def _events(past: Transcripts, tally: Tally, advance: Advance) -> Iterator[Any]:
    """The events of all sessions; what cannot be read becomes a problem of the tally."""
    from hippocortex.importers import Located, Problem  # noqa: PLC0415
    from hippocortex_openclaw.transcripts import Found, Session  # noqa: PLC0415

    for session in past.sessions():
        items = session.items() if isinstance(session, Session) else [session]
        for item in items:
            if isinstance(item, Found):
                yield Located(item.place, item.event)
            else:
                tally.problems.append(Problem(item.place, item.message))
        if isinstance(session, Session):
            advance(1)


def _bar(past: Transcripts, *, as_json: bool) -> Any:
    return bar("sessions", past.count() if is_shown(quiet=as_json) else None, quiet=as_json)


def _warn(past: Transcripts) -> None:
    for warning in past.warnings:
        complain(f"warning: {warning}")


def _tell_dry(past: Transcripts, tally: Tally, found: int, *, as_json: bool) -> None:
    _warn(past)
    if as_json:
        document = tally.document()
        document["summary"] = {"total": found + len(tally.problems), "found": found}
        emit(document | {"warnings": past.warnings, "dryRun": True})
        return
    report_problems(tally)
    print(f"{count(found, 'event')} found; nothing was stored.")
