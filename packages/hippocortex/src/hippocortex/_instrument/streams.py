"""Listening to answers without touching them: the SDK's own streams and responses keep their class.

Whatever an SDK hands out (a stream, a raw response, a streaming response) stands on one HTTP
response.  The listener is left on that response: the stream tells it every chunk, and closing the
response, by whichever of the many ways there are, tells it that no more will come.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from copy import copy
from functools import lru_cache
from typing import Any, Protocol, TypeVar, get_origin

from hippocortex._instrument.interceptor import Exchange
from hippocortex._instrument.providers import Reply
from hippocortex_core.guard import fail_open

_LISTENER = "_hippocortex_listener"
T = TypeVar("T")


class HttpResponse(Protocol):
    """What httpx and httpx2 responses have in common here."""

    @property
    def content(self) -> bytes:
        """The body, if it was read."""
        ...

    @property
    def is_closed(self) -> bool:
        """Whether no more of it will come."""
        ...


class Listener:
    """Collects what comes of an answer and records it once."""

    def __init__(self, exchange: Exchange) -> None:
        self.chunks: list[Any] = []
        self._exchange = exchange

    def ended(self, response: HttpResponse) -> bool:
        """No more comes through this door; whether there was an answer, which is recorded now."""
        if self.chunks:
            return self._exchange.answered(lambda: self._exchange.wire.reduce(self.chunks))
        return self._exchange.answered(lambda: self._from_body(response))

    def _from_body(self, response: HttpResponse) -> Reply:
        try:
            answer: Any = json.loads(response.content)
        except Exception:  # noqa: BLE001 - not read yet, or not JSON: the caller reads it in a way of its own
            return Reply()
        return self._exchange.wire.reply(answer)


def listen(result: Any, exchange: Exchange, *, streamed: bool) -> None:
    """Record a result of an SDK's `request`, now or as its parts arrive."""
    with fail_open("listening to an answer"):
        response = _response_of(result, streamed=streamed)
        if response is None:
            exchange.answered(lambda: exchange.wire.reply(result))
            return
        listener = Listener(exchange)
        if response.is_closed:
            listener.ended(response)
        else:
            setattr(response, _LISTENER, listener)
            _watch(response, listener)


def _response_of(result: Any, *, streamed: bool) -> HttpResponse | None:
    """The HTTP response under what an SDK gives out; None if it gives out parsed data."""
    if hasattr(result, "iter_raw"):
        return result
    if (raw := getattr(result, "http_response", None)) is not None:
        return raw
    return getattr(result, "response", None) if streamed else None


def _watch(response: Any, listener: Listener) -> None:
    """Tell the listener when the response is closed, until it needs no more telling."""
    close, aclose = response.close, response.aclose

    def ended() -> None:
        if listener.ended(response):
            response.close, response.aclose = close, aclose

    def closing() -> None:
        try:
            close()
        finally:
            ended()

    async def aclosing() -> None:
        try:
            await aclose()
        finally:
            ended()

    response.close, response.aclose = closing, aclosing


@lru_cache(maxsize=256)
def collecting(stream_cls: Any) -> Any:
    """A stream class for the SDK to call: what it makes is of the SDK's own class.

    Only the iterator inside is ours; it tells the listener on the response every chunk.
    """
    origin = get_origin(stream_cls) or stream_cls
    tell = _atell if hasattr(origin, "__anext__") else _tell

    class Collecting(stream_cls):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            own: dict[str, Any] = self.__dict__
            if "_iterator" not in own:
                # Anthropic 2 makes it on first use, on a copy to form no cycle with the stream.
                own["_iterator"] = copy(self).__stream__()
            # `isinstance` of Anthropic 0 knows no subclasses, and programs may compare types.
            self.__class__ = origin

        def __stream__(self) -> Any:
            return tell(origin.__stream__(self), self.response)

    return Collecting


def _tell(chunks: Any, response: Any) -> Iterator[Any]:
    listener: Listener | None = None
    try:
        for chunk in chunks:
            listener = listener or getattr(response, _LISTENER, None)
            if listener is not None:
                listener.chunks.append(chunk)
            yield chunk
    finally:
        chunks.close()
        if listener is not None:
            listener.ended(response)


async def _atell(chunks: Any, response: Any) -> AsyncIterator[Any]:
    listener: Listener | None = None
    try:
        async for chunk in chunks:
            listener = listener or getattr(response, _LISTENER, None)
            if listener is not None:
                listener.chunks.append(chunk)
            yield chunk
    finally:
        await chunks.aclose()
        if listener is not None:
            listener.ended(response)
