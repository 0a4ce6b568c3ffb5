"""`hippocortex demo`: the whole loop on real trajectories, in a memory that is thrown away."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hippocortex.cli.options import AsJson

if TYPE_CHECKING:
    from rich.console import Console

    from hippocortex.cli.ingest import Tally
    from hippocortex_core.client import SyncHippocortex
    from hippocortex_core.types import (
        LearnResult,
        ReasoningSection,
        SynthesizeResult,
    )

QUERIES = (
    "a customer wants to cancel a reservation",
    "the payment fails while booking a flight",
    "change the flights of a reservation, paid with a gift card",
)
_SECTIONS: tuple[ReasoningSection, ...] = ("procedures", "failures", "decisions", "causal")
_BUDGET = 350
_NEXT = """\
Your own agent, in three calls (a file on your disk, no service needed):

    from hippocortex import CaptureEvent, SyncHippocortex
    with SyncHippocortex(base_url="sqlite:///memory.db") as hx:
        hx.capture(CaptureEvent("message", "s1", {"content": "Hello"}))
        hx.learn()
        pack = hx.synthesize("what the agent is about to do")

Or start from logs you have: hippocortex import runs.jsonl && hippocortex learn"""


@dataclass(frozen=True, slots=True)
class _Outcome:
    tally: Tally
    seconds: float
    learned: LearnResult
    packs: list[tuple[str, SynthesizeResult]]


def demo(
    ctx: typer.Context,
    keep: Annotated[
        Path | None, typer.Option("--keep", metavar="PATH", help="Keep the memory in this file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """See it work on 68 runs of an airline agent."""
    from hippocortex.cli.output import emit  # noqa: PLC0415

    del ctx
    if keep is not None and keep.exists():
        raise typer.BadParameter(f"{keep} exists already; the demo wants a new file")
    with _home(keep) as database:
        outcome = _run(database, quiet=as_json)
    if as_json:
        emit(_document(outcome))
    else:
        _show(outcome, keep)


@contextmanager
def _home(keep: Path | None) -> Generator[Path]:
    from tempfile import TemporaryDirectory  # noqa: PLC0415

    if keep is not None:
        keep.parent.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    with TemporaryDirectory(prefix="hippocortex-demo-") as folder:
        yield Path(folder) / "memory.db"


def _run(database: Path, *, quiet: bool) -> _Outcome:
    from hippocortex.cli.state import open_memory  # noqa: PLC0415
    from hippocortex_core.types import SynthesizeOptions  # noqa: PLC0415

    started = time.perf_counter()
    with open_memory(f"sqlite:///{database.as_posix()}") as memory:
        tally = _import(memory, quiet=quiet)
        seconds = time.perf_counter() - started
        learned = memory.learn()
        options = SynthesizeOptions(max_tokens=_BUDGET, sections=[*_SECTIONS])
        packs = [(query, memory.synthesize(query, options)) for query in QUERIES]
    return _Outcome(tally, seconds, learned, packs)


def _import(memory: SyncHippocortex, *, quiet: bool) -> Tally:
    from hippocortex.cli.ingest import Tally, ingest  # noqa: PLC0415
    from hippocortex.cli.progress import bar  # noqa: PLC0415
    from hippocortex.data import tau_bench_sample  # noqa: PLC0415
    from hippocortex.importers import read_events  # noqa: PLC0415

    tally = Tally()
    with tau_bench_sample() as path:
        items = list(read_events(path))
    with bar("importing 68 runs", len(items), quiet=quiet) as advance:
        ingest(memory, items, tally, advance)
    return tally


def _document(outcome: _Outcome) -> dict[str, object]:
    from hippocortex_core import codec  # noqa: PLC0415

    return {
        "imported": outcome.tally.document()["summary"],
        "learned": codec.encode(outcome.learned),
        "queries": [
            {"query": query, "result": codec.encode(pack)} for query, pack in outcome.packs
        ],
    }


def _show(outcome: _Outcome, keep: Path | None) -> None:
    from hippocortex.cli.learn import learned  # noqa: PLC0415
    from hippocortex.cli.output import console, count  # noqa: PLC0415

    out = console()
    out.print("Hippocortex demo: 68 runs of an airline agent (tau-bench, gpt-4o), half failed.")
    events = count(outcome.tally.ingested, "event")
    out.print(f"Imported {events} in {outcome.seconds:.1f} s. No model, no network.")
    for line in learned(outcome.learned):
        out.print(line)
    out.print(f"\nWhat it tells an agent, in at most {_BUDGET} tokens:")
    for query, pack in outcome.packs:
        _show_pack(out, query, pack)
    out.print()
    out.print(_NEXT)
    if keep is not None:
        out.print(f"\nThe memory is kept: hippocortex --home {keep} artifacts list", soft_wrap=True)


def _show_pack(out: Console, query: str, pack: SynthesizeResult) -> None:
    from hippocortex.cli.packs import budget_line, entry_block, grouped  # noqa: PLC0415

    out.print()
    out.print(f"> {query}", style="bold magenta")
    for heading, entries in grouped(pack.entries):
        out.print(heading, style="bold")
        for entry in entries:
            out.print(entry_block(entry, out.width))
    out.print(budget_line(pack.budget), style="dim")
