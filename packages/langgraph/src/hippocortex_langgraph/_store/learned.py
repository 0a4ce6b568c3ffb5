"""What the memory has learned, as items of a store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from hashlib import sha256
from typing import Any, cast

from langgraph.store.base import SearchItem

from hippocortex_core import Recall, Scope
from hippocortex_core.codec import encode
from hippocortex_core.guard import fail_open
from hippocortex_core.recorder import Opener
from hippocortex_core.types import SynthesisEntry
from hippocortex_langgraph._store.whose import Whose

NAMESPACE = "hippocortex"
"""The root of the namespaces of learned items."""


class Learned:
    """Recalls; what cannot be recalled is nothing."""

    def __init__(self, recorder: Opener, whose: Whose) -> None:
        self._recorder = recorder
        self._whose = whose

    def search(
        self, query: str, namespace: Sequence[str], found: Sequence[SearchItem], limit: int
    ) -> list[SearchItem]:
        """What was learned about the query, the most certain first.

        Args:
            query: What is asked.
            namespace: Below which it is asked; it may name the user.
            found: What the store itself found: an event that is no more than one of these is left
                out.
            limit: At most so many.
        """
        with fail_open("recalling what was learned"):
            if (recorder := self._recorder()) is not None:
                recall = recorder.recall(query, scope=self._scope(namespace))
                return _items(recall, found, limit)
        return []

    async def asearch(
        self, query: str, namespace: Sequence[str], found: Sequence[SearchItem], limit: int
    ) -> list[SearchItem]:
        """As `search`; the event loop goes on meanwhile."""
        with fail_open("recalling what was learned"):
            if (recorder := self._recorder()) is not None:
                recall = await recorder.arecall(query, scope=self._scope(namespace))
                return _items(recall, found, limit)
        return []

    def _scope(self, namespace: Sequence[str]) -> Scope:
        return self._whose.of(namespace, self._whose.of_run())


def _items(recall: Recall, found: Sequence[SearchItem], limit: int) -> list[SearchItem]:
    entries = [] if recall.result is None else recall.result.entries
    known = [texts for item in found if (texts := list(_texts(item.value)))]
    news = [entry for entry in entries if not _repeats(entry, known)]
    now = datetime.now(timezone.utc)
    return [_item(entry, now) for entry in news[:limit]]


def _repeats(entry: SynthesisEntry, known: Sequence[Sequence[str]]) -> bool:
    if entry.section != "context":
        return False
    content = _flat(entry.content)
    return any(all(text in content for text in texts) for texts in known)


def _texts(value: object) -> Iterator[str]:
    """The texts of an item, as they stand in what was captured of it."""
    if isinstance(value, str):
        yield _flat(value)
    elif isinstance(value, (dict, list)):
        inside = cast("dict[str, object] | list[object]", value)
        for inner in inside.values() if isinstance(inside, dict) else inside:
            yield from _texts(inner)


def _flat(text: str) -> str:
    return " ".join(text.split())


def _item(entry: SynthesisEntry, now: datetime) -> SearchItem:
    sources = entry.provenance or []
    # A service need not say where an entry comes from; the key is then that of what it says.
    key = sources[0].source_id if sources else sha256(entry.content.encode()).hexdigest()[:32]
    value: dict[str, Any] = {
        "content": entry.content,
        "confidence": entry.confidence,
        "provenance": [encode(source) for source in sources],
    }
    return SearchItem((NAMESPACE, entry.section), key, value, now, now, score=entry.confidence)
