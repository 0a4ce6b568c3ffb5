"""A file of any known format as a stream of events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hippocortex.importers import own_export, tau_bench
from hippocortex.importers.conversations import (
    Located,
    Naming,
    conversation,
    events_of,
    only_conversation,
    session_named,
    with_owner,
)
from hippocortex.importers.formats import (
    FORMATS,
    OWN,
    TAU_BENCH,
    chat_format,
    is_message,
    messages_of,
)
from hippocortex.importers.records import Problem, Record, as_object, read_records, stem
from hippocortex.importers.steps import UnreadableError
from hippocortex_core.errors import ErrorDetail, ValidationError

Item = Located | Problem


class UnknownFormatError(ValidationError):
    """A file in which nothing looks like a format we know."""


def read_events(
    path: Path,
    *,
    format: str | None = None,  # noqa: A002 - what the command line calls it
    naming: Naming | None = None,
) -> Iterator[Item]:
    """The events of a file in order, and a `Problem` for whatever could not be read.

    Args:
        path: the file, plain or gzipped; `-` is standard input.
        format: one of `FORMATS`; default: found out from each record.
        naming: names sessions and owners; default: by the file's name.

    Raises:
        UnknownFormatError: nothing in the file could be read; the message lists the formats.
        OSError: the file cannot be opened.
    """
    reading = _Reading(format, naming or Naming(stem(path)))
    early: list[Problem] = []
    for item in reading.items(read_records(path)):
        if isinstance(item, Problem) and not reading.understood:
            early.append(item)  # either these few are bad, or the whole file is something else
            continue
        yield from early
        early.clear()
        yield item
    if early and not reading.understood:
        raise _unknown(format, early[0])
    yield from early


@dataclass(slots=True)
class _Reading:
    """What is known while a file is read: its conversations so far, and whether it makes sense."""

    format: str | None
    naming: Naming
    understood: bool = False
    loose: dict[str | None, list[tuple[str, Any]]] = field(
        default_factory=dict[str | None, list[tuple[str, Any]]]
    )

    def items(self, records: Iterable[Record | Problem]) -> Iterator[Item]:
        for index, record in enumerate(records, start=1):
            if isinstance(record, Problem):
                yield record
                continue
            try:
                yield from self._record(record, index)
            except UnreadableError as error:
                yield Problem(record.place, str(error))
        for named, messages in self.loose.items():
            reader = chat_format([message for _, message in messages], self.format)
            if reader is not None:
                chat = only_conversation(messages, named, self.naming)
                yield from events_of(chat, reader, self.naming)

    def _record(self, record: Record, index: int) -> Iterator[Item]:
        found = as_object(record.value)
        if found is not None and self.format in {None, OWN} and own_export.matches(found):
            self.understood = True
            yield with_owner(own_export.read(found), record.place, self.naming)
        elif found is not None and self.format not in {OWN, TAU_BENCH} and is_message(found):
            self.understood = True
            self.loose.setdefault(session_named(found), []).append((record.place, found))
        else:
            yield from self._conversation(record, index)

    def _conversation(self, record: Record, index: int) -> Iterator[Item]:
        fields = as_object(record.value) or {}
        messages = messages_of(record.value)
        is_run = tau_bench.matches(fields)
        if messages is None or self.format == OWN or (self.format == TAU_BENCH and not is_run):
            raise UnreadableError(f"not {_asked_for(self.format)}")
        reader = chat_format(messages, "openai" if is_run else self.format)
        if reader is None:
            if messages:
                raise UnreadableError(f"not {_asked_for(self.format)}")
            return  # an empty conversation is no mistake
        self.understood = True
        chat = conversation(record, messages, index, self.naming)
        ending = tau_bench.outcome(fields) if is_run else []
        yield from events_of(chat, reader, self.naming, ending)


def _asked_for(name: str | None) -> str:
    return "a message, conversation, trajectory or event" if name is None else FORMATS[name]


def _unknown(name: str | None, first: Problem) -> UnknownFormatError:
    known = "; ".join(f"{key} ({what})" for key, what in FORMATS.items())
    asked = "any known format" if name is None else f"the format {name!r}"
    message = f"{first.place}: {first.message}; the file is not in {asked}. Known formats: {known}"
    return UnknownFormatError(message, details=[ErrorDetail("file", first.message)])
