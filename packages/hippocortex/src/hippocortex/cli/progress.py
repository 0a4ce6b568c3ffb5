"""A progress bar on stderr, for people only."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

Advance = Callable[[int], None]


def is_shown(*, quiet: bool = False) -> bool:
    """Whether there is anyone to show progress to."""
    return not quiet and sys.stderr.isatty()


@contextmanager
def bar(label: str, total: int | None, *, quiet: bool = False) -> Generator[Advance]:
    """A bar that moves by what its function is given; nothing at all without a terminal."""
    if not is_shown(quiet=quiet):
        yield lambda _: None
        return
    from rich.progress import (  # noqa: PLC0415 - rich is slow to import
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    from hippocortex.cli.output import console  # noqa: PLC0415

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=total)
        yield lambda amount: progress.advance(task, amount)
