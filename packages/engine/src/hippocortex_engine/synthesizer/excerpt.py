"""Cutting a long text down to what bears on a query."""

from __future__ import annotations

import re
from collections.abc import Mapping

from hippocortex_engine.text import MAX_CHARS, term_hash, terms

GAP = " \u2026 "
"""Stands for what was left out."""

_MOST = 1_000  # pieces looked at

# Between sentences, lines, and the members of JSON, which has no sentences.
_BREAK = re.compile(r"(?<=[.!?])(?=\s)|(?<=[\n;,{}\[\]])")


def excerpt(text: str, weights: Mapping[int, float], limit: int) -> str:
    """At most about `limit` characters of the text: its beginning and what matches the query.

    Args:
        text: what to cut.
        weights: weight of each term (by hash) of the query.
        limit: characters to keep; text that is not longer comes back whole.
    """
    text = text.strip()
    if len(text) <= limit:
        return text
    pieces = [piece for piece in _BREAK.split(text[:MAX_CHARS]) if piece][:_MOST]
    order = sorted(range(len(pieces)), key=lambda i: (-_weight(pieces[i], weights), i))
    kept: set[int] = set()
    room = limit
    for position in (0, *order):
        if position not in kept and len(pieces[position]) <= room:
            kept.add(position)
            room -= len(pieces[position])
    if not kept:
        return text[: limit - 1].rstrip() + "\u2026"
    return _joined(pieces, sorted(kept))


def _weight(piece: str, weights: Mapping[int, float]) -> float:
    found = {term_hash(term) for term in terms(piece)}
    return sum(weights.get(term, 0.0) for term in found)


def _joined(pieces: list[str], kept: list[int]) -> str:
    parts: list[str] = []
    previous = -1
    for position in kept:
        if parts and position != previous + 1:
            parts.append(GAP)
        parts.append(pieces[position])
        previous = position
    if previous != len(pieces) - 1:
        parts.append(GAP.rstrip())
    return "".join(parts).strip()
