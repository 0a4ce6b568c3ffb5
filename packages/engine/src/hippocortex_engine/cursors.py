"""Cursors: where a listing goes on, opaque to the caller and bound to what was asked."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any, cast

from hippocortex_core.errors import invalid
from hippocortex_core.validation import check_text
from hippocortex_engine.identifiers import content_id


def encode(question: str, place: list[Any]) -> str:
    """A cursor for the next page of a question."""
    text = json.dumps([_mark(question), place], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(question: str, cursor: object, kinds: tuple[type | tuple[type, ...], ...]) -> list[Any]:
    """The place a cursor stands for.

    Raises:
        ValidationError: it is not a cursor of ours, or of another question.
    """
    if not isinstance(cursor, str) or not cursor:
        raise invalid("cursor", "must be a cursor returned by the previous page")
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        asked, place = cast("list[Any]", json.loads(text))
    except (ValueError, TypeError, binascii.Error, UnicodeError, RecursionError):
        raise invalid("cursor", "is not a cursor returned by a previous page") from None
    if asked != _mark(question):
        raise invalid("cursor", "belongs to a listing with other filters or another order")
    if not _fits(place, kinds):
        raise invalid("cursor", "is not a cursor returned by a previous page")
    return place


def _mark(question: str) -> str:
    """Enough of a hash to tell questions apart; a cursor need not repeat the filters."""
    return content_id("", question)[:12]


def _fits(place: object, kinds: tuple[type | tuple[type, ...], ...]) -> bool:
    if not isinstance(place, list):
        return False
    values = cast("list[Any]", place)
    if len(values) != len(kinds):
        return False
    for value, kind in zip(values, kinds, strict=True):
        if not isinstance(value, kind) or isinstance(value, bool):
            return False
        if isinstance(value, str):
            check_text("cursor", value)
        # Beyond 64 bits no database has a row.
        if isinstance(value, int) and abs(value) >= 2**63:
            return False
    return True
