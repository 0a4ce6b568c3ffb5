"""Context packs for people: entries by section, their evidence, their signals, the budget."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

from hippocortex.cli.describe import clean, shortened
from hippocortex.cli.output import count, right, table
from hippocortex_core.render import HEADINGS
from hippocortex_core.types import BudgetInfo, SynthesisEntry

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text


_SECTION, _SIGNAL, _NARROWEST = 12, 6, 12  # columns of the table of signals, with their gaps


def grouped(entries: Sequence[SynthesisEntry]) -> Iterator[tuple[str, list[SynthesisEntry]]]:
    """Heading and entries of each section that has any, in the order of a pack."""
    sections = dict.fromkeys([*HEADINGS, *(entry.section for entry in entries)])
    for section in sections:
        found = [entry for entry in entries if entry.section == section]
        if found:
            heading = HEADINGS.get(section, section.capitalize())
            yield heading.strip("\n# "), found


def evidence_count(entry: SynthesisEntry) -> int:
    """How many events stand behind an entry: what its artifacts count, or the events it names."""
    sources = entry.provenance or []
    compiled = [source for source in sources if source.source_type == "artifact"]
    # The events named beside an artifact are among those that it counts.
    return sum(source.evidence_count or 0 for source in compiled) or len(sources)


def entry_block(entry: SynthesisEntry, width: int) -> Text:
    """An entry, wrapped and indented, with its confidence and evidence below."""
    from rich.text import Text  # noqa: PLC0415 - rich is slow to import

    lines = [
        line
        for paragraph in clean(entry.content).strip().splitlines()
        for line in wrap(paragraph, width, initial_indent="  ", subsequent_indent="  ")
    ]
    return Text("\n".join(lines)).append(f"\n  [{basis(entry)}]", style="cyan")


def basis(entry: SynthesisEntry) -> str:
    """`confidence 0.87, 12 events`."""
    evidence = evidence_count(entry)
    return f"confidence {entry.confidence:.2f}" + (
        f", {count(evidence, 'event')}" if evidence else ""
    )


def signals_table(entries: Sequence[SynthesisEntry], width: int) -> Table:
    """The eight signals of every entry; their names have to fit above four digits."""
    names = signal_names(entries)
    made = table("section", "entry", *(right(name[:4]) for name in names))
    room = max(_NARROWEST, width - _SECTION - _SIGNAL * len(names))
    for entry in entries:
        values = entry.signals or {}
        shown = [f"{values[name]:.2f}" if name in values else "-" for name in names]
        made.add_row(entry.section, shortened(entry.content, room), *shown)
    return made


def signal_names(entries: Sequence[SynthesisEntry]) -> list[str]:
    """The signals the entries have."""
    return list(dict.fromkeys(name for entry in entries for name in entry.signals or {}))


def budget_line(budget: BudgetInfo) -> str:
    """How the token budget was spent."""
    line = (
        f"Budget: {budget.used:,} of {budget.limit:,} tokens,"
        f" {budget.entries_included} {'entry' if budget.entries_included == 1 else 'entries'}"
    )
    if budget.entries_dropped:
        line += f" ({budget.entries_dropped} more did not fit)"
    if budget.entries_included:
        line += f", compressed {budget.compression_ratio:.1f}x"
    return line
