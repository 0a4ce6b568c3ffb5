"""Writing: one JSON document, or text that reads well with and without a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from hippocortex_core import codec

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


_NO_OPTIONS: Mapping[str, Any] = {}


def emit(document: object) -> None:
    """A result, or JSON data, as the one JSON document of this command."""
    data: Any = codec.encode(document)  # plain JSON data passes through
    wide = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    print(json.dumps(data, ensure_ascii=not wide, indent=2 if sys.stdout.isatty() else None))


def console(*, stderr: bool = False) -> Console:
    """A rich console; without a terminal it is plain text, 80 columns wide unless COLUMNS says."""
    from rich.console import Console  # noqa: PLC0415 - rich is slow to import

    stream = sys.stderr if stderr else sys.stdout
    narrow = None if stream.isatty() else 80
    safe = (stream.encoding or "ascii").lower().startswith("utf")
    return Console(
        file=stream,
        highlight=False,
        markup=False,
        emoji=False,
        width=_columns() or narrow,
        safe_box=not safe,
        legacy_windows=False,
    )


def table(*columns: str | tuple[str, Mapping[str, Any]], title: str | None = None) -> Table:
    """A light table; a column is a heading, or a heading with rich's options for it."""
    from rich import box  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    made = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        header_style="bold",
        show_edge=False,
        padding=(0, 1, 0, 0),
    )
    for column in columns:
        heading, options = (column, _NO_OPTIONS) if isinstance(column, str) else column
        made.add_column(heading, overflow="fold", **options)
    return made


def right(heading: str) -> tuple[str, Mapping[str, Any]]:
    """A column of numbers."""
    return heading, {"justify": "right", "no_wrap": True}


def count(number: int, noun: str) -> str:
    """`1 event`, `2,000 events`."""
    plural = noun if number == 1 else f"{noun}{'es' if noun.endswith('s') else 's'}"
    return f"{number:,} {plural}"


def readable(name: str) -> str:
    """`failure_playbook` and `rootCauses` as words."""
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)
    return words.replace("_", " ").strip()


def outline(value: Any, indent: int = 0) -> list[str]:
    """JSON content as indented lines a person can read; empty parts are left out."""
    pad = "  " * indent
    if isinstance(value, dict):
        lines: list[str] = []
        for name, inner in cast("dict[str, Any]", value).items():
            lines += _entry(f"{pad}{readable(name)}:", inner, indent)
        return lines
    if isinstance(value, list):
        items = enumerate(cast("list[Any]", value), start=1)
        return [line for number, item in items for line in _item(pad, number, item, indent)]
    return [f"{pad}{scalar(value)}"]


def scalar(value: Any) -> str:
    """A plain JSON value in words."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "-"}[value]
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _entry(label: str, inner: Any, indent: int) -> list[str]:
    if inner in (None, "", [], {}):
        return []
    if isinstance(inner, (dict, list)):
        return [label, *outline(inner, indent + 1)]
    return [f"{label} {scalar(inner)}"]


def _item(pad: str, number: int, item: Any, indent: int) -> list[str]:
    first, *rest = outline(item, indent + 1) or [""]
    return [f"{pad}{number}. {first.strip()}", *(f" {line}" for line in rest)]


def _columns() -> int | None:
    import os  # noqa: PLC0415

    width = os.environ.get("COLUMNS", "")
    return int(width) if width.isdigit() and int(width) > 0 else None
