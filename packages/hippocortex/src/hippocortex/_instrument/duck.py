"""Clients that are no SDK's: mocks, proxies, look-alikes with the same methods.

They are met at their methods, `chat.completions.create`, `responses.create` and `messages.create`,
which may be sync or async, and answer whole or with any kind of iterator.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from hippocortex._instrument.duck_streams import listen_to_stream
from hippocortex._instrument.interceptor import Exchange, Interceptor
from hippocortex._instrument.providers import CHAT, MESSAGES, RESPONSES, Wire, is_read_once
from hippocortex._instrument.replacing import is_replaced, replace, restore
from hippocortex_core.guard import fail_open

_METHODS = (
    ("chat.completions", CHAT),
    ("responses", RESPONSES),
    ("messages", MESSAGES),
)


def patch_methods(client: Any, memory: Interceptor, session_id: str) -> bool:
    """Put memory around the methods that the client has; False if it has none that can be."""
    found = [(at, wire) for path, wire in _METHODS if (at := _resource(client, path)) is not None]
    done = [_patch(at, wire, memory, session_id) for at, wire in found]
    return any(done)


def restore_methods(client: Any) -> None:
    """Undo `patch_methods`."""
    for path, _ in _METHODS:
        restore(_resource(client, path), "create")


def is_patched(client: Any) -> bool:
    """Whether one of its methods has memory around it."""
    return any(is_replaced(_resource(client, path), "create") for path, _ in _METHODS)


def _resource(client: Any, path: str) -> Any:
    """What lies at the path and has `create`; None if it is another object at every look."""
    first, second = _walk(client, path), _walk(client, path)
    return first if first is second and callable(getattr(first, "create", None)) else None


def _walk(client: Any, path: str) -> Any:
    at = client
    for name in path.split("."):
        at = getattr(at, name, None)
    return at


def _patch(resource: Any, wire: Wire, memory: Interceptor, session_id: str) -> bool:
    create = resource.create
    try:
        replace(
            resource,
            "create",
            functools.partial(_twin(create), create, memory, wire, session_id),
        )
    except (AttributeError, TypeError):
        return False
    return True


def _twin(create: Any) -> Callable[..., Any]:
    if inspect.isasyncgenfunction(create):
        return _generate
    called: object = getattr(_kind(create), "__call__", None)  # noqa: B004 - not whether, but which
    if inspect.iscoroutinefunction(create) or inspect.iscoroutinefunction(called):
        return _acreate
    return _create


def _kind(thing: object) -> type[object]:
    return type(thing)


def _create(
    create: Callable[..., Any],
    memory: Interceptor,
    wire: Wire,
    session_id: str,
    *args: Any,
    **kwargs: Any,
) -> Any:
    kwargs, exchange = _plan(memory, wire, kwargs, session_id)
    if exchange is None:
        return create(*args, **kwargs)
    exchange.recall()
    with exchange:
        result = create(*args, **exchange.body)
    return _awaited(result, exchange) if inspect.isawaitable(result) else _taken(result, exchange)


async def _acreate(
    create: Callable[..., Any],
    memory: Interceptor,
    wire: Wire,
    session_id: str,
    *args: Any,
    **kwargs: Any,
) -> Any:
    kwargs, exchange = _plan(memory, wire, kwargs, session_id)
    if exchange is None:
        return await create(*args, **kwargs)
    await exchange.arecall()
    with exchange:
        result = await create(*args, **exchange.body)
    return _taken(result, exchange)


async def _generate(
    create: Callable[..., AsyncIterator[Any]],
    memory: Interceptor,
    wire: Wire,
    session_id: str,
    *args: Any,
    **kwargs: Any,
) -> AsyncIterator[Any]:
    kwargs, exchange = _plan(memory, wire, kwargs, session_id)
    if exchange is not None:
        await exchange.arecall()
        stream = _taken(create(*args, **exchange.body), exchange)
    else:
        stream = create(*args, **kwargs)
    async for chunk in stream:
        yield chunk


def _plan(
    memory: Interceptor, wire: Wire, kwargs: dict[str, Any], session_id: str
) -> tuple[dict[str, Any], Exchange | None]:
    """The arguments, in which an iterator of messages became a list, and what to do."""
    if not memory.wanted:
        return kwargs, None
    if is_read_once(kwargs.get(wire.field)):
        kwargs = {**kwargs, wire.field: list(kwargs[wire.field])}
    with fail_open("reading a request"):
        return kwargs, memory.plan(wire, kwargs, session_id)
    return kwargs, None


async def _awaited(result: Awaitable[Any], exchange: Exchange) -> Any:
    with exchange:
        found = await result
    return _taken(found, exchange)


def _taken(result: Any, exchange: Exchange) -> Any:
    """The result, recorded; a stream is recorded as it passes through what is returned instead."""
    with fail_open("listening to an answer"):
        stream = listen_to_stream(result, exchange)
        if stream is None:
            exchange.answered(lambda: exchange.wire.reply(result))
            return result
        return stream
    return result
