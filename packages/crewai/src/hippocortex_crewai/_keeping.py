"""What people do with a memory: look at its records, change them, and have them forgotten."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import islice
from typing import Any

from crewai.memory.types import MemoryRecord, ScopeInfo
from crewai.memory.unified_memory import Memory
from pydantic import PrivateAttr

from hippocortex_core.recorder import Opener, RecallOptions
from hippocortex_crewai._capture import Capture, Whose
from hippocortex_crewai._records import Records
from hippocortex_crewai._scopes import joined


@dataclass(frozen=True)
class Parts:
    """What a memory is made of.

    Attributes:
        recorder: Of its home.
        whose: It is, if nothing around says so.
        records: That were remembered by hand.
        options: Of recalls.
        capture: Of runs.
        settings: How to make another one like it, with nothing in them that is secret.
    """

    recorder: Opener
    whose: Whose
    records: Records
    options: RecallOptions
    capture: Capture
    settings: Mapping[str, Any]


class KeptMemory(Memory):
    """The part of a memory that is about its records.

    All of it is about the records of the user in scope, or about those that are nobody's.
    """

    root_scope: str | None = None
    """Everything is below this path; a field of CrewAI's own since 1.12."""

    _parts: Parts = PrivateAttr()

    def list_records(
        self, scope: str | None = None, limit: int = 200, offset: int = 0
    ) -> list[MemoryRecord]:
        """What was remembered by hand below a scope, the newest first."""
        found = self._parts.records.all(self._below(scope), self._user)
        return list(islice(found, offset, offset + limit))

    def info(self, path: str | None = None) -> ScopeInfo:
        """How many records there are below a path, and what kinds of them."""
        return self._parts.records.info(self._below(path), self._user)

    def list_scopes(self, path: str | None = None) -> list[str]:
        """The scopes right below a path that hold records."""
        return self.info(path).child_scopes

    def list_categories(self, path: str | None = None) -> dict[str, int]:
        """The categories of the records below a path, and how many there are of each."""
        records = self._parts.records
        return records.categories(list(records.all(self._below(path), self._user)))

    def tree(self, path: str | None = None, max_depth: int = 3) -> str:
        """The scopes below a path as text, one to a line."""
        records, user = self._parts.records, self._user
        lines: list[str] = []

        def draw(where: str, depth: int) -> None:
            found = records.info(where, user)
            lines.append(f"{'  ' * depth}{where} ({found.record_count} records)")
            for child in found.child_scopes if depth < max_depth else ():
                draw(child, depth + 1)

        draw(self._below(path), 0)
        return "\n".join(lines)

    def update(
        self,
        record_id: str,
        content: str | None = None,
        scope: str | None = None,
        categories: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        importance: float | None = None,
    ) -> MemoryRecord:
        """Change a record; the memory then knows it as it is now.

        Raises:
            ValueError: There is no such record.
        """
        existing = next((one for one in self._all() if one.id == record_id), None)
        if existing is None:
            raise ValueError(f"Record not found: {record_id}")
        if self.read_only:
            return existing
        path = None if scope is None else self._below(scope)
        given = {
            "content": content,
            "scope": path,
            "categories": categories,
            "metadata": metadata,
            "importance": importance,
        }
        changes = {name: value for name, value in given.items() if value is not None}
        updated = existing.model_copy(update=changes)
        whose = self._parts.whose.scope(updated.scope)
        self._parts.records.replace(existing, updated, whose)
        return updated

    def forget(
        self,
        scope: str | None = None,
        categories: list[str] | None = None,
        older_than: datetime | None = None,
        metadata_filter: dict[str, Any] | None = None,
        record_ids: list[str] | None = None,
    ) -> int:
        """Delete the records that match all that is given, and what was learned from them alone.

        Without any condition, all below the scope.  What was captured from runs is no record:
        `reset` deletes it too.

        Returns:
            How many there were.
        """
        ids = None if record_ids is None else set(record_ids)
        before = None if older_than is None else _naive(older_than)

        def doomed(record: MemoryRecord) -> bool:
            return (
                (ids is None or record.id in ids)
                and (not categories or not set(categories).isdisjoint(record.categories))
                and (before is None or _naive(record.created_at) < before)
                and (metadata_filter or {}).items() <= record.metadata.items()
            )

        return self._parts.records.delete(self._below(scope), self._user, doomed)

    def reset(self, scope: str | None = None) -> None:
        """Delete all records below a scope, and what was captured from runs under it."""
        self._reset(self._below(scope))

    def reset_all(self) -> None:
        """As `reset`, whatever the `root_scope`."""
        self._reset("/")

    def _reset(self, where: str) -> None:
        records, user = self._parts.records, self._user
        records.delete(where, user, lambda _: True)
        records.forget_runs(where, user)

    def _all(self) -> Iterator[MemoryRecord]:
        return self._parts.records.all(self._below(None), self._user)

    def _below(self, scope: str | None, root: str | None = None) -> str:
        return joined(root or self.root_scope, scope)

    @property
    def _user(self) -> str | None:
        return self._parts.whose.scope().user_id


def _naive(moment: datetime) -> datetime:
    """In UTC, without saying so, as records have it."""
    if moment.tzinfo is None:
        return moment
    return moment.astimezone(timezone.utc).replace(tzinfo=None)
