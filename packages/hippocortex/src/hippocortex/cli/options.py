"""Options that several commands share, spelled once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, cast, get_args

import typer

from hippocortex_core.types import (
    ArtifactSort,
    ArtifactStatus,
    ArtifactType,
    CaptureEventType,
    MetricsGranularity,
    MetricsPeriodName,
    ReasoningSection,
    SortOrder,
)


def one_of(literal: Any) -> Callable[[Any], Any]:
    """A callback that takes the values of a `Literal`, one or a list of them."""
    allowed: tuple[str, ...] = get_args(literal)

    def check(value: Any) -> Any:
        given = cast("list[str] | None", value if isinstance(value, list) else [value])
        for item in given or ():
            if item is not None and item not in allowed:  # pyright: ignore[reportUnnecessaryComparison]
                raise typer.BadParameter(f"{item!r} is not one of: {', '.join(allowed)}")
        return cast("Any", value)

    return check


AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Session = Annotated[str | None, typer.Option("--session", metavar="ID", help="Only this session.")]
User = Annotated[str | None, typer.Option("--user", metavar="ID", help="Only this user.")]
Agent = Annotated[str | None, typer.Option("--agent", metavar="ID", help="Only this agent.")]
EventLimit = Annotated[
    int, typer.Option("--limit", "-n", min=1, max=1000, metavar="N", help="How many at most.")
]
ArtifactLimit = Annotated[
    int, typer.Option("--limit", "-n", min=1, max=100, metavar="N", help="How many at most.")
]
Cursor = Annotated[
    str | None, typer.Option("--cursor", metavar="C", help="Go on where the last page ended.")
]
Order = Annotated[
    str | None, typer.Option("--order", callback=one_of(SortOrder), help="asc or desc.")
]
ArtifactTypeOption = Annotated[
    str | None,
    typer.Option(
        "--type",
        callback=one_of(ArtifactType),
        metavar="TYPE",
        help=f"{', '.join(get_args(ArtifactType))}.",
    ),
]
ArtifactTypes = Annotated[
    list[str] | None,
    typer.Option(
        "--type",
        callback=one_of(ArtifactType),
        metavar="TYPE",
        help=f"Repeatable; default all: {', '.join(get_args(ArtifactType))}.",
    ),
]
ArtifactStatusOption = Annotated[
    str | None,
    typer.Option(
        "--status",
        callback=one_of(ArtifactStatus),
        metavar="STATUS",
        help=f"{', '.join(get_args(ArtifactStatus))}.",
    ),
]
ArtifactSortOption = Annotated[
    str | None,
    typer.Option(
        "--sort",
        callback=one_of(ArtifactSort),
        metavar="FIELD",
        help=f"{', '.join(get_args(ArtifactSort))}.",
    ),
]
EventType = Annotated[
    str | None,
    typer.Option(
        "--type",
        callback=one_of(CaptureEventType),
        metavar="TYPE",
        help=f"{', '.join(get_args(CaptureEventType))}.",
    ),
]
Sections = Annotated[
    list[str] | None,
    typer.Option(
        "--section",
        callback=one_of(ReasoningSection),
        metavar="NAME",
        help=f"Repeatable; default all: {', '.join(get_args(ReasoningSection))}.",
    ),
]
Period = Annotated[
    str | None,
    typer.Option("--period", callback=one_of(MetricsPeriodName), help="24h (default), 7d or 30d."),
]
Granularity = Annotated[
    str | None,
    typer.Option("--granularity", callback=one_of(MetricsGranularity), help="hour or day."),
]
