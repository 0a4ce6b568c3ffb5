"""`hippocortex export`: every event as JSON lines."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from hippocortex.cli.errors import complain
from hippocortex.cli.output import count
from hippocortex.cli.progress import Advance, bar, is_shown
from hippocortex.cli.state import memory
from hippocortex_core import codec

if TYPE_CHECKING:
    from hippocortex_core.client import SyncHippocortex


def export(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="[FILE]", help="- is stdout.")] = Path("-"),
) -> None:
    """Write every event as JSON lines.

    Oldest first; `hippocortex import` reads them back, ids and all.
    """
    with memory(ctx) as home:
        if str(file) == "-":
            _write(home, sys.stdout, quiet=True)
        else:
            number = _to_file(home, file)
            complain(f"{count(number, 'event')} exported to {file}")


def _to_file(home: SyncHippocortex, file: Path) -> int:
    """Write beside the file and swap: an interrupted export leaves no half one."""
    part = file.with_name(f"{file.name}.part")
    try:
        with part.open("w", encoding="utf-8", newline="\n") as stream:
            number = _write(home, stream, quiet=False)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    return number


def _write(home: SyncHippocortex, stream: IO[str], *, quiet: bool) -> int:
    total = home.list_events(limit=1).pagination.total if is_shown(quiet=quiet) else None
    with bar("exporting", total, quiet=quiet) as advance:
        return _lines(home, stream, advance)


def _lines(home: SyncHippocortex, stream: IO[str], advance: Advance) -> int:
    number = 0
    for event in home.export():
        # ASCII: what JSON escapes survives every console's encoding
        stream.write(json.dumps(codec.encode(event), separators=(",", ":")) + "\n")
        number += 1
        advance(1)
    return number
