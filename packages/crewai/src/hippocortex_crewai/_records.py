"""What was remembered by hand, as CrewAI's records: documents under scopes, in any home.

What is remembered is captured like everything else, so it is never lost, recalled with the rest
and learned from.  The document is what can be listed, found under its scope, changed and deleted;
with it go the events that it was.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
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
from hippocortex_core.steps import Observation
from hippocortex_core.types import Document
from hippocortex_crewai._events import VIA
from hippocortex_crewai._scopes import is_within, labels, namespace, path_of

_QUICK = 2.0
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
        self._news = False

    # --- for agents ------------------------------------------------------------------------------

    def keep(self, record: MemoryRecord, scope: Scope) -> None:
        """Take the record down; if memory is out of reach, only what it says."""
        recorder = self._recorder()
        if recorder is None:
            return
        whose = recorder.scope(scope)
        if not record.private:  # what was learned finds its way to everybody
            recorder.record(_said(record), whose)
            self._news = True
        put = _put(record, whose)
        self._quick(lambda memory: memory.batch_documents([put]))

    def settle(self) -> None:
        """Let what was remembered lately be known to the recalls that follow."""
        if self._news and not is_in_loop() and self._breaker.permit() != "no":
            recorder = self._recorder()
            self._news = recorder is not None and not recorder.flush(_QUICK)
            self._breaker.failure() if self._news else self._breaker.success()

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
        recorder = self._recorder()
        if recorder is not None:
            self._delete(recorder, [old], scope.user_id)
            self.keep(new, scope)

    def delete(self, where: str, user_id: str | None, chosen: Chosen) -> int:
        """Delete records, and the events that they were; returns how many."""
        recorder = self._recorder()
        doomed = [one for one in self.all(where, user_id) if chosen(one)]
        if recorder is not None and doomed:
            self._delete(recorder, doomed, user_id)
        return len(doomed)

    def _delete(
        self, recorder: Recorder, doomed: Sequence[MemoryRecord], user_id: str | None
    ) -> None:
        operations = [DeleteDocument(namespace(one.scope, user_id), one.id) for one in doomed]
        for begin in range(0, len(operations), _PAGE):
            batch = operations[begin : begin + _PAGE]
            recorder.call(lambda memory, batch=batch: memory.batch_documents(batch), _PATIENT)
        ids = {one.id for one in doomed}
        self._forget(recorder, user_id, lambda metadata: metadata.get("record_id") in ids)

    def forget_runs(self, where: str, user_id: str | None) -> None:
        """Delete what was captured from runs under a scope."""
        recorder = self._recorder()
        if recorder is not None:
            self._forget(
                recorder,
                user_id,
                lambda metadata: is_within(str(metadata.get("agent_id") or "/"), where),
            )

    def _forget(
        self, recorder: Recorder, user_id: str | None, chosen: Callable[[Mapping[str, Any]], bool]
    ) -> None:
        """Delete what was captured here, of a user or of nobody, by its metadata."""
        recorder.flush(_PATIENT)
        doomed = recorder.call(lambda memory: list(_captured(memory, user_id, chosen)), _PATIENT)
        for begin in range(0, len(doomed), _PAGE):
            ids = doomed[begin : begin + _PAGE]
            recorder.call(lambda memory, ids=ids: memory.forget(event_ids=ids), _PATIENT)

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
            lambda memory: (
                memory.search_documents(
                    prefix, limit=_PAGE, offset=offset, refresh_ttl=False
                ).documents
            ),
            _PATIENT,
        )


def new_record(content: str, path: str, given: Mapping[str, Any]) -> MemoryRecord:
    """A record of now; what is None among the given fields is left at its default."""
    fields = {name: value for name, value in given.items() if value is not None}
    now = _now()
    return MemoryRecord(
        id=str(uuid.uuid4()),
        content=content,
        scope=path,
        created_at=now,
        last_accessed=now,
        **fields,
    )


def _put(record: MemoryRecord, scope: Scope) -> PutDocument:
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
        capture=False,
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


def _said(record: MemoryRecord) -> Observation:
    about = {**VIA, "record_id": record.id, "categories": record.categories or None}
    metadata = {name: part for name, part in about.items() if part is not None}
    return Observation(record.content, key=uuid.uuid4().hex, metadata=metadata)


def _captured(
    memory: MemoryService, user_id: str | None, chosen: Callable[[Mapping[str, Any]], bool]
) -> Iterator[str]:
    """The ids of the events captured from CrewAI, of a user or of nobody."""
    cursor: str | None = None
    while True:
        page = memory.list_events(user_id=user_id, limit=_PAGE, cursor=cursor)
        for event in page.events:
            metadata = event.metadata or {}
            mine = metadata.get("via") == VIA["via"] and metadata.get("user_id") == user_id
            if mine and chosen(metadata):
                yield event.id
        cursor = page.pagination.cursor
        if not page.pagination.has_more or cursor is None:
            return


def is_in_loop() -> bool:
    """Whether an event loop would be held up by waiting here."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _now() -> datetime:
    """As CrewAI's records have it: in UTC, without saying so."""
    return datetime.now(timezone.utc).replace(tzinfo=None)


def _time(text: str) -> datetime:
    return (
        datetime.fromisoformat(text.replace("Z", "+00:00"))
        .astimezone(timezone.utc)
        .replace(tzinfo=None)
    )
