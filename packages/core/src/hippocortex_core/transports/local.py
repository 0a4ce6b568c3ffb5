"""Operations applied to a service in this process."""

from __future__ import annotations

import asyncio
from typing import TypeVar

from hippocortex_core.operations import Operation
from hippocortex_core.service import MemoryService

T = TypeVar("T")


class LocalTransport:
    """Calls the service directly; closes it only if it is `owned`."""

    def __init__(self, service: MemoryService, *, owned: bool = True) -> None:
        self._service = service
        self._owned = owned

    def send(self, operation: Operation[T]) -> T:
        """The result of the operation."""
        return operation.apply(self._service)

    def close(self) -> None:
        """Close the service, if it is owned."""
        if self._owned:
            self._service.close()


class AsyncLocalTransport:
    """Calls the service in a thread, so that the event loop goes on; closes it only if `owned`."""

    def __init__(self, service: MemoryService, *, owned: bool = True) -> None:
        self._service = service
        self._owned = owned

    async def send(self, operation: Operation[T]) -> T:
        """The result of the operation."""
        return await asyncio.to_thread(operation.apply, self._service)

    async def close(self) -> None:
        """Close the service, if it is owned."""
        if self._owned:
            await asyncio.to_thread(self._service.close)
