"""From a file to JSON records, each with the line it starts on.

A file is read by its content, whatever its name: one JSON document (an array is walked element
by element), or JSON lines.  It may be gzipped, and UTF-8 or UTF-16 with a mark.  What is not JSON
becomes a `Problem`; everything readable around it is still delivered.
"""

from __future__ import annotations

import codecs
import gzip
import io
import json
import sys
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, TextIO, cast

STDIN = Path("-")
_GZIP = b"\x1f\x8b"
_SPACE = " \t\r\n"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that could not be read: where (`file:line`) and why."""

    place: str
    message: str


@dataclass(frozen=True, slots=True)
class Record:
    """One JSON value, where it stands (`file:line`), and whether it is all there is in the file."""

    place: str
    value: Any
    alone: bool = False


def stem(path: Path) -> str:
    """The file's name without what tells its format: `runs.jsonl.gz` is `runs`."""
    name = "stdin" if path == STDIN else path.name
    for ending in (".gz", ".json", ".jsonl", ".ndjson"):
        name = name.removesuffix(ending)
    return name or path.name


def read_records(path: Path) -> Iterator[Record | Problem]:
    """The records of a file, in order; `-` is standard input.

    Raises:
        OSError: the file cannot be read.
    """
    name = "<stdin>" if path == STDIN else str(path)
    with _opened(path) as binary:
        lines = enumerate(_text(binary), start=1)
        written = ((number, line) for number, line in lines if line.strip(_SPACE))
        try:
            yield from _records(name, written)
        except (EOFError, zlib.error, UnicodeError) as error:
            yield Problem(name, f"broken file: {error}")


def as_object(value: object) -> dict[str, Any] | None:
    """The value if it is a JSON object."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def as_list(value: object) -> list[Any] | None:
    """The value if it is a JSON array."""
    return cast("list[Any]", value) if isinstance(value, list) else None


@contextmanager
def _opened(path: Path) -> Generator[BinaryIO]:
    if path == STDIN:
        yield sys.stdin.buffer
    else:
        with path.open("rb") as stream:
            yield stream


def _text(binary: BinaryIO) -> TextIO:
    """Decoded text; bytes that are not UTF-8 become lone surrogates, and spoil only their event."""
    buffered = io.BufferedReader(cast("io.RawIOBase", binary))
    if buffered.peek(2).startswith(_GZIP):
        buffered = io.BufferedReader(cast("io.RawIOBase", gzip.GzipFile(fileobj=buffered)))
    wide = buffered.peek(2)[:2] in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}
    encoding = "utf-16" if wide else "utf-8-sig"
    return io.TextIOWrapper(buffered, encoding=encoding, errors="surrogateescape", newline="\n")


def _records(name: str, lines: Iterator[tuple[int, str]]) -> Iterator[Record | Problem]:
    first = next(lines, None)
    if first is None:
        return
    second = next(lines, None)
    if second is None:
        yield from _document(name, first[1], first[0])
        return
    rest = chain([first, second], lines)
    if _is_json(first[1]) or (first[1].strip(_SPACE) not in {"[", "{"} and _is_json(second[1])):
        yield from _json_lines(name, rest)
    else:
        yield from _document(name, *_joined(rest))


def _joined(lines: Iterator[tuple[int, str]]) -> tuple[str, int]:
    """The whole text with its blank lines back in place, and the number of its first line."""
    start, text = next(lines)
    parts, at = [text], start
    for number, line in lines:
        parts.append("\n" * (number - at - 1) + line)
        at = number
    return "".join(parts), start


def _json_lines(name: str, lines: Iterator[tuple[int, str]]) -> Iterator[Record | Problem]:
    for number, line in lines:
        place = f"{name}:{number}"
        try:
            yield Record(place, json.loads(line.rstrip()))
        except (ValueError, RecursionError) as error:
            yield Problem(place, _reason(error))


def _document(name: str, text: str, line: int) -> Iterator[Record | Problem]:
    if text.lstrip(_SPACE).startswith("["):
        yield from _elements(name, text, line)
        return
    try:
        yield Record(f"{name}:{line}", json.loads(text), alone=True)
    except (ValueError, RecursionError) as error:
        yield Problem(f"{name}:{line + _line_of(error)}", _reason(error))


def _elements(name: str, text: str, line: int) -> Iterator[Record | Problem]:
    """The elements of a top-level array; those before a syntax error are still good."""
    decoder = json.JSONDecoder()
    at = _skip(text, text.index("[") + 1)
    counted = 0
    while not text.startswith("]", at):
        line += text.count("\n", counted, at)
        counted = at
        try:
            value, end = decoder.raw_decode(text, at)
            end = _skip(text, end)
            if text[end : end + 1] not in {",", "]"}:
                raise json.JSONDecodeError("Expecting ',' delimiter", text, end)
        except (ValueError, RecursionError) as error:
            place = line if not isinstance(error, json.JSONDecodeError) else error.lineno
            yield Problem(f"{name}:{place}", f"{_reason(error)}; the rest is unreadable")
            return
        yield Record(f"{name}:{line}", value)
        at = _skip(text, end + 1) if text[end] == "," else end


def _skip(text: str, at: int) -> int:
    while text[at : at + 1] and text[at] in _SPACE:
        at += 1
    return at


def _is_json(line: str) -> bool:
    try:
        return isinstance(json.loads(line), (dict, list))
    except (ValueError, RecursionError):
        return False


def _line_of(error: Exception) -> int:
    return error.lineno - 1 if isinstance(error, json.JSONDecodeError) else 0


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON: {error.msg} (column {error.colno})"
    return "nested too deeply" if isinstance(error, RecursionError) else f"not JSON: {error}"
