"""Lines of transcripts from files and blobs, plain or compressed, however long and broken."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from hippocortex_openclaw._history.runs import Entry
from hippocortex_openclaw._history.zstd import MAGIC, BrokenError, Unpacked

MAX_LINE = 64 * 1024 * 1024
"""Bytes of one line that are read; OpenClaw's own limit for a whole archive."""


@dataclass(frozen=True)
class Problem:
    """Something that could not be read: where and why."""

    place: str
    message: str


Item = Entry | Problem


def entries_in_file(path: Path) -> Iterator[Item]:
    """The entries of a JSONL file."""
    try:
        with path.open("rb") as stream:
            yield from _entries(stream, str(path), "line")
    except OSError as error:
        yield Problem(str(path), error.strerror or str(error))


def entries_in_blob(data: bytes, place: str) -> Iterator[Item]:
    """The entries of a JSONL file that is kept elsewhere."""
    yield from _entries(io.BytesIO(data), place, "line")


def entry_of(text: str | bytes, place: str) -> Item:
    """One entry; a `Problem` if it is none."""
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        return Problem(place, f"not JSON: {_reason(error)}")
    if not isinstance(value, dict):
        return Problem(place, "not a JSON object")
    return Entry(place, cast("dict[str, Any]", value))


def first_line(path: Path) -> Mapping[str, Any]:
    """The first line of a JSONL file as an object, empty if it is none."""
    found = next(entries_in_file(path), None)
    return found.value if isinstance(found, Entry) else {}


def _entries(stream: BinaryIO, place: str, unit: str) -> Iterator[Item]:
    magic = stream.read(len(MAGIC))
    stream.seek(0)
    text = io.BufferedReader(Unpacked(stream)) if magic == MAGIC else stream
    number = 0
    try:
        while line := text.readline(MAX_LINE):
            number += 1
            where = f"{place}: {unit} {number}"
            if not line.endswith(b"\n") and len(line) >= MAX_LINE:
                yield Problem(where, f"longer than {MAX_LINE:,} bytes")
                _skip_line(text)
            elif stripped := line.strip():
                yield _row(entry_of(stripped, where))
    except BrokenError as error:
        yield Problem(place, f"broken after {unit} {number}: {error}")


def _row(item: Item) -> Item:
    """The entry within a line of a cold archive, which wraps them."""
    if isinstance(item, Problem) or item.value.get("kind") != "event":
        return item
    row: Any = item.value.get("row")
    found: Any = cast("dict[str, Any]", row).get("event_json") if isinstance(row, dict) else None
    return entry_of(found, item.place) if isinstance(found, str) else item


def _skip_line(stream: Any) -> None:
    while part := stream.readline(1 << 20):
        if part.endswith(b"\n"):
            return


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} (column {error.colno})"
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)
