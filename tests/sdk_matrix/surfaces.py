"""Every way to ask a model through the SDKs, written once for sync and async clients."""

import asyncio
import contextlib
import functools
import inspect
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

QUESTION = "What colour is the sky?"
ANSWER = json.dumps({"colour": "blue", "why": "it scatters more than red does"})
MESSAGES = [{"role": "user", "content": QUESTION}]

_opened = []
_loops = []


@dataclass(frozen=True)
class Surface:
    """A way to ask: `ask(client, stop)` returns the text read, of `stop` pieces if not None."""

    name: str
    ask: Callable[..., Any]
    streams: bool
    wire: str
    needs: str


@dataclass(frozen=True)
class Case:
    sdk: str
    surface: Surface
    mode: str
    number: int

    @property
    def streams(self):
        return self.surface.streams

    def client(self, url, **options):
        return client(self.sdk, url, is_async=self.mode == "async", **options)

    def ask(self, client, stop=None):
        return run(self.surface.ask(client, stop), is_async=self.mode == "async")

    def __str__(self):
        return f"{self.sdk} {self.surface.name} {self.mode}"


def client(sdk, url, *, is_async=False, **options):
    """A client of an SDK for the scripted server."""
    module = __import__(sdk)
    kind = {"openai": "OpenAI", "anthropic": "Anthropic"}[sdk]
    url = f"{url}/v1" if sdk == "openai" else url
    factory = getattr(module, f"Async{kind}" if is_async else kind)
    options = {"api_key": "test", "max_retries": 0, "timeout": 20, **options}
    made = factory(base_url=url, **options)
    _opened.append(made)
    return made


def close_all():
    """Close every client and event loop that was opened."""
    while _opened:
        closing = _opened.pop().close()
        if inspect.isawaitable(closing):
            _loop().run_until_complete(closing)
    while _loops:
        _loops.pop().close()


def _loop():
    if not _loops:
        _loops.append(asyncio.new_event_loop())
    return _loops[0]


def run(coroutine, *, is_async):
    """The coroutine's result; one that only calls sync code runs outside of any event loop."""
    if is_async:
        return _loop().run_until_complete(coroutine)
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("a sync client awaited something")


def exists(root, path):
    for name in path.split("."):
        root = getattr(root, name, None)
    return root is not None


def cases(sdk):
    """The surfaces that the installed version of the SDK has."""
    found = client(sdk, "http://localhost:9")
    surfaces = [surface for surface in SURFACES[sdk] if exists(found, surface.needs)]
    asked = itertools.product(surfaces, ("sync", "async"))
    return [Case(sdk, surface, mode, number) for number, (surface, mode) in enumerate(asked)]


# --- sync and async at once ----------------------------------------------------------------------


async def value(result):
    return await result if inspect.isawaitable(result) else result


@contextlib.asynccontextmanager
async def entered(manager):
    if hasattr(manager, "__aenter__"):
        async with manager as found:
            yield found
    else:
        with manager as found:
            yield found


async def pieces(stream, read, stop=None):
    """The pieces that `read` finds in a stream, joined; abandoned after `stop` of them."""
    said = []
    if hasattr(stream, "__aiter__"):
        async for item in stream:
            said += [piece] if (piece := read(item)) else []
            if len(said) == stop:
                break
    else:
        for item in stream:
            said += [piece] if (piece := read(item)) else []
            if len(said) == stop:
                break
    return "".join(said)


# --- how to read what comes ----------------------------------------------------------------------


def chat_whole(answer):
    return answer.choices[0].message.content


def chat_chunk(chunk):
    return chunk.choices[0].delta.content if chunk.choices else None


def chat_event(event):
    return event.delta if event.type == "content.delta" else None


def response_whole(answer):
    return answer.output_text


def response_event(event):
    return event.delta if event.type == "response.output_text.delta" else None


def message_whole(answer):
    return answer.content[0].text


def message_event(event):
    if event.type != "content_block_delta" or event.delta.type != "text_delta":
        return None
    return event.delta.text


# --- the ways to ask -----------------------------------------------------------------------------


def whole(path, arguments, read):
    async def ask(client, stop):
        return read(await value(at(client, path)(**arguments)))

    return ask


