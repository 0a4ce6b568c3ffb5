"""The two places where a call of an SDK is met: a client's own `request`, and its class's.

Every surface of both SDKs (create, parse, stream, raw and streaming responses, beta) comes through
`request(cast_to, options, *, stream, stream_cls)` of `_base_client.SyncAPIClient` and
`AsyncAPIClient`, above retries and above the HTTP library.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, cast

from hippocortex._instrument.interceptor import Exchange, Interceptor
from hippocortex._instrument.providers import find_wire, is_read_once
from hippocortex._instrument.replacing import is_replaced, own, replace, restore
from hippocortex._instrument.streams import collecting, listen
from hippocortex_core.guard import fail_open

_COPIES = ("copy", "with_options")


def call(
    memory: Interceptor,
    session_id: str,
    request: Callable[..., Any],
    cast_to: Any,
    options: Any,
    **kwargs: Any,
) -> Any:
    """A client's `request` with memory around it, if it asks a model; everything else passes."""
    exchange, options = _exchange(memory, session_id, options)
    if exchange is None:
        return request(cast_to, options, **kwargs)
    exchange.recall()
    with exchange:
        result = request(cast_to, _filled(options, exchange), **_listening(kwargs))
    listen(result, exchange, streamed=bool(kwargs.get("stream")))
    return result


async def acall(
    memory: Interceptor,
    session_id: str,
    request: Callable[..., Any],
    cast_to: Any,
    options: Any,
    **kwargs: Any,
) -> Any:
    """The same for a client that is awaited."""
    exchange, options = _exchange(memory, session_id, options)
    if exchange is None:
        return await request(cast_to, options, **kwargs)
    await exchange.arecall()
    with exchange:
        result = await request(cast_to, _filled(options, exchange), **_listening(kwargs))
    listen(result, exchange, streamed=bool(kwargs.get("stream")))
    return result


# --- a class -------------------------------------------------------------------------------------


def patch_class(owner: type, session_of: Callable[[Any], str], memory: Interceptor) -> None:
    """Replace `owner.request`, for every client of the class and its subclasses."""
    if is_replaced(owner, "request"):
        return
    original: Any = own(owner)["request"]

    def request(self: Any, cast_to: Any, options: Any, **kwargs: Any) -> Any:
        bound = functools.partial(original, self)
        return call(memory, session_of(self), bound, cast_to, options, **kwargs)

    async def arequest(self: Any, cast_to: Any, options: Any, **kwargs: Any) -> Any:
        bound = functools.partial(original, self)
        return await acall(memory, session_of(self), bound, cast_to, options, **kwargs)

    replace(owner, "request", arequest if _is_async(owner) else request)


def restore_class(owner: type) -> None:
    """Undo `patch_class`."""
    restore(owner, "request")


# --- a client ------------------------------------------------------------------------------------


def patch_client(client: Any, memory: Interceptor, session_id: str) -> None:
    """Replace `client.request` on this client, and let its copies inherit it."""
    around = acall if _is_async(type(cast("object", client))) else call
    replace(client, "request", functools.partial(around, memory, session_id, client.request))
    for name in _COPIES:
        if (copy := getattr(client, name, None)) is not None:
            replace(client, name, functools.partial(_copy, memory, session_id, copy))


def restore_client(client: Any) -> None:
    """Undo `patch_client`."""
    for name in ("request", *_COPIES):
        restore(client, name)


def is_patched(client: Any) -> bool:
    """Whether the client has memory of its own."""
    return is_replaced(client, "request")


def is_sdk_client(client: object) -> bool:
    """Whether it is a client of the family that OpenAI's and Anthropic's SDKs belong to."""
    return not _bases(type(client)).isdisjoint({"SyncAPIClient", "AsyncAPIClient"})


def _is_async(owner: type) -> bool:
    """Whether its `request` is to be awaited."""
    return "AsyncAPIClient" in _bases(owner)


def _bases(owner: type) -> set[str]:
    # By name: the SDKs may not be imported from here, and each has classes of its own.
    return {base.__name__ for base in owner.__mro__}


def _copy(
    memory: Interceptor, session_id: str, copy: Callable[..., Any], *args: Any, **kwargs: Any
) -> Any:
    made = copy(*args, **kwargs)
    with fail_open("wrapping a copy"):
        patch_client(made, memory, session_id)
    return made


# --- a request -----------------------------------------------------------------------------------


def _exchange(memory: Interceptor, session_id: str, options: Any) -> tuple[Exchange | None, Any]:
    """What to do around a request, and its options, with lists where iterators could be read once.

    There is nothing to do if it does not ask a model, or has memory already.
    """
    if not memory.wanted:
        return None, options
    wire = None
    with fail_open("reading a request"):
        wire = find_wire(options.method, options.url, _body(options))
    if wire is None:
        return None, options
    given: Any = options.json_data.get(wire.field)
    if is_read_once(given):
        options = _copied(options)
        options.json_data = {**options.json_data, wire.field: list(given)}
    with fail_open("reading a request"):
        return memory.plan(wire, _body(options), session_id), options
    return None, options


def _body(options: Any) -> dict[str, Any]:
    """What goes over the wire: what the caller gives as `extra_body` overrides the body."""
    body: Any = options.json_data
    return {**body, **(options.extra_json or {})} if isinstance(body, dict) else {}


def _copied(options: Any) -> Any:
    return options.model_copy() if hasattr(options, "model_copy") else options.copy()


def _filled(options: Any, exchange: Exchange) -> Any:
    """The options with the memory in them, the caller's own if there is none."""
    if not exchange.injected:
        return options
    with fail_open("injecting"):
        copy = _copied(options)
        copy.json_data = body = exchange.body
        extra = options.extra_json
        copy.extra_json = extra and {k: v for k, v in extra.items() if body.get(k) is v}
        return copy
    return options


def _listening(kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `request` with a stream class that can be listened to."""
    stream_cls = kwargs.get("stream_cls")
    if not kwargs.get("stream") or stream_cls is None:
        return kwargs
    with fail_open("listening to a stream"):
        return {**kwargs, "stream_cls": collecting(stream_cls)}
    return kwargs
