"""`hippocortex artifacts`: what has been learned."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hippocortex.cli.describe import clean, event_line, moment
from hippocortex.cli.options import (
    ArtifactLimit,
    ArtifactSortOption,
    ArtifactStatusOption,
    ArtifactTypeOption,
    AsJson,
    Cursor,
    Order,
)
from hippocortex.cli.output import console, count, emit, outline, readable, right, table
from hippocortex.cli.state import memory
from hippocortex_core import codec
from hippocortex_core.types import Artifact, ArtifactListResult, Event

if TYPE_CHECKING:
    from hippocortex_core.client import SyncHippocortex

app = typer.Typer(rich_markup_mode=None)
_PAGE = 500
_ArtifactId = Annotated[str, typer.Argument(metavar="ID", help="As `artifacts list` shows it.")]


@app.callback(invoke_without_command=True)
def artifacts(ctx: typer.Context) -> None:
    """List, show and retire what has been learned."""
    if ctx.invoked_subcommand is None:
        print(ctx.get_help())


@app.command("list")
def list_(
    ctx: typer.Context,
    kind: ArtifactTypeOption = None,
    status: ArtifactStatusOption = None,
    sort: ArtifactSortOption = None,
    order: Order = None,
    limit: ArtifactLimit = 20,
    cursor: Cursor = None,
    as_json: AsJson = False,
) -> None:
    """List artifacts, newest update first."""
    asked: dict[str, Any] = {"type": kind, "status": status, "sort": sort, "order": order}
    with memory(ctx) as home:
        page = home.list_artifacts(**asked, limit=limit, cursor=cursor)
    if as_json:
        emit(page)
    else:
        _show_list(page)


@app.command("show")
def show(
    ctx: typer.Context,
    artifact_id: _ArtifactId,
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=0, help="How many evidence events to print.")
    ] = 10,
    as_json: AsJson = False,
) -> None:
    """Show an artifact and the events behind it."""
    with memory(ctx) as home:
        artifact = home.get_artifact(artifact_id)
        wanted = artifact.evidence or []
        evidence = _events(home, wanted if as_json else wanted[:limit])
    if as_json:
        emit({**codec.encode(artifact), "evidenceEvents": codec.encode(evidence)})
    else:
        _show_one(artifact, evidence)


@app.command("deprecate")
def deprecate(ctx: typer.Context, artifact_id: _ArtifactId, as_json: AsJson = False) -> None:
    """Retire an artifact: it is no longer recalled, and learning does not bring it back."""
    with memory(ctx) as home:
        artifact = home.deprecate_artifact(artifact_id)
    if as_json:
        emit(artifact)
    else:
        print(f"{artifact.status} {artifact.id}: {artifact.title}")


def _events(home: SyncHippocortex, ids: list[str]) -> list[Event]:
    """The events with these ids, in this order."""
    found: dict[str, Event] = {}
    for start in range(0, len(ids), _PAGE):
        page = home.list_events(event_ids=ids[start : start + _PAGE], limit=_PAGE)
        found.update((event.id, event) for event in page.events)
    return [found[event_id] for event_id in ids if event_id in found]


def _show_list(page: ArtifactListResult) -> None:
    out = console()
    if not page.artifacts:
        out.print("No artifacts. `hippocortex learn` compiles them from the captured events.")
        return
    made = table("type", right("conf"), right("events"), "what")
    for artifact in page.artifacts:
        status = "" if artifact.status == "active" else f" ({artifact.status})"
        made.add_row(
            readable(artifact.type),
            f"{artifact.confidence:.2f}",
            f"{artifact.evidence_count:,}",
            f"{clean(artifact.title)}{status}\n{artifact.id}",
        )
    out.print(made)
    total = count(page.pagination.total, "artifact")
    out.print(f"\n{len(page.artifacts):,} of {total}", style="dim")
    if page.pagination.has_more:
        out.print(f"more: --cursor {page.pagination.cursor}", style="dim", soft_wrap=True)


def _show_one(artifact: Artifact, evidence: list[Event]) -> None:
    out = console()
    out.print(clean(artifact.title), style="bold")
    out.print(
        f"{readable(artifact.type)}, {artifact.status}, confidence {artifact.confidence:.2f},"
        f" {count(artifact.evidence_count, 'event')}, version {artifact.version},"
        f" updated {moment(artifact.updated_at)}",
        style="dim",
    )
    out.print()
    for line in outline(artifact.content):
        hanging = " " * (len(line) - len(line.lstrip()) + 3)
        out.print("\n".join(wrap(clean(line), out.width, subsequent_indent=hanging)))
    if not evidence:
        return
    out.print("\nEvidence", style="bold")
    made = table("when", "session", "what")
    for event in evidence:
        made.add_row(moment(event.occurred_at), clean(event.session_id), event_line(event, 120))
    out.print(made)
    if (more := len(artifact.evidence or []) - len(evidence)) > 0:
        out.print(f"… and {count(more, 'more event')} (--limit)", style="dim")
