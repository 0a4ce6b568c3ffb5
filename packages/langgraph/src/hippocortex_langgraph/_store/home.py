"""The home of a store's documents, for blocking and for asynchronous callers alike."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar, cast

from hippocortex_core import Hippocortex, MemoryService, Recorder, SyncHippocortex, resolve
from hippocortex_core.operations.documents import DocumentOperation, DocumentOutcome
from hippocortex_core.recorder import Opener

T = TypeVar("T")
Client = SyncHippocortex | Hippocortex | MemoryService
"""Whatever can be given as a client: either of the two, or a service in this process."""


class Home:
    """Sends batches of operations.

    Args:
        client: Left open by `close`; default: one is made, and closed.
        api_key: For that one.
        base_url: For that one.

    Attributes:
        service: The memory, for blocking callers.
        recorder: Recalls from it.

    Raises:
        ConfigurationError: Nothing names a home and no engine is installed, or the configuration
            is broken.
    """

    def __init__(
        self, client: Client | None = None, *, api_key: str | None, base_url: str | None
    ) -> None:
        self._own_recorder: Recorder | None = None
        self._async: Hippocortex | None = None
        if client is None:
            self.service: MemoryService = SyncHippocortex(api_key, base_url)
            if resolve(api_key, base_url).is_http:
                self._async = Hippocortex(api_key, base_url)
            self._own_recorder = Recorder(self.service)
        else:
            self.service = blocking(client)
            if isinstance(client, Hippocortex):
                self._async = client
        self.recorder = Opener(self._own_recorder or self.service)

    def send(self, operations: Sequence[DocumentOperation]) -> list[DocumentOutcome]:
        """The outcomes, in the order of the operations."""
        return self.service.batch_documents(operations)

    async def asend(self, operations: Sequence[DocumentOperation]) -> list[DocumentOutcome]:
        """As `send`; the event loop goes on meanwhile."""
        if self._async is not None:
            return await self._async.batch_documents(operations)
        return await asyncio.to_thread(self.service.batch_documents, operations)

    def close(self) -> None:
        """Close what was made here."""
        if self._own_recorder is not None:
            self._own_recorder.close()
            self.service.close()

    async def aclose(self) -> None:
        """As `close`, also for the running event loop."""
        await asyncio.to_thread(self.close)
        if self._own_recorder is not None and self._async is not None:
            await self._async.close()


def blocking(client: Client) -> MemoryService:
    """The client for blocking callers."""
    if isinstance(client, Hippocortex):
        return cast("MemoryService", _Waiting(client))
    return client


class _Waiting:
    """An asynchronous client whose calls are waited for."""

    def __init__(self, client: Hippocortex) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)
        return lambda *args, **options: _finish(lambda: method(*args, **options))


def _finish(call: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """The result of a call in a loop of its own: the clients' connections follow the loop."""

    async def run() -> T:
        return await call()

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(run())
    with ThreadPoolExecutor(1) as pool:  # a loop that runs cannot be entered again
        return pool.submit(copy_context().run, asyncio.run, run()).result()
