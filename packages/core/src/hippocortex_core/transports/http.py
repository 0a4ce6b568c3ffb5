"""Operations over HTTP; the only module that knows httpx.

Connections are pooled.  A pool belongs to the process that made it, and an asynchronous one also
to its event loop: after a fork, or in another loop, a fresh one is made.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TypeVar
from weakref import WeakKeyDictionary

import httpx

from hippocortex_core.config import Settings
from hippocortex_core.envelope import Response
from hippocortex_core.errors import ConfigurationError
from hippocortex_core.exchange import RetryPolicy, Send, Unreachable, exchange
from hippocortex_core.operations import Operation

T = TypeVar("T")


class HttpTransport:
    """Sends operations to a service and waits for the answers; may be shared by threads."""

    def __init__(
        self,
        settings: Settings,
        policy: RetryPolicy | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._policy = policy or RetryPolicy()
        self._sleep = sleep
        self._clients: dict[int, httpx.Client] = {}

    def send(self, operation: Operation[T]) -> T:
        """The result of the operation."""
        flow = exchange(operation, self._settings, self._policy)
        try:
            step = next(flow)
            while True:
                if step.after:
                    self._sleep(step.after)
                step = flow.send(self._answer(step))
        except StopIteration as done:
            return done.value

    def close(self) -> None:
        """Close the connections."""
        if client := self._clients.pop(os.getpid(), None):
            client.close()

    def _answer(self, step: Send) -> Response | Unreachable:
        client = self._client()
        try:
            return _response(client.send(_request(client, self._settings, step)))
        except httpx.RequestError as error:
            return _unreachable(error, self._settings)

    def _client(self) -> httpx.Client:
        pid = os.getpid()
        if pid not in self._clients:
            fresh = httpx.Client(timeout=self._settings.timeout)
            # Two threads may get here at once; a lock could be held by nobody after a fork.
            if self._clients.setdefault(pid, fresh) is not fresh:
                fresh.close()
        return self._clients[pid]


class AsyncHttpTransport:
    """Sends operations to a service without blocking; may outlive an event loop."""

    def __init__(
        self,
        settings: Settings,
        policy: RetryPolicy | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._settings = settings
        self._policy = policy or RetryPolicy()
        self._sleep = sleep
        self._pools: WeakKeyDictionary[asyncio.AbstractEventLoop, _Pool] = WeakKeyDictionary()

    async def send(self, operation: Operation[T]) -> T:
        """The result of the operation."""
        flow = exchange(operation, self._settings, self._policy)
        try:
            step = next(flow)
            while True:
                if step.after:
                    await self._sleep(step.after)
                step = flow.send(await self._answer(step))
        except StopIteration as done:
            return done.value

    async def close(self) -> None:
        """Close the connections of the running event loop; other loops close theirs as they end."""
        if pool := self._pools.pop(asyncio.get_running_loop(), None):
            await pool.close()

    async def _answer(self, step: Send) -> Response | Unreachable:
        client = await self._client()
        try:
            return _response(await client.send(_request(client, self._settings, step)))
        except httpx.RequestError as error:
            return _unreachable(error, self._settings)

    async def _client(self) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        pool = self._pools.get(loop)
        if pool is None or pool.pid != os.getpid():
            pool = self._pools[loop] = _Pool(self._settings.timeout)
            await pool.open()
        return pool.client


class _Pool:
    """The connections of one event loop.

    An asynchronous generator holds them, because a loop that ends closes its generators: without
    a `close()` nothing is left open behind an `asyncio.run`.
    """

    def __init__(self, timeout: float) -> None:
        self.pid = os.getpid()
        self.client = httpx.AsyncClient(timeout=timeout)
        self._life = self._live()

    async def open(self) -> None:
        await anext(self._life)

    async def close(self) -> None:
        await self._life.aclose()

    async def _live(self) -> AsyncGenerator[None]:
        try:
            yield
        finally:
            await self.client.aclose()


def _request(
    client: httpx.Client | httpx.AsyncClient, settings: Settings, step: Send
) -> httpx.Request:
    url = settings.base_url + step.target
    try:
        return client.build_request(
            step.method, url, headers=dict(step.headers), content=step.content
        )
    except httpx.InvalidURL as error:
        raise ConfigurationError(f"the base URL {settings.location!r} is broken: {error}") from None


def _response(response: httpx.Response) -> Response:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Response(response.status_code, headers, response.content)


def _unreachable(error: httpx.RequestError, settings: Settings) -> Unreachable:
    if isinstance(error, httpx.TimeoutException):
        return Unreachable(f"no answer within {settings.timeout:g} s", error)
    return Unreachable(str(error) or type(error).__name__, error)
