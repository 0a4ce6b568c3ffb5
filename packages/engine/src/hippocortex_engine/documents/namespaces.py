"""Namespaces as text that begins as the labels do.

A path is every label followed by U+001F, which no label holds.  So a namespace is a prefix of
another exactly if its path is, and what lies below it is a range of text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hippocortex_core.documents import ANY_LABEL, CheckedListing, Namespace, matches
from hippocortex_engine.identifiers import content_id
from hippocortex_engine.storage.schema import HEAD_CHARS

_END = "\x1f"
_AFTER_END = "\x20"


def path(namespace: Sequence[str]) -> str:
    """The namespace as text."""
    return "".join(label + _END for label in namespace)


def labels(of: str) -> list[str]:
    """The namespace of a path."""
    return of.split(_END)[:-1]


def head(of: str) -> str:
    """As much of a path as is indexed."""
    return of[:HEAD_CHARS]


def is_whole(one: str) -> bool:
    """Whether a head is the whole path."""
    return len(one) < HEAD_CHARS


def heads_below(prefix: str) -> tuple[str, str] | None:
    """The first head of what lies below a path, and the first one that comes after; None: all."""
    if not prefix:
        return None
    if is_whole(prefix):
        return prefix, prefix[:-1] + _AFTER_END
    return head(prefix), head(prefix) + _END


def document_id(namespace: Sequence[str], key: str) -> str:
    """What names a document within its tenant."""
    return content_id("doc_", path(namespace), key)


def common_prefix(listing: CheckedListing) -> Namespace:
    """Labels that every namespace of a listing begins with."""
    sure = [_before_any(one) for one in listing.prefixes]
    return max(sure, key=len, default=())


def listed(namespaces: Iterable[Namespace], listing: CheckedListing) -> list[list[str]]:
    """What a listing shows of the namespaces there are."""
    found = {one[: listing.max_depth] for one in namespaces if matches(one, listing)}
    page = sorted(found)[listing.offset : listing.offset + listing.limit]
    return [list(one) for one in page]


def _before_any(condition: Namespace) -> Namespace:
    return condition[: condition.index(ANY_LABEL)] if ANY_LABEL in condition else condition