def stream(path, arguments, read):
    async def ask(client, stop):
        opened = await value(at(client, path)(**arguments, stream=True))
        async with entered(opened) as found:
            return await pieces(found, read, stop)

    return ask


def helper(path, arguments, read):
    async def ask(client, stop):
        async with entered(at(client, path)(**arguments)) as found:
            return await pieces(found, read, stop)

    return ask


def raw(path, arguments, read, *, streams=False):
    async def ask(client, stop):
        options = {"stream": True} if streams else {}
        response = await value(at(client, path)(**arguments, **options))
        assert response.http_response.status_code == 200
        parsed = await value(response.parse())
        if not streams:
            return read(parsed)
        async with entered(parsed) as found:
            return await pieces(found, read, stop)

    return ask


def streaming_response(path, arguments, read, *, streams=False):
    async def ask(client, stop):
        options = {"stream": True} if streams else {}
        async with entered(at(client, path)(**arguments, **options)) as response:
            parsed = await value(response.parse())
            return await pieces(parsed, read, stop) if streams else read(parsed)

    return ask


def derived(path, arguments, read):
    async def ask(client, stop):
        other = client.with_options(timeout=11).copy()
        assert type(other) is type(client)
        return read(await value(at(other, path)(**arguments)))

    return ask


def at(client, path):
    for name in path.split("."):
        client = getattr(client, name)
    return client


def family(root, wire, arguments, whole_read, chunk_read, *, event_read, parse):
    """The surfaces of one resource."""

    def surface(name, make, method, *, streams=False, read=None, given=arguments):
        reader = read or (chunk_read if streams else whole_read)
        ask = make(f"{root}.{method}", given, reader)
        return Surface(f"{root}.{name}", ask, streams, wire, f"{root}.{method}")

    r, s = "with_raw_response.create", "with_streaming_response.create"
    raw_stream = functools.partial(raw, streams=True)
    streaming_stream = functools.partial(streaming_response, streams=True)
    return [
        surface("create", whole, "create"),
        surface("create(stream=True)", stream, "create", streams=True),
        surface("stream", helper, "stream", streams=True, read=event_read),
        surface("parse", whole, "parse", given=parse),
        surface("with_raw_response.create", raw, r),
        surface("with_raw_response.create(stream)", raw_stream, r, streams=True),
        surface("with_raw_response.parse", raw, "with_raw_response.parse", given=parse),
        surface("with_streaming_response.create", streaming_response, s),
        surface("with_streaming_response.create(stream)", streaming_stream, s, streams=True),
        surface("create after with_options().copy()", derived, "create"),
    ]


def _model():
    from pydantic import BaseModel  # both SDKs bring it

    class Colour(BaseModel):
        colour: str
        why: str

    return Colour


_CHAT = {"model": "m", "messages": MESSAGES}
_RESPONSE = {"model": "m", "input": QUESTION}
_MESSAGE = {"model": "m", "messages": MESSAGES, "max_tokens": 100}

SURFACES = {
    "openai": [
        *family(
            "chat.completions",
            "chat",
            _CHAT,
            chat_whole,
            chat_chunk,
            event_read=chat_event,
            parse={**_CHAT, "response_format": _model()},
        ),
        Surface(
            "beta.chat.completions.parse",
            whole(
                "beta.chat.completions.parse",
                {**_CHAT, "response_format": _model()},
                chat_whole,
            ),
            False,
            "chat",
            "beta.chat.completions.parse",
        ),
        Surface(
            "client.with_raw_response.chat.completions.create",
            raw("with_raw_response.chat.completions.create", _CHAT, chat_whole),
            False,
            "chat",
            "with_raw_response.chat.completions.create",
        ),
        *family(
            "responses",
            "responses",
            _RESPONSE,
            response_whole,
            response_event,
            event_read=response_event,
            parse={**_RESPONSE, "text_format": _model()},
        ),
    ],
    "anthropic": [
        *family(
            "messages",
            "messages",
            _MESSAGE,
            message_whole,
            message_event,
            event_read=message_event,
            parse={**_MESSAGE, "output_format": _model()},
        ),
        *family(
            "beta.messages",
            "messages",
            _MESSAGE,
            message_whole,
            message_event,
            event_read=message_event,
            parse={**_MESSAGE, "output_format": _model()},
        ),
    ],
}
