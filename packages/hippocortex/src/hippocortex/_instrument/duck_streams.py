"""Streams of clients that are no SDK's: passed on chunk by chunk, whatever kind they are of."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from types import TracebackType
from typing import Any

from hippocortex._instrument.interceptor import Exchange


def listen_to_stream(result: Any, exchange: Exchange) -> Any:
    """What to hand out instead of a stream, so that it is recorded; None if it is no stream."""
    chunks: list[Any] = []

    def ended() -> None:
        exchange.answered(lambda: exchange.wire.reduce(chunks))

    if inspect.isgenerator(result):
        return _generator(result, chunks, ended)
    if inspect.isasyncgen(result):
        return _async_generator(result, chunks, ended)
    if hasattr(result, "__anext__"):
        return _AsyncStream(result, chunks, ended)
    return _Stream(result, chunks, ended) if hasattr(result, "__next__") else None


def _generator(stream: Any, chunks: list[Any], ended: Any) -> Generator[Any]:
    try:
        for chunk in stream:
            chunks.append(chunk)
            yield chunk
    finally:
        stream.close()
        ended()


async def _async_generator(stream: Any, chunks: list[Any], ended: Any) -> AsyncGenerator[Any]:
    try:
        async for chunk in stream:
            chunks.append(chunk)
            yield chunk
    finally:
        await stream.aclose()
        ended()


class _Proxy:
    """Everything but iteration is the stream's own."""

    def __init__(self, stream: Any, chunks: list[Any], ended: Any) -> None:
        self._hippocortex_stream = stream
        self._hippocortex_chunks = chunks
        self._hippocortex_ended = ended

    def __getattr__(self, name: str) -> Any:
        return getattr(self._hippocortex_stream, name)

    @property
    def __class__(self) -> type:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self._hippocortex_stream.__class__


class _Stream(_Proxy):
    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        try:
            chunk = next(self._hippocortex_stream)
        except BaseException:
            self._hippocortex_ended()
            raise
        self._hippocortex_chunks.append(chunk)
        return chunk

    def __enter__(self) -> Any:
        self._hippocortex_stream.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> Any:
        self._hippocortex_ended()
        return self._hippocortex_stream.__exit__(kind, error, trace)

    def close(self) -> None:
        self._hippocortex_ended()
        self._hippocortex_stream.close()


class _AsyncStream(_Proxy):
    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        try:
            chunk = await anext(self._hippocortex_stream)
        except BaseException:
            self._hippocortex_ended()
            raise
        self._hippocortex_chunks.append(chunk)
        return chunk

    async def __aenter__(self) -> Any:
        await self._hippocortex_stream.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> Any:
        self._hippocortex_ended()
        return await self._hippocortex_stream.__aexit__(kind, error, trace)

    async def close(self) -> None:
        self._hippocortex_ended()
        await self._hippocortex_stream.close()

    async def aclose(self) -> None:
        self._hippocortex_ended()
        await self._hippocortex_stream.aclose()
