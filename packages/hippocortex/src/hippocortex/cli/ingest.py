"""Storing what an importer reads, in batches, and keeping count."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Protocol, cast

from hippocortex.cli.progress import Advance
from hippocortex.importers import Located, Problem
from hippocortex_core.types import BatchCaptureResult, CaptureEvent, Event

BATCH = 500


class Memory(Protocol):
    """The part of a memory that stores."""

    def capture_batch(self, events: Sequence[CaptureEvent]) -> BatchCaptureResult:
        """Store many events."""
        ...

    def import_events(self, events: Sequence[Event]) -> BatchCaptureResult:
        """Store exported events under their own ids."""
        ...


@dataclass(slots=True)
class Tally:
    """What became of everything that was read."""

    ingested: int = 0
    duplicates: int = 0
    problems: list[Problem] = field(default_factory=list[Problem])

    @property
    def total(self) -> int:
        """Everything there was, good or bad."""
        return self.ingested + self.duplicates + len(self.problems)

    def document(self) -> dict[str, object]:
        """The numbers and the problems, in wire form."""
        return {
            "summary": {
                "total": self.total,
                "ingested": self.ingested,
                "duplicates": self.duplicates,
                "errors": len(self.problems),
            },
            "problems": [{"place": p.place, "message": p.message} for p in self.problems],
        }


def ingest(
    memory: Memory, items: Iterable[Located | Problem], tally: Tally, advance: Advance
) -> None:
    """Store the events; what is refused or unreadable becomes a problem of the tally."""
    for batch in _batches(items, tally.problems):
        stored = _store(memory, [item.event for item in batch])
        tally.ingested += stored.summary.ingested
        tally.duplicates += stored.summary.duplicates
        for item, result in zip(batch, stored.results, strict=False):
            if result.status == "error":
                tally.problems.append(Problem(item.place, result.reason or "refused"))
        advance(len(batch))


def _batches(
    items: Iterable[Located | Problem], problems: list[Problem]
) -> Iterator[list[Located]]:
    """Batches of one kind of event each; problems are put aside on the way."""
    events = (item for item in items if not _put_aside(item, problems))
    for _, same in groupby(cast("Iterator[Located]", events), lambda item: type(item.event)):
        batch: list[Located] = []
        for item in same:
            batch.append(item)
            if len(batch) == BATCH:
                yield batch
                batch = []
        if batch:
            yield batch


def _put_aside(item: Located | Problem, problems: list[Problem]) -> bool:
    if isinstance(item, Problem):
        problems.append(item)
        return True
    return False


def _store(memory: Memory, events: list[CaptureEvent | Event]) -> BatchCaptureResult:
    if isinstance(events[0], Event):
        return memory.import_events(cast("list[Event]", events))
    return memory.capture_batch(cast("list[CaptureEvent]", events))
