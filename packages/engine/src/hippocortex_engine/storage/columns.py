"""Types of columns that behave the same in every database."""

from __future__ import annotations

from sqlalchemy import String, Text
from sqlalchemy.types import TypeEngine


def text(length: int | None = None) -> TypeEngine[str]:
    """Text of at most so many characters, sorted and compared by their numbers.

    PostgreSQL would sort as people of some country do, and not all databases alike: packs and
    pages would differ from one to the next.
    """
    if length is None:
        return Text().with_variant(Text(collation="C"), "postgresql")
    return String(length).with_variant(String(length, collation="C"), "postgresql")
