"""Marking injected memory, and taking it out of what is captured.

What a model was given from memory is no new evidence: captured again it would make every memory
confirm itself.  Injected text therefore stands between the markers of `render`, and everything
captured is stripped of what stands between them: also when a model or a framework quotes it back,
nested, repeated, escaped as HTML or JSON, or cut off.
"""

from __future__ import annotations

import re

from hippocortex_core.render import CLOSING, OPENING, TAG

# White space stands in one place of each branch: in two side by side it would be tried squared.
_BEGINS = r"(?:<|&lt;|\\u003c)\s*(?:(?P<slash>/)\s*)?"
_MARKER = re.compile(rf"{_BEGINS}{TAG}\s*(?:>|&gt;|\\u003e)", re.IGNORECASE)
# A text cut off inside a marker: "…<hippocortex_mem".
_CUT_MARKER = re.compile(rf"{_BEGINS}(?P<name>hippocortex_\w*)\s*(?:&g?t?)?\Z", re.IGNORECASE)
# What a pack's lines look like: for a block whose beginning was cut off.
_PACK_LINE = re.compile(r"[ \t]*$|## |- |  |Recalled from memory:")
# What a quotation leaves behind.
_RESIDUE = re.compile(r"[\s>`*_'\"|:-]*")
_TAG = TAG.lower()
_HINT = "hippocortex_"


def mark(text: str) -> str:
    """The text between the markers; as it is if it is marked already or blank.

    Markers inside the text are defused: nothing but the end can end the block.
    """
    if not text.strip():
        return ""
    if text.startswith(OPENING) and text.endswith(CLOSING):
        return text
    return f"{OPENING}{_MARKER.sub(_defused, text)}\n{CLOSING}"


def contains(text: str) -> bool:
    """Whether there is injected memory in the text."""
    return _HINT in text.lower() and _MARKER.search(text) is not None


def strip(text: str) -> str:
    """The text without injected memory; "" if nothing else was in it.

    Text without memory comes back as it is.
    """
    if _HINT not in text.lower():
        return text
    kept = _outside(text)
    if kept is None:
        return text
    joined = "\n".join(part for part in map(str.strip, kept) if part)
    return "" if _RESIDUE.fullmatch(joined) else joined


def _outside(text: str) -> list[str] | None:
    """The pieces outside of all blocks; None if there are no markers."""
    kept: list[str] = []
    depth = position = 0
    found = False
    for marker in _markers(text):
        found = True
        if depth == 0:
            piece = text[position : marker.start()]
            # An end without a beginning: the beginning was cut off.
            kept.append(_without_end_of_pack(piece) if marker["slash"] else piece)
        depth = max(0, depth - 1) if marker["slash"] else depth + 1
        position = marker.end()
    if not found:
        return None
    if depth == 0:
        kept.append(text[position:])
    return kept


def _without_end_of_pack(piece: str) -> str:
    lines = piece.splitlines()
    while lines and _PACK_LINE.match(lines[-1]):
        lines.pop()
    rest = "\n".join(lines)
    return "" if OPENING.rstrip().endswith(rest) else rest


def _markers(text: str) -> list[re.Match[str]]:
    markers = list(_MARKER.finditer(text))
    cut = _CUT_MARKER.search(text)
    if cut and _TAG.startswith(cut["name"].lower()):
        markers.append(cut)
    return markers


def _defused(marker: re.Match[str]) -> str:
    return "&lt;" + marker[0].lstrip("<") if marker[0].startswith("<") else "[memory]"
