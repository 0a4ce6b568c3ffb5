"""The asynchronous client for tests that are not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from hippocortex_core.async_client import Hippocortex
from hippocortex_core.types import Event


class Blocking:
    """Calls an asynchronous client from blocking code, each call in an event loop of its own."""

    def __init__(self, client: Hippocortex) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            made: Any = method(*args, **kwargs)
            return asyncio.run(_collect(made) if name == "export" else made)

        return call


async def _collect(items: AsyncIterator[Event]) -> list[Event]:
    return [item async for item in items]
