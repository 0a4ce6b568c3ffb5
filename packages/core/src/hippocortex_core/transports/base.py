"""What a client needs of a transport, blocking and not."""

from __future__ import annotations

from typing import Protocol, TypeVar

from hippocortex_core.operations import Operation

T = TypeVar("T")


class Transport(Protocol):
    """Carries operations to one home."""

    def send(self, operation: Operation[T]) -> T:
        """The result of the operation.

        Raises:
            HippocortexError: It failed.
        """
        ...

    def close(self) -> None:
        """Release what is held."""
        ...


class AsyncTransport(Protocol):
    """Carries operations to one home without blocking the event loop."""

    async def send(self, operation: Operation[T]) -> T:
        """The result of the operation.

        Raises:
            HippocortexError: It failed.
        """
        ...

    async def close(self) -> None:
        """Release what is held."""
        ...
