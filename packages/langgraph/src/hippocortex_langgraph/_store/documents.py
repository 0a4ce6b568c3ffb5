"""A store's operations on the keyed documents of a memory."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from langgraph.store.base import IndexConfig, Op, PutOp, Result, TTLConfig

from hippocortex_core.operations.documents import DocumentOperation, DocumentOutcome
from hippocortex_core.recorder.intake import clean_text
from hippocortex_core.redaction import walk
from hippocortex_langgraph._store.home import Home
from hippocortex_langgraph._store.ops import (
    Owned,
    check_ops,
    put_operation,
    read_operation,
    result_of,
    rounds,
)
from hippocortex_langgraph._store.sweeper import Answer, Sweeper
from hippocortex_langgraph._store.values import json_object
from hippocortex_langgraph._store.vectors import Index, Vectors
from hippocortex_langgraph._store.whose import Whose

_SWEEP_MINUTES = 5.0


@dataclass(frozen=True)
class _Batch:
    """Operations that are valid, and the values of the puts among them, by position."""

    ops: list[Op]
    values: dict[int, dict[str, Any]]


class Documents:
    """Carries out batches: checked as a whole, embedded as a whole, sent as one request.

    Attributes:
        recorder: Recalls what was learned.
        supports_ttl: As of the store, as all that follow.
        ttl_config: None: items never expire by default.
        index_config: None to search with the home's embeddings.
        embeddings: None for the home's.
    """

    def __init__(
        self,
        home: Home,
        index: IndexConfig | None,
        ttl: TTLConfig | None,
        whose: Whose,
        *,
        capture: bool,
    ) -> None:
        self._home = home
        self._index = None if index is None else Index(index)
        self._whose = whose
        self._capture = capture
        self._sweeper = Sweeper(self.sweep_ttl)
        self.recorder = home.recorder
        self.supports_ttl = True
        # Reading extends a life only if asked to, as in `SqliteStore` (its suite insists).
        self.ttl_config: TTLConfig | None = ttl and {"refresh_on_read": False, **ttl}
        self.index_config = self._index and self._index.config
        self.embeddings = self._index and self._index.embeddings

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """The results, in the order of the operations."""
        batch = _checked(ops)
        vectors = None if self._index is None else self._index.embed(batch.ops, batch.values)
        operations = self._operations(batch, vectors)
        outcomes: dict[int, DocumentOutcome] = {}
        for places in rounds(batch.ops):
            found = self._home.send([operations[place] for place in places])
            outcomes.update(zip(places, found, strict=True))
        return _results(batch.ops, outcomes)

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """As `batch`; the event loop goes on meanwhile."""
        batch = _checked(ops)
        vectors = None if self._index is None else await self._index.aembed(batch.ops, batch.values)
        operations = self._operations(batch, vectors)
        outcomes: dict[int, DocumentOutcome] = {}
        for places in rounds(batch.ops):
            found = await self._home.asend([operations[place] for place in places])
            outcomes.update(zip(places, found, strict=True))
        return _results(batch.ops, outcomes)

    # --- maintenance -----------------------------------------------------------------------------

    def setup(self) -> Answer:
        """Open the home."""
        self._home.service.health()
        return Answer(1)

    def sweep_ttl(self) -> Answer:
        """Delete what has expired."""
        return Answer(self._home.service.sweep_documents())

    def start_ttl_sweeper(self, minutes: float | None) -> Answer:
        """Sweep from time to time, if anything is meant to expire."""
        if not self.ttl_config:
            return Answer(0)
        configured = self.ttl_config.get("sweep_interval_minutes")
        return Answer(self._sweeper.start(minutes or configured or _SWEEP_MINUTES))

    def stop_ttl_sweeper(self, timeout: float | None) -> Answer:
        """Sweep no more."""
        return Answer(self._sweeper.stop(timeout))

    def close(self) -> None:
        """Sweep and recall no more, and close the home."""
        self._sweeper.stop()
        self._home.close()

    async def aclose(self) -> None:
        """As `close`."""
        await asyncio.to_thread(self._sweeper.stop)
        await self._home.aclose()

    # --- parts -----------------------------------------------------------------------------------

    def _operations(self, batch: _Batch, vectors: Vectors | None) -> list[DocumentOperation]:
        run = self._whose.of_run()
        found: list[DocumentOperation] = []
        for position, op in enumerate(batch.ops):
            value = batch.values.get(position)
            if value is None:
                found.append(read_operation(op, vectors))
                continue
            put = cast("PutOp", op)
            owned = Owned(self._whose.of(put.namespace, run), self._capture and is_learnable(value))
            of_put = None if vectors is None else vectors.of_put(position)
            found.append(put_operation(put, value, of_put, owned))
        return found


def is_learnable(value: dict[str, Any]) -> bool:
    """Whether the memory may learn from the value.

    Not if there are secrets in it, or memory that was injected into a prompt: the document is kept
    as it is, but what is learned finds its way into other prompts.
    """
    return walk(value, clean_text) == value


def _checked(ops: Iterable[Op]) -> _Batch:
    given = list(ops)
    check_ops(given)
    values = {
        position: json_object(op.value)
        for position, op in enumerate(given)
        if isinstance(op, PutOp) and op.value is not None
    }
    return _Batch(given, values)


def _results(ops: Sequence[Op], outcomes: dict[int, DocumentOutcome]) -> list[Result]:
    return [result_of(op, outcomes[position]) for position, op in enumerate(ops)]
