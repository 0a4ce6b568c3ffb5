"""What was remembered by hand, as CrewAI's records: documents under scopes, in any home.

A document is also an event of its scope, so what was remembered is recalled with everything else
and learned from; deleting the document takes the event with it.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timezone
from typing import Any, cast

from crewai.memory.types import MemoryRecord, ScopeInfo

from hippocortex_core.operations.documents import DeleteDocument, PutDocument
from hippocortex_core.recorder import Opener, Recorder
from hippocortex_core.recorder.breaker import Breaker
from hippocortex_core.recorder.intake import clean_text
from hippocortex_core.redaction import walk
from hippocortex_core.scope import Scope
from hippocortex_core.service import MemoryService
from hippocortex_core.types import Document
from hippocortex_crewai._scopes import is_within, labels, namespace, path_of

_QUICK = 1.0
"""Seconds that an agent waits at most for a record to be kept or found."""
_PATIENT = 60.0
"""Seconds for what people ask for: lists, and forgetting."""
_PAGE = 1000
_ENOUGH = 4
"""Of so many times the records that are wanted, some may be hidden from who asks."""

Chosen = Callable[[MemoryRecord], bool]


class Records:
    """The records of a memory; each call is about those of one user, or about nobody's."""

    def __init__(self, recorder: Opener) -> None:
        self._recorder = recorder
        self._breaker = Breaker(threshold=1)

    # --- for agents ------------------------------------------------------------------------------

    def keep(self, record: MemoryRecord, scope: Scope) -> bool:
        """Whether it could be kept soon enough."""
        put = _put(record, scope)
        return self._quick(lambda memory: memory.batch_documents([put])) is not None

    def find(
        self, query: str, where: str, user_id: str | None, limit: int, chosen: Chosen
    ) -> list[tuple[MemoryRecord, float]]:
        """The best records below a scope, with their scores; none if memory is out of reach."""
        found = self._quick(
            lambda memory: memory.search_documents(
                namespace(where, user_id), query=query, limit=_ENOUGH * limit, refresh_ttl=False
            )
        )
        scored = [(_record(one), one.score or 0.0) for one in (found.documents if found else ())]
        return [pair for pair in scored if pair[1] > 0 and chosen(pair[0])][:limit]

    def _quick(self, ask: Callable[[MemoryService], Any]) -> Any:
        """The answer; None if there is none in time, or was none lately."""
        recorder = self._recorder()
        if recorder is None or self._breaker.permit() == "no":
            return None
        try:
            found = recorder.call(ask, _QUICK)
        except Exception:  # noqa: BLE001 - a memory may fail in any way
            self._breaker.failure()
            return None
        self._breaker.success()
        return found

    # --- for people ------------------------------------------------------------------------------

    def all(self, where: str, user_id: str | None) -> Iterator[MemoryRecord]:
        """The records below a scope, the newest first."""
        recorder = self._recorder()
        offset = 0
        while recorder is not None:
            page = self._page(recorder, where, user_id, offset)
            yield from map(_record, page)
            if len(page) < _PAGE:
                return
            offset += _PAGE

    def replace(self, old: MemoryRecord, new: MemoryRecord, scope: Scope) -> None:
        """Keep the new record in place of the old one."""
        operations: list[Any] = [_put(new, scope)]
        if labels(old.scope) != labels(new.scope):
            operations.append(DeleteDocument(namespace(old.scope, scope.user_id), old.id))
        if (recorder := self._recorder()) is not None:
            recorder.call(lambda memory: memory.batch_documents(operations), _PATIENT)

    def delete(self, where: str, user_id: str | None, chosen: Chosen) -> int:
        """Delete records, and the events that they were; returns how many."""
        doomed = [one for one in self.all(where, user_id) if chosen(one)]
        for begin in range(0, len(doomed), _PAGE):
            operations = [
                DeleteDocument(namespace(one.scope, user_id), one.id)
                for one in doomed[begin : begin + _PAGE]
            ]
            self._must().call(lambda memory, batch=operations: memory.batch_documents(batch), _PATIENT)
        return len(doomed)

    def forget_runs(self, where: str, user_id: str | None) -> int:
        """Delete what was captured from runs under a scope; returns how many events."""
        recorder = self._recorder()
        if recorder is None:
            return 0
        recorder.flush(_PATIENT)
        doomed = recorder.call(lambda memory: _run_events(memory, where, user_id), _PATIENT)
        for begin in range(0, len(doomed), _PAGE):
            ids = doomed[begin : begin + _PAGE]
            recorder.call(lambda memory, ids=ids: memory.forget(event_ids=ids), _PATIENT)
        return len(doomed)

    def info(self, where: str, user_id: str | None) -> ScopeInfo:
        """What there is below a scope."""
        found = list(self.all(where, user_id))
        depth = len(labels(where))
        inner = {tuple(labels(one.scope)[: depth + 1]) for one in found}
        times = [one.created_at for one in found]
        return ScopeInfo(
            path=where,
            record_count=len(found),
            categories=sorted(self.categories(found)),
            oldest_record=min(times, default=None),
            newest_record=max(times, default=None),
            child_scopes=sorted("/" + "/".join(path) for path in inner if len(path) > depth),
        )

    @staticmethod
    def categories(records: list[MemoryRecord]) -> dict[str, int]:
        """How many records there are of each category."""
        return dict(Counter(name for one in records for name in one.categories))

    def _page(
        self, recorder: Recorder, where: str, user_id: str | None, offset: int
    ) -> list[Document]:
        prefix = namespace(where, user_id)
        return recorder.call(
            lambda memory: memory.search_documents(
                prefix, limit=_PAGE, offset=offset, refresh_ttl=False
            ).documents,
            _PATIENT,
        )

    def _must(self) -> Recorder:
        recorder = self._recorder()
        assert recorder is not None, "there was one a moment ago"
        return recorder


