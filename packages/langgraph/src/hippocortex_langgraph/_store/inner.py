"""A store around another one: its operations go through unchanged, its puts are captured."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any, cast

from langchain_core.embeddings import Embeddings
from langgraph.store.base import BaseStore, IndexConfig, Op, PutOp, Result

from hippocortex_core import Observation, Recorder
from hippocortex_core.guard import fail_open
from hippocortex_core.recorder import Opener
from hippocortex_langgraph._store.sweeper import Answer
from hippocortex_langgraph._store.whose import Whose


class Inner:
    """Another store's batches, with each successful put recorded.

    Attributes:
        recorder: Captures, and recalls what was learned.
        supports_ttl: As of the other store, as all that follow.
    """

    def __init__(self, store: BaseStore, recorder: Opener, whose: Whose, *, capture: bool) -> None:
        self._store = store
        self._whose = whose
        self._capture = capture
        self._used: Recorder | None = None
        self.recorder = recorder
        self.supports_ttl = store.supports_ttl
        self.ttl_config = store.ttl_config
        self.index_config: IndexConfig | None = getattr(store, "index_config", None)
        self.embeddings: Embeddings | None = getattr(store, "embeddings", None)

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """The inner store's results."""
        given = list(ops)
        results = self._store.batch(given)
        self._captured(given)
        return results

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """The inner store's results."""
        given = list(ops)
        results = await self._store.abatch(given)
        self._captured(given)
        return results

    # --- maintenance -----------------------------------------------------------------------------

    def setup(self) -> Any:
        """The inner store's answer, a coroutine if it is asynchronous."""
        return self._call("setup")

    def sweep_ttl(self) -> Any:
        """The inner store's answer."""
        return self._call("sweep_ttl")

    def start_ttl_sweeper(self, minutes: float | None) -> Any:
        """The inner store's answer."""
        return self._call("start_ttl_sweeper", minutes)

    def stop_ttl_sweeper(self, timeout: float | None) -> Any:
        """The inner store's answer."""
        return self._call("stop_ttl_sweeper", timeout)

    def close(self) -> None:
        """Deliver what was captured; the inner store stays open."""
        if self._used is not None:
            self._used.scoped().close()  # which only delivers: others may use the recorder too

    async def aclose(self) -> None:
        """As `close`."""
        await asyncio.to_thread(self.close)

    def _call(self, name: str, *args: Any) -> Any:
        method = getattr(self._store, name, None)
        return Answer(0) if method is None else method(*args)

    # --- parts -----------------------------------------------------------------------------------

    def _captured(self, ops: Sequence[Op]) -> None:
        with fail_open("capturing puts"):
            self._used = self.recorder() if self._capture else None
            if self._used is None:
                return
            last = {(tuple(op.namespace), op.key): op for op in ops if isinstance(op, PutOp)}
            run = self._whose.of_run()
            for op in last.values():
                if op.value is not None:
                    self._used.record(_observation(op), self._whose.of(op.namespace, run))


def _observation(op: PutOp) -> Observation:
    value = cast("dict[str, Any]", op.value)
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    namespace = list(op.namespace)
    # The same value under the same key is the same observation, in whatever process it is put.
    place = json.dumps([namespace, str(op.key), text], default=str)
    key = hashlib.sha256(place.encode("utf-8", "surrogatepass")).hexdigest()
    return Observation(text, data={"namespace": namespace, "key": str(op.key)}, key=key)
