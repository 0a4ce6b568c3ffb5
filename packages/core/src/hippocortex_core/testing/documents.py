"""The keyed documents of the memory for tests: a dictionary, and the rules of the contract."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from hippocortex_core.documents import (
    CheckedListing,
    CheckedPut,
    CheckedSearch,
    Namespace,
    Vector,
    matches,
)
from hippocortex_core.operations.documents import (
    DeleteDocument,
    DocumentOperation,
    DocumentOutcome,
    GetDocument,
    ListNamespaces,
    PutDocument,
    SearchDocuments,
)
from hippocortex_core.types import (
    CaptureEvent,
    CaptureResult,
    Document,
    DocumentSearchResult,
    NamespaceListResult,
)
from hippocortex_core.validation import format_micros

Place = tuple[Namespace, str]


@dataclass
class _Kept:
    put: CheckedPut
    created_at: int
    updated_at: int
    expires_at: int | None
    captured: bool
    events: tuple[str, ...]


class KeptDocuments:
    """Documents in a dictionary; a query is answered by the share of its words that they hold.

    Attributes:
        now: Microseconds since the epoch.
    """

    def __init__(
        self,
        capture: Callable[[CaptureEvent], CaptureResult],
        drop: Callable[[Sequence[str]], None],
    ) -> None:
        self.now = 0
        self._capture = capture
        self._drop = drop
        self._kept: dict[Place, _Kept] = {}
        self._clock = -1
        self._numbers = count()

    def run(self, operations: Sequence[DocumentOperation]) -> list[DocumentOutcome]:
        """The outcome of each operation: reads before writes, the last write to a place wins."""
        self.sweep()
        writes: dict[Place, PutDocument | DeleteDocument] = {}
        outcomes: list[DocumentOutcome] = []
        for operation in operations:
            outcomes.append(self._outcome(operation))
            if isinstance(operation, (PutDocument, DeleteDocument)):
                writes[(tuple(operation.namespace), operation.key)] = operation
        for place, operation in writes.items():
            if isinstance(operation, PutDocument):
                self._put(place, operation.checked())
            else:
                self._remove(place)
        return outcomes

    def sweep(self) -> int:
        """Remove what has expired; returns how many."""
        expired = [place for place, kept in self._kept.items() if self._is_over(kept)]
        for place in expired:
            self._remove(place)
        return len(expired)

    def forget(self, user_id: str, agent_id: str | None, session_id: str | None) -> None:
        """Remove what was last put for a user, by an agent and in a session if these are given."""
        for place, kept in list(self._kept.items()):
            put = kept.put
            if (
                put.user_id == user_id
                and agent_id in {None, put.agent_id}
                and session_id in {None, put.session_id}
            ):
                self._remove(place)

    def _outcome(self, operation: DocumentOperation) -> DocumentOutcome:
        if isinstance(operation, PutDocument):
            operation.checked()
            return None
        if isinstance(operation, ListNamespaces):
            return self._list(operation.checked())
        if isinstance(operation, SearchDocuments):
            return self._search(operation.checked())
        kept = self._kept.get(operation.checked())
        if isinstance(operation, GetDocument):
            return kept and self._found(kept, refresh=operation.refresh_ttl)
        return kept is not None

    def _put(self, place: Place, put: CheckedPut) -> None:
        old = self._kept.get(place)
        self._clock = max(self._clock + 1, self.now)
        events = old.events if old else ()
        said = old is not None and old.captured and old.put.value_json == put.value_json
        if put.capture and not said:
            events = (*events, self._capture(self._event(put)).event_id)
        stored = replace(
            put,
            value=json.loads(put.value_json),
            user_id=put.user_id or (old and old.put.user_id),
            agent_id=put.agent_id or (old and old.put.agent_id),
            session_id=put.session_id or (old and old.put.session_id),
        )
        created = old.created_at if old else self._clock
        expires, captured = self._expiry(put), said or put.capture
        self._kept[place] = _Kept(stored, created, self._clock, expires, captured, events)

    def _event(self, put: CheckedPut) -> CaptureEvent:
        payload = {"text": put.value_json, "namespace": list(put.namespace), "key": put.key}
        owners = {"user_id": put.user_id, "agent_id": put.agent_id}
        session = put.session_id or f"document:{next(self._numbers)}"
        metadata = {name: owner for name, owner in owners.items() if owner is not None}
        return CaptureEvent("observation", session, payload, metadata=metadata or None)

    def _remove(self, place: Place) -> None:
        if (gone := self._kept.pop(place, None)) is not None:
            self._drop(gone.events)

    def _search(self, search: CheckedSearch) -> DocumentSearchResult:
        below = [
            kept
            for (namespace, _), kept in self._kept.items()
            if namespace[: len(search.prefix)] == search.prefix
            and (search.fits is None or search.fits(kept.put.value))
        ]
        below.sort(key=lambda kept: kept.updated_at, reverse=True)
        scored = [(kept, _score(kept.put, search)) for kept in below]
        scored.sort(key=lambda pair: -math.inf if pair[1] is None else pair[1], reverse=True)
        page = scored[search.offset : search.offset + search.limit]
        return DocumentSearchResult(
            [
                replace(self._found(kept, refresh=search.refresh_ttl), score=score)
                for kept, score in page
            ]
        )

    def _list(self, listing: CheckedListing) -> NamespaceListResult:
        found = {
            namespace[: listing.max_depth]
            for namespace, _ in self._kept
            if matches(namespace, listing)
        }
        page = sorted(found)[listing.offset : listing.offset + listing.limit]
        return NamespaceListResult([list(namespace) for namespace in page])

    def _found(self, kept: _Kept, *, refresh: bool) -> Document:
        if refresh:
            kept.expires_at = self._expiry(kept.put)
        expires = kept.expires_at
        return Document(
            namespace=list(kept.put.namespace),
            key=kept.put.key,
            value=json.loads(kept.put.value_json),
            created_at=format_micros(kept.created_at),
            updated_at=format_micros(kept.updated_at),
            expires_at=None if expires is None else format_micros(expires),
        )

    def _expiry(self, put: CheckedPut) -> int | None:
        return None if put.ttl is None else self.now + round(put.ttl * 1_000_000)

    def _is_over(self, kept: _Kept) -> bool:
        return kept.expires_at is not None and kept.expires_at <= self.now


def _score(put: CheckedPut, search: CheckedSearch) -> float | None:
    if search.vector is not None:
        wanted = search.vector
        near = [_cosine(wanted, own) for own in put.vectors or () if len(own) == len(wanted)]
        return max(near, default=None)
    if search.query is None or not put.index:
        return None
    words = set(_words(search.query))
    return len(words & set(_words(put.value_json))) / max(len(words), 1)


def _words(text: str) -> Iterator[str]:
    return (match[0] for match in re.finditer(r"\w+", text.lower()))


def _cosine(a: Vector, b: Vector) -> float:
    norms: Any = math.hypot(*a) * math.hypot(*b)
    return math.fsum(x * y for x, y in zip(a, b, strict=True)) / norms if norms else 0.0
