"""`hippocortex import`: trajectories and chats from files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from hippocortex.cli.errors import complain, describe, one_line
from hippocortex.cli.options import AsJson
from hippocortex.cli.output import count, emit
from hippocortex.cli.progress import bar, is_shown
from hippocortex.cli.state import memory
from hippocortex_core.errors import HippocortexError

_SHOWN = 20
_FORMATS = ("openai", "anthropic", "langchain", "tau-bench", "hippocortex")


def _known(value: str | None) -> str | None:
    if value is not None and value not in _FORMATS:
        raise typer.BadParameter(f"{value!r} is not one of: {', '.join(_FORMATS)}")
    return value


def import_files(
    ctx: typer.Context,
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE…", help=".json or .jsonl, may be gzipped; - is stdin."),
    ],
    format: Annotated[  # noqa: A002 - the option's name
        str | None,
        typer.Option(
            "--format",
            callback=_known,
            metavar="NAME",
            help=f"Default: seen from the content. {', '.join(_FORMATS)}.",
        ),
    ] = None,
    session: Annotated[
        str | None,
        typer.Option(
            "--session",
            metavar="ID",
            help="Name of the session; several conversations get their number appended.",
        ),
    ] = None,
    user: Annotated[
        str | None, typer.Option("--user", metavar="ID", help="Whose events these are.")
    ] = None,
    agent: Annotated[
        str | None, typer.Option("--agent", metavar="ID", help="Which agent's events these are.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Import chats, trajectories and exports.

    Importing a file again adds only what is new. What cannot be read is reported with its line,
    and the rest goes on; the exit code is then 1.
    """
    from hippocortex.cli.ingest import Tally, ingest  # noqa: PLC0415
    from hippocortex.importers import Naming  # noqa: PLC0415

    tally = Tally()
    with memory(ctx) as home:
        for path, stem in _named(_existing(files)):
            source = _Source(path, format, Naming(stem, session, user, agent))
            total = source.length() if is_shown(quiet=as_json) else None
            with bar(path.name, total, quiet=as_json) as advance:
                try:
                    ingest(home, source.items(), tally, advance)
                except HippocortexError as error:
                    error.message += f" ({count(tally.ingested, 'event')} stored; run it again)"
                    raise
    if as_json:
        emit(tally.document())
    else:
        report(tally)
    if tally.problems:
        raise typer.Exit(1)


class _Source:
    """A file and how to read it; one that cannot be read is a single problem."""

    def __init__(self, path: Path, format_name: str | None, naming: Any) -> None:
        self.path, self.format, self.naming = path, format_name, naming

    def items(self) -> Iterator[Any]:
        from hippocortex.importers import (  # noqa: PLC0415
            Problem,
            UnknownFormatError,
            read_events,
        )

        try:
            yield from read_events(self.path, format=self.format, naming=self.naming)
        except (UnknownFormatError, OSError) as error:
            yield Problem(str(self.path), describe(error))

    def length(self) -> int | None:
        """How many events there are: reading twice is cheap beside storing."""
        return sum(1 for _ in self.items()) if self.path.is_file() else None


def _existing(files: list[Path]) -> list[Path]:
    for path in files:
        if path.is_dir():
            raise typer.BadParameter(f"{path} is a directory")
        if str(path) != "-" and not path.exists():
            raise typer.BadParameter(f"{path} does not exist")
    return files


def _named(files: list[Path]) -> Iterator[tuple[Path, str]]:
    """Each file once, with a name for its sessions; equal names get their folder's in front."""
    from hippocortex.importers.records import stem  # noqa: PLC0415

    unique = list({path if str(path) == "-" else path.resolve(): path for path in files}.values())
    taken = Counter(stem(path) for path in unique)
    for path in unique:
        name = stem(path)
        yield path, name if taken[name] == 1 else f"{path.resolve().parent.name}-{name}"


def report(tally: Any) -> None:
    """Say what became of an import, to a person."""
    report_problems(tally)
    bad = f", {count(len(tally.problems), 'error')}" if tally.problems else ""
    print(f"{count(tally.ingested, 'event')} ingested, {tally.duplicates:,} duplicates{bad}.")
    if tally.ingested:
        print("Next: `hippocortex learn` turns them into knowledge.")


def report_problems(tally: Any) -> None:
    """Say what could not be imported, a line each."""
    for problem in tally.problems[:_SHOWN]:
        complain(f"error: {one_line(_placed(problem))}")
    if (more := len(tally.problems) - _SHOWN) > 0:
        complain(f"error: … and {count(more, 'more problem')} (--json lists all)")


def _placed(problem: Any) -> str:
    """`file:line: what`, unless the message says where already."""
    if problem.message.startswith(problem.place):
        return problem.message
    return f"{problem.place}: {problem.message}"