def new_record(content: str, path: str, given: Mapping[str, Any]) -> MemoryRecord:
    """A record of now; what is None among the given fields is left at its default."""
    fields = {name: value for name, value in given.items() if value is not None}
    now = _now()
    return MemoryRecord(
        id=str(uuid.uuid4()), content=content, scope=path, created_at=now, last_accessed=now, **fields
    )


def _put(record: MemoryRecord, scope: Scope) -> PutDocument:
    # Only what was said: all of it is what the memory learns from.
    said = {
        "content": record.content,
        "categories": record.categories,
        "metadata": record.metadata,
        "importance": record.importance if record.importance != _IMPORTANCE else None,
        "source": record.source,
        "private": record.private or None,
    }
    value = {name: part for name, part in said.items() if part not in (None, [], {})}
    return PutDocument(
        namespace=namespace(record.scope, scope.user_id),
        key=record.id,
        value=cast("dict[str, Any]", walk(value, clean_text)),
        index=["content", "categories"],
        user_id=scope.user_id,
        agent_id=scope.agent_id,
        session_id=scope.session_id,
        capture=not record.private,  # what was learned finds its way to everybody
    )


def _record(document: Document) -> MemoryRecord:
    value = document.value
    return MemoryRecord(
        id=document.key,
        content=str(value.get("content", "")),
        scope=path_of(document.namespace),
        categories=value.get("categories") or [],
        metadata=value.get("metadata") or {},
        importance=value.get("importance", _IMPORTANCE),
        source=value.get("source"),
        private=bool(value.get("private")),
        created_at=_time(document.created_at),
        last_accessed=_time(document.updated_at),
    )


_IMPORTANCE: float = MemoryRecord.model_fields["importance"].default


def _run_events(memory: MemoryService, where: str, user_id: str | None) -> list[str]:
    """The ids of the events that runs under a scope have left, of a user or of nobody."""
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = memory.list_events(user_id=user_id, limit=_PAGE, cursor=cursor)
        for event in page.events:
            metadata = event.metadata or {}
            mine = metadata.get("via") == "crewai" and metadata.get("user_id") == user_id
            if mine and is_within(str(metadata.get("agent_id") or "/"), where):
                found.append(event.id)
        cursor = page.pagination.cursor
        if not page.pagination.has_more or cursor is None:
            return found


def _now() -> datetime:
    """As CrewAI's records have it: in UTC, without saying so."""
    return datetime.now(timezone.utc).replace(tzinfo=None)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(timezone.utc).replace(
        tzinfo=None
    )
